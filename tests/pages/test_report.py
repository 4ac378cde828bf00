"""The report in a real browser: with and without a mouse, JavaScript or a network."""

import json
import os
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from . import collection
from .collection import HOSTILE, RUNS, STORES

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESK = {"viewport": {"width": 1280, "height": 900}}
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def page_of_60(tmp_path_factory) -> Path:
    return collection.make(tmp_path_factory.mktemp("report") / "run", 60)


def draw_all(visit):
    """Scroll through the page, so that every chart is drawn."""
    page = visit.page
    for name in page.locator("figure[data-chart]").evaluate_all("all => all.map(one => one.id)"):
        page.locator(f"#{name}").scroll_into_view_if_needed()
        page.wait_for_selector(f"#{name} .plot.drawn svg")
    return page


CLIPPED = """all => all.flatMap(plot => {
    const box = plot.querySelector("svg").getBoundingClientRect();
    return [...plot.querySelectorAll("text")].filter(text => {
        const {left, right, width} = text.getBoundingClientRect();
        return width && (left < box.left - 1 || right > box.right + 1);
    }).map(text => plot.ariaLabel.slice(0, 30) + ": " + text.textContent);
})"""
"""The labels of charts that their pictures cut off."""
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
    .filter(one => !one.closest(".scroll, nav, pre, .skip, .live"))
    .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
    .map(one => one.outerHTML.slice(0, 100))"""
"""The elements that end beyond the right border of the screen."""
SCROLLING = """() => [...document.querySelectorAll(".scroll")]
    .filter(box => box.scrollWidth > box.clientWidth + 1)
    .map(box => box.getAttribute("aria-labelledby"))"""
"""The tables that are wider than their boxes."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_fits_the_screen_and_the_first_one_answers_three_questions(
    visit, page_of_60, scheme
):
    page = visit(page_of_60, color_scheme=scheme, **PHONE).page
    for width, height in ((390, 844), (1200, 800), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = false)")
        page.evaluate("scrollTo(0, 0)")
        answers = page.locator(".answer").all()
        questions = [answer.locator("h2").inner_text() for answer in answers]
        assert questions == ["What was run?", "How good is it?", "What was lost?"]
        for answer in answers:
            box = answer.bounding_box()
            assert box["y"] >= 0 and box["y"] + box["height"] <= height, (width, box)
        assert page.locator("nav a").first.bounding_box()["y"] < height
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(TOO_WIDE) == [], width
        # Ten columns of numbers do not fit a phone; their first column stays while they scroll.
        assert page.evaluate(SCROLLING) == (["genres-caption"] if width == 390 else []), width
    page.set_viewport_size({"width": 390, "height": 844})
    table = page.locator("[aria-labelledby=genres-caption]")
    name = table.locator("tbody th").last
    before = name.bounding_box()["x"]
    table.evaluate("box => box.scrollLeft = 200")
    assert name.bounding_box()["x"] == pytest.approx(before, abs=12)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_no_violation(visit, page_of_60, scheme, screen):
    visit = visit(page_of_60, color_scheme=scheme, **screen)
    page = draw_all(visit)
    page.locator("#sky").scroll_into_view_if_needed()
    page.fill("#map-find", "00012")
    page.locator("#map-found button").first.click()
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert visit.violations() == []
    assert page.locator("figure[data-chart] .live").evaluate_all(CLIPPED) == []


def test_a_banner_near_the_top_names_runs_on_untrained_weights(visit, page_of_60, tmp_path):
    page = visit(page_of_60, **DESK).page
    banner = page.get_by_role("note", name="Untrained weights")
    assert banner.bounding_box()["y"] < 500
    assert "1 of 5 runs" in banner.inner_text() and "ResNet" in banner.inner_text()
    trained = collection.make(tmp_path / "trained", 20, untrained=False, kinds=0)
    page = visit(trained).page
    assert page.get_by_role("note").count() == 0 and "untrained" not in page.content().lower()


def test_a_hostile_title_is_shown_as_text(visit, page_of_60):
    # `visit` fails on any dialog or message of the console.
    page = draw_all(visit(page_of_60, **DESK))
    page.fill("#map-find", "<SCRIPT>")
    page.locator("#map-found button").first.click()
    assert page.locator("#card h4").inner_text() == f"{HOSTILE} (1961)"
    assert page.locator("script[src], img[src='x'], iframe, object, embed").count() == 0


def test_pointing_at_a_trailer_shows_its_card(visit, page_of_60):
    page = visit(page_of_60, **DESK).page
    sky, card = page.locator("#sky"), page.locator("#card")
    sky.scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    # The keyboard selects a movie; the test does not need its position.
    sky.press("ArrowRight")
    first = card.locator("h4").inner_text()
    assert re.match(r"The movie of number \d{5}, with a long title \(\d{4}\)|<script>", first)
    frames = card.locator("canvas[role=img]")
    assert frames.get_attribute("aria-label").startswith("Frames of the trailer of")
    page.wait_for_timeout(200)
    shades = frames.evaluate(
        "c => new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size"
    )
    assert shades > 50
    box = sky.bounding_box()
    seen = set()
    for step in range(12):
        page.mouse.move(box["x"] + box["width"] * (0.3 + 0.03 * step), box["y"] + box["height"] / 2)
        seen.add(card.locator("h4").inner_text())
    assert len(seen) > 1
    page.mouse.move(0, 0)
    assert card.locator("h4").inner_text() == first


def test_the_map_works_by_keyboard(visit, page_of_60):
    page = visit(page_of_60, **DESK).page
    page.locator("#map-find").focus()
    page.keyboard.type("00013")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    card = page.locator("#card")
    assert "00013" in card.locator("h4").inner_text()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "sky"
    for key in ("ArrowLeft", "ArrowUp", "+", "-"):
        page.keyboard.press(key)
    reached = card.locator("h4").inner_text()
    assert "00013" not in reached
    neighbour = card.get_by_role("button").inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert card.locator("h4").inner_text() == neighbour
    page.select_option("#map-store", STORES[1])
    assert card.locator("h4").inner_text() == neighbour
    page.select_option("#map-genre", "comedy")


def test_runs_are_selected_by_keyboard(visit, page_of_60):
    page = draw_all(visit(page_of_60, **DESK))
    faint = "all => all.filter(one => +getComputedStyle(one).opacity < 0.2).length"
    lines = page.locator("#figure-precision_recall .live .mark-line path")
    assert lines.evaluate_all(faint) == 0
    box = page.locator("#figure-precision_recall input").first
    box.focus()
    page.keyboard.press("Space")
    page.wait_for_timeout(200)
    assert lines.evaluate_all(faint) == 1
    none = page.locator("#figure-precision_recall button")
    none.press("Enter")
    page.wait_for_timeout(200)
    assert lines.evaluate_all(faint) == len(RUNS)
    strong = page.locator("#figure-run_genres .live .layer_3_marks path")
    before = strong.first.get_attribute("transform")
    page.locator("#figure-run_genres select").select_option(RUNS[0])
    page.wait_for_timeout(200)
    assert strong.first.get_attribute("transform") != before


def test_charts_follow_the_colour_scheme(visit, page_of_60):
    page = draw_all(visit(page_of_60, color_scheme="light", **DESK))
    bars = page.locator("#figure-shots .live .mark-rect path").first
    light = bars.get_attribute("fill")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "light => document.querySelector('#figure-shots .live .mark-rect path')"
        "?.getAttribute('fill') !== light",
        arg=light,
    )


@pytest.mark.parametrize("how", ["print", "no script"])
def test_print_and_a_page_without_scripts_show_still_pictures(visit, page_of_60, how):
    if how == "print":
        page = draw_all(visit(page_of_60, **DESK))
        page.emulate_media(media="print")
    else:
        page = visit(page_of_60, java_script_enabled=False, **DESK).page
    stills = page.locator("figure[data-chart] img.still")
    shown = page.locator("figure[data-chart] img.still:visible")
    assert stills.count() == shown.count() == 17
    assert page.locator(".feature-map-still img:visible").count() == 1
    assert page.locator(".live:visible, #sky:visible, fieldset:visible").count() == 0
    if how == "print":
        alts = stills.evaluate_all("all => all.map(one => [one.alt.length, one.naturalWidth])")
        assert all(words > 20 and width > 300 for words, width in alts)


def test_every_link_leads_to_a_file_and_every_picture_has_two_formats(visit, page_of_60):
    page = visit(page_of_60, **DESK).page
    links = page.locator("a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    files = {link for link in links if not link.startswith("#")}
    assert all((page_of_60.parent / unquote(link)).is_file() for link in files)
    anchors = {link[1:] for link in links if link.startswith("#")}
    assert all(page.locator(f"[id='{name}']").count() == 1 for name in anchors)
    for name in page.locator("figure[data-chart]").evaluate_all(
        "all => all.map(one => one.dataset.chart)"
    ):
        assert {f"../figures/{name}.svg", f"../figures/{name}.png"} <= files
    for store in STORES:
        assert f"../map/{store}.csv" in files and f"../figures/map_{store}.png" in files
    assert "../../data/curation.csv" in files and "../costs.csv" in files


def test_the_policy_allows_no_network(page_of_60):
    text = page_of_60.read_text()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text).group(1)
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "http" not in policy and "connect-src" not in policy
    assert re.findall(r"<(?:link|iframe|object|base)\b", text.split("<script")[0]) == []
    # Embedded data does not end its script element.
    for block in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.S):
        json.loads(block)


def test_the_same_tables_give_the_same_bytes(page_of_60, tmp_path):
    again = collection.make(tmp_path / "again", 60)
    here, there = page_of_60.parents[1], again.parents[1]
    files = [path.relative_to(here) for path in here.rglob("*") if path.is_file()]
    assert len(files) > 50
    assert [p for p in files if (here / p).read_bytes() != (there / p).read_bytes()] == []


def test_a_page_of_12000_movies_is_small_and_opens_quickly(visit, tmp_path):
    path = collection.make(tmp_path / "many", 12_000)
    assert os.path.getsize(path) < 10 * MEGABYTE
    page = visit(path, **DESK).page
    opened = page.evaluate(
        "() => { const entry = performance.getEntriesByType('navigation')[0];"
        " return [entry.domContentLoadedEventEnd,"
        " performance.getEntriesByName('first-contentful-paint')[0].startTime] }"
    )
    assert max(opened) < 2000, opened
    page.locator("#sky").scroll_into_view_if_needed()
    page.fill("#map-find", "11999")
    page.locator("#map-found button").first.click()
    assert "11999" in page.locator("#card h4").inner_text()
    assert page.locator("#card canvas").count() == 1
    # The map answers a move of the pointer within 100 ms.
    box = page.locator("#sky").bounding_box()
    took = page.evaluate(
        """([x, y]) => {
            const sky = document.getElementById('sky'), began = performance.now();
            for (let step = 0; step < 20; step++)
                sky.dispatchEvent(new PointerEvent('pointermove',
                    {clientX: x + 9 * step, clientY: y, bubbles: true}));
            return (performance.now() - began) / 20;
        }""",
        [box["x"] + 250, box["y"] + 200],
    )
    assert took < 100, took
