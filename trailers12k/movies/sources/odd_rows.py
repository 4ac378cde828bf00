"""Odd rows of published files, which users cannot correct: left out, counted, logged.

Reads and writes nothing. Must not know any source.
"""

import logging
from collections.abc import Iterable

from trailers12k.common.bounded_files import quoted
from trailers12k.common.errors import UserError
from trailers12k.common.movie import is_mid
from trailers12k.common.text import one_line
from trailers12k.common.vocabulary import OK, SKIPPED
from trailers12k.jobs.ledger import LedgerRow
from trailers12k.movies.sources.records import Record, check

log = logging.getLogger(__name__)

REASON = "odd_row"
"""The reason in the ledger, of rows that were left out or used in part."""
LOGGED = 20
"""Odd rows of a source that are logged one by one; all are counted."""
MOST = 10
"""Rows of which most may be odd before the file counts as another one."""


class OddRows:
    """The odd rows of one source.

    rows: of its files, set by the source. ledger: a row for each odd row that names a movie.
    """

    def __init__(self, source: str):
        self.source = source
        self.rows = self.number = self.left_out = 0
        self.first = ""
        self.ledger: list[LedgerRow] = []

    def leave_out(self, mid: str, fault: object) -> None:
        """Count a row that is not used. fault: the oddity, with its file and line."""
        self.left_out += 1
        self._add(mid, SKIPPED, "left out", str(fault))

    def use_in_part(self, mid: str, fault: object) -> None:
        """Count a row that is used without the value that is odd."""
        self._add(mid, OK, "used in part", str(fault))

    def _add(self, mid: str, status: str, effect: str, fault: str) -> None:
        fault = one_line(fault)
        self.number += 1
        self.first = self.first or fault
        if self.number <= LOGGED:
            log.warning("%s: %s", effect, fault)
        if is_mid(mid):
            row = {"mid": mid, "status": status, "reason": REASON, "detail": fault}
            self.ledger.append(row)

    def sound(self, records: Iterable[Record], local_files: bool) -> list[Record]:
        """The records with valid values, the first of each movie; the others are counted.

        local_files: see `records.check`.
        """
        places: dict[str, str] = {}
        sound = []
        for record in records:
            try:
                check(record, local_files)
            except UserError as error:
                self.leave_out(record.mid, error)
                continue
            if record.mid in places:
                place = places[record.mid]
                fault = f"{record.place}: mid: {quoted(record.mid)} is already in {place}"
                self.leave_out(record.mid, fault)
                continue
            places[record.mid] = record.place.rpartition(", ")[2]
            sound.append(record)
        return sound

    def end(self) -> None:
        """Log the number of odd rows. Raises `UserError`, with the first fault, when most are."""
        lost = self.left_out
        if lost and (lost >= self.rows or (lost > MOST and 2 * lost > self.rows)):
            raise UserError(f"{self.first} ({lost} of {self.rows} rows cannot be used)")
        if self.number:
            log.warning("%s: %d odd rows were left out or used in part", self.source, self.number)
