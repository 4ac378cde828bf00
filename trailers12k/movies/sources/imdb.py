"""IMDb's non-commercial files: a selection of movies, or facts about those of other sources.

Reads title.basics.tsv.gz and title.ratings.tsv.gz. Must not know what is done with the movies.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO

from tqdm import tqdm

from trailers12k.common.bounded_files import DamagedFile, is_absent, opened, quoted, unpacked
from trailers12k.common.errors import UserError
from trailers12k.common.text import one_line
from trailers12k.common.vocabulary import GENRES
from trailers12k.movies.sources.odd_rows import OddRows
from trailers12k.movies.sources.records import Record, genres_of, unknown_genres

log = logging.getLogger(__name__)

BASICS = (
    *("tconst", "titleType", "primaryTitle", "originalTitle", "isAdult", "startYear"),
    *("runtimeMinutes", "genres"),
)
RATINGS = ("tconst", "averageRating", "numVotes")
NULL = r"\N"
"""An empty field."""
BASICS_FILE = "title.basics.tsv.gz"
RATINGS_FILE = "title.ratings.tsv.gz"
KEY = "sources.imdb.max_megabytes"
LONGEST_LINE = 100_000
"""Bytes. IMDb's longest titles have fewer than 1,000."""
MOST_ROWS = 50_000_000
"""IMDb has 12 million titles."""
MOST_KEPT = 3_000_000
"""Rows of ratings, and movies, that are in memory together; IMDb has 1.6 million ratings."""
MOST_ODD = 10_000
"""Rows after which a file of mostly odd ones is not read on."""
LONGEST_NUMBER = 18
AGAIN = "delete the file to fetch it again"


def read(
    settings: Mapping[str, Any], earlier: Mapping[str, Record]
) -> tuple[list[Record], list[dict[str, Any]]]:
    """The movies of earlier sources; or where there are none, those that the settings select.

    Returns records sorted by mid, and a ledger of odd rows, whose usable values are used. Adult
    titles and titles without one of the ten genres are never selected.

    settings: `types`, `years` (first and last), `votes` (the minimum), `genres` (any of these; None
        for all ten), `max_megabytes` (of an unpacked file), and `files`: name -> path of
        `BASICS_FILE` and `RATINGS_FILE`.
    Raises `UserError` with file and line where a file is damaged or another one.
    """
    files = settings["files"]
    odd = OddRows("IMDb")
    most_bytes = int(settings["max_megabytes"] * 1e6)
    least = 0 if earlier else settings["votes"]
    ratings = _ratings(files[RATINGS_FILE], earlier, least, odd, most_bytes)
    rated = odd.rows
    selection = _Selection(settings, earlier, ratings, odd)
    path = files[BASICS_FILE]
    records = []
    for number, row in _rows(path, BASICS, odd, most_bytes):
        if selection.is_candidate(row) and (record := selection.record(row, path, number)):
            records.append(record)
            _check_number(records, path)
    records = odd.sound(records, local_files=False)
    odd.end()
    log.info("IMDb: %d rows read, %d movies selected", odd.rows - rated, len(records))
    ledger = [row for row in odd.ledger if not earlier or row["mid"] in earlier]
    return sorted(records, key=lambda record: record.mid), ledger


class _Selection:
    """Which rows of title.basics become records, and their values."""

    def __init__(
        self,
        settings: Mapping[str, Any],
        earlier: Mapping[str, Record],
        ratings: Mapping[str, dict[str, Any]],
        odd: OddRows,
    ):
        self.earlier, self.ratings, self.odd = earlier, ratings, odd
        self.types, self.genres = set(settings["types"]), set(settings["genres"] or GENRES)
        self.first, self.last = settings["years"]
        self.needs_votes = settings["votes"] > 0

    def is_candidate(self, row: Sequence[str]) -> bool:
        """The cheapest test first: nearly all of the 11 million rows end here."""
        mid, kind, _, _, adult, year, _, _ = row
        if self.earlier:
            return mid in self.earlier
        return not (
            kind not in self.types
            or adult == "1"
            or year == NULL
            or (self.needs_votes and mid not in self.ratings)
        )

    def record(self, row: Sequence[str], path: Path, number: int) -> Record | None:
        """The record of a candidate; None if it is not selected, or is odd."""
        mid, _, title, original, _, year, runtime, genres = row
        where = f"{path}, line {number}"
        faults: list[str] = []
        imdb: dict[str, Any] = {"id": mid.removeprefix("tt")}
        if title != NULL:
            imdb["title"] = title
        if original != NULL:
            imdb["original_title"] = original
        _put_number(imdb, "year", year, f"{where}: startYear", faults)
        if faults and not self.earlier:
            self.odd.leave_out(mid, faults[0])
            return None
        if not self.earlier and not self.first <= imdb["year"] <= self.last:
            return None
        imdb["genres"] = [] if genres == NULL else genres.split(",")
        ours, unknown = genres_of(imdb["genres"])
        if not self.earlier and self.genres.isdisjoint(ours):
            return None
        if unknown:
            faults.append(unknown_genres(unknown, where))
        _put_number(imdb, "runtime", runtime, f"{where}: runtimeMinutes", faults)
        imdb |= self.ratings.get(mid, {})
        for fault in faults:
            self.odd.use_in_part(mid, fault)
        text = year if "year" in imdb else ""
        return Record(
            *(mid, one_line(imdb.get("title")), text, ours),
            entry={"imdb": imdb},
            where=str(path),
            line=number,
        )


def _ratings(
    path: Path, earlier: Mapping[str, Record], least: int, odd: OddRows, most_bytes: int
) -> dict[str, dict[str, Any]]:
    """mid -> `rating` and `votes`, of the earlier sources' movies, or of all with enough votes."""
    ratings: dict[str, dict[str, Any]] = {}
    for number, (mid, rating, votes) in _rows(path, RATINGS, odd, most_bytes):
        if earlier and mid not in earlier:
            continue
        where = f"{path}, line {number}"
        faults: list[str] = []
        row: dict[str, Any] = {}
        _put_number(row, "rating", rating, f"{where}: averageRating", faults, float)
        _put_number(row, "votes", votes, f"{where}: numVotes", faults)
        for fault in faults:
            odd.use_in_part(mid, fault)
        if row.get("votes", 0) >= least:
            ratings[mid] = row
            _check_number(ratings, path)
    return ratings


def _check_number(kept: Sized, path: Path) -> None:
    if len(kept) > MOST_KEPT:
        raise UserError(f"{path}: too many movies; allowed: at most {MOST_KEPT:,}")


def _rows(
    path: Path, columns: Sequence[str], odd: OddRows, most_bytes: int
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """These columns of a TSV file, in this order, each row after the number of its line.

    Rows that are not UTF-8 or have another number of fields are odd.
    """
    path = Path(path)
    number = width = 0
    if is_absent(path):
        raise UserError(f"{path} does not exist; see sources.imdb.files")
    try:
        # As bytes: only \n ends a line, and an error of UTF-8 is reported with its line.
        with (
            _opened(path, most_bytes) as file,
            tqdm(_lines(file, path), unit="row", unit_scale=True, disable=None) as lines,
        ):
            for number, line in enumerate(lines, start=1):
                try:
                    fields = line.decode("utf-8").removesuffix("\n").split("\t")
                except UnicodeDecodeError:
                    odd.leave_out("", f"{path}, line {number}: it is not UTF-8; {AGAIN}")
                    continue
                if width == 0:
                    pick, width = _picker(fields, columns, path), len(fields)
                elif len(fields) == width:
                    yield number, pick(fields)
                else:
                    fault = f"{len(fields)} fields in {width} columns; {AGAIN}"
                    odd.leave_out(fields[0], f"{path}, line {number}: {fault}")
                if number > MOST_ROWS or (odd.left_out > MOST_ODD and 2 * odd.left_out > number):
                    why = odd.first or f"{path}: too many rows"
                    raise UserError(f"{why} ({odd.left_out} of {number} rows cannot be used)")
    except DamagedFile as error:
        raise UserError(
            f"{path}: truncated or damaged after line {number} ({error.why}); {AGAIN}"
        ) from None
    if not number:
        raise UserError(f"{path}: the file is empty; {AGAIN}")
    odd.rows += number - 1


def _opened(path: Path, most_bytes: int) -> BinaryIO:
    file = opened(path, most_bytes, KEY)
    return unpacked(file, most_bytes, path, KEY) if path.name.endswith(".gz") else file


def _lines(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """The lines of a file. Raises `UserError` for one that is too long to be a row."""
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise UserError(
                f"{path}, line {number}: {LONGEST_LINE:,} bytes without a line end; {AGAIN}"
            )
        yield line


def _picker(
    head: Sequence[str], columns: Sequence[str], path: Path
) -> Callable[[Sequence[str]], tuple[str, ...]]:
    missing = [name for name in columns if name not in head]
    if missing:
        raise UserError(
            f"{path}, line 1: the column {missing[0]!r} is missing; required: {', '.join(columns)}"
        )
    return itemgetter(*(head.index(name) for name in columns))


def _put_number(
    values: dict[str, Any], name: str, text: str, where: str, faults: list[str], kind: type = int
) -> None:
    """Set a value from the text of a number, or add to the faults; nothing for a null.

    where: the file, the line and the column.
    """
    # Stricter than int and float, which accept " 1", "-1", "1_0" and "nan".
    digits = text.replace(".", "", 1) if kind is float else text
    if len(digits) > LONGEST_NUMBER:
        digits = ""
    if text == NULL:
        return
    if digits.isascii() and digits.isdigit():
        values[name] = kind(text)
    else:
        faults.append(f"{where}: {quoted(text)} is not a number")
