"""The authors' record: its table of splits and its stores, fetched, checked and unpacked.

Reads a web server or a local folder; writes build/published/ and stores in data/. Must not know
what is done with them.
"""

import json
import logging
import shutil
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from tqdm import tqdm

from trailers12k.common.errors import UserError
from trailers12k.common.files import digest_of, partial_of, sweep, write_csv
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.movie import is_mid
from trailers12k.downloads import http as web

log = logging.getLogger(__name__)

PACKED = 1.1
"""Bytes of a packed store to one of an archive: features are floats, of which compression saves a
tenth (7 to 14 % on the sample's stores)."""

SPLITS = 3
CPU_SECONDS = 1.4e-3
"""Of training, for a movie, a stream of 1024 features and an epoch on one core (`make bench`)."""

MEGABITS = 100
"""A second: the line that a download's time is told for."""

BROKEN = (tarfile.TarError, EOFError, zlib.error, OSError)


def fetch(address: str, md5: str | None, path: Path) -> None:
    """Have one file of the record at `path`, its md5 checked. Raises `UserError`."""
    local = web.local_path(address)
    if local is None:
        web.fetch(address, path, f"md5:{md5}" if md5 else "")
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
        local = web.local_path(address)
        if local is None:
            found[store] = web.size_of(address)
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


def fetch_store(
    address: str, md5: str | None, folder: Path, store: Path, manifest: Path, keep: bool
) -> None:
    """Have one store of the record: fetched, its md5 checked, unpacked, and its manifest written.

    folder: for the archive, which is removed at the end unless `keep`; a user's own stays.
    manifest: `mid,clips,fingerprint`, see `stores.merge`. Raises `UserError`; the store is then not
    there.
    """
    archive = web.local_path(address)
    fetched = archive is None
    check_room(sizes({store.stem: address}), keep, shutil.disk_usage(folder).free)
    if fetched:
        archive = folder / address.rsplit("/", 1)[-1]
        # It is there when an earlier job was killed while it unpacked.
        if not (archive.is_file() and md5 and digest_of(archive, "md5") == md5):
            web.fetch(address, archive, f"md5:{md5}" if md5 else "")
    else:
        _check(archive, md5)
    movies = unpack(archive, store)
    mark = md5 or digest_of(archive, "md5")
    rows = [
        {"mid": mid, "clips": clips, "fingerprint": fingerprint(archive=mark, mid=mid)}
        for mid, clips in movies.items()
    ]
    write_csv(manifest, ("mid", "clips", "fingerprint"), rows)
    log.info("%s: %d movies, %d clips", store, len(movies), sum(movies.values()))
    if fetched and not keep:
        archive.unlink()


def unpack(archive: Path, store: Path) -> dict[str, int]:
    """Unpack the one store that an archive holds, wherever in it: mid -> clips.

    Only files and folders that stay inside, with plain permissions. An older store is replaced once
    the new one is seen to be sound. Raises `UserError`.
    """
    sweep(store.parent.absolute())
    partial = partial_of(store)
    try:
        with tarfile.open(archive) as tar:
            for member in tqdm(tar, unit="file", disable=None):
                if not (member.isfile() or member.isdir()):
                    raise tarfile.FilterError(f"{member.name!r} is no file and no folder")
                # Checked before it is written, and by the filter again.
                tar.extract(member, partial, filter="data")
        groups = sorted(partial.rglob(".zgroup"), key=lambda path: len(path.parts))
        if not groups:
            raise UserError(f"{archive}: no zarr group is in it")
        found = _clips(groups[0].parent, archive)
        shutil.rmtree(store, ignore_errors=True)
        groups[0].parent.rename(store)
        return found
    except BROKEN as error:
        raise UserError(f"{archive} is not unpacked: {error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _clips(store: Path, archive: Path) -> dict[str, int]:
    """mid -> clips of every movie in a store. Raises `UserError` where it is not as published."""
    try:
        features = json.loads((store / ".zattrs").read_text())["num_features"]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{archive}: no attribute num_features") from error
    found = {}
    for mid in sorted(filter(is_mid, (path.name for path in store.iterdir()))):
        try:
            shape = json.loads((store / mid / ".zarray").read_text())["shape"]
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"{archive}: {mid} has no sound .zarray") from error
        if len(shape) != 2 or shape[1] != features:
            raise UserError(f"{archive}: {mid} is {shape}, not (clips, {features})")
        found[mid] = shape[0]
    if not found:
        raise UserError(f"{archive}: no movie is in it")
    return found
