"""Stores that others have published: unpacked, judged, and put into data/.

Reads an archive; writes a store and its manifest. An archive is hostile until it is judged. Must
not know where it came from.
"""

import json
import logging
import os
import re
import shutil
import tarfile
import zlib
from pathlib import Path

from tqdm import tqdm

from trailers12k.common.errors import UserError
from trailers12k.common.files import partial_of, sweep, write_csv
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.movie import is_mid

log = logging.getLogger(__name__)

BROKEN = (tarfile.TarError, EOFError, zlib.error, OSError)
EXPANSION = 20
"""Most bytes that an archive may unpack to, per byte of its own. Features shrink by a tenth."""
SMALL = 10_000_000
"""Bytes that an archive of any size may unpack to."""
GROUP_FILES = (".zgroup", ".zattrs", ".zmetadata")
ARRAY_FILES = re.compile(r"\.zarray|\.zattrs|\d+\.\d+", re.ASCII)


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
            raise UserError(f"{archive}: it contains no zarr group")
        clips = _clips(groups[0].parent, archive)
        _replace(store, groups[0].parent)
        return clips
    except BROKEN as error:
        raise UserError(f"{archive} is not unpacked: {error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _extract(archive: Path, folder: Path) -> None:
    room = EXPANSION * archive.stat().st_size + SMALL
    with tarfile.open(archive) as tar:
        for member in tqdm(tar, unit="file", disable=None):
            if not (member.isfile() or member.isdir()):
                raise tarfile.FilterError(f"{member.name!r} is no file and no folder")
            if (room := room - member.size) < 0:
                raise tarfile.FilterError("it unpacks to far more bytes than features do")
            # The filter checks each member before it is written.
            tar.extract(member, folder, filter="data")


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
    """mid -> clips of every movie in a store. Raises `UserError` where it is not as published."""
    try:
        features = json.loads((store / ".zattrs").read_text())["num_features"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{archive}: no attribute num_features") from error
    clips = {}
    for mid in sorted(filter(is_mid, (path.name for path in store.iterdir()))):
        try:
            shape = json.loads((store / mid / ".zarray").read_text())["shape"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{archive}: {mid} has no sound .zarray") from error
        if not (isinstance(shape, list) and len(shape) == 2 and shape[1] == features):
            raise UserError(f"{archive}: {mid} is {shape}, not (clips, {features})")
        if type(shape[0]) is not int or shape[0] < 1:
            raise UserError(f"{archive}: {mid} has {shape[0]!r} clips")
        clips[mid] = shape[0]
    if not clips:
        raise UserError(f"{archive}: it contains no movie")
    return clips
