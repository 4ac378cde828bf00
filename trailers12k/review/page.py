"""The pages on which a person looks at trailers and decides about them.

Reads tables that a run makes, contact sheets and posters; writes results/review/. What it writes
works from a folder, without a server and without a network. Must not know how tables were made.
"""

import base64
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from trailers12k.common.files import (
    PARTIAL,
    is_being_written,
    remove_leftover,
    replacing,
    write_text,
)
from trailers12k.common.movie import is_mid
from trailers12k.common.vocabulary import GENRES
from trailers12k.review.flags import FLAGS
from trailers12k.video import contact_sheets as sheets

log = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parent / "templates"
POSTER = 180
"""Height of a poster in pixels, twice what it is shown at."""
MOVIE = [
    *("mid", "title", "year", "genres", "address", "video", "duration", "width", "height"),
    *("sha256", "shots", "starts", "cell", "poster", "flags"),
]
"""What the page is told of a movie. genres and flags by their numbers, flags with their words;
starts: see `_starts`; cell: width of the sheet's cells, 0 without a sheet; poster: 1 or 0."""
DECISION = [
    *("mid", "title", "decision", "wrong", "replacement", "sha256", "note", "by", "date"),
]
"""And of a decision."""


def write(
    folder: Path,
    collection: str,
    trailers: pd.DataFrame,
    flags: Iterable[Mapping[str, str]],
    clips: pd.DataFrame,
    decisions: Iterable[Mapping[str, str]],
    pictures: Path,
    posters: Path,
) -> None:
    """Write the review of a collection into a folder; pictures that are there already stay.

    collection: its name; what a browser keeps goes by it.
    trailers: results/tables/trailers.csv, read as text. flags: the rows of flags.csv.
    clips: clips.csv, `mid`, `shot` and `start`. decisions: of `curation.read_written`.
    pictures, posters: folders of MID.jpg, contact sheets and posters; any may be missing.
    """
    mids = list(trailers["mid"])
    cells = _pictures(folder / "sheets", pictures, mids, _link)
    shown = _pictures(folder / "posters", posters, mids, _shrink)
    starts = dict(_starts(clips))
    told: dict[str, list] = {}
    numbers = {name: number for number, name in enumerate(FLAGS)}
    for row in flags:
        told.setdefault(row["mid"], []).append([numbers[row["flag"]], row["words"]])
    genres = _genres(trailers["genres"])

    def line(row) -> list:
        shots = int(_number(row.shots))
        sheet = folder / "sheets" / f"{row.mid}.jpg"
        width = sheets.cell_width(sheet, shots) if row.mid in cells else 0
        return [
            *(row.mid, row.title, row.year),
            [genres[name] for name in row.genres.split("|") if name],
            *(row.trailer, row.video_title, round(_number(row.duration), 2)),
            *(int(_number(row.width)), int(_number(row.height)), row.sha256, shots),
            starts.get(row.mid, ""),
            *(width, int(row.mid in shown), told.get(row.mid, [])),
        ]

    about = {
        "collection": collection,
        "flags": FLAGS,
        "genres": list(genres),
        "sheet": {"columns": sheets.COLUMNS, "height": sheets.HEIGHT},
        "columns": MOVIE,
        "decided": DECISION,
    }
    write_text(
        folder / "movies.js",
        "window.TRAILERS12K = "
        + _object(about, movies=map(line, trailers.itertuples()), decisions=_decided(decisions))
        + ";\n",
    )
    write_text(folder / "index.html", page())
    log.info(
        "%s: %d movies, %d contact sheets, %d posters, %d flagged",
        folder / "index.html",
        len(mids),
        len(cells),
        len(shown),
        len(told),
    )


def page() -> str:
    """The page: style and script in it, and nothing that it may fetch from a network."""
    html, style, script = (
        (TEMPLATES / f"review.{end}").read_text(encoding="utf-8") for end in ("html", "css", "js")
    )
    policy = "; ".join(
        [
            "default-src 'none'",
            # `file:` since browsers do not agree on what a page's own folder is.
            f"script-src 'self' file: {_hash(script)}",
            f"style-src {_hash(style)}",
            "img-src 'self' file:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    parts = {"policy": policy, "style": style, "script": script}
    for name, text in parts.items():
        html = html.replace(f"[[{name}]]", text)
    return html


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _object(about: Mapping[str, object], **lists: Iterable[object]) -> str:
    """JSON that can stand in a script, with a line for each thing of the lists."""
    parts = [f"{_json(name)}: {_json(value)}" for name, value in about.items()]
    for name, several in lists.items():
        parts.append(f"{_json(name)}: [\n" + ",\n".join(map(_json, several)) + "\n]")
    return "{\n" + ",\n".join(parts) + "\n}"


def _json(value: object) -> str:
    # ASCII, so that neither the end of a script nor an odd end of a line can stand in it.
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _genres(column: pd.Series) -> dict[str, int]:
    """The genres that are there, ours first, and their numbers."""
    there = {name for several in column.unique() for name in several.split("|") if name}
    ours = [name for name in GENRES if name in there]
    return {name: number for number, name in enumerate([*ours, *sorted(there - {*ours})])}


def _starts(clips: pd.DataFrame) -> Iterable[tuple[str, str]]:
    """For each trailer, when the shots of its sheet's cells begin: tenths of seconds, each after
    the one before, to the base of 36. A third of the size of plain numbers."""
    first = clips.drop_duplicates(["mid", "shot"])
    tenths = (first["start"] * 10).round().astype(int)
    for mid, times in tenths.groupby(first["mid"], sort=True):
        values = times.to_numpy()
        steps = np.diff(values[sheets.shown(len(values))], prepend=0)
        yield mid, " ".join(np.base_repr(step, 36).lower() for step in steps)


def _decided(rows: Iterable[Mapping[str, str]]) -> list[list]:
    found = []
    for row in rows:
        row = {name: row.get(name) or "" for name in DECISION}
        row["wrong"] = [text for text in row["wrong"].split("|") if text]
        found.append([row[name] for name in DECISION])
    return found


def _pictures(
    folder: Path, source: Path, mids: Iterable[str], put: Callable[[Path, Path], None]
) -> set[str]:
    """Have the pictures MID.jpg of a folder in another; the mids that have one. What is there of
    the same date stays, what is of other movies goes."""
    folder.mkdir(parents=True, exist_ok=True)
    there = _dates(source)
    own = _dates(folder)
    wanted = [mid for mid in mids if mid in there]
    for mid in own.keys() - {*wanted}:
        (folder / f"{mid}.jpg").unlink()
    for leftover in folder.glob(f"*{PARTIAL}"):
        if not is_being_written(leftover):
            remove_leftover(leftover)
    done = set()
    for mid in wanted:
        target = folder / f"{mid}.jpg"
        if own.get(mid) != there[mid]:
            try:
                with replacing(target) as partial:
                    put(source / f"{mid}.jpg", partial)
                    if partial.stat().st_mtime_ns != there[mid]:
                        os.utime(partial, ns=(there[mid], there[mid]))
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
                if isinstance(error, OSError) and error.errno:
                    raise
                log.warning("%s/%s.jpg cannot be read: %s", source, mid, error)
                target.unlink(missing_ok=True)
                continue
        done.add(mid)
    return done


def _dates(folder: Path) -> dict[str, int]:
    """The movies whose pictures are in a folder, and when these were made."""
    if not folder.is_dir():
        return {}
    with os.scandir(folder) as entries:
        return {
            entry.name.removesuffix(".jpg"): entry.stat().st_mtime_ns
            for entry in entries
            if entry.name.endswith(".jpg") and is_mid(entry.name.removesuffix(".jpg"))
        }


def _link(source: Path, target: Path) -> None:
    """Pictures are never written in place, so both names of a hard link may share the bytes."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _shrink(source: Path, target: Path) -> None:
    with Image.open(source) as picture:
        picture.draft("RGB", (1, 2 * POSTER))
        small = picture.convert("RGB")
    small.thumbnail((2 * POSTER, POSTER), Image.Resampling.LANCZOS)
    small.save(target, "JPEG", quality=80, optimize=True)


def read_table(path: str | Path) -> pd.DataFrame:
    """A table of ours, as text."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def read_shots(path: str | Path) -> pd.DataFrame:
    """What `write` wants of clips.csv."""
    return pd.read_csv(path, usecols=["mid", "shot", "start"])
