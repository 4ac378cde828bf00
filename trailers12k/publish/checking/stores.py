"""A store of a publication that is judged: its archive, its rows, and the same values as Parquet.

Reads an archive and Parquet files; unpacks into a temporary folder. Must not know the other files.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import quoted
from trailers12k.publish.checking import paths
from trailers12k.publish.packing import parquet

BATCH_BYTES = 1 << 24
"""Of the values that are compared at a time."""
LONGEST_MID = 64
"""Bytes of a movie id in memory, on average."""
MOST_GROUP = 1 << 28
"""Bytes of a row group; those that are published have 16 MB, and more for a longer trailer."""
OF_SUBSET = {"0": parquet.SUBSETS[0], "1": parquet.SUBSETS[1], "2": parquet.SUBSETS[2]}

TIMES = ("start", "end")
CLIPS, LABELS = "clips.csv.gz", "mtgc.csv"
"""Tables that all stores are compared with."""

Clips = Mapping[str, Sequence[tuple[float, float]]]


@dataclass(frozen=True)
class Fault:
    """What is wrong with a file, or, where it is empty, with the archive. table: of the publication
    that says something else; empty if there is none."""

    file: str
    what: str
    table: str = ""


def faults(
    archive: Path,
    store: Path,
    tables: Mapping[str, Path],
    is_whole: bool,
    clips: Clips | None,
    subsets: Mapping[str, str] | None,
) -> Iterator[Fault]:
    """What does not hold in a store. Raises `UserError` for an archive that cannot be unpacked.

    store: where it is unpacked, a place that is removed. tables: its Parquet files, by their paths
    in the publication. is_whole: whether these are all there are. clips: of each trailer. subsets:
    mid -> its subset of the first split. None: not known, so nothing is compared with them.
    """
    from trailers12k.features import published_store
    from trailers12k.features import store as stores

    try:
        rows = published_store.unpack(archive, store)
        about = stores.attributes(store)
        if what := paths.fault(json.dumps(about)):
            yield Fault("", what)
        if about.get("input") == "posters":
            clips = {}
        elif clips is not None:
            other = [mid for mid, count in rows.items() if count != len(clips.get(mid, ()))]
            if other:
                yield Fault("", _counts(other, rows, clips), CLIPS)
                clips = None
        if not tables and is_whole:
            yield Fault("", "there are no Parquet files of it")
            return
        comparison = _Comparison(store, about["num_features"], rows, clips, subsets)
        has_fault = False
        for path, table in tables.items():
            try:
                for found in comparison.compare(path, table):
                    has_fault = True
                    yield replace(found, file=path)
            except (ValueError, TypeError, OSError, KeyError, MemoryError) as error:
                has_fault = True
                yield Fault(path, f"it cannot be read: {' '.join(str(error).split())[:200]}")
        if is_whole and not has_fault:
            yield from (Fault("", what) for what in comparison.missing())
    finally:
        shutil.rmtree(store, ignore_errors=True)


def _counts(other: Sequence[str], rows: Mapping[str, int], clips: Clips) -> str:
    """That trailers have another number of clips than rows."""
    mid = other[0]
    more = f", and {len(other) - 1} more movies differ" if len(other) > 1 else ""
    return f"{mid}: {rows[mid]} rows, and {CLIPS} has {len(clips.get(mid, ()))} clips{more}"


class _Comparison:
    """The values of a store, compared with its Parquet files, batch by batch."""

    def __init__(
        self,
        store: Path,
        features: int,
        rows: Mapping[str, int],
        clips: Clips | None,
        subsets: Mapping[str, str] | None,
    ):
        import numpy as np

        self._store, self._features, self._rows = store, features, rows
        self._clips, self._subsets = clips, subsets
        self._seen: dict[str, int] = {}
        self._mid, self._values = "", np.empty((0, features), np.float32)

    def compare(self, path: str, table: Path) -> Iterator[Fault]:
        """What is wrong with one file; nothing after the first wrong row."""
        import pyarrow.parquet as pq

        # Texts stay numbers of a dictionary: a few bytes may stand for a thousand long texts.
        file = pq.ParquetFile(table, read_dictionary=["mid"])
        if not pq.read_schema(table).equals(parquet.schema(self._features)):
            yield Fault("", "its columns are not mid, clip, start, end and features")
            return
        meta = file.metadata
        if meta.num_rows > sum(self._rows.values()):
            yield Fault("", f"it has {meta.num_rows:,} rows, more than the archive")
            return
        for number in range(meta.num_row_groups):
            if meta.row_group(number).total_byte_size > MOST_GROUP:
                yield Fault("", f"its row group {number} has more than {MOST_GROUP:,} bytes")
                return
        subset = os.path.basename(path).split("-")[0]
        size = max(1, BATCH_BYTES // (4 * self._features))
        for batch in file.iter_batches(batch_size=size):
            if found := self._fault(batch, subset):
                yield found
                return

    def _fault(self, batch: Any, subset: str) -> Fault | None:
        """What is wrong with the rows of a batch."""
        import numpy as np

        names = batch.column("mid").dictionary
        if names.nbytes > LONGEST_MID * (len(names) + 1):
            return Fault("", "a value of mid is no movie id")
        mids = batch.column("mid").to_pylist()
        numbers = batch.column("clip").to_numpy()
        values = batch.column("features").flatten().to_numpy().reshape(-1, self._features)
        times = [*zip(*(batch.column(name).to_pylist() for name in TIMES), strict=True)]
        begin = 0
        while begin < len(mids):
            mid, first = mids[begin], self._seen.get(mids[begin], 0)
            end = begin
            while end < len(mids) and mids[end] == mid:
                end += 1
            count = end - begin
            if mid not in self._rows:
                return Fault("", f"{quoted(mid)} is not in the archive")
            if self._subset(mid, subset) != subset:
                return Fault("", f"{mid} is not a {subset} movie of split0 in {LABELS}", LABELS)
            expected = self._array(mid)[first : first + count]
            if (
                len(expected) != count
                or (numbers[begin:end] != np.arange(first, first + count)).any()
            ):
                return Fault("", f"{mid}: its rows are not those of the archive")
            if values[begin:end].tobytes() != expected.tobytes():
                return Fault("", f"{mid}: its values are not those of the archive")
            if self._clips is not None:
                own = self._clips.get(mid)
                wanted = own[first : first + count] if own else [(None, None)] * count
                if times[begin:end] != [*wanted]:
                    return Fault("", f"{mid}: its times are not those of {CLIPS}", CLIPS)
            self._seen[mid] = first + count
            begin = end
        return None

    def _subset(self, mid: str, default: str) -> str:
        """The subset of a movie; the default where none is known."""
        if self._subsets is None:
            return default
        return OF_SUBSET.get(self._subsets.get(mid, ""), parquet.UNASSIGNED)

    def _array(self, mid: str) -> Any:
        from trailers12k.features import store as stores

        if mid != self._mid:
            self._mid, self._values = mid, stores.read(self._store, mid)
        return self._values

    def missing(self) -> Iterator[str]:
        """Movies of which a row is in no Parquet file."""
        lost = [mid for mid in self._rows if self._seen.get(mid, 0) != self._rows[mid]]
        if lost:
            yield f"{len(lost)} movies are not whole in the Parquet files, {lost[0]} among them"
