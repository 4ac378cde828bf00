"""The tables of a publication: of movies, clips, the ledger, splits and results, and metadata.json.

Reads data/ and results/; writes tables of a publication. Must not know stores.

What is published of each table is listed here; all else stays. Addresses that others cannot open
become empty; paths are left out of all texts; names and notes of people are never published, nor
are the messages of failures, which may name files, addresses and accounts of this machine.
"""

import csv
import io
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trailers12k.common.files import csv_rows, read_json, reading
from trailers12k.common.text import one_line
from trailers12k.common.vocabulary import SPLITS, SUBSETS
from trailers12k.movies import curation
from trailers12k.publish.addresses import public
from trailers12k.publish.local_paths import file_name, without_paths
from trailers12k.publish.packing import archives, parquet, sums

Sums = dict[str, Any]
Row = Mapping[str, str]

MOVIES = ("mid", "title", "year", "genres", "youtube_id", "trailer_url", "poster_url")
CLIPS = ("mid", "clip", "shot", "start", "end")
LEDGER = ("mid", "stage", "status", "reason", "attempts", "bytes", "sha256", "tool")
SPLIT = ("split", "mid", "subset")
DECISION = ("decision", "date", "verified")
"""Of a person's decision in metadata.json."""
ADDRESSES = ("url", "poster_url", "trailer_url")
"""Keys of metadata.json that hold an address."""
COMPLETE = "mtgc_complete.csv"


def movies(source: Path) -> Iterator[dict[str, str]]:
    """The movies, with addresses that others can open."""
    for row in _rows(source, (*MOVIES, "other_trailers")):
        others = filter(None, map(public, row["other_trailers"].split("|")))
        addresses = {name: public(row[name]) for name in ("trailer_url", "poster_url")}
        yield {**row, **addresses, "other_trailers": "|".join(others)}


def write_movies(source: Path, path: Path) -> Sums:
    """Write movies.csv.gz."""
    return _write_packed(path, (*MOVIES, "other_trailers"), movies(source))


def write_clips(source: Path, path: Path) -> Sums:
    """Write clips.csv.gz."""
    return _write_packed(path, CLIPS, _rows(source, CLIPS))


def write_ledger(source: Path, path: Path) -> Sums:
    """Write ledger.csv.gz: what became of each movie, without the messages of failures."""

    def clean(row: Row) -> Row:
        return {**row, "tool": without_paths(row["tool"]), "reason": one_line(row["reason"])}

    return _write_packed(path, LEDGER, map(clean, _rows(source, LEDGER)))


def write_splits(labels: Path, path: Path) -> Sums:
    """Write splits.csv: a row for each split and movie that it assigns."""
    rows = (
        {"split": split, "mid": mid, "subset": subset}
        for split in (f"split{number}" for number in SPLITS)
        for mid, subset in sorted(assigned(labels, split).items())
    )
    return sums.of_bytes(path, "".join(_lines(SPLIT, rows)).encode())


def write_complete(labels: Path, path: Path, mids: Container[str]) -> Sums:
    """Write mtgc.csv with these movies only."""
    rows = [row for row in _rows(labels, ("mid",)) if row["mid"] in mids]
    columns = [*next(_rows(labels))] if rows else ["mid"]
    return sums.of_bytes(path, "".join(_lines(columns, rows)).encode())


def assigned(labels: Path, split: str, names: Sequence[str] = SUBSETS) -> dict[str, str]:
    """mid -> subset, of mtgc.csv; movies of no subset are left out. names: of the subsets."""
    subset_of = {str(number): name for number, name in enumerate(names)}
    return {
        row["mid"]: subset_of[row[split]]
        for row in _rows(labels, ("mid",))
        if row.get(split) in subset_of
    }


def write_results(source: Path, path: Path) -> Sums:
    """Write a table of results with all its columns."""
    with reading(source):
        rows = [{name: without_paths(text) for name, text in row.items()} for row in _rows(source)]
    return sums.of_bytes(path, "".join(_lines([*rows[0]] if rows else [], rows)).encode())


def write_summary(source: Path, path: Path) -> Sums:
    """Write the table of results for people, line by line without paths."""
    lines = source.read_text(encoding="utf-8").splitlines()
    return sums.of_bytes(path, "".join(f"{without_paths(line)}\n" for line in lines).encode())


def write_metadata(source: Path, path: Path) -> Sums:
    """Write metadata.tar.gz, which holds metadata.json in Trailers12k's own structure."""
    from trailers12k.publish.packing.stores import json_bytes

    entries = read_json(source)
    clean = {
        name: {number: _entry(each) for number, each in movies.items()}
        for name, movies in entries.items()
    }
    return archives.of_files(path, {"metadata.json": json_bytes(clean)})


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A movie of metadata.json: addresses that others can open, and of a person's decision only
    what was decided, and when."""
    clean = {name: _clean(value) for name, value in entry.items() if name != curation.STAGE}
    if isinstance(origin := clean.get("sources"), Mapping):
        clean["sources"] = {name: file_name(str(table)) for name, table in origin.items()}
    if decision := entry.get(curation.STAGE):
        clean[curation.STAGE] = {name: decision[name] for name in DECISION if name in decision}
    return clean


def _clean(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: public(each) if name in ADDRESSES and isinstance(each, str) else _clean(each)
            for name, each in value.items()
        }
    return [_clean(each) for each in value] if isinstance(value, list) else without_paths(value)


def clip_times(source: Path) -> parquet.Times:
    """mid -> start and end of each clip, of clips.csv; 16 bytes for each clip."""
    import numpy as np

    times: dict[str, np.ndarray] = {}
    mid, of_movie = "", list[tuple[float, float]]()
    for row in _rows(source, CLIPS):
        if row["mid"] != mid:
            times[mid] = np.array(of_movie, np.float64)
            mid, of_movie = row["mid"], []
        of_movie.append((float(row["start"]), float(row["end"])))
    times[mid] = np.array(of_movie, np.float64)
    return times


def _rows(source: Path, columns: Iterable[str] = ()) -> Iterator[dict[str, str]]:
    """The rows of a table. Raises `UserError` for a damaged one."""
    with reading(source):
        yield from csv_rows(source, columns)


def _lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """The lines of a CSV file, in blocks."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(row)
        if buffer.tell() > sums.BLOCK:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _write_packed(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> Sums:
    with sums.Summed(path) as file, archives.packed(file) as packed:
        for lines in _lines(columns, rows):
            packed.write(lines.encode())
    return file.sums
