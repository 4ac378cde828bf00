"""The page of a publication in a real browser, and its Markdown as a page of mkdocs."""

import io
import os
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from PIL import Image

from trailers12k.common.vocabulary import GENRES, METRICS, SPLITS, SUBSETS
from trailers12k.publish.facts import Licence, Loss, Subset
from trailers12k.publish.texts import page

from ..unit.publish import examples
from ..unit.publish.examples import HOSTILE

SIZES = [(390, 844), (1280, 900)]
LONG = "a_name_without_any_place_to_break_" * 4
STORES = [f"trailers_{kind}_network{place}_fps24_fpc24" for place, kind in enumerate("iiikkk")]
FILES = examples.files(
    *("README.md", "collage.jpg", "metadata.tar.gz", "mtgc.csv"),
    *(f"{store}.zarr.tar.gz" for store in STORES),
    *(f"features/{store}/train-{part:05d}-of-00002.parquet" for store in STORES for part in (0, 1)),
)


def facts():
    """A dataset of 12,000 movies with long and hostile texts in every place."""
    texts = {"title": f"Trailers of {HOSTILE}", "description": f"{HOSTILE} {LONG}. " * 3}
    stated = replace(examples.STATED, **texts, limitations=HOSTILE, contact=HOSTILE)
    licences = [Licence("BSD-3-Clause"), Licence(f"CC-BY-NC-4.0 {HOSTILE}", True)]
    stores = [
        examples.store(name, movies=11_900, rows=1_234_567, model=HOSTILE, weights=LONG,
                       licence=licences[place % 2], attributes={"pretrained": place > 1})
        for place, name in enumerate(STORES)
    ]  # fmt: skip
    shares = {genre: 0.1 * place for place, genre in enumerate(GENRES)}
    scores = {name: "75.71" for metric in METRICS for name in (metric, f"{metric}_sd")}
    scores |= {f"paper_{name}": value for name, value in scores.items()}
    return examples.facts(
        statements=stated,
        movies=12_000,
        labelled=12_000,
        stores=stores,
        years={1960 + 10 * place: 100 * place**2 for place in range(7)},
        genres={genre: 900 * place for place, genre in enumerate(GENRES)},
        pairs={(one, other): 37 * n for n, one in enumerate(GENRES) for other in GENRES[n + 1 :]},
        losses=[Loss("trailers", "failed", HOSTILE, 1_000, HOSTILE), *examples.facts().losses],
        subsets=[Subset(f"split{k}", name, 4_000, shares) for k in SPLITS for name in SUBSETS],
        results=[{"run": run, "weights": LONG, "of": "2400", "movies": "2390", **scores}
                 for run in ("chance", "Swin-3D", HOSTILE)],
        credits=[HOSTILE],
        notes=[HOSTILE],
    )  # fmt: skip


@pytest.fixture(scope="module")
def collage():
    file = io.BytesIO()
    Image.effect_noise((1280, 432), 60).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture(scope="module")
def index(tmp_path_factory, collage):
    path = tmp_path_factory.mktemp("publication") / "index.html"
    path.write_text(page.html(facts(), FILES, collage), encoding="utf-8")
    return path


@pytest.mark.parametrize(("scheme", "judged"), [("light", 390), ("dark", 1280)])
def test_the_page_fits_every_screen_and_excludes_nobody(visit, index, scheme, judged):
    opened = visit(index, color_scheme=scheme, viewport={"width": 390, "height": 844})
    for width, height in SIZES:
        opened.page.set_viewport_size({"width": width, "height": height})
        assert opened.page.evaluate("document.documentElement.scrollWidth") == width
        if width == judged:
            assert opened.violations() == []
    assert opened.page.locator(".collage img").evaluate("image => image.naturalWidth") == 1280
    assert opened.page.locator("script").count() == 0
    assert HOSTILE.split()[0] in opened.page.locator("h1").inner_text()


class Elements(HTMLParser):
    """The elements of an article."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.headings, self.rows = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.headings += [dict(attrs).get("id")] if tag == "h2" else []
        if tag in ("table", "tr"):
            self.rows.append(0 if tag == "tr" else "table")
        elif tag in ("th", "td"):
            self.rows[-1] += 1


def test_mkdocs_makes_a_page_of_the_markdown(tmp_path, collage):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/collage.jpg").write_bytes(collage)
    (tmp_path / "docs/index.md").write_text(page.markdown(facts(), FILES), encoding="utf-8")
    (tmp_path / "mkdocs.yml").write_text(
        "site_name: Three\ntheme: {name: material, font: false}\nplugins: []\n"
        "markdown_extensions: [admonition, attr_list, def_list, footnotes, tables,"
        " pymdownx.superfences]\n"
        "validation: {links: {not_found: warn, unrecognized_links: warn, anchors: warn}}\n"
    )
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict"],
        cwd=tmp_path,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        check=True,
    )
    html = (tmp_path / "site/index.html").read_text(encoding="utf-8")
    article = html[html.index("<article") : html.index("</article>")]
    elements = Elements(article)
    # A script of the title would be one here; tables of hostile cells keep their columns.
    assert not {"script", "em"} & {*elements.tags}
    assert elements.tags.count("img") == 1
    assert elements.tags.count("table") == 10
    tables = " ".join(map(str, elements.rows)).split("table")[1:]
    assert all(len({*table.split()}) == 1 for table in tables), tables
    assert "onerror=alert(2)&gt;" in article and "{{" not in article
    assert {"overview", "data", "how-to-load", "licence"} <= {*elements.headings}
