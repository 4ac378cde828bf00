"""Makes everything in README.md and docs/ that shows a run: `make docs-figures`.

Needs a finished sample in this clone, and Chromium. Reads data/, build/ and results/; writes
pictures and outputs into docs/. Must not know how pages are tested.

`python tests/docs/figures.py PART ...` makes some of it.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import av
from PIL import Image

from trailers12k.common.files import read_csv

ROOT = Path(__file__).parents[2]
sys.path[0] = str(ROOT / "tests")

from pages.browser import Visit, chromium  # noqa: E402

from docs import executed_notebook, readme, sample_page, ten_movies  # noqa: E402

DOCS, RESULTS, BUILD = ROOT / "docs", ROOT / "results", ROOT / "build"
COLOURS = 192
SHOWN = ("tt9000025", "tt9000004", "tt9000002", "tt9000011")
"""Movies of the sample whose posters and frames are shown."""
GAP, ROW, COLUMNS = 4, 120, 4
"""Pixels between pictures, the height of a row of them, and the most frames in a row."""


SCREENS = {"report": (540, ()), "review": (660, ("a", "A", "d", "a", "Enter", "a", "u", "k"))}
"""Page -> pixels of its height that are shown, and the keys that are pressed: one accepts, the page
asks for a name, one is unsure."""
MESSAGE = 6000
"""Milliseconds after which a message of the review is gone."""


def results() -> None:
    """docs/results.png: the scores of all runs."""
    _write(Image.open(RESULTS / "figures" / "results.png"), "results.png")


def sample() -> None:
    """docs/sample.jpg: posters and one frame per clip of a few movies."""
    clips = [row for row in read_csv(ROOT / "data" / "clips.csv") if row["mid"] in SHOWN]
    picture = Image.new("RGB", (0, 0))
    for place, mid in enumerate(SHOWN):
        middles = [
            (float(row["start"]) + float(row["end"])) / 2 for row in clips if row["mid"] == mid
        ]
        poster = Image.open(BUILD / "sample" / "posters" / f"{mid}.jpg")
        left, top = 0, place * (ROW + GAP)
        for shown in (poster, *_frames(BUILD / "trailers" / f"{mid}.mp4", middles[:COLUMNS])):
            small = shown.resize((shown.width * ROW // shown.height, ROW), Image.Resampling.LANCZOS)
            size = max(picture.width, left + small.width), top + ROW
            picture = _on_white(picture, size)
            picture.paste(small, (left, top))
            left += small.width + GAP
    picture.save(DOCS / "sample.jpg", quality=75, optimize=True)


def pages() -> None:
    """docs/report.png and docs/review.png: the first screens of the two pages."""
    subprocess.run([Path(sys.executable).with_name("trailers12k"), "review"], cwd=ROOT, check=True)
    with chromium() as browser:
        for name, (height, keys) in SCREENS.items():
            size = {"width": 1200, "height": height}
            visit = Visit(browser, RESULTS / name / "index.html", viewport=size)
            visit.page.wait_for_load_state("networkidle")
            for key in keys:
                visit.page.keyboard.press(key)
            if keys:
                visit.page.wait_for_timeout(MESSAGE)
            target = DOCS / f"{name}.png"
            visit.page.screenshot(path=target, animations="disabled")
            visit.close()
            assert not visit.faults, visit.faults
            _write(Image.open(target), target.name)


def notebook() -> None:
    """docs/tutorial-notebook.md and its pictures."""
    executed_notebook.write_page(ROOT)


PARTS = {
    "results": results,
    "sample": sample,
    "pages": pages,
    "notebook": notebook,
    "tutorial-sample": lambda: sample_page.run(ROOT, update=True),
    "ten-movies": lambda: ten_movies.run(update=True),
    "readme": lambda: readme.write(sample_page.closing_words(ROOT)),
}


def _frames(video: Path, seconds: Sequence[float]) -> list[Image.Image]:
    """The frames of a video that are shown at these times, which increase."""
    frames, wanted = [], list(seconds)
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            if wanted and frame.time >= wanted[0]:
                frames.append(frame.to_image())
                wanted.pop(0)
    return frames


def _on_white(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A larger picture with this one at its top left."""
    larger = Image.new("RGB", size, "white")
    larger.paste(picture, (0, 0))
    return larger


def _write(picture: Image.Image, name: str) -> None:
    picture.convert("RGB").quantize(COLOURS).save(DOCS / name, optimize=True)


def main() -> None:
    """Make the parts that the command line names, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    for name in parser.parse_args().parts or PARTS:
        PARTS[name]()
        print(f"docs: {name}")


if __name__ == "__main__":
    main()
