"""The deposits of an account on Zenodo: what can be asked of them, and what answers mean.

Sends requests through `http`. Must not know what is uploaded, or why.

Sources: developers.zenodo.org for the endpoints, and the PUT of a file into `links.bucket`. The
server's own code (zenodo/zenodo-rdm, site/zenodo_rdm/legacy) for what differs from it: `newversion`
answers with the new draft itself and refuses where one has files, a list may be `{hits: {hits}}`,
the checksum of a listed file has no `md5:`, and one of the bucket has it.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from trailers12k.common.text import one_line
from trailers12k.publish.zenodo.http import Client, Refused
from trailers12k.publish.zenodo.plan import RemoteFile

PAGES, PAGE = 50, 100
"""Of the list of drafts."""


@dataclass(frozen=True)
class Deposit:
    """A deposit. concept: number that its versions share. doi: reserved for it."""

    id: int
    concept: str
    is_published: bool
    bucket: str
    doi: str
    title: str
    notes: str
    license: str


class Api:
    """Zenodo's API at `base`. variable: of the environment that holds the token, for messages.

    pause: waits seconds. Raises `UserError` for all that a person has to see to.
    """

    def __init__(
        self,
        base: str,
        token: str,
        variable: str,
        pause: Callable[[float], None] = time.sleep,
        show: Callable[[str], None] = print,
    ):
        self._client = Client(base, token, variable, pause, show)
        self.base, self.host = self._client.base, self._client.host

    def check(self) -> None:
        """Raise `UserError` unless the token is valid."""
        self._client.request("GET", "/deposit/depositions", params={"size": "1"})

    def page(self, number: int) -> str:
        """The address of a deposit for a person."""
        return f"{self._client.site}/deposit/{number}"

    def has_licence(self, identifier: str) -> bool:
        """Whether Zenodo knows a licence. It answers metadata with an unknown one by a status
        of its own faults, 500."""
        try:
            self._client.request("GET", f"/vocabularies/licenses/{quote(identifier, safe='')}")
        except Refused as error:
            return error.status not in (404, 410)
        return True

    def read(self, number: int) -> Deposit | None:
        """A deposit; None if there is none of this number, or none any more."""
        try:
            return self._deposit(self._client.request("GET", f"/deposit/depositions/{number}"))
        except Refused as error:
            if error.status in (404, 410):
                return None
            raise

    def drafts(self) -> Iterator[Deposit]:
        """The unpublished deposits of the account, as the index of Zenodo's search has them."""
        seen: set[int] = set()
        for page in range(1, PAGES + 1):
            query = {"status": "draft", "sort": "mostrecent", "all_versions": "true"}
            query |= {"page": str(page), "size": str(PAGE)}
            value = self._client.request("GET", "/deposit/depositions", params=query)
            # A draft without a bucket has no files, and none of ours is like that.
            found = [self._deposit(each, is_strict=False) for each in self._list(value)]
            if not {each.id for each in found} - seen:
                return
            new = [each for each in found if each.id not in seen and each.bucket]
            yield from (each for each in new if not each.is_published)
            seen |= {each.id for each in found}

    def create(self, metadata: Mapping[str, Any]) -> Deposit:
        """A new deposit. Raises `Uncertain` when it may have been made."""
        body = {"metadata": metadata}
        return self._deposit(self._client.request("POST", "/deposit/depositions", body, once=True))

    def update(self, number: int, metadata: Mapping[str, Any]) -> Deposit:
        """Replace the metadata of a draft."""
        body = {"metadata": metadata}
        return self._deposit(self._client.request("PUT", f"/deposit/depositions/{number}", body))

    def latest(self, number: int) -> int:
        """The newest published version of a record. number: of any version, or of all of them."""
        record = self._client.request("GET", f"/records/{number}", follow=True)
        newest = self._client.request(
            "GET", f"/records/{self._number(record, 'id')}/versions/latest", follow=True
        )
        return self._number(newest, "id")

    def new_version(self, number: int) -> int:
        """The number of the draft of a new version, with the files of the published one.

        Raises `Uncertain` when it may have been made, and `Refused` with the status 400 when there
        is one with files already.
        """
        path = f"/deposit/depositions/{number}/actions/newversion"
        value = self._client.request("POST", path, once=True)
        # By its documentation, Zenodo answers with the published version, which names the draft.
        link = str(_part(value, "links").get("latest_draft", ""))
        draft = re.search(r"/deposit/depositions/([1-9]\d{0,17})$", link, re.ASCII)
        return int(draft[1]) if draft else self._number(value, "id")

    def existing_version(self, number: int) -> int:
        """The number of the draft of a new version, which is made, without files, if there is none.

        The newer API, since the older one does not name a draft that has files.
        """
        return self._number(self._client.request("POST", f"/records/{number}/versions"), "id")

    def files(self, number: int) -> dict[str, RemoteFile]:
        """Name -> file of a deposit or published record."""
        found = {}
        for each in self._list(self._client.request("GET", f"/deposit/depositions/{number}/files")):
            file = _file(each)
            if file is None:
                raise self._client.strange("a file without a name")
            found[file.key] = file
        return found

    def send(
        self,
        deposit: Deposit,
        key: str,
        path: Path,
        size: int,
        sent: Callable[[int], object],
        attempt: int = 0,
    ) -> RemoteFile | None:
        """Upload a file, once; the file as it was stored, or None where the answer does not say.

        sent: gets each number of bytes. attempt: number of earlier ones. Raises `Uncertain`, after
        a pause, when the server was busy or the connection was lost.
        """
        address = f"/files/{deposit.bucket}/{quote(key, safe='')}"
        stored = _file(self._client.send(address, path, size, sent, attempt))
        return stored if stored and stored.key == key and stored.md5 else None

    def delete(self, number: int, file: RemoteFile) -> None:
        """Delete a file of a draft, if it is there."""
        try:
            self._client.request(
                "DELETE", f"/deposit/depositions/{number}/files/{quote(file.id, safe='')}"
            )
        except Refused as error:
            if error.status not in (404, 410):
                raise

    def _deposit(self, value: Any, is_strict: bool = True) -> Deposit:
        """A deposit as Zenodo describes it. Raises `UserError`; if strict, for a draft without a
        bucket, too."""
        number = self._number(value, "id")
        links, metadata = _part(value, "links"), _part(value, "metadata")
        bucket = re.fullmatch(
            re.escape(self.base) + "/files/([A-Za-z0-9-]{1,64})", str(links.get("bucket", ""))
        )
        if is_strict and not bucket and value.get("submitted") is not True:
            raise self._client.strange("a deposit without a bucket at the same address")
        doi = str(_part(metadata, "prereserve_doi").get("doi", ""))
        return Deposit(
            number,
            str(value.get("conceptrecid", "")),
            value.get("submitted") is True,
            bucket[1] if bucket else "",
            doi if re.fullmatch(r"10\.\d{4,9}/[!-~]{1,100}", doi, re.ASCII) else "",
            one_line(metadata.get("title")),
            str(metadata.get("notes", "")),
            one_line(metadata.get("license")),
        )

    def _number(self, value: Any, name: str) -> int:
        """A number of a record, which the newer API gives as a text. Raises `UserError`."""
        number = value.get(name) if isinstance(value, dict) else None
        if not re.fullmatch(r"[1-9]\d{0,17}", str(number), re.ASCII):
            raise self._client.strange(f"no {name}")
        return int(str(number))

    def _list(self, value: Any) -> list[Any]:
        """The items of a list, in either form. Raises `UserError`."""
        if isinstance(value, dict):
            value = _part(value, "hits").get("hits", value.get("entries"))
        if not isinstance(value, list):
            raise self._client.strange("no list")
        return value


def _part(value: Any, name: str) -> dict[str, Any]:
    part = value.get(name) if isinstance(value, dict) else None
    return part if isinstance(part, dict) else {}


def _file(value: Any) -> RemoteFile | None:
    """A file as the list of a deposit or the bucket describes it."""
    if not isinstance(value, dict):
        return None
    key = value.get("filename", value.get("key"))
    size = value.get("filesize", value.get("size"))
    md5 = str(value.get("checksum", "")).removeprefix("md5:")
    if not isinstance(key, str) or not key:
        return None
    is_md5 = re.fullmatch("[0-9a-f]{32}", md5)
    number = int(size) if isinstance(size, int | float) and 0 <= size < 1 << 60 else -1
    return RemoteFile(str(value.get("id", "")), key, number, md5 if is_md5 else "")
