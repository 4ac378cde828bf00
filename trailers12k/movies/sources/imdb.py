"""IMDb's non-commercial files: a selection of movies, or facts about those of other sources.

Reads title.basics.tsv.gz and title.ratings.tsv.gz. Must not know what is done with the movies.
"""

import gzip
import logging
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from tqdm import tqdm

from trailers12k.common.errors import UserError
from trailers12k.common.text import one_line
from trailers12k.common.vocabulary import GENRES
from trailers12k.movies.sources.records import Record, genres_of

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
AGAIN = "delete the file to fetch it again"


def read(
    settings: Mapping[str, Any], earlier: Mapping[str, Record]
) -> tuple[list[Record], list[dict[str, Any]]]:
    """The movies of earlier sources; or where there are none, those that the settings select.

    Returns records sorted by mid, and no ledger. Adult titles and titles without one of the ten
    genres are never selected.

    settings: `types`, `years` (first and last), `votes` (the minimum), `genres` (any of these; None
        for all ten), and `files`: name -> path of `BASICS_FILE` and `RATINGS_FILE`.
    Raises `UserError` with file and line.
    """
    files = settings["files"]
    least = 0 if earlier else settings["votes"]
    ratings = _ratings(files[RATINGS_FILE], earlier, least)
    types, wanted = set(settings["types"]), set(settings["genres"] or GENRES)
    first, last = settings["years"]
    records = []
    path = files[BASICS_FILE]
    number = 1
    for number, row in _rows(path, BASICS):
        mid, kind, title, original, adult, year, runtime, genres = row
        # The cheapest test first: nearly all of the 11 million rows end here.
        if earlier:
            if mid not in earlier:
                continue
        elif kind not in types or adult == "1" or year == NULL or (least and mid not in ratings):
            continue
        where = f"{path}, line {number}"
        if not earlier and not first <= _number(year, "startYear", where) <= last:
            continue
        names = [] if genres == NULL else genres.split(",")
        ours = genres_of(names, where)
        if not earlier and wanted.isdisjoint(ours):
            continue
        imdb: dict[str, Any] = {"id": mid.removeprefix("tt")}
        if title != NULL:
            imdb["title"] = title
        if original != NULL:
            imdb["original_title"] = original
        if year != NULL:
            imdb["year"] = _number(year, "startYear", where)
        imdb["genres"] = names
        if runtime != NULL:
            imdb["runtime"] = _number(runtime, "runtimeMinutes", where)
        imdb |= ratings.get(mid, {})
        text = "" if year == NULL else year
        records.append(
            Record(
                *(mid, one_line(imdb.get("title")), text, ours), entry={"imdb": imdb}, where=where
            )
        )
    log.info("IMDb: %d rows read, %d movies selected", number - 1, len(records))
    return sorted(records, key=lambda record: record.mid), []


def _ratings(path: Path, earlier: Mapping[str, Record], least: int) -> dict[str, dict[str, Any]]:
    """mid -> `rating` and `votes`, of the earlier sources' movies, or of all with enough votes."""
    ratings: dict[str, dict[str, Any]] = {}
    for number, (mid, rating, votes) in _rows(path, RATINGS):
        if earlier and mid not in earlier:
            continue
        where = f"{path}, line {number}"
        count = 0 if votes == NULL else _number(votes, "numVotes", where)
        if count < least:
            continue
        ratings[mid] = {}
        if rating != NULL:
            ratings[mid]["rating"] = _number(rating, "averageRating", where, float)
        if votes != NULL:
            ratings[mid]["votes"] = count
    return ratings


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """These columns of a TSV file, in this order, each row after the number of its line."""
    path = Path(path)
    number = width = 0
    try:
        # As bytes: only \n ends a line, and an error of UTF-8 is reported with its line.
        with (
            gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as file,
            tqdm(file, unit="row", unit_scale=True, disable=None) as lines,
        ):
            for number, line in enumerate(lines, start=1):
                fields = line.decode("utf-8").removesuffix("\n").split("\t")
                if number == 1:
                    pick, width = _picker(fields, columns, path), len(fields)
                elif len(fields) == width:
                    yield number, pick(fields)
                else:
                    raise UserError(
                        f"{path}, line {number}: {len(fields)} fields in {width} columns; {AGAIN}"
                    )
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; see sources.imdb.files") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}, line {number}: it is not UTF-8; {AGAIN}") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(
            f"{path}: truncated or damaged after line {number} ({error}); {AGAIN}"
        ) from None
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}); see sources.imdb.files"
        ) from None
    if not number:
        raise UserError(f"{path}: the file is empty; {AGAIN}")


def _picker(
    head: Sequence[str], columns: Sequence[str], path: Path
) -> Callable[[Sequence[str]], tuple[str, ...]]:
    missing = [name for name in columns if name not in head]
    if missing:
        raise UserError(
            f"{path}, line 1: the column {missing[0]!r} is missing; required: {', '.join(columns)}"
        )
    return itemgetter(*(head.index(name) for name in columns))


def _number(text: str, column: str, where: str, kind: type = int) -> int | float:
    # Stricter than int and float, which accept " 1", "-1", "1_0" and "nan".
    digits = text.replace(".", "", 1) if kind is float else text
    if not (digits.isascii() and digits.isdigit()):
        raise UserError(f"{where}: {column}: {text!r} is not a number")
    return kind(text)
