"""The table of trailers that the search chose, which a person can correct.

Reads and writes trailer_choices.csv. Must not know how trailers are searched for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import quoted
from trailers12k.common.errors import UserError
from trailers12k.common.movie import address_of, is_mid, is_web_address
from trailers12k.common.text import escape_formula, one_line
from trailers12k.common.user_table import read_user_table
from trailers12k.common.youtube import video_id
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
"""correction: the person's; one of the movie's rows is enough. why: the reasons of the score.
rank: the candidate's position in the search's answer, from 1. duration: seconds."""

NONE = "none"
"""The correction for a movie that has no trailer."""


def corrections(path: Path) -> dict[str, str]:
    """The corrections in the choices: mid -> a YouTube id, a URL, or `none`.

    Raises `UserError` with the file, line, value, and the allowed values.
    """
    return corrections_in(lines_of(path), path)


def corrections_in(lines: Iterable[tuple[int, Mapping[str, str]]], path: Path) -> dict[str, str]:
    """The corrections in lines that `lines_of` read. Raises `UserError`."""
    by_mid: dict[str, str] = {}
    for line, row in lines:
        mid, text = row["mid"], row["correction"].removeprefix("'")
        where = f"{path}, line {line}"
        if not is_mid(mid):
            raise UserError(
                f"{where}: mid: {quoted(mid)} is not allowed; allowed: tt and 7 or 8 digits"
            )
        if not text:
            continue
        if not (text == NONE or video_id(text) or is_web_address(text)):
            # A message never repeats a password.
            shown = quoted(text) if "@" not in text else "a text with @"
            raise UserError(
                f"{where}: correction: {shown} is not allowed; allowed: a YouTube id, the URL "
                f"of a video (http, https) without a password, {NONE}, or empty"
            )
        if by_mid.setdefault(mid, text) != text:
            raise UserError(
                f"{where}: correction: {quoted(text)}, and {quoted(by_mid[mid])} above for the "
                "same movie; allowed: one correction per movie"
            )
    return by_mid


def lines_of(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of the choices after their line numbers; none without a file. Raises `UserError`."""
    try:
        # A column that is not in COLUMNS would be lost when the file is written again.
        return list(read_user_table(path, COLUMNS, ()).rows)
    except FileNotFoundError:
        return []


def rows_of(
    record: Record,
    candidates: Sequence[Mapping[str, Any]],
    trailers: Sequence[Mapping[str, Any]],
    correction: str,
) -> Iterator[dict[str, str]]:
    """A movie's rows in the choices: one per candidate, or a single one without candidates."""
    chosen = {trailers[0].get("id"), trailers[0].get("url")} - {None} if trailers else set()
    for place, candidate in enumerate(candidates or [{}]):
        address = candidate.get("id") or candidate.get("url", "")
        duration = candidate.get("duration")
        row = {
            "mid": record.mid,
            "title": one_line(record.title),
            "year": record.year,
            "correction": "" if place else correction,
            "chosen": "yes" if address in chosen else "",
            "score": f"{candidate['score']:.2f}" if candidate else "",
            "why": candidate.get("why", ""),
            "rank": str(candidate.get("rank", "")),
            "candidate": candidate.get("title", ""),
            "channel": candidate.get("channel", ""),
            "duration": "" if duration is None else f"{duration:.0f}",
            "address": address_of(address),
        }
        yield {name: escape_formula(text) for name, text in row.items()}
