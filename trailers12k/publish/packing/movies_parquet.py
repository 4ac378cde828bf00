"""The movies as Parquet, a file for each subset of the first split.

Reads data/movies.csv and data/mtgc.csv; writes movies/*.parquet of a publication. Must not know
stores.

The hub's readers open the files of a dataset by one format, so movies.csv.gz does not serve them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trailers12k.common.files import below
from trailers12k.publish.packing import parquet, sums, tables

FOLDER = "movies"

Row = dict[str, Any]


def schema() -> Any:
    """The columns."""
    import pyarrow as pa

    return pa.schema(
        [
            *((name, pa.string()) for name in ("mid", "title")),
            ("year", pa.int32()),
            ("genres", pa.list_(pa.string())),
            *((name, pa.string()) for name in ("youtube_id", "trailer_url", "poster_url")),
            *((name, pa.string()) for name in tables.SPLIT_COLUMNS),
        ]
    )


def values(row: Mapping[str, str]) -> Row:
    """The values of a row of movies.csv, with missing ones as None."""
    year = row["year"]
    return {
        **{name: value or None for name, value in row.items()},
        "year": int(year) if year.isascii() and year.isdecimal() else None,
        "genres": list(filter(None, row["genres"].split("|"))),
    }


def write(folder: Path, movies: Path, labels: Path) -> dict[str, dict[str, Any]]:
    """Write the files into the folder of a publication; their sums by path."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    of_subset: dict[str, list[Row]] = {}
    for row in _rows(movies, labels):
        of_subset.setdefault(row["split0"] or parquet.UNASSIGNED, []).append(row)
    written = {}
    for subset in (*parquet.SUBSETS, parquet.UNASSIGNED):
        if rows := of_subset.get(subset):
            path = f"{FOLDER}/{subset}-00000-of-00001.parquet"
            with sums.Summed(below(folder, path)) as file:
                pq.write_table(pa.Table.from_pylist(rows, schema()), file, compression="zstd")
            written[path] = file.sums
    return written


def _rows(movies: Path, labels: Path) -> Iterator[Row]:
    """The movies, with missing values as None and their subset in each split."""
    subsets: Mapping[str, Mapping[str, str]] = {
        split: tables.assigned(labels, split, parquet.SUBSETS) for split in tables.SPLIT_COLUMNS
    }
    for row in tables.movies(movies):
        assigned = {split: of_mid.get(row["mid"]) for split, of_mid in subsets.items()}
        yield {**values(row), **assigned}
