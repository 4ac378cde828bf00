"""The table of trailers that the search chose, which a person may correct.

Reads and writes trailer_choices.csv. Must not know how trailers are searched.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from trailers12k.common.errors import UserError
from trailers12k.common.movie import address_of, check_address, is_mid, is_youtube_id
from trailers12k.common.text import escape_formula, one_line
from trailers12k.movies.sources.records import Record

COLUMNS = [
    "mid",
    "title",
    "year",
    "correction",
    "chosen",
    "score",
    "why",
    "rank",
    "candidate",
    "channel",
    "duration",
    "address",
]
"""rank: the candidate's place in what the search gave."""

NONE = "none"
"""The correction that there is no trailer."""


def _is_url(address: str) -> bool:
    """Whether it is an address on the web that a movie's trailer may have."""
    try:
        check_address("", address, "", local_files=False)
    except UserError:
        return False
    return re.match(r"https?://[^/?#\s]", address) is not None and len(address) <= 2000


def corrections(path: Path) -> dict[str, str]:
    """What a person wrote into the choices: mid -> a YouTube id, a URL, or `none`.

    Raises `UserError`: one line that names the file, the line, the value, and what is allowed.
    """
    return _corrections(_lines(path), path)


def _corrections(lines: Iterable[tuple[int, Mapping[str, str]]], path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for line, row in lines:
        mid, text = row["mid"], row["correction"].strip().removeprefix("'")
        where = f"{path}, line {line}"
        if not is_mid(mid):
            raise UserError(f"{where}: mid: {mid!r} is not allowed; allowed: tt and 7 or 8 digits")
        if not text:
            continue
        if not (text == NONE or is_youtube_id(text) or _is_url(text)):
            # A password is told nobody.
            given = repr(text) if "@" not in text else "a text with @"
            raise UserError(
                f"{where}: correction: {given} is not allowed; allowed: a YouTube id, a URL "
                f"(http, https) without a password, {NONE}, or empty"
            )
        if found.setdefault(mid, text) != text:
            raise UserError(
                f"{where}: correction: {text!r}, and {found[mid]!r} above for the same movie; "
                "allowed: one correction a movie"
            )
    return found


def _lines(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of the choices with their lines; none when there is no file. Raises `UserError`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            lines = [(reader.line_num, row) for row in reader]
            columns = reader.fieldnames or []
    except FileNotFoundError:
        return []
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: byte {error.start} is not UTF-8; allowed: a CSV file in UTF-8"
        ) from None
    except csv.Error as error:
        raise UserError(f"{path}: not a CSV file: {error}; allowed: a CSV file") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; allowed: a CSV file you may read") from None
    missing = [name for name in COLUMNS if name not in columns]
    # A column of the person's own would be lost when the file is written again.
    unknown = [name for name in columns if name not in COLUMNS]
    if missing or unknown:
        fault = f"{missing[0]!r} is missing" if missing else f"{unknown[0]!r} is unknown"
        raise UserError(f"{path}: the column {fault}; allowed: {', '.join(COLUMNS)}")
    for line, row in lines:
        if None in row or None in row.values():
            raise UserError(
                f"{path}, line {line}: it has too many or too few columns; allowed: {len(columns)}"
            )
    return lines


def _rows(
    record: Record, candidates: Sequence[Mapping], trailers: Sequence[Mapping], correction: str
) -> Iterator[dict[str, str]]:
    """A movie's rows in the choices: one for each candidate, or one without."""
    chosen = {trailers[0].get("id"), trailers[0].get("url")} - {None} if trailers else set()
    for place, one in enumerate(candidates or [{}]):
        address = one.get("id") or one.get("url", "")
        known = one.get("duration") is not None
        row = {
            "mid": record.mid,
            "title": one_line(record.title),
            "year": record.year,
            "correction": "" if place else correction,
            "chosen": "yes" if address in chosen else "",
            "score": f"{one['score']:.2f}" if one else "",
            "why": one.get("why", ""),
            "rank": str(one.get("rank", "")),
            "candidate": one.get("title", ""),
            "channel": one.get("channel", ""),
            "duration": f"{one['duration']:.0f}" if known else "",
            "address": address_of(address),
        }
        yield {name: escape_formula(text) for name, text in row.items()}
