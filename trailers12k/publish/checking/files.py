"""The files of a publication that is judged: downloaded, listed, hashed and unpacked within bounds.

Reads a folder or a web server; writes temporary files. Must not know what the files mean.
"""

import hashlib
import os
import shutil
import stat
import tarfile
from pathlib import Path
from typing import BinaryIO

from trailers12k.common import sum_files
from trailers12k.common.bounded_files import opened, read_bytes, unpacked
from trailers12k.common.errors import UserError
from trailers12k.common.files import below, inside
from trailers12k.common.sum_files import MD5SUMS, SHA256SUMS
from trailers12k.downloads import http
from trailers12k.publish.packing.records import MOST_BYTES
from trailers12k.publish.zenodo.plan import key_of

BLOCK = 1 << 20
EXPANSION, SMALL = 100, 10_000_000
"""Most bytes that a packed table unpacks to, per byte of it, and more for any table. Tables shrink
to a tenth."""
MOST_FILES = 10_000
"""Listed files of a publication that are downloaded."""


def read_sums(folder: Path, name: str) -> dict[str, str]:
    """A file of sums: path -> sum. Raises `UserError`."""
    path = inside(folder, name)
    lines = read_bytes(path, sum_files.MOST_BYTES).decode("utf-8", "replace").splitlines()
    return sum_files.parse(lines, path, sum_files.DIGITS[name])


def present(folder: Path) -> dict[str, str]:
    """The paths below a folder -> what is wrong with them; links are not followed."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in (*files, *folders):
            path = os.path.join(parent, name)
            mode = os.lstat(path).st_mode
            if not stat.S_ISDIR(mode):
                kind = "" if stat.S_ISREG(mode) else "it is no plain file"
                found[os.path.relpath(path, folder).replace(os.sep, "/")] = kind
    return found


def digests(path: Path) -> tuple[str, str]:
    """The sha256 and md5 of a file, which is read once."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            sha256.update(block)
            md5.update(block)
    return sha256.hexdigest(), md5.hexdigest()


def unpack(packed: Path, path: Path, most_bytes: int) -> None:
    """Unpack a gzip file. Raises `UserError` for more than `most_bytes`, and for far more than
    tables unpack to."""
    with _unpacked(packed, most_bytes) as source, path.open("wb") as to:
        shutil.copyfileobj(source, to, BLOCK)


def _unpacked(packed: Path, most_bytes: int) -> BinaryIO:
    most = min(most_bytes, EXPANSION * packed.stat().st_size + SMALL)
    return unpacked(opened(packed, most_bytes), most, packed)


def metadata(archive: Path, most_bytes: int) -> str:
    """The text of the one file in metadata.tar.gz. Raises `UserError`."""
    with _unpacked(archive, most_bytes) as source:
        try:
            with tarfile.open(fileobj=source, mode="r|") as tar:
                member = tar.next()
                file = tar.extractfile(member) if member and member.isfile() else None
                if file is None or member is None or member.name != "metadata.json":
                    raise tarfile.ReadError("it does not hold metadata.json alone")
                return file.read().decode("utf-8")
        except (tarfile.TarError, EOFError) as error:
            raise UserError(f"it cannot be unpacked: {error}") from error


def fetch(address: str, folder: Path) -> list[str]:
    """Download the files that SHA256SUMS lists, one by one; what could not be had.

    At most the bytes of a record. Raises `UserError` where there is no such list. Files of folders
    have `--` for `/` on Zenodo.
    """
    folder.mkdir()
    faults = []
    for name in (SHA256SUMS, MD5SUMS):
        _fetch(f"{address}/{name}", inside(folder, name), sum_files.MOST_BYTES)
    sums = read_sums(folder, SHA256SUMS)
    if len(sums) > MOST_FILES:
        raise UserError(f"{address}: {SHA256SUMS} lists more than {MOST_FILES:,} files")
    is_flat, left = False, MOST_BYTES
    for path in sums:
        file = below(folder, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        names = [key_of(path), path] if is_flat else [path, key_of(path)]
        for name in dict.fromkeys(names):
            try:
                _fetch(f"{address}/{name}", file, left)
                left -= file.stat().st_size
                is_flat = "/" in path and name != path
                break
            except UserError as error:
                last = error
        else:
            faults.append(f"{path}: it could not be downloaded: {last}")
    return faults


def _fetch(url: str, path: Path, most_bytes: int) -> None:
    http.fetch(url, path, retries=2, checks=http.Checks(most_bytes=most_bytes))
