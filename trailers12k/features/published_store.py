"""Stores that others have published: unpacked, judged, and put into data/.

Reads an archive; writes a store and its manifest. An archive is hostile until it is judged. Must
not know where it came from.

Arrays of float32 (clips, features) stay as published, in however many chunks. Others that mean the
same are written again: float16, float64 and big-endian numbers, a poster of shape (features,),
filters, order F and nested chunks. All else is refused.
"""

import bz2
import gzip
import io
import json
import logging
import lzma
import os
import re
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
from tqdm import tqdm

from trailers12k.common.bounded_files import quoted
from trailers12k.common.errors import UserError
from trailers12k.common.files import (
    below,
    inside,
    partial_of,
    remove_leftover,
    sweep,
    write_csv,
    write_json,
)
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.movie import is_mid
from trailers12k.features import array_files
from trailers12k.features import store as stores

log = logging.getLogger(__name__)

BROKEN = (
    *(tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError, MemoryError),
    # Of damaged headers: times beyond those of the system, names that no file can have, a chain of
    # attributes of attributes.
    *(OverflowError, ValueError, RecursionError),
)
"""Errors of reading a damaged archive; `UserError`, a ValueError, is caught before them."""
EXPANSION = 20
"""Most bytes that an archive and its chunks may unpack to, per byte of the archive. Features shrink
by a tenth."""
SMALL = 10_000_000
"""Bytes that an archive of any size may unpack to."""
TOO_MUCH = "it unpacks to far more bytes than features do"
BLOCK = 1 << 16
FILE_BYTES = 4096
"""Bytes that a file or folder takes on most disks, however short it is."""
MOST_DEPTH = 20
"""Folders of a path in an archive, so that no walk over them is too deep."""
GZIP, BZIP2, XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0"
"""How compressed data begins."""
XZ_MEMORY = 1 << 27
"""Bytes for the dictionary of xz; that of the highest preset has half of it."""
MOST_FEATURES = 1 << 16
"""Numbers of a clip: 32 times those of ResNet."""
ATTRIBUTES = (
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
)
GROUP_FILES = (".zgroup", ".zattrs", ".zmetadata")
ARRAY_FILES = re.compile(r"\.zarray|\.zattrs|\d+\.\d+", re.ASCII)


class Refused(tarfile.TarError):
    """A member that no archive of a store has."""


class _StrictHeader(tarfile.TarInfo):
    """A header that must be sound or all zeros; tarfile takes a damaged one for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_StrictHeader":
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise
            raise tarfile.ReadError(f"not a tar archive, or damaged: {error}") from error
        # tarfile reads names and attributes that precede a file into memory.
        if header.type in ATTRIBUTES and header.size > BLOCK:
            raise tarfile.ReadError(f"a file's attributes have {header.size} bytes")
        if header.size < 0:
            raise tarfile.ReadError(f"a file has {header.size} bytes")
        return header

    def _refuse_sparse(self, *_: object) -> None:
        """tarfile would read a list of gaps of any length."""
        raise tarfile.ReadError(f"{quoted(self.name)} is a sparse file")

    _proc_sparse = _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse_sparse


class _Xz(io.RawIOBase):
    """The content of xz data, one stream after the other. Python's own file has no limit of memory.

    Damage and a too large dictionary raise `lzma.LZMAError`.
    """

    def __init__(self, file: IO[bytes]):
        self._file = file
        self._data = b""
        self._stream = lzma.LZMADecompressor(memlimit=XZ_MEMORY)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            if self._stream.eof:
                # Streams may be padded with zeros.
                self._data = self._stream.unused_data.lstrip(b"\0") or self._file.read(BLOCK)
                if not self._data:
                    return 0
                self._stream = lzma.LZMADecompressor(memlimit=XZ_MEMORY)
            elif self._stream.needs_input:
                self._data = self._file.read(BLOCK)
                if not self._data:
                    raise EOFError("the end of its xz stream is missing")
            part = self._stream.decompress(self._data, len(buffer))
            self._data = b""
            if part:
                buffer[: len(part)] = part
                return len(part)


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    """An archive, to be read from its beginning to its end."""
    with archive.open("rb") as file:
        head = file.read(len(XZ))
        file.seek(0)
        # tarfile's own streams check no sum.
        source: Any = file
        if head.startswith(GZIP):
            source = gzip.GzipFile(fileobj=file)
        elif head.startswith(BZIP2):
            source = bz2.BZ2File(file)
        elif head == XZ:
            source = io.BufferedReader(_Xz(file))
        with tarfile.open(fileobj=source, mode="r|", tarinfo=_StrictHeader) as tar:
            yield tar


def _members(tar: tarfile.TarFile, room: int) -> Iterator[tarfile.TarInfo]:
    """The members of an archive, one after the other. room: most bytes of all, as files on a disk.

    Raises an error of `BROKEN`.
    """
    while member := tar.next():
        # tarfile keeps what it has read; attributes of the whole archive count for each member.
        tar.members = []  # type: ignore[attr-defined]
        shared = sum(len(name) + len(str(value)) for name, value in tar.pax_headers.items())
        if member.size < 0 or shared > BLOCK:
            raise tarfile.ReadError(f"the attributes of {quoted(member.name)} are damaged")
        room -= FILE_BYTES
        if max(tar.offset, member.offset_data + member.size) > room:
            raise Refused(TOO_MUCH)
        yield member


def _words(error: BaseException) -> str:
    """An error of a library in one line; it may repeat a name from the archive."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def install(archive: Path, md5: str, store: Path, manifest: Path) -> None:
    """Put the one store that an archive contains into `store`, and write its manifest.

    manifest: `mid,clips,fingerprint`, see `store.merge`; the fingerprint follows from the archive's
    md5. Raises `UserError`; an older store then stays.
    """
    movies = unpack(archive, store)
    rows = [
        {"mid": mid, "clips": clips, "fingerprint": fingerprint(archive=md5, mid=mid)}
        for mid, clips in movies.items()
    ]
    write_csv(manifest, ("mid", "clips", "fingerprint"), rows)
    log.info("%s: %d movies, %d clips", store, len(movies), sum(movies.values()))


def check_beginning(partial: Path, name: str) -> None:
    """Judge the arrays in the first bytes of an archive, before the rest is downloaded.

    partial: these bytes, in a file. name: of the archive, for messages. Raises `UserError` for
    arrays that `install` would refuse by their metadata. Damage is left to `install`.
    """
    room, has_members = EXPANSION * partial.stat().st_size + SMALL, False
    try:
        with _opened(partial) as tar:
            for member in _members(tar, room):
                has_members = True
                path = PurePosixPath(member.name)
                if path.name == ".zarray" and is_mid(path.parent.name):
                    _check_array(tar.extractfile(member), f"{name}: {path.parent.name}")
    except UserError:
        raise
    except BROKEN as error:
        # The partial file ends somewhere in a member.
        if not has_members:
            raise UserError(f"{name} cannot be unpacked: {_words(error)}") from error


def _check_array(file: IO[bytes] | None, where: str) -> None:
    """Judge a .zarray in an archive; other kinds of members than files are left to `install`."""
    try:
        if file:
            array_files.parse(file.read(BLOCK))
    except ValueError as error:
        raise UserError(f"{where}: {error}") from error


def unpack(archive: Path, store: Path) -> dict[str, int]:
    """Unpack the one store that an archive contains, in whatever folder: mid -> clips.

    Only files and folders that stay inside, with plain permissions. An older store is replaced when
    the new one is sound, unless it holds other files than a store's. Raises `UserError`.
    """
    sweep(store.parent.absolute())
    partial = partial_of(store)
    try:
        _extract(archive, partial)
        groups = sorted(partial.rglob(".zgroup"), key=lambda path: len(path.parts))
        if not groups:
            is_newer = any(partial.rglob("zarr.json"))
            what = "a store of zarr format 3; format 2 is needed" if is_newer else "no zarr group"
            raise UserError(f"{archive}: it contains {what}")
        clips = _clips(groups[0].parent, archive)
        _replace(store, groups[0].parent)
        return clips
    except UserError:
        raise
    except BROKEN as error:
        raise UserError(f"{archive} is not unpacked: {_words(error)}") from error
    finally:
        remove_leftover(partial)  # a file, where a member has no name


def _extract(archive: Path, folder: Path) -> None:
    """Unpack all files, and read the archive to its last byte, so that its checksum counts."""
    room = EXPANSION * archive.stat().st_size + SMALL
    with _opened(archive) as tar:
        for member in tqdm(_members(tar, room), unit="file", disable=None):
            if not (member.isfile() or member.isdir()):
                raise Refused(f"{quoted(member.name)} is no file and no folder")
            path = _place(member.name, folder)
            # Not by `extract`, whose filters the first versions of Python 3.11 lack.
            if member.isdir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            source = tar.extractfile(member)
            assert source  # nosec B101  # for mypy
            with source, path.open("wb") as file:
                shutil.copyfileobj(source, file)
        assert tar.fileobj  # nosec B101  # for mypy
        while block := tar.fileobj.read(BLOCK):
            if any(block):
                raise tarfile.ReadError("data follows the end of its tar archive")
            if (room := room - len(block)) < 0:
                raise Refused(TOO_MUCH)


def _place(name: str, folder: Path) -> Path:
    """Where a member belongs; an absolute name counts as a relative one.

    Raises `Refused` for a name that leads out of the folder, or too deep.
    """
    relative = PurePosixPath(name.lstrip("/")).as_posix()
    if relative.count("/") > MOST_DEPTH:
        raise Refused(f"{quoted(name)} is in too many folders")
    try:
        return folder if relative == "." else below(folder, relative)
    except UserError as error:
        raise Refused(f"{quoted(name)} is not the name of a file in this folder") from error


def _replace(store: Path, new: Path) -> None:
    """Put a new store into the place of an older one. Raises `UserError` for files of others."""
    if os.path.lexists(store):
        if foreign := _foreign_file(store):
            raise UserError(f"{foreign} is not part of a store; move it out of {store}")
        old = partial_of(store)
        store.rename(old)
        shutil.rmtree(old)
    new.rename(store)


def _foreign_file(store: Path) -> Path | None:
    """The first file that is not one of a group or of an array; None when there is none."""
    if store.is_symlink() or not store.is_dir():
        return store
    for path in sorted(store.iterdir()):
        is_array = is_mid(path.name) and path.is_dir() and not path.is_symlink()
        if not is_array and (path.name not in GROUP_FILES or path.is_dir()):
            return path
        for part in sorted(path.iterdir()) if is_array else []:
            if part.is_dir() or not ARRAY_FILES.fullmatch(part.name):
                return part
    return None


def _clips(store: Path, archive: Path) -> dict[str, int]:
    """mid -> clips of every movie in a store, all of whose values are read.

    Raises `UserError` where it is not as published.
    """
    features = _num_features(store, archive)
    room = EXPANSION * archive.stat().st_size + SMALL
    # It would repeat what the arrays said before they were completed.
    (store / ".zmetadata").unlink(missing_ok=True)
    mids = sorted(filter(is_mid, (path.name for path in store.iterdir())))
    clips = {}
    for mid in tqdm(mids, unit="movie", disable=None):
        try:
            meta = array_files.read_metadata(inside(store, mid))
            # Before they are unpacked: chunks of zeros shrink to nothing.
            if (room := room - meta.bytes) < 0:
                raise ValueError(TOO_MUCH)
            clips[mid] = _accept(store, mid, meta, features)
        except ValueError as error:
            raise UserError(f"{archive}: {mid}: {_words(error)}") from error
    if not clips:
        raise UserError(f"{archive}: it contains no movie")
    return clips


def _num_features(store: Path, archive: Path) -> int:
    """The attribute num_features of a published store. Raises `UserError`."""
    try:
        features = stores.attributes(store).get("num_features")
    except (OSError, ValueError) as error:
        raise UserError(f"{archive}: no attribute num_features: {_words(error)}") from error
    if type(features) is not int or not 1 <= features <= MOST_FEATURES:
        raise UserError(
            f"{archive}: no attribute num_features from 1 to {MOST_FEATURES:,}, but "
            f"{quoted(features)}"
        )
    return features


def _accept(store: Path, mid: str, meta: array_files.Metadata, features: int) -> int:
    """Read one movie's array, put it into the form of a store, and return its number of rows.

    Raises ValueError where it is not (clips, features) finite floats.
    """
    array = inside(store, mid)
    if meta.shape[-1] != features:
        raise ValueError(f"shape {list(meta.shape)}, not (clips, {features})")
    values = array_files.read(array)
    with np.errstate(over="ignore"):  # found below as infinity
        rows = np.atleast_2d(values).astype(np.float32)
    if not np.isfinite(rows).all():
        raise ValueError("NaN, infinity, or a number beyond float32")
    if not meta.is_plain:
        shutil.rmtree(array)
        stores.write(store, mid, rows, {})
        return len(rows)
    # Every chunk is there, so the fill value has no use; xarray would take it for missing values.
    raw = json.loads((array / ".zarray").read_bytes())  # `meta` has judged it
    write_json(array / ".zarray", raw | {"fill_value": None})
    own = stores.attributes(store, mid)
    write_json(array / ".zattrs", own | stores.dimensions(mid))
    return len(rows)
