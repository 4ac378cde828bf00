"""The draft of each record on Zenodo: the one that was begun, a new version, or a new one.

Saves what it begins through `state`. Must not know how files are sent.

A deposit is made in two steps: its marker is saved, then the deposit is requested with the marker
in its notes. So a process that is killed in between finds it again. A draft that a person began is
not taken for one of ours, unless `publish.doi` names it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trailers12k.common.errors import UserError
from trailers12k.common.text import one_line
from trailers12k.publish.zenodo import metadata as texts
from trailers12k.publish.zenodo import plan as plans
from trailers12k.publish.zenodo import state as states
from trailers12k.publish.zenodo.api import Api, Deposit
from trailers12k.publish.zenodo.http import Refused, Uncertain

TRIES = 6
"""Of a deposit whose answer did not arrive."""
LAGS = (0.0, 3.0, 10.0)
"""Seconds before each search for a deposit: Zenodo's index shows it later."""


class Drafts:
    """The drafts of an account. describe: gives the metadata of a record with a marker."""

    def __init__(
        self,
        api: Api,
        state: states.State,
        describe: Callable[[int, str], Mapping[str, Any]],
        show: Callable[[str], None],
        pause: Callable[[float], None],
    ):
        self.api, self.state, self.describe = api, state, describe
        self.show, self.pause = show, pause

    def of(self, number: int, files: Sequence[plans.LocalFile], named: int | None) -> Deposit:
        """The deposit of a record: the draft that was begun, a new version, or a new one.

        named: number of a record or draft that `publish.doi` names.
        """
        entry = self.state.entry(number)
        if entry.marker and not entry.id:
            return self._continued(number, entry)
        if not (known := entry.id or named):
            return self._created(number)
        deposit = self.api.read(known)
        if deposit is None and entry.id:
            raise UserError(
                f"{self.api.host} has no draft {known} any more: somebody deleted it; to begin "
                "again, delete build/zenodo.json and run the same command"
            )
        if deposit is not None and not deposit.is_published:
            if not entry.id:
                self._adopt(number, deposit)
            return deposit
        return self._next_version(number, known, deposit, files)

    def _continued(self, number: int, entry: states.Entry) -> Deposit:
        """The deposit that an upload was about to make when it was killed."""
        if entry.of:
            return self._version(number, entry, is_begun=True)
        if found := self._found(entry.marker):
            entry.id = found.id
            self.state.save()
            return found
        return self._created(number)

    def _found(self, marker: str) -> Deposit | None:
        """The draft with a marker; None if none appears for some seconds."""
        for lag in LAGS:
            self.pause(lag)
            for each in self.api.drafts():
                if texts.marker_in(each.notes) == marker:
                    return each
        return None

    def _created(self, number: int) -> Deposit:
        """A new deposit, whose marker is saved first."""
        self._tell_others(number)
        entry = self.state.begin(number)
        deposit = None
        for _ in range(TRIES):
            try:
                deposit = self.api.create(self.describe(number, entry.marker))
            except Uncertain:
                deposit = self._found(entry.marker)
            if deposit is not None:
                break
        else:
            raise self._no_answer("a new draft")
        entry.id = deposit.id
        self.state.save()
        self.show(f"record {number}: draft {deposit.id} begun")
        return deposit

    def _tell_others(self, number: int) -> None:
        """Name the drafts of the same title that another folder began, or this one, if its
        build/zenodo.json was lost."""
        title = one_line(self.describe(number, "")["title"])
        for each in self.api.drafts():
            if texts.marker_in(each.notes) and each.title == title:
                self.show(
                    f"record {number}: there is another draft of this title, which stays: "
                    f"{self.api.page(each.id)}"
                )

    def _adopt(self, number: int, deposit: Deposit) -> None:
        """Save the draft that `publish.doi` names as the one of a record."""
        entry = self.state.begin(number)
        entry.id = deposit.id
        self.state.save()
        self.show(f"record {number}: draft {deposit.id} continued, which publish.doi names")

    def _next_version(
        self, number: int, known: int, deposit: Deposit | None, files: Sequence[plans.LocalFile]
    ) -> Deposit:
        """The published record, if it has the same files; else the draft of its next version."""
        try:
            latest = self.api.latest(known)
        except Refused as error:
            if error.status not in (404, 410):
                raise
            raise UserError(
                f"{self.api.host} has no record {known}, which publish.doi names; correct it"
            ) from None
        if deposit is None or deposit.id != latest:
            deposit = self.api.read(latest)
        if deposit is None or not deposit.is_published:
            raise UserError(
                f"{self.api.host} has no record {latest} of this account; see publish.doi"
            )
        plan = plans.compare(list(files), self.api.files(latest), (), {})
        if not plan.send and not plan.foreign:
            return deposit
        return self._version(number, self.state.begin(number, latest), is_begun=False)

    def _version(self, number: int, entry: states.Entry, is_begun: bool) -> Deposit:
        """The draft of a new version of `entry.of`. is_begun: whether an earlier request may have
        made it. Zenodo has one draft of a new version at most."""
        found = 0
        for _ in range(TRIES):
            try:
                found = self.api.new_version(entry.of)
            except Uncertain:
                is_begun = True
                continue
            except Refused as error:
                if error.status != 400:
                    raise
                found = self.api.existing_version(entry.of)
                if not is_begun and self.api.files(found):
                    self.state.forget(number, entry.of)
                    raise UserError(
                        f"record {entry.of} has a draft of a new version already; publish or "
                        f"discard it at {self.api.page(found)}, then run the same command"
                    ) from None
            break
        else:
            raise self._no_answer("a new version")
        deposit = self.api.read(found)
        if deposit is None or deposit.is_published:
            raise self._no_answer("a new version")
        entry.id = found
        self.state.save()
        self.show(f"record {number}: draft {found} begun, a new version of {entry.of}")
        return deposit

    def _no_answer(self, what: str) -> UserError:
        return UserError(
            f"{self.api.host} did not confirm {what} in {TRIES} tries; run the same command again "
            "to continue"
        )
