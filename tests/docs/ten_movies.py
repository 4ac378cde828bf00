"""Runs the tutorial of ten movies.

Serves painted trailers on loopback, since those that the page names do not exist. Reads and writes
docs/tutorial-ten-movies.md. Must not know the steps of the tutorial.
"""

import csv
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

from trailers12k.common.movie import Movie
from trailers12k.movies.sources.sample_rendering import render

from .executed_page import BLOCK, Difference, Place, run_page

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial-ten-movies.md"
SITE = "trailers.example.org"
HOME, CLONE = "/home/ada", "/home/ada/trailers12k"
COPY, COPIED, MISSING = "fourth.mp4", "third.mp4", "seventh.mp4"
"""What the page says of its trailers: one is a copy of another, one is not there."""
VARIES = ((r"(not made yet|missing files)(, (not made yet|missing files))*", "NEW"),)
"""Of a stage's jobs, which of the two reasons is the first."""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def copyfile(self, source: BinaryIO, target: BinaryIO) -> None:
        # yt-dlp reads the beginning, and asks again.
        with suppress(BrokenPipeError, ConnectionResetError):
            super().copyfile(source, target)


@contextmanager
def trailers(folder: Path) -> Iterator[str]:
    """A server with a trailer for each address of the page; gives its host and port."""
    _paint(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def run(update: bool = False) -> list[Difference]:
    """Run the page in a new folder; returns what differs. update: write the page anew."""
    with tempfile.TemporaryDirectory() as top, trailers(Path(top) / "served") as host:
        home = Path(top).resolve() / "home"
        home.mkdir()
        ada = {"NAME": "Ada", "EMAIL": "ada@example.org"}
        git = {f"GIT_{who}_{k}": v for who in ("AUTHOR", "COMMITTER") for k, v in ada.items()}
        place = Place(
            home,
            {
                f"https://{SITE}": f"http://{host}",
                SITE: host,
                HOME: str(home),
                CLONE: str(ROOT),
                "\nshards: 1\n": "\nshards: 1\ndownloads: {private_addresses: true}\n",
            },
            VARIES,
            git,
        )
        return run_page(PAGE, place, update)


def _paint(folder: Path) -> None:
    """Paint the trailers of the page's movie table, with the looks of the sample's genres."""
    text = PAGE.read_text(encoding="utf-8")
    table = next(body for _, title, body in BLOCK.findall(text) if title == "movies.csv")
    painted = folder / "trailers"
    painted.mkdir(parents=True)
    (folder / "posters").mkdir()
    for row in csv.DictReader(table.splitlines()):
        movie = Movie(row["mid"], row["title"], row["year"], tuple(row["genres"].split("|")), "")
        render(movie, folder, seed=1)
        name = row["trailer_url"].rpartition("/")[2]
        (painted / f"{row['mid']}.mp4").rename(folder / name)
    shutil.move(folder / COPY, folder / f"official-{COPY}")
    shutil.copy(folder / COPIED, folder / COPY)
    (folder / MISSING).unlink()
