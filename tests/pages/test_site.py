"""The documentation site in a browser: local, drawn, and found by its search."""

import functools
import os
import re
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.stem
    for path in (ROOT / "docs").glob("*.md")
    if "{{ include" not in path.read_text(encoding="utf-8")
)
QUESTIONS = re.findall(
    r"^- \[(.+)\]\(([\w-]+)\.md[^)]*\)$", (ROOT / "docs" / "questions.md").read_text(), re.M
)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of the site, built and served on loopback."""
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        check=True,
    )
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=folder)
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def context(browser):
    with browser.new_context(viewport={"width": 390, "height": 800}) as context:
        yield context


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_nothing_of_another_host_and_fits_a_phone(context, site, name):
    page = context.new_page()
    page.set_default_timeout(10_000)
    faults = []
    page.on("request", lambda r: r.url.startswith((site, "data:")) or faults.append(r.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda m: m.type in ("error", "warning") and faults.append(m.text))
    page.goto(f"{site}/{name}.html", wait_until="load")
    diagrams = page.locator(".mermaid").count()
    page.wait_for_function("!document.querySelector('pre.mermaid')")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert page.locator("div.mermaid").count() == diagrams
    page.close()
    assert faults == [] and width <= 390


@pytest.fixture(scope="module")
def search(browser, site):
    """A function: the pages that the site's search finds, the first one first."""
    with browser.new_context(viewport={"width": 1300, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.goto(f"{site}/questions.html")
        field = page.locator("input.md-search__input")

        def find(text):
            field.click()
            for typed in ("", text):
                field.fill(typed)
                field.press("End")  # the search listens to keys
                found = "document.querySelector('.md-search-result__item')"
                page.wait_for_function(f"!!{found} === {str(bool(typed)).lower()}")
            links = page.locator(".md-search-result__item > a.md-search-result__link")
            hrefs = links.evaluate_all("all => all.map(one => one.href)")
            return [Path(href.partition("?")[0].partition("#")[0]).stem for href in hrefs]

        yield find


def test_twenty_questions_are_listed():
    assert len(QUESTIONS) >= 20


@pytest.mark.parametrize(("question", "answer"), QUESTIONS)
def test_the_search_finds_the_answer_first(search, question, answer):
    found = [name for name in search(question.replace("`", "")) if name != "questions"]
    assert found[:1] == [answer]


def test_the_tables_of_all_keys_need_no_scrolling_on_a_phone(context, site):
    page = context.new_page()
    page.goto(f"{site}/configuration.html")
    tables = page.locator(".md-typeset__table")
    assert tables.count() > 10
    wider = "all => all.filter(t => t.scrollWidth > t.parentElement.clientWidth + 1).length"
    assert tables.evaluate_all(wider) == 0
    page.close()
