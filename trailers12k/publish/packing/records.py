"""Divides a publication into records of a repository, which take a number of files and bytes each.

Reads and writes nothing. Must not know how files are made or uploaded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MOST_FILES, MOST_BYTES = 100, 50_000_000_000
"""Of a record of Zenodo."""
COLUMNS = ("record", "file", "bytes")
"""Of RECORDS.csv."""
IN_EACH = ("README.md", "croissant.json", "RECORDS.csv", "MD5SUMS", "SHA256SUMS")
"""Files that are uploaded to each record."""
RESERVED_FILES, RESERVED_BYTES = 12, 100_000_000
"""Kept free in each record for the files that are written after the division."""


@dataclass(frozen=True)
class Limits:
    """What a record takes, and what is kept free in each for files that are written later."""

    files: int = MOST_FILES
    bytes: int = MOST_BYTES
    reserved_files: int = RESERVED_FILES
    reserved_bytes: int = RESERVED_BYTES


@dataclass
class _Record:
    """What is left of a record."""

    number: int
    files: int
    bytes: int

    def has_room(self, sizes: Sequence[int]) -> bool:
        return len(sizes) <= self.files and sum(sizes) <= self.bytes

    def take(self, sizes: Sequence[int]) -> None:
        self.files -= len(sizes)
        self.bytes -= sum(sizes)


@dataclass(frozen=True)
class Division:
    """path -> number of its record, from 1. Files of no store are in the first one."""

    record_of: Mapping[str, int]
    too_large: Sequence[str] = field(default=())

    @property
    def count(self) -> int:
        """The number of records."""
        return max(self.record_of.values(), default=1)


def divide(
    shared: Mapping[str, int], stores: Sequence[Mapping[str, int]], limits: Limits = Limits()
) -> Division:
    """Divide files into records: path -> bytes of the files of no store, and of those of each.

    A store goes whole into the first record with room for it, in the order of the stores; one that
    no record takes whole is divided file by file.
    """
    records = [_record(1, limits)]
    records[0].take(list(shared.values()))
    record_of = dict.fromkeys(shared, 1)

    def put(files: Mapping[str, int]) -> None:
        sizes = list(files.values())
        fitting = next((each for each in records if each.has_room(sizes)), None)
        if fitting is None:
            records.append(fitting := _record(len(records) + 1, limits))
        fitting.take(sizes)
        record_of.update(dict.fromkeys(files, fitting.number))

    for files in stores:
        if _record(0, limits).has_room(list(files.values())):
            put(files)
        else:
            for path, size in files.items():
                put({path: size})
    whole = limits.bytes
    sizes = {**shared, **{path: size for files in stores for path, size in files.items()}}
    return Division(record_of, [path for path, size in sizes.items() if size > whole])


def _record(number: int, limits: Limits) -> _Record:
    return _Record(
        number, limits.files - limits.reserved_files, limits.bytes - limits.reserved_bytes
    )


def rows(record_of: Mapping[str, int], sizes: Mapping[str, int]) -> list[dict[str, object]]:
    """The rows `record,file,bytes` of RECORDS.csv. Files of `IN_EACH` are in each record; the size
    of one that is written later is empty."""
    count = max(record_of.values(), default=1)
    found: list[dict[str, object]] = [
        {"record": record, "file": path, "bytes": sizes.get(path, "")}
        for path in sorted({*record_of, *IN_EACH})
        for record in (range(1, count + 1) if path in IN_EACH else [record_of[path]])
    ]
    return sorted(found, key=lambda row: (int(str(row["record"])), str(row["file"])))
