"""The page on which a person checks trailers and decides about them.

Reads tables of a run, contact sheets and posters; writes results/review/, which works from a folder
without a server or a network. Must not know how the tables were made.
"""

import base64
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from trailers12k.common.files import (
    PARTIAL,
    inside,
    is_being_written,
    read_csv,
    remove_leftover,
    replacing,
    write_text,
)
from trailers12k.common.local_files import for_table
from trailers12k.common.movie import is_mid
from trailers12k.common.vocabulary import GENRES
from trailers12k.evaluation.frames import read_frame
from trailers12k.movies import curation
from trailers12k.review.flags import COLUMNS as FLAG_COLUMNS
from trailers12k.review.flags import FLAGS, NUMBERS
from trailers12k.review.trailer_table import TRAILERS
from trailers12k.video import contact_sheets

log = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parent / "templates"
PACKAGE_FILES = (
    "templates/review.html",
    "templates/review.css",
    "templates/review.js",
)
"""Data files whose bytes count in code versions; see `workflow.code_versions`."""
POSTER_HEIGHT = 180
"""Pixels of a poster's file, twice the displayed height."""
MOVIE = [
    *("mid", "title", "year", "genres", "address", "video", "duration", "width", "height"),
    *("sha256", "shots", "starts", "cell", "poster", "flags"),
]
"""Columns of a movie in movies.js. genres: indexes; flags: lists of an index, words and the mids of
other trailers; starts: see `_shot_starts`; cell: width of the contact sheet's cells, 0 without a
sheet; poster: 1 or 0."""
DECISION = [
    *("mid", "title", "decision", "wrong", "replacement", "sha256", "note", "by", "date"),
]
"""Columns of a decision in movies.js."""


@dataclass(frozen=True)
class ReviewFiles:
    """The files that `write_review` reads.

    trailers, flags: results/tables/trailers.csv and flags.csv. clips: data/clips.csv. curation:
    data/curation.csv. contact_sheets, posters: folders of MID.jpg; any file may be missing.
    decisions: the folder of the user's file of decisions, in which the paths of the exported ones
    start.
    """

    trailers: str | Path
    flags: str | Path
    clips: str | Path
    curation: str | Path
    contact_sheets: Path
    posters: Path
    decisions: Path = Path()


def write_review(folder: Path, collection: str, files: ReviewFiles) -> None:
    """Writes the review of a collection into a folder; see `write`."""
    trailers = read_frame(
        files.trailers, TRAILERS, NUMBERS, ["mid"], dtype=str, keep_default_na=False
    )
    trailers["trailer"] = [for_table(text, files.decisions) for text in trailers["trailer"]]
    contents = ReviewContents(
        collection=collection,
        trailers=trailers,
        flags=read_csv(files.flags, FLAG_COLUMNS),
        clips=read_frame(files.clips, CLIPS, CLIPS[1:], usecols=CLIPS),
        decisions=curation.read_written(files.curation, files.decisions),
    )
    write(folder, contents, files.contact_sheets, files.posters)


CLIPS = ("mid", "shot", "start")
"""The columns of clips.csv that the page needs; all but the first are numbers."""


@dataclass(frozen=True)
class ReviewContents:
    """What the page shows.

    collection: its name, under which a browser stores decisions. trailers: rows of trailers.csv, as
    text. flags: rows of flags.csv. clips: `mid`, `shot` and `start` of clips.csv. decisions: of
    `curation.read_written`.
    """

    collection: str
    trailers: pd.DataFrame
    flags: Sequence[Mapping[str, str]]
    clips: pd.DataFrame
    decisions: Sequence[Mapping[str, str]]


def write(folder: Path, contents: ReviewContents, sheets: Path, posters: Path) -> None:
    """Writes index.html, movies.js, sheets/MID.jpg and posters/MID.jpg into a folder.

    Pictures that are up to date stay. sheets, posters: folders of MID.jpg; any file may be missing.
    """
    mids = list(contents.trailers["mid"])
    with_sheet = _copy_pictures(folder / "sheets", sheets, mids, _link)
    with_poster = _copy_pictures(folder / "posters", posters, mids, _shrink)
    genres = _genre_indexes(contents.trailers["genres"])
    starts = dict(_shot_starts(contents.clips))
    flags: dict[str, list[tuple[int, str, list[str]]]] = {}
    indexes = {name: index for index, name in enumerate(FLAGS)}
    for row in contents.flags:
        others = row["others"].split("|") if row["others"] else []
        flags.setdefault(row["mid"], []).append((indexes[row["flag"]], row["words"], others))

    def movie(row: Any) -> list[object]:
        shots = int(_number(row.shots))
        sheet = inside(folder / "sheets", f"{row.mid}.jpg")
        return [
            *(row.mid, row.title, row.year),
            [genres[name] for name in row.genres.split("|") if name],
            *(row.trailer, row.video_title, round(_number(row.duration), 2)),
            *(int(_number(row.width)), int(_number(row.height)), row.sha256, shots),
            starts.get(row.mid, ""),
            contact_sheets.cell_width(sheet, shots) if row.mid in with_sheet else 0,
            int(row.mid in with_poster),
            flags.get(row.mid, []),
        ]

    about = {
        "collection": contents.collection,
        "flags": FLAGS,
        "genres": list(genres),
        "sheet": {"columns": contact_sheets.COLUMNS, "height": contact_sheets.HEIGHT},
        "columns": MOVIE,
        "decided": DECISION,
    }
    movies = map(movie, contents.trailers.itertuples())
    data = _javascript(about, movies=movies, decisions=_decision_rows(contents.decisions))
    write_text(folder / "movies.js", f"window.TRAILERS12K = {data};\n")
    write_text(folder / "index.html", page())
    log.info(
        "%s: %d movies, %d contact sheets, %d posters, %d flagged",
        folder / "index.html",
        len(mids),
        len(with_sheet),
        len(with_poster),
        len(flags),
    )


def page() -> str:
    """The HTML of the page, with its style and script; its policy forbids any network access."""
    html, style, script = (
        (TEMPLATES / f"review.{end}").read_text(encoding="utf-8") for end in ("html", "css", "js")
    )
    policy = "; ".join(
        [
            "default-src 'none'",
            # `file:` because browsers disagree whether 'self' includes the folder of a local page.
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


def _javascript(about: Mapping[str, object], **lists: Iterable[object]) -> str:
    """An object literal with one line per item of the lists, safe inside a script element."""
    parts = [f"{_json(name)}: {_json(value)}" for name, value in about.items()]
    for name, items in lists.items():
        parts.append(f"{_json(name)}: [\n" + ",\n".join(map(_json, items)) + "\n]")
    return "{\n" + ",\n".join(parts) + "\n}"


def _json(value: object) -> str:
    # ASCII without `<`: contains neither the end of a script nor a Unicode line separator.
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _genre_indexes(column: pd.Series) -> dict[str, int]:
    """The genres of all movies -> indexes; the dataset's genres come first."""
    present = {name for cell in column.unique() for name in cell.split("|") if name}
    ours = [name for name in GENRES if name in present]
    return {name: index for index, name in enumerate([*ours, *sorted(present - {*ours})])}


def _shot_starts(clips: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """mid and start times of the shots in its contact sheet.

    Times are tenths of seconds, as differences in base 36, which takes a third of the bytes of
    plain numbers.
    """
    first = clips.drop_duplicates(["mid", "shot"])
    tenths = (first["start"] * 10).round().astype(int)
    for mid, times in tenths.groupby(first["mid"], sort=True):
        values = times.to_numpy()
        steps = np.diff(values[contact_sheets.shown(len(values))], prepend=0)
        yield mid, " ".join(np.base_repr(step, 36).lower() for step in steps)


def _decision_rows(decisions: Iterable[Mapping[str, str]]) -> list[list[object]]:
    rows = []
    for decision in decisions:
        cells: dict[str, object] = {name: decision.get(name) or "" for name in DECISION}
        cells["wrong"] = [text for text in (decision.get("wrong") or "").split("|") if text]
        rows.append([cells[name] for name in DECISION])
    return rows


def _copy_pictures(
    folder: Path, source: Path, mids: Iterable[str], copy: Callable[[Path, Path], None]
) -> set[str]:
    """Updates the pictures MID.jpg of a folder from `source`, and returns the mids that have one.

    A picture with the modification time of its source stays; pictures of other movies are removed.
    An unreadable picture is logged and left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    available, existing = _times(source), _times(folder)
    wanted = [mid for mid in mids if mid in available]
    for mid in existing.keys() - {*wanted}:
        inside(folder, f"{mid}.jpg").unlink()
    for leftover in folder.glob(f"*{PARTIAL}"):
        if not is_being_written(leftover):
            remove_leftover(leftover)
    copied = set()
    for mid in wanted:
        target = inside(folder, f"{mid}.jpg")
        if existing.get(mid) != available[mid]:
            try:
                with replacing(target) as partial:
                    copy(inside(source, f"{mid}.jpg"), partial)
                    if partial.stat().st_mtime_ns != available[mid]:
                        os.utime(partial, ns=(available[mid], available[mid]))
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
                # Pillow raises OSError without an errno for a damaged file.
                if isinstance(error, OSError) and error.errno:
                    raise
                log.warning("%s/%s.jpg is unreadable: %s", source, mid, error)
                target.unlink(missing_ok=True)
                continue
        copied.add(mid)
    return copied


def _times(folder: Path) -> dict[str, int]:
    """mid -> modification time in nanoseconds, for the pictures MID.jpg of a folder."""
    if not folder.is_dir():
        return {}
    with os.scandir(folder) as entries:
        return {
            entry.name.removesuffix(".jpg"): entry.stat().st_mtime_ns
            for entry in entries
            if entry.name.endswith(".jpg") and is_mid(entry.name.removesuffix(".jpg"))
        }


def _link(source: Path, target: Path) -> None:
    # Safe, because pictures are replaced and never written in place.
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _shrink(source: Path, target: Path) -> None:
    with Image.open(source) as picture:
        picture.draft("RGB", (1, 2 * POSTER_HEIGHT))
        small = picture.convert("RGB")
    small.thumbnail((2 * POSTER_HEIGHT, POSTER_HEIGHT), Image.Resampling.LANCZOS)
    small.save(target, "JPEG", quality=80, optimize=True)
