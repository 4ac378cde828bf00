"""The authors' published record: its table of splits and the archives of its stores.

Reads a web server or a local folder; writes build/published/. Must not know what archives contain.
"""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trailers12k.common.errors import UserError
from trailers12k.common.files import digest_of
from trailers12k.downloads import http

log = logging.getLogger(__name__)

PACKED = 1.1
"""Bytes of a packed store to one of an archive: features are floats, of which compression saves a
tenth (7 to 14 % on the sample's stores)."""

SPLITS = 3
CPU_SECONDS = 1.4e-3
"""Of training, for a movie, a stream of 1024 features and an epoch on one core (`make bench`)."""

MEGABITS = 100
"""A second: the line that a download's time is told for."""


def fetch(address: str, md5: str | None, path: Path) -> None:
    """Have one file of the record at `path`, its md5 checked. Raises `UserError`."""
    local = http.local_path(address)
    if local is None:
        http.fetch(address, path, f"md5:{md5}" if md5 else "")
        return
    _check(local, md5)
    shutil.copyfile(local, path)


def _check(file: Path, md5: str | None) -> None:
    if not file.is_file():
        raise UserError(f"{file} does not exist; see published.files")
    if md5 and (found := digest_of(file, "md5")) != md5:
        raise UserError(f"{file}: its md5 is {found}, and should be {md5}; fetch it again")


def sizes(addresses: Mapping[str, str]) -> dict[str, int]:
    """The bytes of each archive: store -> bytes, from its address. Raises `UserError`."""
    found = {}
    for store, address in addresses.items():
        local = http.local_path(address)
        if local is None:
            found[store] = http.size_of(address)
        elif local.is_file():
            found[store] = local.stat().st_size
        else:
            raise UserError(f"{local} does not exist; see published.files")
    return found


def check_room(sizes: Mapping[str, int], keep: bool, free: int) -> None:
    """Say what stores will need of disk and of time. Raises `UserError` when `free` is too little.

    sizes: bytes of the archives. keep: whether these stay; else one at a time stands beside the
    stores.
    """
    whole = sum(sizes.values())
    archives = whole if keep else max(sizes.values(), default=0)
    need = archives + whole + PACKED * whole
    log.info(
        "%s to fetch (%.1f h at %d Mbit/s); %s of disk: %s of archives, %s of stores, %s packed "
        "for training; %s are free",
        _words(whole),
        whole * 8 / (MEGABITS * 1e6) / 3600,
        MEGABITS,
        _words(need),
        _words(archives),
        _words(whole),
        _words(PACKED * whole),
        _words(free),
    )
    if free < need:
        raise UserError(
            f"{_words(need)} of disk are needed and {_words(free)} are free; make room, or name "
            "fewer runs"
        )


def _words(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"


def training_hours(movies: int, streams: int, epochs: int) -> float:
    """CPU hours that all trainings take at most.

    streams: of all runs together. epochs: of a training, at most.
    """
    return CPU_SECONDS * movies * streams * SPLITS * epochs / 3600


@dataclass(frozen=True)
class Archive:
    """The archive of a store. is_temporary: whether it may be removed after unpacking."""

    path: Path
    md5: str
    is_temporary: bool


def fetch_archive(address: str, md5: str | None, folder: Path, keep: bool) -> Archive:
    """The archive of one store of the record, its md5 checked.

    address: a URL, or a path, whose file is used where it is. folder: for a fetched archive.
    keep: whether a fetched archive stays. Raises `UserError`, also when the disk is too small.
    """
    local = http.local_path(address)
    check_room(sizes({address: address}), keep, shutil.disk_usage(folder).free)
    if local is not None:
        _check(local, md5)
        return Archive(local, md5 or digest_of(local, "md5"), False)
    path = folder / address.rsplit("/", 1)[-1]
    # It is there when an earlier job was killed while it unpacked.
    if not (path.is_file() and md5 and digest_of(path, "md5") == md5):
        http.fetch(address, path, f"md5:{md5}" if md5 else "")
    return Archive(path, md5 or digest_of(path, "md5"), not keep)
