"""IMDb's non-commercial files: movies by type, year, votes and genre, or what is known of some.

Reads title.basics.tsv.gz and title.ratings.tsv.gz. Must not know what is done with the movies.
"""

import gzip
import logging
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from trailers12k.jobs import UserError
from trailers12k.sources.records import Record, genres_of

log = logging.getLogger(__name__)

BASICS = (
    *("tconst", "titleType", "primaryTitle", "originalTitle", "isAdult", "startYear"),
    *("runtimeMinutes", "genres"),
)
RATINGS = ("tconst", "averageRating", "numVotes")
NULL = r"\N"


def read(settings: Mapping, known: Mapping[str, Record]) -> tuple[list[Record], list[dict]]:
    """Movies selected by `types`, `years`, `votes` and `genres`; or where some are known, those.

    Adult titles and those without one of the ten genres are not selected. Raises `UserError`: file
    and row.
    """
    files = settings["files"]
    least = 0 if known else settings["votes"]
    ratings = {
        row[0]: (row[1], row[2])
        for where, row in _rows(files["title.ratings.tsv.gz"], RATINGS)
        if _number(row[2], "numVotes", where) >= least
    }
    records = []
    types, wanted = set(settings["types"]), set(settings["genres"] or ())
    first, last = settings["years"]
    for where, row in _rows(files["title.basics.tsv.gz"], BASICS):
        mid, kind, title, original, adult, year, runtime, genres = row
        if known and mid not in known:
            continue
        # The cheapest first: of 11 million rows nearly all end here.
        if not known and (kind not in types or adult == "1" or (least and mid not in ratings)):
            continue
        if not known and (year == NULL or not first <= _number(year, "startYear", where) <= last):
            continue
        names = [] if genres == NULL else genres.split(",")
        ours = genres_of(names, where)
        if not known and (not ours or (wanted and not wanted & set(ours))):
            continue
        imdb: dict = {"id": mid.removeprefix("tt"), "title": title, "original_title": original}
        if year != NULL:
            imdb["year"] = _number(year, "startYear", where)
        imdb["genres"] = names
        if runtime != NULL:
            imdb["runtime"] = _number(runtime, "runtimeMinutes", where)
        if mid in ratings:
            rating, votes = ratings[mid]
            imdb |= {"rating": float(rating), "votes": int(votes)}
        records.append(
            Record(
                mid,
                "" if title == NULL else title,
                "" if year == NULL else year,
                ours,
                entry={"imdb": imdb},
                where=where,
            )
        )
    log.info("IMDb: %d movies", len(records))
    return sorted(records, key=lambda record: record.mid), []


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The rows of a TSV file, these columns in this order, each with its place."""
    path = Path(path)
    number = 0
    try:
        # Neither quotes nor other kinds of line ends: titles have them.
        with (
            gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as file,
            tqdm(file, unit="row", unit_scale=True, disable=None) as lines,
        ):
            head: list[str] = []
            for number, line in enumerate(lines, start=1):
                fields = line.decode("utf-8").rstrip("\n").split("\t")
                if not head:
                    head = fields
                    missing = [name for name in columns if name not in head]
                    if missing:
                        raise UserError(
                            f"{path}, row 1: the column {missing[0]!r} is missing; "
                            f"required: {', '.join(columns)}"
                        )
                    places = [head.index(name) for name in columns]
                    continue
                where = f"{path}, row {number}"
                if len(fields) != len(head):
                    raise UserError(f"{where}: {len(fields)} fields, and {len(head)} columns")
                yield where, [fields[place] for place in places]
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; see sources.imdb.files") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}, row {number}: it is not UTF-8") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(
            f"{path}: it is cut or damaged after row {number} ({error}); delete it, and it is "
            "fetched again"
        ) from None
    if not number:
        raise UserError(f"{path}: it is empty; delete it, and it is fetched again")


def _number(text: str, column: str, where: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise UserError(f"{where}: {column}: {text!r} is no number")
    return int(text)
