"""Tables of clips: one CSV file per movie or shard, and data/clips.csv.

Reads and writes these tables. Must not know how clips are detected or used.
"""

import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from pathlib import Path

from trailers12k.common.bounded_files import opened, quoted
from trailers12k.common.files import MOST_BYTES, csv_rows, read_csv, reading, replacing, write_csv
from trailers12k.video.clips import Clip

COLUMNS = ("mid", *(field.name for field in fields(Clip)))
"""The columns of clips.csv."""


def write_clips(path: Path, mid: str, clips: Sequence[Clip]) -> None:
    """Write one movie's clips with `COLUMNS`, times with six decimals."""
    write_csv(path, COLUMNS, (row_of(mid, clip) for clip in clips))


def row_of(mid: str, clip: Clip) -> dict[str, object]:
    """A row of clips.csv: `COLUMNS` and their values."""
    row = {"mid": mid} | asdict(clip)
    return row | {"start": f"{clip.start:.6f}", "end": f"{clip.end:.6f}"}


def read_clips(path: str | Path) -> dict[str, list[Clip]]:
    """The clips of a table, by mid, in the order of the file.

    Raises `UserError` when the file is not a table of clips.
    """
    clips: dict[str, list[Clip]] = {}
    with reading(path):
        for row in csv_rows(path, COLUMNS):
            of_movie = clips.setdefault(row["mid"], [])
            of_movie.append(_clip_of(row.values(), len(of_movie)))
    return clips


def rows_of_movie(path: str | Path, mid: str) -> list[dict[str, str]]:
    """The rows of one movie's table, as texts. Raises `UserError` for another file."""
    with reading(path):
        rows = read_csv(path, COLUMNS)
        for number, row in enumerate(rows):
            _clip_of(row.values(), number)
            if row["mid"] != mid:
                raise ValueError(f"it holds clips of {quoted(row['mid'])}")
        return rows


def merge(tables: Iterable[str | Path], path: str | Path) -> tuple[int, int]:
    """Merge tables of clips into one, sorted by mid; returns the numbers of trailers and of clips.

    Copies whole lines: no field is ever quoted, and 12,000 movies have two million clips.
    Raises `UserError` when a file is not a table of clips.
    """
    header = ",".join(COLUMNS) + "\n"
    trailers: dict[str, list[str]] = {}
    for table in tables:
        with reading(table), opened(table, MOST_BYTES) as file:
            lines = io.TextIOWrapper(file, "utf-8", newline="\n")
            if next(lines, "") != header:
                raise ValueError("it is not a table of clips")
            for line in lines:
                cells = line.removesuffix("\n").split(",")
                of_movie = trailers.setdefault(cells[0], [])
                _clip_of(cells, len(of_movie))
                if not line.endswith("\n"):
                    raise ValueError("its last line is cut")
                of_movie.append(line)
    with replacing(path) as partial, partial.open("w", encoding="utf-8") as file:
        file.write(header)
        for mid in sorted(trailers):
            file.writelines(trailers[mid])
    return len(trailers), sum(map(len, trailers.values()))


def _clip_of(cells: Iterable[str], number: int) -> Clip:
    """A row's clip, which must have this number. Raises ValueError."""
    mid, clip, shot, start, end = cells
    made = Clip(int(clip), int(shot), float(start), float(end))
    if made.clip != number or not 0 <= made.start < made.end < math.inf:
        raise ValueError(f"clip {quoted(clip)} of {quoted(mid)} is not in its place")
    return made
