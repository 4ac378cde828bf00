"""The tables of a publication: of movies, clips, the ledger, splits and results, and metadata.json.

Reads data/ and results/; writes tables of a publication. Must not know stores.

What is published of each table is listed here; all else stays. Addresses that others cannot open
become empty; paths are left out of all texts; names and notes of people are never published, nor
are the messages of failures, which may name files, addresses and accounts of this machine.
"""

import csv
import io
import json
import math
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import quoted
from trailers12k.common.errors import UserError
from trailers12k.common.files import csv_rows, inside, read_json, read_own, reading
from trailers12k.common.local_files import WEB, scheme_of
from trailers12k.common.text import one_line
from trailers12k.common.vocabulary import GENRES, OK, SPLITS, SUBSETS
from trailers12k.movies import curation
from trailers12k.publish.addresses import public
from trailers12k.publish.local_paths import file_name, without_paths
from trailers12k.publish.packing import archives, parquet, sums
from trailers12k.video.no_sound import NO_SOUND_KINDS

Sums = dict[str, Any]
Row = Mapping[str, str]

RENAMED = {
    "results/transfer/comparisons.csv": "results/comparisons.csv",
    "results/transfer/val.csv": "results/validation.csv",
    "results/runs/RUN/zero_shot.json": "results/zero_shot.json",
    "Files in results/transfer/": "test.csv, validation.csv, intervals.csv and comparisons.csv",
}
"""Names of files in summary.md -> those in a publication."""
MOVIES = ("mid", "title", "year", "genres", "youtube_id", "trailer_url", "poster_url")
CLIPS = ("mid", "clip", "shot", "start", "end")
LEDGER = ("mid", "stage", "status", "reason", "attempts", "bytes", "sha256", "tool")
SOUND = ("mid", "sound", "loudness", "silence", "speech")
KINDS_OF_SOUND = (OK, *NO_SOUND_KINDS)
"""What the column `sound` may say."""
SPLIT = ("split", "mid", "subset")
SPLIT_COLUMNS = tuple(f"split{number}" for number in SPLITS)
LABELS = ("mid", *GENRES, *SPLIT_COLUMNS)
DECISION = ("decision", "date", "verified")
"""Of a person's decision in metadata.json."""
ADDRESSES = ("url", "poster_url", "trailer_url")
"""Keys of metadata.json that hold an address."""
COMPLETE = "mtgc_complete.csv"
MOST_SECONDS = 1e6
"""Of a trailer."""


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
        return {
            **row,
            "tool": without_paths(row["tool"]),
            "reason": without_paths(one_line(row["reason"])),
        }

    return _write_packed(path, LEDGER, map(clean, _rows(source, LEDGER)))


def sounds(source: Path) -> Iterator[dict[str, str]]:
    """What can be heard in each trailer that was listened to, of results/tables/trailers.csv."""
    with reading(source):
        for row in csv_rows(source, ("mid",)):
            if row.get("sound"):
                yield _sound({name: row.get(name, "") for name in SOUND})


def _sound(row: dict[str, str]) -> dict[str, str]:
    """A row of sound.csv.gz. Raises ValueError for other values than its columns have."""
    if row["sound"] not in KINDS_OF_SOUND:
        kinds = ", ".join(KINDS_OF_SOUND)
        raise ValueError(f"{quoted(row['mid'])}: sound is {quoted(row['sound'])}, none of {kinds}")
    for name in SOUND[2:]:
        if row[name] and not math.isfinite(float(row[name])):
            raise ValueError(f"{quoted(row['mid'])}: {name} is {quoted(row[name])}")
    return row


def write_sounds(source: Path, path: Path) -> Sums:
    """Write sound.csv.gz."""
    return _write_packed(path, SOUND, sounds(source))


def write_splits(labels: Path, path: Path) -> Sums:
    """Write splits.csv: a row for each split and movie that it assigns."""
    rows = (
        {"split": split, "mid": mid, "subset": subset}
        for split in SPLIT_COLUMNS
        for mid, subset in sorted(assigned(labels, split).items())
    )
    return sums.of_bytes(path, csv_text(SPLIT, rows).encode())


def write_labels(labels: Path, path: Path) -> Sums:
    """Write mtgc.csv, without columns that others added."""
    return sums.of_bytes(path, csv_text(LABELS, _rows(labels, LABELS)).encode())


def write_complete(labels: Path, path: Path, mids: Container[str]) -> Sums:
    """Write mtgc.csv with these movies only."""
    rows = (row for row in _rows(labels, LABELS) if row["mid"] in mids)
    return sums.of_bytes(path, csv_text(LABELS, rows).encode())


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
        rows = [without_paths(row) for row in _rows(source)]
        with source.open(newline="", encoding="utf-8") as lines:
            head = next(csv.reader(lines), [])
    columns = [*rows[0]] if rows else [without_paths(name) for name in head]
    return sums.of_bytes(path, csv_text(columns, rows).encode())


def write_summary(source: Path, path: Path) -> Sums:
    """Write the table of results for people, line by line without paths.

    Files that it names have the names that they have in a publication.
    """
    with reading(source):
        text = read_own(source).decode()
    for own, published in RENAMED.items():
        text = text.replace(own, published)
    lines = text.splitlines()
    return sums.of_bytes(path, "".join(f"{without_paths(line)}\n" for line in lines).encode())


def write_zero_shot(sources: Mapping[str, Path], path: Path) -> Sums:
    """Write what runs without training asked, and of which network. sources: run -> its record."""
    found = {}
    for run, source in sources.items():
        with reading(source):
            found[run] = without_paths(read_json(source))
    return sums.of_bytes(path, f"{json.dumps(found, indent=1, ensure_ascii=False)}\n".encode())


def write_metadata(source: Path, path: Path) -> Sums:
    """Write metadata.tar.gz, which holds metadata.json in Trailers12k's own structure."""
    from trailers12k.publish.packing.stores import json_bytes

    entries = read_json(source)
    with reading(source):
        clean = {name: _entries(name, each) for name, each in entries.items()}
    return archives.of_files(path, {"metadata.json": json_bytes(clean)})


def _entries(name: str, movies: Any) -> dict[str, Any]:
    """The movies below a key of metadata.json. Raises ValueError for anything else."""
    if not isinstance(movies, dict):
        raise ValueError(f"{quoted(name)} holds no object of movies")
    for number, entry in movies.items():
        if not isinstance(entry, dict):
            raise ValueError(f"{quoted(name)}: {quoted(number)} is no movie")
    return {number: _entry(entry) for number, entry in movies.items()}


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A movie of metadata.json: addresses that others can open, and of a person's decision only
    what was decided, and when."""
    clean: dict[str, Any] = _clean(entry)
    if isinstance(origin := clean.get("sources"), Mapping):
        clean["sources"] = {name: file_name(str(table)) for name, table in origin.items()}
    return clean


def _clean(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: public(each)
            if name in ADDRESSES and isinstance(each, str)
            else _decision(each)
            if name == curation.STAGE
            else _clean(each)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_clean(each) for each in value]
    if isinstance(value, str) and scheme_of(value) in WEB:
        return public(value)
    return without_paths(value)


def _decision(decision: Any) -> dict[str, Any]:
    """Of a person's decision what was decided, and when, each in its own form."""
    own = decision if isinstance(decision, Mapping) else {}
    is_known = {
        "decision": own.get("decision") in curation.DECISIONS,
        "date": bool(curation.DAY.fullmatch(str(own.get("date", "")))),
        "verified": isinstance(own.get("verified"), bool),
    }
    return {name: own[name] for name in DECISION if name in own and is_known[name]}


def clip_times(source: Path) -> parquet.Times:
    """mid -> start and end of each clip, of clips.csv; 16 bytes for each clip."""
    import numpy as np

    times: dict[str, np.ndarray] = {}
    mid, of_movie = "", list[tuple[float, float]]()
    for row, seconds in _clips(source):
        if row["mid"] != mid:
            times[mid] = np.array(of_movie, np.float64)
            mid, of_movie = row["mid"], []
        of_movie.append(seconds)
    times[mid] = np.array(of_movie, np.float64)
    return times


def check(data: Path) -> None:
    """Raise `UserError` for tables in data/ of which no sound publication can be made."""
    for _ in _clips(data / "clips.csv"):
        pass
    for name, columns in (("mtgc.csv", LABELS), ("ledger.csv", LEDGER), ("movies.csv", MOVIES)):
        rows, path = 0, inside(data, name)
        with reading(path):
            for row in csv_rows(path, columns, key=["mid"] if name != "ledger.csv" else []):
                rows += 1
                if name == "mtgc.csv":
                    _check_labels(row)
        if not rows:
            raise UserError(f"{path} has no rows; run: trailers12k run")
    with reading(data / "metadata.json"):
        for name, movies in read_json(data / "metadata.json").items():
            _entries(name, movies)


def _check_labels(row: Row) -> None:
    """Raise ValueError for a row of mtgc.csv with other values than its columns have."""
    subsets = ("", *map(str, range(len(SUBSETS))))
    for names, allowed in ((GENRES, ("0", "1")), (SPLIT_COLUMNS, subsets)):
        for name in names:
            if row[name] not in allowed:
                allowed_words = ", ".join(each or "nothing" for each in allowed)
                raise ValueError(
                    f"{quoted(row['mid'])}: {name} is {quoted(row[name])}, none of {allowed_words}"
                )


def _clips(source: Path) -> Iterator[tuple[dict[str, str], tuple[float, float]]]:
    """The rows of clips.csv with their seconds. Raises `UserError` for clips out of place."""
    mid, number, seen = "", 0, set[str]()
    with reading(source):
        for row in csv_rows(source, CLIPS):
            if row["mid"] != mid:
                mid, number = row["mid"], 0
                if mid in seen:
                    raise ValueError(f"the clips of {quoted(mid)} are not together")
                seen.add(mid)
            start, end = float(row["start"]), float(row["end"])
            if row["clip"] != str(number) or not 0 <= start < end < MOST_SECONDS:
                raise ValueError(f"clip {quoted(row['clip'])} of {quoted(mid)} is not in its place")
            number += 1
            yield row, (start, end)


def _rows(source: Path, columns: Iterable[str] = ()) -> Iterator[dict[str, str]]:
    """The rows of a table. Raises `UserError` for a damaged one."""
    with reading(source):
        yield from csv_rows(source, columns)


def _lines(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
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


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """A small CSV file."""
    return "".join(_lines(columns, rows))


def _write_packed(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> Sums:
    with sums.Summed(path) as file, archives.packed(file) as packed:
        for lines in _lines(columns, rows):
            packed.write(lines.encode())
    return file.sums
