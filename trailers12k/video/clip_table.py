"""Tables of clips: one CSV file per movie or shard, and data/clips.csv.

Reads and writes these tables. Must not know how clips are detected or used.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from pathlib import Path

from trailers12k.common.files import replacing, write_csv
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

    Raises `ValueError` when the file is not a table of clips.
    """
    clips: dict[str, list[Clip]] = {}
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        if next(rows, []) != list(COLUMNS):
            raise _not_a_table(path)
        for mid, clip, shot, start, end in rows:
            row = Clip(int(clip), int(shot), float(start), float(end))
            clips.setdefault(mid, []).append(row)
    return clips


def merge(tables: Iterable[str | Path], path: str | Path) -> tuple[int, int]:
    """Merge tables of clips into one, sorted by mid; returns the numbers of trailers and of clips.

    Copies whole lines: no field is ever quoted, and 12,000 movies have two million clips.
    Raises `ValueError` when a file is not a table of clips.
    """
    header = ",".join(COLUMNS) + "\n"
    trailers: dict[str, list[str]] = {}
    for table in tables:
        with Path(table).open(encoding="utf-8") as file:
            if next(file, "") != header:
                raise _not_a_table(table)
            for line in file:
                trailers.setdefault(line[: line.index(",")], []).append(line)
    with replacing(path) as partial, partial.open("w", encoding="utf-8") as file:
        file.write(header)
        for mid in sorted(trailers):
            file.writelines(trailers[mid])
    return len(trailers), sum(map(len, trailers.values()))


def _not_a_table(path: str | Path) -> ValueError:
    return ValueError(f"{path} is not a table of clips; delete it and run again")
