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
from typing import Any, NamedTuple

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
from trailers12k.review.speech import clip_speech
from trailers12k.review.trailer_table import TRAILERS
from trailers12k.review.waveform_pictures import draw, seconds_of
from trailers12k.video import contact_sheets

log = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parent / "templates"
PACKAGE_FILES = (
    "templates/review.html",
    "templates/review.css",
    "templates/review.js",
)
"""Data files whose bytes count in code versions; see `workflow.code_versions`."""
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
POSTER_HEIGHT = 180
"""Pixels of a poster's file, twice the displayed height."""
MOVIE = [
    *("mid", "title", "year", "genres", "address", "video", "duration", "width", "height"),
    *("sha256", "shots", "starts", "cell", "poster", "sound", "loudness", "silence", "speech"),
    *("waveform", "spoken", "flags"),
]
"""Columns of a movie in movies.js. genres: indexes; flags: lists of an index, words and the mids of
other trailers; starts: see `_shot_starts`; cell: width of the contact sheet's cells, 0 without a
sheet; poster: 1 or 0; sound: `ok` or why there is none, empty where nobody has listened; loudness
in LUFS, silence and speech as shares, null where unknown; waveform: the seconds that its picture
shows, 0 without one; spoken: see `_spoken`."""
DECISION = [
    *("mid", "title", "decision", "wrong", "replacement", "sha256", "note", "by", "date"),
]
"""Columns of a decision in movies.js."""


@dataclass(frozen=True)
class ReviewFiles:
    """The files that `write_review` reads.

    trailers, flags: results/tables/trailers.csv and flags.csv. clips: data/clips.csv. curation:
    data/curation.csv. contact_sheets, posters: folders of MID.jpg; waveforms: of MID.bin; any file
    may be missing. speech: the store of speech activity, if there is one. decisions: the folder of
    the user's file of decisions, in which the paths of the exported ones start.
    """

    trailers: str | Path
    flags: str | Path
    clips: str | Path
    curation: str | Path
    contact_sheets: Path
    posters: Path
    waveforms: Path
    speech: Path | None = None
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
        speech=files.speech,
    )
    pictures = PictureFolders(files.contact_sheets, files.posters, files.waveforms)
    write(folder, contents, pictures)


CLIPS = ("mid", "shot", "start", "end")
"""The columns of clips.csv that the page needs; all but the first are numbers."""


@dataclass(frozen=True)
class ReviewContents:
    """What the page shows.

    collection: its name, under which a browser stores decisions. trailers: rows of trailers.csv, as
    text. flags: rows of flags.csv. clips: the columns `CLIPS` of clips.csv. decisions: of
    `curation.read_written`. speech: the store of speech activity, if there is one.
    """

    collection: str
    trailers: pd.DataFrame
    flags: Sequence[Mapping[str, str]]
    clips: pd.DataFrame
    decisions: Sequence[Mapping[str, str]]
    speech: Path | None = None


@dataclass(frozen=True)
class PictureFolders:
    """Where pictures come from: folders of MID.jpg, and of MID.bin (`video.waveforms`).

    Any file may be missing.
    """

    sheets: Path
    posters: Path
    waveforms: Path


def write(folder: Path, contents: ReviewContents, pictures: PictureFolders) -> None:
    """Writes index.html, movies.js, {sheets,posters}/MID.jpg and waveforms/MID.png into a folder.

    Pictures that are up to date stay.
    """
    mids = list(contents.trailers["mid"])
    with_sheet = _copy_pictures(folder / "sheets", pictures.sheets, mids, _link)
    with_poster = _copy_pictures(folder / "posters", pictures.posters, mids, _shrink)
    drawn = Kind("bin", "png")
    with_waveform = _copy_pictures(folder / "waveforms", pictures.waveforms, mids, draw, drawn)
    genres = _genre_indexes(contents.trailers["genres"])
    starts = dict(_shot_starts(contents.clips))
    spoken = dict(_spoken(contents.clips, contents.speech)) if contents.speech else {}
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
            *(row.sound, *map(_number_or_none, (row.loudness, row.silence, row.speech))),
            seconds_of(folder / "waveforms", row.mid) if row.mid in with_waveform else 0,
            spoken.get(row.mid, ""),
            flags.get(row.mid, []),
        ]

    about = {
        "collection": contents.collection,
        "flags": FLAGS,
        "genres": list(genres),
        "sheet": {"columns": contact_sheets.COLUMNS, "height": contact_sheets.HEIGHT},
        "clip": _clip_seconds(contents.clips),
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


def _number_or_none(text: str) -> float | None:
    return _number(text) if text else None


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


def _clip_seconds(clips: pd.DataFrame) -> float:
    """The length of a whole clip."""
    return round(float((clips["end"] - clips["start"]).max()), 6) if len(clips) else 0.0


def _spoken(clips: pd.DataFrame, store: Path) -> Iterator[tuple[str, str]]:
    """mid and the shares of speech in its clips: a digit in base 36 per clip, 0 none, z all.

    The digits of a shot are together, for the shots of `_shot_starts`.
    """
    for mid, rows in clips.groupby("mid", sort=True):
        speech = clip_speech(store, str(mid), len(rows))
        if speech is None:
            continue
        digits = "".join(DIGITS[round(share * (len(DIGITS) - 1))] for share in speech)
        ends = rows.groupby("shot", sort=True).size().cumsum().to_numpy()
        firsts = [0, *ends[:-1]]
        shots = contact_sheets.shown(len(ends))
        yield str(mid), " ".join(digits[firsts[shot] : ends[shot]] for shot in shots)


def _decision_rows(decisions: Iterable[Mapping[str, str]]) -> list[list[object]]:
    rows = []
    for decision in decisions:
        cells: dict[str, object] = {name: decision.get(name) or "" for name in DECISION}
        cells["wrong"] = [text for text in (decision.get("wrong") or "").split("|") if text]
        rows.append([cells[name] for name in DECISION])
    return rows


class Kind(NamedTuple):
    """The ends of the names of pictures and of their sources."""

    source: str = "jpg"
    made: str = "jpg"


JPEG = Kind()


def _copy_pictures(
    folder: Path,
    source: Path,
    mids: Iterable[str],
    copy: Callable[[Path, Path], None],
    kind: Kind = JPEG,
) -> set[str]:
    """Updates the pictures MID.* of a folder from `source`, and returns the mids that have one.

    A picture with the modification time of its source stays; pictures of other movies are removed.
    An unreadable picture is logged and left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    available, existing = _times(source, kind.source), _times(folder, kind.made)
    wanted = [mid for mid in mids if mid in available]
    for mid in existing.keys() - {*wanted}:
        inside(folder, f"{mid}.{kind.made}").unlink()
    for leftover in folder.glob(f"*{PARTIAL}"):
        if not is_being_written(leftover):
            remove_leftover(leftover)
    copied = set()
    for mid in wanted:
        target = inside(folder, f"{mid}.{kind.made}")
        if existing.get(mid) != available[mid]:
            try:
                with replacing(target) as partial:
                    copy(inside(source, f"{mid}.{kind.source}"), partial)
                    if partial.stat().st_mtime_ns != available[mid]:
                        os.utime(partial, ns=(available[mid], available[mid]))
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
                # Pillow raises OSError without an errno for a damaged file.
                if isinstance(error, OSError) and error.errno:
                    raise
                log.warning("%s/%s.%s is unreadable: %s", source, mid, kind.source, error)
                target.unlink(missing_ok=True)
                continue
        copied.add(mid)
    return copied


def _times(folder: Path, end: str) -> dict[str, int]:
    """mid -> modification time in nanoseconds, for the files MID.END of a folder."""
    if not folder.is_dir():
        return {}
    with os.scandir(folder) as entries:
        return {
            name: entry.stat().st_mtime_ns
            for entry in entries
            if is_mid(name := entry.name.removesuffix(f".{end}")) and name != entry.name
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
