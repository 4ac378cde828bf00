"""Which files of a publication belong to which record, and what a deposit lacks.

Reads the publication; writes nothing. Must not know how files are uploaded. Sources: the limits of
50 GB and 100 files, and names without folders, are Zenodo's (help.zenodo.org; the route
`/files/<bucket_id>/<key>` of zenodo/zenodo-rdm takes no `/`, and names with one that older records
have cannot be read, zenodo/zenodo#2479).
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from trailers12k.common.bounded_files import opened, quoted, read_bytes, shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.files import below, read_csv
from trailers12k.common.sum_files import DIGITS, MD5SUMS, MOST_BYTES, SHA256SUMS, parse
from trailers12k.publish.packing.records import IN_EACH, MOST_FILES

RECORDS = "RECORDS.csv"
BLOCK = 1 << 20
LARGEST = 1 << 50


@dataclass(frozen=True)
class LocalFile:
    """A file of the publication. key: its name in the record."""

    path: Path
    key: str
    bytes: int
    md5: str


@dataclass(frozen=True)
class RemoteFile:
    """A file of a deposit. bytes, md5: -1 and empty where Zenodo does not say."""

    id: str
    key: str
    bytes: int
    md5: str


@dataclass(frozen=True)
class Plan:
    """What makes a deposit equal to its record.

    send: files that it lacks or has otherwise. replaced: those of them that it has otherwise.
    inherited: files of the earlier version that do not belong. stale: files that this folder
    uploaded and that do not belong any more. foreign: files of unknown origin.
    """

    send: list[LocalFile]
    replaced: list[str]
    inherited: list[RemoteFile]
    stale: list[RemoteFile]
    foreign: list[RemoteFile]


def shown_size(size: int) -> str:
    """A number of bytes in words."""
    if size < 10**5:
        return f"{size:,} bytes"
    return f"{size / 1e6:,.1f} MB" if size < 10**9 else f"{size / 1e9:,.1f} GB"


def key_of(path: str) -> str:
    """The name in a record of a file of the publication: Zenodo has no folders."""
    return path.replace("/", "--")


def records(
    folder: Path, progress: Callable[[int], object] = lambda _: None
) -> dict[int, list[LocalFile]]:
    """Number of each record -> its files, after each was compared with SHA256SUMS and MD5SUMS.

    progress: gets each number of bytes that was read. Raises `UserError` for a publication that
    is damaged, changed or too large for its records.
    """
    sha256s, md5s = _sums(folder, SHA256SUMS), _sums(folder, MD5SUMS)
    if missing := sorted(sha256s.keys() ^ md5s.keys()):
        raise _changed(folder, f"{quoted(missing[0])} is in one of MD5SUMS and SHA256SUMS only")
    files = []
    for name in (*sha256s, MD5SUMS, SHA256SUMS):
        path = below(folder, name)
        size, sha256, md5 = _digests(folder, path, progress)
        if (sha256s.get(name, sha256), md5s.get(name, md5)) != (sha256, md5):
            raise _changed(folder, f"{quoted(name)} differs from its checksum")
        files.append((name, LocalFile(path, key_of(name), size, md5)))
    numbers = _record_numbers(folder, {name for name, _ in files})
    found: dict[int, list[LocalFile]] = {}
    for number in sorted({*numbers.values(), 1}):
        own = [file for name, file in files if name in IN_EACH or numbers.get(name, 1) == number]
        _check_limits(number, own)
        found[number] = sorted(own, key=lambda file: file.key)
    return found


def compare(
    files: list[LocalFile],
    deposit: Mapping[str, RemoteFile],
    sent: Collection[str],
    earlier: Mapping[str, RemoteFile],
) -> Plan:
    """What a deposit lacks, and what it has beside its record.

    sent: md5 of all that this folder has sent. earlier: files of the version before it.
    """
    wanted = {file.key: file for file in files}
    send = [file for file in files if not _is_equal(file, deposit.get(file.key))]
    kinds: dict[str, list[RemoteFile]] = {"inherited": [], "stale": [], "foreign": []}
    for key, remote in deposit.items():
        kind = _origin(remote, sent, earlier)
        if key not in wanted:
            kinds[kind].append(remote)
    others = [deposit[file.key] for file in send if file.key in deposit]
    # A file without md5 is one whose upload was cut.
    replaced = [
        each.key for each in others if each.md5 and _origin(each, sent, earlier) == "foreign"
    ]
    return Plan(send, replaced, kinds["inherited"], kinds["stale"], kinds["foreign"])


def _is_equal(file: LocalFile, remote: RemoteFile | None) -> bool:
    return remote is not None and (remote.bytes, remote.md5) == (file.bytes, file.md5)


def _origin(remote: RemoteFile, sent: Collection[str], earlier: Mapping[str, RemoteFile]) -> str:
    """Where a file of a deposit comes from: a field of `Plan`."""
    before = earlier.get(remote.key)
    if before is not None and (before.bytes, before.md5) == (remote.bytes, remote.md5):
        return "inherited"
    return "stale" if remote.md5 in sent else "foreign"


def _sums(folder: Path, name: str) -> dict[str, str]:
    """Path -> hash, of a file of `sha256sum` or `md5sum`. Raises `UserError`."""
    text = read_bytes(folder / name, MOST_BYTES).decode("utf-8", "replace")
    try:
        found = parse(text.splitlines(), folder / name, DIGITS[name])
    except UserError as error:
        raise _changed(folder, str(error)) from None
    if not found or not {MD5SUMS, SHA256SUMS}.isdisjoint(found):
        raise _changed(folder, f"{name} names itself or no file")
    return found


def _digests(folder: Path, path: Path, progress: Callable[[int], object]) -> tuple[int, str, str]:
    """Size, sha256 and md5 of a file, read once. Raises `UserError`."""
    sha256, md5 = hashlib.sha256(), hashlib.new("md5", usedforsecurity=False)
    size = 0
    if not path.is_file():
        raise _changed(folder, f"{quoted(path.relative_to(folder).as_posix())} is missing")
    with opened(path, LARGEST) as file:
        while block := file.read(BLOCK):
            sha256.update(block)
            md5.update(block)
            size += len(block)
            progress(len(block))
    return size, sha256.hexdigest(), md5.hexdigest()


def _record_numbers(folder: Path, names: set[str]) -> dict[str, int]:
    """File -> its record, by RECORDS.csv; empty where all are in one. Raises `UserError`."""
    if RECORDS not in names:
        return {}
    rows = read_csv(folder / RECORDS, ("record", "file"), counts=("record",))
    numbers = {row["file"]: int(row["record"] or 0) for row in rows}
    numbers = {name: each for name, each in numbers.items() if name not in IN_EACH}
    if missing := sorted(names - {*numbers, *IN_EACH}) or sorted({*numbers} - names):
        raise _changed(folder, f"{quoted(missing[0])} is not in both {RECORDS} and SHA256SUMS")
    if {*numbers.values(), 1} != {*range(1, max(numbers.values(), default=1) + 1)}:
        raise _changed(folder, f"{RECORDS} does not number the records 1, 2, ...")
    return numbers


def _check_limits(number: int, files: list[LocalFile]) -> None:
    """Raise `UserError` for a record that Zenodo does not take."""
    keys = [file.key for file in files]
    if same := {key for key in keys if keys.count(key) > 1}:
        raise UserError(f"{min(same)}: two files of the publication would have this name on Zenodo")
    if empty := [file.key for file in files if not file.bytes]:
        raise UserError(f"{empty[0]} is empty, and Zenodo takes no empty files; remove it")
    if len(files) > MOST_FILES:
        raise UserError(
            f"record {number} has {len(files)} files, and Zenodo takes {MOST_FILES}; write the "
            "publication again: trailers12k publish"
        )


def _changed(folder: Path, why: str) -> UserError:
    return UserError(
        f"{shown_path(folder)} is damaged or was changed: {why}; nothing was sent; write the "
        "publication again: trailers12k publish"
    )
