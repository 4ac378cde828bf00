"""Features as Parquet: a row per clip, in files of about 500 MB for each subset of the first split.

Writes features/STORE/*.parquet. Must not know how arrays are read.

Columns: mid, clip, start and end in seconds, features as a list of fixed size of float32. A poster
is clip 0 without start and end. The same version of pyarrow writes the same bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailers12k.common.errors import UserError
from trailers12k.common.files import below
from trailers12k.publish.packing.stores import Array, Store
from trailers12k.publish.packing.sums import Summed

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

FOLDER = "features"
SUBSETS = ("train", "validation", "test")
"""The names that the hub's readers know, in the order of `common.vocabulary.SUBSETS`."""
UNASSIGNED = "unassigned"
FILE_BYTES = 500_000_000
"""Of the values of a file, unpacked."""
GROUP_BYTES = 16_000_000
"""Of the values of a row group: what a reader that streams needs at once. Four are written at a
time, one of each subset."""
COMPRESSION, LEVEL = "zstd", 1

Times = Mapping[str, "np.ndarray"]
"""mid -> (clips, 2) float64: start and end of each clip."""


def schema(features: int) -> "pa.Schema":
    """The columns. features: numbers of a row."""
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("mid", pa.string(), nullable=False),
            pa.field("clip", pa.int32(), nullable=False),
            ("start", pa.float64()),
            ("end", pa.float64()),
            pa.field(
                "features",
                pa.list_(pa.field("element", pa.float32(), nullable=False), features),
                nullable=False,
            ),
        ]
    )


class StoreTables:
    """The Parquet files of a store, of which movies are added sorted by mid.

    folder: of the publication. subsets: mid -> name of its subset, see `SUBSETS`; other movies are
    unassigned. file_bytes, group_bytes: see the constants.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        subsets: Mapping[str, str],
        times: Times,
        file_bytes: int = FILE_BYTES,
        group_bytes: int = GROUP_BYTES,
    ):
        self._folder, self._store, self._times = folder, store, times
        self._group_bytes = group_bytes
        self._places = dict(_places(store, subsets, file_bytes))
        self._open: dict[str, _Table] = {}
        self._sums: dict[str, dict[str, Any]] = {}

    def add(self, array: Array) -> None:
        """Add the rows of a movie."""
        path, is_last = self._places[array.mid]
        if path not in self._open:
            file = below(self._folder, path)
            self._open[path] = _Table(file, self._store.features, self._group_bytes)
        table = self._open[path]
        table.add(array, self._times_of(array))
        if is_last:
            self._sums[path] = table.close()
            del self._open[path]

    def close(self) -> dict[str, dict[str, Any]]:
        """The sums of every file, by its path in the publication."""
        return {path: self._sums[path] for path in sorted(self._sums)}

    def _times_of(self, array: Array) -> "np.ndarray | None":
        if self._store.is_posters:
            return None
        times = self._times.get(array.mid)
        if times is None or len(times) != len(array.values):
            number = 0 if times is None else len(times)
            raise UserError(
                f"publish: {self._store.path}: {array.mid} has {len(array.values)} rows, and "
                f"data/clips.csv has {number} clips; see every fault of the collection: "
                "trailers12k verify"
            )
        return times


def _places(
    store: Store, subsets: Mapping[str, str], file_bytes: int
) -> Iterator[tuple[str, tuple[str, bool]]]:
    """mid -> the path of its file, and whether it is the last movie there.

    The movies of a subset are divided by the sizes of their arrays, so that the number of files is
    known before the first is written: it is part of every name.
    """
    for subset in (*SUBSETS, UNASSIGNED):
        mids = [mid for mid in store.rows if subsets.get(mid, UNASSIGNED) == subset]
        if not mids:
            continue
        sizes = [4 * store.features * store.rows[mid] for mid in mids]
        shares = _shares(sizes, file_bytes)
        count = shares[-1] + 1
        for number, (mid, share) in enumerate(zip(mids, shares, strict=True)):
            path = f"{FOLDER}/{store.name}/{subset}-{share:05}-of-{count:05}.parquet"
            yield mid, (path, shares[number + 1 : number + 2] != [share])


def _shares(sizes: Sequence[int], most: int) -> list[int]:
    """The number of the file of each movie: files of about the same size, of which none is much
    above `most`, and none is empty."""
    wanted = max(1, -(-sum(sizes) // most))
    whole, before, shares = max(1, sum(sizes)), 0, list[int]()
    for size in sizes:
        share = min(wanted - 1, (before + size // 2) * wanted // whole)
        # A movie larger than a file would leave a number out.
        shares.append(min(share, shares[-1] + 1) if shares else 0)
        before += size
    return shares


class _Table:
    """A Parquet file, written in row groups."""

    def __init__(self, path: Path, features: int, group_bytes: int):
        import pyarrow.parquet as pq

        self._features, self._group_bytes = features, group_bytes
        self._schema = schema(features)
        self._file = Summed(path)
        self._writer = pq.ParquetWriter(
            self._file,
            self._schema,
            compression=COMPRESSION,
            compression_level=LEVEL,
            # Dictionaries and statistics of features would cost time and help nobody.
            use_dictionary=["mid"],
            write_statistics=["mid", "clip", "start", "end"],
            store_schema=True,
        )
        self._rows: list[tuple[Array, np.ndarray | None]] = []
        self._bytes = 0

    def add(self, array: Array, times: "np.ndarray | None") -> None:
        """Add the rows of a movie; a full group is written."""
        self._rows.append((array, times))
        self._bytes += array.values.nbytes
        if self._bytes >= self._group_bytes:
            self._write()

    def _write(self) -> None:
        import numpy as np
        import pyarrow as pa

        counts = [len(array.values) for array, _ in self._rows]
        mids = pa.array([array.mid for array, _ in self._rows], pa.string())
        places = np.repeat(np.arange(len(counts)), counts)
        values = np.concatenate([array.values for array, _ in self._rows]).reshape(-1)
        times = [times for _, times in self._rows if times is not None]
        start, end = np.concatenate(times).T if times else (None, None)
        columns = [
            mids.take(pa.array(places)),
            pa.array(np.concatenate([np.arange(count, dtype=np.int32) for count in counts])),
            _times(start, len(places)),
            _times(end, len(places)),
            pa.FixedSizeListArray.from_arrays(
                pa.array(values), type=self._schema.field("features").type
            ),
        ]
        self._writer.write_table(
            pa.Table.from_arrays(columns, schema=self._schema), row_group_size=len(places)
        )
        self._rows, self._bytes = [], 0

    def close(self) -> dict[str, Any]:
        """End the file; its sums."""
        if self._rows:
            self._write()
        self._writer.close()
        self._file.close()
        return self._file.sums


def _times(values: "np.ndarray | None", rows: int) -> "pa.Array":
    import numpy as np
    import pyarrow as pa

    if values is None:
        return pa.nulls(rows, pa.float64())
    return pa.array(np.ascontiguousarray(values))
