"""Uploads a publication to drafts of records on Zenodo, and never publishes them.

Reads the publication; reads and writes build/zenodo.json through `state`. Must not know how
a publication is written, and passes the token on without looking at it.

What a draft lacks is computed from its list of files each time; each file is compared by size and
md5 after it was sent.
Of a draft, only files of the earlier version and of earlier uploads of this folder are deleted, by
name; files of unknown origin stay and are named, unless one has the name of a published file.
"""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from trailers12k.common.errors import UserError
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.messages import first_names
from trailers12k.publish.facts import Statements
from trailers12k.publish.packing.records import MOST_BYTES
from trailers12k.publish.zenodo import metadata as texts
from trailers12k.publish.zenodo import plan as plans
from trailers12k.publish.zenodo import state as states
from trailers12k.publish.zenodo.api import Api, Deposit
from trailers12k.publish.zenodo.drafts import Drafts
from trailers12k.publish.zenodo.http import LOOPBACK, Refused, Uncertain

STATE = Path("build/zenodo.json")
SITES = {False: "https://zenodo.org/api", True: "https://sandbox.zenodo.org/api"}
TOKENS = {False: "ZENODO_TOKEN", True: "ZENODO_SANDBOX_TOKEN"}
"""Variables of the environment, the only place of the tokens. The sandbox is another site."""
OTHER_SITE = "TRAILERS12K_ZENODO"
"""Variable of the environment: another address of the API, on this machine; for tests."""
TRIES = 6
"""Of a file."""
ROUNDS = 3
"""In which a deposit becomes equal to its record, unless somebody changes it meanwhile."""
NAMED = 3
"""Files that a line names."""
SHOWN_AFTER = 15.0
"""Seconds after a line of progress before the next."""


@dataclass(frozen=True)
class Upload:
    """A record on Zenodo. is_published: whether it was published before, with the same files."""

    page: str
    doi: str
    files: int
    bytes: int
    is_published: bool


def token(is_sandbox: bool) -> str:
    """The token. Raises `UserError` when it is not set or cannot be sent in a header."""
    name = TOKENS[is_sandbox]
    value = os.environ.get(name, "").strip()
    if not re.fullmatch("[!-~]+", value):
        fault = "its value is no token" if value else "it is not set"
        site = SITES[is_sandbox].removesuffix("/api")
        raise UserError(
            f"{name}: {fault}; make a token with the scopes deposit:write and deposit:actions at "
            f"{site}/account/settings/applications/tokens/new/, then: export {name}=..."
        )
    return value


def site(is_sandbox: bool) -> str:
    """The address of the API. Raises `UserError` for one of the environment on another machine."""
    other = os.environ.get(OTHER_SITE, "")
    if other and not re.fullmatch(rf"http://({'|'.join(LOOPBACK[:2])}):\d+/api", other, re.ASCII):
        raise UserError(f"{OTHER_SITE} is {other:.100}; allowed: http://127.0.0.1:PORT/api")
    return other or SITES[is_sandbox]


def require(statements: Statements, is_sandbox: bool) -> None:
    """Raise `UserError` where a statement or the token is missing: before anything is written."""
    texts.check(statements)
    token(is_sandbox)


def upload(
    folder: Path,
    statements: Statements,
    credits: Sequence[str] = (),
    is_sandbox: bool = False,
    show: Callable[[str], None] = print,
    state: Path = STATE,
    base: str | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> list[Upload]:
    """Make drafts on Zenodo equal to a publication, one for each of its records.

    credits: notices that sources demand. show: gets a line of progress. base: address of the API;
    None: Zenodo's. Raises `UserError`; the same call continues.
    """
    require(statements, is_sandbox)
    base = base or site(is_sandbox)
    api = Api(base, token(is_sandbox), TOKENS[is_sandbox], pause, show)
    with states.opened(state, api.base) as state_of_site:
        api.check()
        identifier = texts.licence(statements.license)
        if not api.has_licence(identifier):
            raise UserError(
                f"publish.license: {api.host} has no licence {identifier}; name one of SPDX, such "
                "as CC-BY-NC-SA-4.0, or other-open, other-nc or other-closed"
            )
        show(f"{folder}: comparing the files with SHA256SUMS")
        with _bar("SHA256SUMS") as bar:
            records = plans.records(folder, bar.update)
        uploader = _Uploader(api, state_of_site, statements, credits, is_sandbox, show, pause)
        return uploader.run(records)


@contextmanager
def _bar(what: str, total: int | None = None) -> Iterator[Any]:
    """A bar of bytes on a terminal; only a count elsewhere."""
    with tqdm(total=total, desc=what, unit="B", unit_scale=True, leave=False, disable=None) as bar:
        # A disabled bar does not count.
        yield bar if not bar.disable else _Count()


class _Count:
    """What a bar counts."""

    def __init__(self) -> None:
        self.n = 0

    def update(self, number: int) -> None:
        self.n += number


class _Uploader:
    """One upload."""

    def __init__(
        self,
        api: Api,
        state: states.State,
        statements: Statements,
        credits: Sequence[str],
        is_sandbox: bool,
        show: Callable[[str], None],
        pause: Callable[[float], None],
    ):
        self.api, self.state, self.statements, self.credits = api, state, statements, credits
        self.is_sandbox, self.show, self.pause = is_sandbox, show, pause
        self.count = 1

    def run(self, records: Mapping[int, list[plans.LocalFile]]) -> list[Upload]:
        """Make all deposits, which name each other, then send the files."""
        self.count = len(records)
        for number, files in records.items():
            # Zenodo grants single records more, so its own answer decides.
            if (size := sum(file.bytes for file in files)) > MOST_BYTES:
                self.show(
                    f"warning: record {number} has {plans.shown_size(size)}, and Zenodo takes "
                    f"{plans.shown_size(MOST_BYTES)} unless you asked for a larger quota"
                )
        drafts = Drafts(self.api, self.state, self._metadata, self.show, self.pause)
        named = texts.number_of(self.statements.doi, self.is_sandbox)
        deposits = {
            number: drafts.of(number, files, named if number == 1 else None)
            for number, files in records.items()
        }
        dois = {number: self._doi(each) for number, each in deposits.items()}
        uploads = []
        for number, files in records.items():
            if not deposits[number].is_published:
                related = texts.relations(number, dois) if self.count > 1 else []
                self._describe(number, deposits[number], related)
                self._fill(number, deposits[number], files)
            uploads.append(
                Upload(
                    self.api.page(deposits[number].id),
                    dois[number],
                    len(files),
                    sum(file.bytes for file in files),
                    deposits[number].is_published,
                )
            )
        return uploads

    def _describe(
        self, number: int, deposit: Deposit, related: Sequence[Mapping[str, str]]
    ) -> None:
        """Send the metadata, unless the same were sent: a person may have edited them since."""
        entry = self.state.entry(number)
        metadata = self._metadata(number, entry.marker, related)
        sent = fingerprint(metadata=metadata)
        if entry.metadata == sent:
            return
        try:
            stored = self.api.update(deposit.id, metadata)
        except Refused as error:
            raise self._gone(deposit, number) or error from None
        entry.metadata = sent
        self.state.save()
        if stored.license and not texts.is_same_licence(stored.license, metadata["license"]):
            self.show(
                f"record {number}: Zenodo shows the licence {stored.license} for "
                f"{metadata['license']}; correct it at {self.api.page(deposit.id)}"
            )

    def _fill(self, number: int, deposit: Deposit, files: list[plans.LocalFile]) -> None:
        """Send what the deposit lacks and delete what does not belong, until both are equal."""
        entry = self.state.entry(number)
        earlier: Mapping[str, plans.RemoteFile] = {}
        with suppress(Refused):  # then files of the earlier version stay, and are named
            earlier = self.api.files(entry.of) if entry.of else {}
        for _ in range(ROUNDS):
            plan = plans.compare(files, self._files(deposit, number), entry.sent, earlier)
            if not (plan.send or plan.inherited or plan.stale):
                break
            self._tell(number, plan)
            for file in (*plan.inherited, *plan.stale):
                self.api.delete(deposit.id, file)
            self._send_all(number, deposit, files, plan.send)
        else:
            raise UserError(
                f"draft {deposit.id} changes while files are sent; let nobody edit it at "
                f"{self.api.page(deposit.id)}, then run the same command again"
            )
        if plan.foreign:
            names = first_names([file.key for file in plan.foreign], NAMED)
            self.show(f"record {number}: kept, though not of this publication: {names}")

    def _tell(self, number: int, plan: plans.Plan) -> None:
        """Show what is deleted and replaced."""
        for what, names in (
            ("deleted, of the earlier version", [file.key for file in plan.inherited]),
            ("deleted, of an earlier upload", [file.key for file in plan.stale]),
            ("replaced, though somebody changed it", plan.replaced),
        ):
            if names:
                self.show(f"record {number}: {what}: {first_names(names, NAMED)}")

    def _send_all(
        self,
        number: int,
        deposit: Deposit,
        files: Sequence[plans.LocalFile],
        send: Sequence[plans.LocalFile],
    ) -> None:
        """Send files, the small ones first, and show from time to time how far it is."""
        lacking, whole = sum(file.bytes for file in send), sum(file.bytes for file in files)
        shown = time.monotonic()
        if send:
            self.show(
                f"record {number}: sending {len(send)} of {len(files)} files, "
                f"{plans.shown_size(lacking)} of {plans.shown_size(whole)}"
            )
        with _bar(f"record {number}", lacking) as bar:
            for done, file in enumerate(sorted(send, key=lambda each: (each.bytes, each.key))):
                if isinstance(bar, _Count) and time.monotonic() - shown >= SHOWN_AFTER:
                    shown = time.monotonic()
                    self.show(
                        f"record {number}: sent {done} of {len(send)} files, "
                        f"{plans.shown_size(int(bar.n))} of {plans.shown_size(lacking)}"
                    )
                self._send(number, deposit, file, bar)

    def _send(self, number: int, deposit: Deposit, file: plans.LocalFile, bar: Any) -> None:
        """Send one file, and compare what arrived. Raises `UserError`."""
        entry = self.state.entry(number)
        if file.md5 not in entry.sent:
            entry.sent.append(file.md5)
            self.state.save()
        begin, differing = bar.n, 0
        for attempt in range(TRIES):
            bar.n = begin
            stored, why = self._sent(number, deposit, file, bar, attempt)
            if stored and (stored.bytes, stored.md5) == (file.bytes, file.md5):
                bar.n = begin + file.bytes
                return
            differing += not why
            if differing == 2:
                break
        raise UserError(
            f"{self.api.host} does not get {file.key} as it is here "
            f"({why or 'another md5 arrives'}); run the same command again to continue"
        )

    def _sent(
        self, number: int, deposit: Deposit, file: plans.LocalFile, bar: Any, attempt: int
    ) -> tuple[plans.RemoteFile | None, str]:
        """What the draft has of a file after it was sent once, and why that is uncertain."""
        stored, why = None, ""
        try:
            stored = self.api.send(
                *(deposit, file.key, file.path, file.bytes, bar.update), attempt=attempt
            )
        except Refused as error:
            raise self._gone(deposit, number) or error from None
        except Uncertain as error:
            why = str(error)
        # The file may have arrived although its answer did not.
        return stored or self._files(deposit, number).get(file.key), why

    def _files(self, deposit: Deposit, number: int) -> dict[str, plans.RemoteFile]:
        """The files of a draft. Raises `UserError` when it is none any more."""
        try:
            return self.api.files(deposit.id)
        except Refused as error:
            raise self._gone(deposit, number) or error from None

    def _gone(self, deposit: Deposit, number: int) -> UserError | None:
        """The error for a draft that somebody published or deleted meanwhile; None if it is one."""
        now = self.api.read(deposit.id)
        if now is None:
            return UserError(
                f"draft {deposit.id} of record {number} was deleted meanwhile; to begin again, "
                "delete build/zenodo.json and run the same command"
            )
        if now.is_published:
            return UserError(
                f"draft {deposit.id} of record {number} was published meanwhile, without all of "
                "its files; to make a new version of it, run the same command again"
            )
        return None

    def _doi(self, deposit: Deposit) -> str:
        """The reserved DOI. Zenodo's sandbox names the prefix of the other site."""
        if self.is_sandbox:
            return f"10.5072/zenodo.{deposit.id}"
        return deposit.doi or f"10.5281/zenodo.{deposit.id}"

    def _metadata(
        self, number: int, marker: str, related: Sequence[Mapping[str, str]] = ()
    ) -> dict[str, Any]:
        part = (number, self.count)
        return texts.metadata(self.statements, self.credits, marker, part, related)
