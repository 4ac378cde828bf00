"""The movies of a publication that is judged: the same in each file that has them.

Reads Parquet files and values of metadata.json. Must not know how the files are unpacked.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import quoted
from trailers12k.common.vocabulary import GENRES
from trailers12k.publish.checking import paths
from trailers12k.publish.local_paths import without_paths
from trailers12k.publish.packing import movies_parquet, parquet, tables

Labels = Mapping[str, tuple[str, ...]]
Movies = Mapping[str, Mapping[str, str]]

BATCH = 1000
"""Rows that are compared at a time."""
MOST_GROUP = 1 << 30
"""Bytes of a row group; a million movies have 300 MB."""
TEXTS = tuple(
    name for name in (*tables.MOVIES, *tables.SPLIT_COLUMNS) if name not in ("year", "genres")
)
LONGEST = 20_000
"""Bytes of a text."""
OWN_KEYS = {"id", "title", "year", "genres", "poster_url"}
"""Keys of `imdb` in an entry that the run has written. Another source's section stays as it is, and
may differ from the table."""


def parquet_faults(
    files: Mapping[str, Path], movies: Movies | None, labels: Labels | None, is_whole: bool
) -> Iterator[tuple[str, str]]:
    """The file and what does not hold in movies/*.parquet; of each file the first.

    movies: rows of movies.csv.gz by mid. labels: mid -> subset in each split, as mtgc.csv has it.
    None: not known. is_whole: whether the files are all there are.
    """
    seen: set[str] = set()
    has_fault = False
    for path, table in files.items():
        subset = path.rpartition("/")[2].split("-")[0]
        try:
            what = _parquet_fault(table, subset, movies, labels, seen)
        except (
            ValueError,
            TypeError,
            OSError,
            KeyError,
            MemoryError,
            NotImplementedError,
        ) as error:
            what = f"it cannot be read: {' '.join(str(error).split())[:200]}"
        if what:
            has_fault = True
            yield path, what
    if movies is not None and files and is_whole and not has_fault:
        lost = sorted(movies.keys() - seen)
        if lost:
            yield (
                f"{movies_parquet.FOLDER}/",
                f"{len(lost)} movies of movies.csv.gz are in no file, {quoted(lost[0])} among them",
            )


def _parquet_fault(
    table: Path, subset: str, movies: Movies | None, labels: Labels | None, seen: set[str]
) -> str:
    import pyarrow.parquet as pq

    # Texts stay numbers of a dictionary: a few bytes may stand for a thousand long texts.
    file = pq.ParquetFile(table, read_dictionary=[*TEXTS])
    if not pq.read_schema(table).equals(movies_parquet.schema()):
        return f"its columns are not {', '.join(movies_parquet.schema().names)}"
    if what := _size_fault(file, movies):
        return what
    for batch in file.iter_batches(batch_size=BATCH):
        if max(map(_longest, batch.columns)) > LONGEST:
            return f"a text has more than {LONGEST:,} bytes"
        for row in batch.to_pylist():
            if what := _row_fault(row, subset, movies, labels):
                return what
            if row["mid"] in seen:
                return f"{quoted(row['mid'])} is in it, or in another file, before"
            seen.add(row["mid"])
    return ""


def _size_fault(file: Any, movies: Movies | None) -> str:
    """What is too large in a Parquet file, by what its end says."""
    meta = file.metadata
    if movies is not None and meta.num_rows > len(movies):
        return f"it has {meta.num_rows:,} rows, more than movies.csv.gz"
    place = meta.schema.names.index("element")
    for number in range(meta.num_row_groups):
        group = meta.row_group(number)
        if group.total_byte_size > MOST_GROUP:
            return f"its row group {number} has more than {MOST_GROUP:,} bytes"
        # Lists have no dictionaries for readers.
        genres = group.column(place)
        if (
            genres.num_values > 2 * len(GENRES) * group.num_rows
            or genres.total_uncompressed_size > 4096 + 4 * genres.num_values
        ):
            return "its genres take more bytes than the names of genres"
    return ""


def _longest(column: Any) -> int:
    """Bytes of the longest text of a column, or of its lists."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = column.values if pa.types.is_list(column.type) else column
    texts = values.dictionary if pa.types.is_dictionary(values.type) else values
    return (pc.max(pc.binary_length(texts)).as_py() or 0) if pa.types.is_string(texts.type) else 0


def _row_fault(
    row: Mapping[str, Any], subset: str, movies: Movies | None, labels: Labels | None
) -> str:
    mid = row["mid"]
    if what := paths.fault_of_row(row):
        return what
    if movies is not None:
        if mid not in movies:
            return f"{quoted(mid)} is not in movies.csv.gz"
        for name, value in movies_parquet.values(movies[mid]).items():
            if name in row and row[name] != value:
                return f"{quoted(mid)} has another {name} than in movies.csv.gz"
    if labels is not None:
        found = tuple(row[split] for split in tables.SPLIT_COLUMNS)
        if found != _subsets(labels.get(mid, ())):
            return f"{quoted(mid)} has other subsets than in mtgc.csv"
        if subset != (found[0] or parquet.UNASSIGNED):
            return f"{quoted(mid)} is not a {subset} movie of split0 in mtgc.csv"
    return ""


def _subsets(numbers: tuple[str, ...]) -> tuple[str | None, ...]:
    named = tuple(parquet.SUBSETS[int(number)] if number else None for number in numbers)
    return named or (None,) * len(tables.SPLIT_COLUMNS)


def metadata_fault(entries: Any, movies: Movies) -> str:
    """What does not hold in the entries of metadata.json; empty if all does."""
    found: set[str] = set()
    for entry in entries.values():
        imdb = entry.get("imdb") if isinstance(entry, dict) else None
        if not isinstance(imdb, dict) or not isinstance(imdb.get("id"), str):
            return "an entry has no imdb.id"
        mid = f"tt{imdb['id']}"
        if mid not in movies:
            return f"{quoted(mid)} is not in movies.csv.gz"
        found.add(mid)
        own = movies[mid]
        if imdb.keys() <= OWN_KEYS:
            wanted = {**own, "genres": [*filter(None, own["genres"].split("|"))]}
            for name in ("title", "year", "genres"):
                if name in imdb and (imdb[name] or "") != (without_paths(wanted[name]) or ""):
                    return f"{quoted(mid)} has another {name} than in movies.csv.gz"
    if lost := sorted(movies.keys() - found):
        return f"it lacks {len(lost)} movies of movies.csv.gz, {quoted(lost[0])} among them"
    return ""
