"""What this folder has uploaded to Zenodo, so that a killed upload continues.

Reads and writes build/zenodo.json, whole or not at all, and holds build/zenodo.lock while an upload
runs. Must not know Zenodo, and gets no token.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.files import read_json, reading, write_json


@dataclass
class Entry:
    """One record. marker: in the notes of its deposit; written before the deposit is made. id: of
    its deposit, 0 until it is known. of: the published version of which it is a new version, else
    0. metadata: fingerprint of what was sent. uploaded: name -> md5 of the files sent."""

    marker: str = ""
    id: int = 0
    of: int = 0
    metadata: str = ""
    sent: list[str] = field(default_factory=list)


class State:
    """The records that one site of Zenodo has of this folder."""

    def __init__(self, path: Path, site: str):
        self._path, self._site = path, site
        self._all: dict[str, Any] = {}
        with reading(path):
            with suppress(FileNotFoundError):
                self._all = read_json(path)
            records = self._all.get(site, {})
            self.entries = {int(each): _entry(value) for each, value in records.items()}

    def entry(self, record: int) -> Entry:
        """The entry of a record, which may be empty. Call `save` after a change."""
        return self.entries.setdefault(record, Entry())

    def begin(self, record: int, of: int = 0) -> Entry:
        """Save that a deposit is about to be made, with the marker that it will have."""
        self.entries[record] = Entry(marker=os.urandom(8).hex(), of=of)
        self.save()
        return self.entries[record]

    def forget(self, record: int, published: int) -> None:
        """Save that no draft of a new version was made, only the number of the published one."""
        self.entries[record] = Entry(marker=self.entries[record].marker, id=published)
        self.save()

    def save(self) -> None:
        """Write all."""
        records = {str(each): asdict(value) for each, value in sorted(self.entries.items())}
        write_json(self._path, {**self._all, self._site: records})


@contextmanager
def opened(path: Path, site: str) -> Iterator[State]:
    """The state, while no other process of this machine uploads. Raises `UserError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"{shown_path(path)}: another process uploads this collection; wait for its end"
            ) from None
        yield State(path, site)


def _entry(value: Mapping[str, Any]) -> Entry:
    """An entry from the file. Raises one of `DAMAGED`."""
    entry = Entry(**value)
    texts = [entry.marker, entry.metadata, *entry.sent]
    if not all(isinstance(each, str) for each in texts):
        raise ValueError("a text is none")
    if type(entry.id) is not int or type(entry.of) is not int:
        raise ValueError("a number is none")
    return entry
