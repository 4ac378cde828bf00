"""What people decided about movies by looking at them, and what follows from it.

Reads curation.csv, as `snakemake review` exports it, and refuses it at its first fault; writes the
decisions in force, data/curation.csv. Must not know where movies come from.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from unicodedata import category

from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, write_csv
from trailers12k.common.movie import address_of, addresses_of, check_address, is_mid, is_youtube_id
from trailers12k.common.text import escape_formula, unescape_formula
from trailers12k.common.vocabulary import PUBLISHED, SOURCES

DECISIONS = ("accept", "reject", "wrong_trailer", "unsure")
COLUMNS = ("mid", "decision", "wrong", "replacement", "sha256", "note", "by", "date")
REQUIRED = ("mid", "decision")
WRITTEN = ("mid", "title", "decision", "verified", *COLUMNS[2:])
"""Of data/curation.csv. It can be read again; `title` and `verified` are not looked at then."""
PRODUCT = "data/curation.csv"
STAGE = "curation"
"""Of a rejected movie in the ledger."""
REASON = "rejected"
SHA256 = re.compile("[0-9a-f]{64}")
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
CONTROLS = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of what is never shown. Letters that this Python does not know yet may be."""
JOINERS = str.maketrans("", "", "\u200c\u200d")
"""Not shown, but stand within words of some scripts, and within emojis."""


@dataclass(frozen=True)
class Decision:
    """What somebody decided about one movie; empty where nothing was said.

    decision: of `DECISIONS`. wrong: YouTube ids or addresses that are not, or no more, the movie's
        trailer. replacement: the one to be used instead. sha256: of the trailer that was looked at.
    note: in one line. by: who it was. date: as 2026-11-25.
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
        """Whether the movie leaves."""
        return self.decision == "reject"

    @property
    def effect(self) -> list:
        """What makes a difference to the movie; empty where nothing does."""
        if self.rejects:
            return [self.decision]
        takes_first = self.decision == "wrong_trailer" and not self.wrong
        if not (takes_first or self.wrong or self.replacement):
            return []
        return [takes_first, list(self.wrong), self.replacement]

    def mend(self, trailers: Sequence[Mapping]) -> tuple[Mapping, ...]:
        """A movie's trailers, each with `id` or `url`, without those found wrong; the replacement
        comes first.

        Without their names, `wrong_trailer` means the first one. A decision to reject, which takes
        the movie away, changes none.
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
        named = "id" if is_youtube_id(self.replacement) else "url"
        # A source may have named it, and know more of it.
        known = [trailer for trailer in left if new in addresses_of(trailer)]
        others = [trailer for trailer in left if trailer not in known]
        return (known[0] if known else {named: self.replacement}, *others)

    def is_verified(self, sha256: str | None) -> bool:
        """Whether a movie's trailer was found good. sha256: of the one that is there; None: there
        is none.

        What was not said to be of a certain file is taken to be of whichever is there.
        """
        return self.decision == "accept" and sha256 is not None and self.sha256 in ("", sha256)


Decided = Sequence[tuple[Decision, str]]
"""Decisions about movies that are there, or would be but for them, and the titles; by mid."""


def place_of(config: Mapping) -> str | None:
    """Where the file of decisions would lie: beside the first movie table, or else in the working
    directory; None where none is wanted. Raises `UserError`."""
    name, movies = config.get("curation"), config["movies"]
    several = [movies] if isinstance(movies, str) else list(movies)
    if not name or PUBLISHED in several:
        return None
    tables = [table for table in several if table not in SOURCES]
    path = (Path(tables[0]).parent if tables else Path()) / name
    if path.resolve() == Path(PRODUCT).resolve():
        raise UserError(
            f"config: curation: {path} is what a run writes; allowed: another name, such as "
            "curation.csv"
        )
    return path.as_posix()


def file_of(config: Mapping) -> str | None:
    """The file of decisions; None where there is none. Raises `UserError`."""
    place = place_of(config)
    return place if place and Path(place).exists() else None


def read(path: str | Path, local_files: bool = False) -> dict[str, Decision]:
    """The decisions of a file: mid -> `Decision`, in its order.

    local_files: whether trailers may be files of this machine.
    Raises `UserError`: one line that names the file, the line, the column, the value, and what is
    allowed.
    """
    path = Path(path)
    found: dict[str, Decision] = {}
    lines: dict[str, int] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            for line, row in _rows(reader, path):
                decision = _decision(row, f"{path}, line {line}", local_files)
                if decision.mid in found:
                    raise UserError(
                        f"{path}, line {line}: mid: {decision.mid!r} stands in line "
                        f"{lines[decision.mid]} already; allowed: each movie once"
                    )
                found[decision.mid], lines[decision.mid] = decision, line
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: byte {error.start} is not UTF-8; save the table as UTF-8"
        ) from None
    except csv.Error as error:
        raise UserError(f"{path}: not a CSV file: {error}") from None
    except OSError as error:
        raise UserError(
            f"{path}: {error.strerror}; allowed: a CSV file that you may read; curation: null in "
            "the configuration reads none"
        ) from None
    return found


def _rows(reader: csv.DictReader, path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows that are not blank, and the lines on which they end."""
    columns = list(reader.fieldnames or [])
    faults = [f"{name!r} is missing" for name in REQUIRED if name not in columns]
    faults += [f"{name!r} is unknown" for name in columns if name not in WRITTEN]
    faults += [f"{name!r} stands twice" for name in columns if columns.count(name) > 1]
    if faults:
        raise UserError(
            f"{path}: the column {faults[0]}; required: {', '.join(REQUIRED)}; "
            f"optional: {', '.join(COLUMNS[2:])}; separated by commas"
        )
    for row in reader:
        # What a spreadsheet leaves of a row that was emptied.
        if None not in row and not any(text and text.strip() for text in row.values()):
            continue
        if None in row or None in row.values():
            raise UserError(
                f"{path}, line {reader.line_num}: it has not {len(columns)} columns as the first "
                "line has"
            )
        yield reader.line_num, {name: unescape_formula(text.strip()) for name, text in row.items()}


def _decision(row: Mapping[str, str], where: str, local_files: bool) -> Decision:
    def refuse(name: str, value: str, allowed: str) -> None:
        raise UserError(f"{where}: {name}: {value!r} is not allowed; allowed: {allowed}")

    def address(name: str, value: str, files: bool) -> None:
        if is_youtube_id(value):
            return
        try:
            check_address(name, value, where, files)
        except UserError as error:
            raise UserError(f"{error}; or a YouTube id, 11 characters") from None

    mid, decision = row["mid"], row["decision"]
    if not is_mid(mid):
        refuse("mid", mid, "tt and 7 or 8 digits")
    if decision not in DECISIONS:
        refuse("decision", decision, ", ".join(DECISIONS))
    wrong = tuple(filter(None, map(str.strip, row.get("wrong", "").split("|"))))
    for text in wrong:
        # Only compared, so that no file of this machine is read.
        address("wrong", text, True)
    replacement = row.get("replacement", "")
    address("replacement", replacement, local_files)
    if "|" in replacement:
        refuse("replacement", replacement, "one address, without |")
    if replacement and address_of(replacement) in map(address_of, wrong):
        refuse("replacement", replacement, "none of those in the column wrong")
    sha256, day = row.get("sha256", "").lower(), row.get("date", "")
    if sha256 and not SHA256.fullmatch(sha256):
        refuse("sha256", sha256, "the 64 hex digits of a trailer's sha256, or empty")
    if day and not _is_day(day):
        refuse("date", day, "a day as 2026-11-25, or empty")
    # A note may have lines.
    texts = {name: " ".join(row.get(name, "").split()) for name in ("note", "by")}
    for name, text in texts.items():
        if not CONTROLS.isdisjoint(map(category, text.translate(JOINERS))):
            refuse(name, text, "printable text, or empty")
    return Decision(mid, decision, wrong, replacement, sha256, texts["note"], texts["by"], day)


def _is_day(text: str) -> bool:
    # date.fromisoformat takes 20261125 too.
    if not DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def effects(decisions: Mapping[str, Decision]) -> dict[str, list]:
    """What of the decisions makes a difference to movies: mid -> `Decision.effect`."""
    return {mid: each.effect for mid, each in decisions.items() if each.effect}


def write(path: str | Path, decided: Decided, trailers: Mapping[str, str]) -> None:
    """Write data/curation.csv, by mid, with the columns `WRITTEN`.

    verified: `true` or `false`, of `Decision.is_verified`. trailers: mid -> sha256 of the trailers
    that are there.
    """
    rows = []
    for each, title in decided:
        row = {name: getattr(each, name) for name in COLUMNS} | {"title": title}
        row["wrong"] = "|".join(each.wrong)
        row["verified"] = "true" if each.is_verified(trailers.get(each.mid)) else "false"
        rows.append({name: escape_formula(text) for name, text in row.items()})
    write_csv(path, WRITTEN, rows)


def read_written(path: str | Path = PRODUCT) -> list[dict[str, str]]:
    """The rows that `write` wrote, with the texts that it was given."""
    return [{name: unescape_formula(text) for name, text in row.items()} for row in read_csv(path)]


def rejections(decided: Decided) -> list[dict[str, str]]:
    """The rows of the ledger of the movies that were rejected."""
    return [
        {
            "mid": each.mid,
            "status": "skipped",
            "reason": REASON,
            "detail": escape_formula(each.note),
        }
        for each, _ in decided
        if each.rejects
    ]


def unknown(decisions: Iterable[str], decided: Decided) -> list[str]:
    """The movies that are decided about, but are none of ours."""
    return sorted(set(decisions) - {each.mid for each, _ in decided})
