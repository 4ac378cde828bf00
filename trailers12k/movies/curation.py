"""People's decisions about movies, made on the review page, and their effects.

Reads curation.csv, which the review page exports, and rejects it at the first error; writes the
applied decisions, data/curation.csv. Must not know where movies come from.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from trailers12k.common.bounded_files import quoted
from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, write_csv
from trailers12k.common.local_files import LocalFile, for_table, from_table, local_path
from trailers12k.common.movie import (
    address_of,
    addresses_of,
    check_trailer,
    is_mid,
    named_trailer,
)
from trailers12k.common.text import escape_formula, is_printable, unescape_formula
from trailers12k.common.user_table import read_user_table
from trailers12k.common.vocabulary import PUBLISHED, SKIPPED, SOURCES
from trailers12k.common.youtube import is_youtube, video_id
from trailers12k.jobs.ledger import LedgerRow

DECISIONS = ("accept", "reject", "wrong_trailer", "unsure")
COLUMNS = ("mid", "decision", "wrong", "replacement", "sha256", "note", "by", "date")
REQUIRED = ("mid", "decision")
WRITTEN = ("mid", "title", "decision", "verified", *COLUMNS[2:])
"""Columns of data/curation.csv. `read` accepts that file and ignores `title` and `verified`."""
PRODUCT = "data/curation.csv"
STAGE = "curation"
REASON = "rejected"
"""Stage and reason of a rejected movie in the ledger."""
SHA256 = re.compile("[0-9a-f]{64}")
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True)
class Decision:
    """A person's decision about one movie; optional fields are empty strings.

    decision: one of `DECISIONS`. wrong: YouTube ids or addresses that are not the movie's trailer.
    replacement: the trailer to use instead. sha256: hash of the trailer that the person saw.
    note: one line. by: the person. date: YYYY-MM-DD.
    """

    mid: str
    decision: str
    wrong: tuple[str, ...] = ()
    replacement: str = ""
    sha256: str = ""
    note: str = ""
    by: str = ""
    date: str = ""

    @property
    def rejects(self) -> bool:
        """Whether the movie leaves the collection."""
        return self.decision == "reject"

    @property
    def effect(self) -> list[Any]:
        """The part that changes the movie, as JSON values; empty when nothing does."""
        if self.rejects:
            return [self.decision]
        takes_first = self.decision == "wrong_trailer" and not self.wrong
        if not (takes_first or self.wrong or self.replacement):
            return []
        return [takes_first, list(self.wrong), self.replacement]

    def apply(self, trailers: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
        """The movie's trailers, each with `id` or `url`: the replacement first, the wrong removed.

        `wrong_trailer` without any `wrong` address refers to the first trailer. A rejection
        changes no trailers.
        """
        if not self.effect or self.rejects:
            return tuple(trailers)
        wrong = {address_of(text) for text in self.wrong}
        if self.decision == "wrong_trailer" and not self.wrong and trailers:
            wrong = addresses_of(trailers[0])
        left = [trailer for trailer in trailers if not wrong & addresses_of(trailer)]
        if not self.replacement:
            return tuple(left)
        new = address_of(self.replacement)
        # A source may list the replacement, with more fields than its address.
        listed = [trailer for trailer in left if new in addresses_of(trailer)]
        others = [trailer for trailer in left if trailer not in listed]
        return (listed[0] if listed else named_trailer(self.replacement), *others)

    def is_verified(self, sha256: str | None) -> bool:
        """Whether a person accepted the movie's trailer.

        sha256: hash of the trailer's file; None when there is no file. A decision without a hash
        applies to any file.
        """
        return self.decision == "accept" and sha256 is not None and self.sha256 in ("", sha256)


AppliedDecisions = Sequence[tuple[Decision, str]]
"""Decisions about movies of the collection, rejected ones included, and the titles; by mid."""


def path_of(curation: str | None, sources: Sequence[str]) -> str | None:
    """The path of the file of decisions, which need not exist; None where none is read.

    curation: the file's name in the configuration. It is beside the first movie table, or in the
        working directory where no table is used. sources: names or paths, as in `movies`.
    Raises `UserError` for the path of `PRODUCT`.
    """
    if not curation or PUBLISHED in sources:
        return None
    tables = [source for source in sources if source not in SOURCES]
    path = (Path(tables[0]).parent if tables else Path()) / curation
    # Not `Path.resolve`, which raises an error for a link to itself.
    if os.path.realpath(path) == os.path.realpath(PRODUCT):
        raise UserError(
            f"config: curation: {path} is a product of the workflow; allowed: another name, such "
            "as curation.csv"
        )
    return path.as_posix()


def existing_file(curation: str | None, sources: Sequence[str]) -> str | None:
    """`path_of`, or None where there is no such file. Raises `UserError`."""
    path = path_of(curation, sources)
    return path if path and Path(path).exists() else None


def read(path: str | Path, local_files: bool = False) -> dict[str, Decision]:
    """The decisions of a file: mid -> `Decision`, in its order.

    local_files: whether trailers may be files of this machine.
    Raises `UserError` with the file, line, column, value, and the allowed values.
    """
    try:
        table = read_user_table(path, REQUIRED, WRITTEN)
    except FileNotFoundError as error:
        raise UserError(
            f"{path}: {error.strerror}; allowed: a readable CSV file, or curation: null in the "
            "configuration to read none"
        ) from None
    folder = Path(path).parent
    decisions: dict[str, Decision] = {}
    lines: dict[str, int] = {}
    for line, texts in table.rows:
        row = {name: unescape_formula(text) for name, text in texts.items()}
        decision = _decision(row, f"{path}, line {line}", local_files)
        decision = replace(
            decision,
            wrong=tuple(from_table(text, folder) for text in decision.wrong),
            replacement=from_table(decision.replacement, folder),
        )
        if decision.mid in decisions:
            raise UserError(
                f"{path}, line {line}: mid: {quoted(decision.mid)} is already in line "
                f"{lines[decision.mid]}; allowed: each movie once"
            )
        decisions[decision.mid], lines[decision.mid] = decision, line
    return decisions


def local_files(path: str | Path) -> Iterator[LocalFile]:
    """The local files that take the place of trailers. Raises `UserError`."""
    for line, texts in read_user_table(path, REQUIRED, WRITTEN).rows:
        address = from_table(unescape_formula(texts.get("replacement", "")), Path(path).parent)
        file = local_path(address) if address and not video_id(address) else None
        if file:
            yield LocalFile(f"{path}, line {line}", texts["mid"], "replacement", file)


def _decision(row: Mapping[str, str], where: str, local_files: bool) -> Decision:
    def refuse(name: str, value: str, allowed: str) -> NoReturn:
        raise UserError(f"{where}: {name}: {quoted(value)} is not allowed; allowed: {allowed}")

    def address(name: str, value: str, files: bool) -> None:
        if video_id(value):
            return
        try:
            check_trailer(name, value, where, files)
        except UserError as error:
            # The message about a page of YouTube names ids already.
            more = "" if is_youtube(value) else "; or a YouTube id, 11 characters"
            raise UserError(f"{error}{more}") from None

    mid, decision = row["mid"], row["decision"]
    if not is_mid(mid):
        refuse("mid", mid, "tt and 7 or 8 digits")
    if decision not in DECISIONS:
        refuse("decision", decision, ", ".join(DECISIONS))
    wrong = tuple(filter(None, map(str.strip, row.get("wrong", "").split("|"))))
    for text in wrong:
        # Addresses are only compared here, so a local file is accepted and never read.
        address("wrong", text, True)
    replacement = row.get("replacement", "")
    address("replacement", replacement, local_files)
    if "|" in replacement:
        refuse("replacement", replacement, "one address, without |")
    if replacement and address_of(replacement) in map(address_of, wrong):
        raise UserError(
            f"{where}: replacement: {quoted(replacement)} is also in the column wrong; remove it "
            "from one of the two"
        )
    sha256, day = row.get("sha256", "").lower(), row.get("date", "")
    if sha256 and not SHA256.fullmatch(sha256):
        refuse("sha256", sha256, "the 64 hex digits of a trailer's sha256, or empty")
    if day and not _is_day(day):
        refuse("date", day, "a date such as 2026-11-25, or empty")
    # Spreadsheets allow line breaks within a cell.
    texts = {name: " ".join(row.get(name, "").split()) for name in ("note", "by")}
    for name, text in texts.items():
        if not is_printable(text):
            refuse(name, text, "printable text, or empty")
    return Decision(mid, decision, wrong, replacement, sha256, texts["note"], texts["by"], day)


def _is_day(text: str) -> bool:
    # date.fromisoformat also accepts 20261125.
    if not DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def effects(decisions: Mapping[str, Decision]) -> dict[str, list[Any]]:
    """The decisions that change movies: mid -> `Decision.effect`."""
    return {mid: each.effect for mid, each in decisions.items() if each.effect}


def write(path: str | Path, decided: AppliedDecisions, trailers: Mapping[str, str]) -> None:
    """Write data/curation.csv, sorted by mid, with the columns `WRITTEN`.

    The column `verified` holds `true` or `false`, from `Decision.is_verified`. Paths of local files
    start in the working directory, the collection's folder.
    trailers: mid -> sha256 of its downloaded trailer.
    """
    rows = []
    for each, title in decided:
        row = {name: getattr(each, name) for name in COLUMNS} | {"title": title}
        row["wrong"] = "|".join(each.wrong)
        row["verified"] = "true" if each.is_verified(trailers.get(each.mid)) else "false"
        rows.append({name: escape_formula(text) for name, text in row.items()})
    write_csv(path, WRITTEN, rows)


def read_written(path: str | Path = PRODUCT, folder: str | Path = ".") -> list[dict[str, str]]:
    """The rows of a file that `write` wrote, with unescaped texts.

    folder: where the paths in the returned rows start; in the file, the working directory.
    """
    rows = [
        {name: unescape_formula(text) for name, text in row.items()}
        for row in read_csv(path, WRITTEN)
    ]
    for row in rows:
        for name in ("wrong", "replacement"):
            row[name] = "|".join(for_table(text, folder) for text in row[name].split("|"))
    return rows


def rejections(decided: AppliedDecisions) -> list[LedgerRow]:
    """The ledger rows of rejected movies, in the stage `STAGE`."""
    return [
        {
            "mid": decision.mid,
            "status": SKIPPED,
            "reason": REASON,
            "detail": decision.note,
        }
        for decision, _ in decided
        if decision.rejects
    ]


def without_movie(decisions: Iterable[str], decided: AppliedDecisions) -> list[str]:
    """The mids, sorted, of decisions about movies that are not in the collection."""
    return sorted(set(decisions) - {decision.mid for decision, _ in decided})
