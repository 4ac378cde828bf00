"""A publication while it is judged: its files, and what does not hold in them.

Reads files of a publication, and unpacks tables into a temporary folder. Must not know what must
hold in a file. All that it reads is hostile until it is judged.
"""

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from trailers12k.common.bounded_files import quoted, read_bytes
from trailers12k.common.errors import UserError
from trailers12k.common.files import DAMAGED, DELETE, below, csv_rows, inside, reading
from trailers12k.evaluation.differences import COMPARISON_COLUMNS, INTERVAL_COLUMNS
from trailers12k.publish.checking import files as check_files
from trailers12k.publish.checking import paths
from trailers12k.publish.packing import tables
from trailers12k.publish.packing.tables import CLIPS, LEDGER, MOVIES, SOUND, SPLIT
from trailers12k.settings.published_files import LABELS

INTERVALS, COMPARISONS = "results/intervals.csv", "results/comparisons.csv"
COLUMNS = {
    "movies.csv.gz": (*MOVIES, "other_trailers"),
    "clips.csv.gz": CLIPS,
    "ledger.csv.gz": LEDGER,
    "sound.csv.gz": SOUND,
    "splits.csv": SPLIT,
    INTERVALS: INTERVAL_COLUMNS,
    COMPARISONS: COMPARISON_COLUMNS,
    LABELS: tables.LABELS,
}
"""Tables whose columns are fixed: others could name people, or files of a machine."""
MOST_TEXT = 50_000_000
MOST_TABLE = 5_000_000_000
"""Bytes of an unpacked table; the clips of a million trailers have as many."""

Sums = Mapping[str, str]


class Unsound(ValueError):
    """What does not hold in a file, in words."""


@dataclass
class Publication:
    """A publication while it is judged.

    folder: its files. scratch: a temporary folder. sums: path -> sha256. faults: found so far.
    changed: files that do not have their sums, which are not judged further.
    """

    folder: Path
    scratch: Path
    sums: Sums = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)

    def fault(self, where: str, what: str) -> None:
        """Note what does not hold."""
        self.faults.append(f"{where}: {' '.join(what.split())}")

    @contextmanager
    def judging(self, where: str) -> Iterator[None]:
        """Note what a reader of a file raises."""
        try:
            yield
        except Unsound as error:
            self.fault(where, str(error))
        except UserError as error:
            words = str(error).removesuffix(f"; {DELETE}")
            self.fault(where, words.replace(f"{self.folder}/", "").replace(f"{self.scratch}/", ""))
        except (*DAMAGED, OSError) as error:
            self.fault(where, f"it cannot be read: {str(error)[:200] or type(error).__name__}")

    def has(self, path: str) -> bool:
        """Whether a file is listed, there, and has its sums."""
        return path in self.sums and path not in self.changed and below(self.folder, path).is_file()

    def below(self, folder: str) -> tuple[dict[str, Path], bool]:
        """The files in a folder of the publication, by their paths, that can be judged; whether
        these are all that are listed."""
        listed = sorted(path for path in self.sums if path.startswith(f"{folder}/"))
        found = {path: below(self.folder, path) for path in listed if self.has(path)}
        return found, len(found) == len(listed)

    def text(self, path: str) -> str:
        """A small file of text. Raises `UserError`."""
        return read_bytes(below(self.folder, path), MOST_TEXT).decode("utf-8")

    def rows(self, path: str) -> Iterator[dict[str, str]]:
        """The rows of a table, packed or not. Raises `Unsound` for other columns, and for a packed
        table that names a local path."""
        for row in self._rows(path):
            if path.endswith(".gz") and (what := paths.fault_of_row(row)):
                raise Unsound(what)
            yield row

    def _rows(self, path: str) -> Iterator[dict[str, str]]:
        file = below(self.folder, path)
        if path.endswith(".gz"):
            packed, file = file, inside(self.scratch, path.replace("/", "_"))
            check_files.unpack(packed, file, MOST_TABLE)
        with reading(file):
            with file.open(newline="", encoding="utf-8") as lines:
                columns = next(csv.reader(lines), [])
            if path in COLUMNS and tuple(columns) != COLUMNS[path]:
                raise Unsound(f"its columns are {quoted(columns)}, not {list(COLUMNS[path])}")
            yield from csv_rows(file)

    def table(self, path: str) -> list[dict[str, str]] | None:
        """The rows of a small table; None, and a fault, where it cannot be read."""
        if self.has(path):
            with self.judging(path):
                return [*self.rows(path)]
        return None
