"""A published record, the authors' or a publication of this workflow: its table of splits, the
archives of its stores, and its file of sums.

Reads a web server or a local folder; writes build/published/. Must not know what the archives
contain.
"""

import logging
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trailers12k.common import sum_files
from trailers12k.common.bounded_files import read_bytes
from trailers12k.common.errors import Failure, UserError
from trailers12k.common.files import digest_of, inside, replacing
from trailers12k.common.vocabulary import SPLITS, STREAM_INPUTS
from trailers12k.downloads import http
from trailers12k.downloads.bounds import USUAL, Bounds

log = logging.getLogger(__name__)

PACKED = 1.1
"""Bytes of a packed store per byte of its archive: compression saves a tenth of features (7 to 14 %
on the sample's stores)."""

CLIPS = 135
"""Of a trailer on average, so that the record's six archives come to the 40 GB that they take."""
FEATURES = {
    "trailers_i_shufflenet_fpc24": 1024,
    "trailers_k_shufflenet_fps24_fpc24": 1024,
    "trailers_i_resnet_fpc24": 2048,
    "trailers_k_r2plus1d_fps24_fpc24": 512,
    "trailers_i_swin_fpc24": 768,
    "trailers_ik_swin_fps24_fpc24": 768,
}
"""Numbers per clip in the record's stores; 1024 is assumed for others."""

CPU_SECONDS = 1.4e-3
"""Of training, per movie, epoch and stream of 1024 features, on one core (`make bench`)."""

TABLE = http.Checks(most_bytes=1_000_000_000)
"""The record's table has 0.3 MB; one of a million movies has 30 MB."""

CONFIG_BYTES = 1_000_000
"""Of a configuration; ours have about 5 kB."""

MEGABITS = 100
"""Megabits per second of the connection for which the duration of a download is estimated."""


def fetch(address: str, md5: str | None, path: Path, bounds: Bounds = http.ARCHIVES) -> None:
    """Download or copy one file of the record to `path` and check its md5. Raises `UserError`."""
    local = http.local_path(address)
    if local is None:
        http.fetch(address, path, f"md5:{md5}" if md5 else "", checks=TABLE, bounds=bounds)
        return
    _check(local, md5)
    shutil.copyfile(local, path)


def fetch_sums(address: str, path: Path, bounds: Bounds = http.ARCHIVES) -> None:
    """Download MD5SUMS of a publication to `path`. Raises `UserError`."""
    advice = (
        "published.files must name a publication of this workflow, or published.md5 the md5 of "
        "each file"
    )
    data = _read(address, sum_files.MOST_BYTES, advice, bounds)
    _parse(data, address)
    with replacing(path) as partial:
        partial.write_bytes(data)


def fetch_config(address: str, path: Path, bounds: Bounds = http.ARCHIVES) -> None:
    """Download config.yaml of a publication to `path`. Raises `UserError`."""
    advice = "name the URL of the files of a publication of this workflow"
    path.write_bytes(_read(address, CONFIG_BYTES, advice, bounds))


def _read(address: str, most_bytes: int, advice: str, bounds: Bounds) -> bytes:
    limits = replace(bounds, most_time=USUAL.most_time)
    try:
        return http.read(http.session(retries=5, patient=True), address, most_bytes, 60, limits)
    except Failure as failure:
        raise UserError(f"{http.without_secrets(address)}: {failure}; {advice}") from failure


def with_md5(file: Mapping[str, str | None], sums: Iterable[str]) -> dict[str, Any]:
    """`address` and `md5` of a file. sums: the path of MD5SUMS, where the md5 stands there.

    Raises `UserError` for a file that is not listed there.
    """
    own = dict(file)
    for path in sums:
        name = str(own["address"]).rsplit("/", 1)[-1]
        own["md5"] = _parse(read_bytes(path, sum_files.MOST_BYTES), path).get(name)
        if not own["md5"]:
            raise UserError(f"{path} does not list {name}; see published.files")
    return own


def _parse(data: bytes, where: str) -> dict[str, str]:
    lines = data.decode("utf-8", "replace").splitlines()
    return sum_files.parse(lines, where, sum_files.DIGITS[sum_files.MD5SUMS])


def _check(file: Path, md5: str | None) -> None:
    if not file.is_file():
        raise UserError(f"{file} does not exist; see published.files")
    if md5 and (actual := digest_of(file, "md5")) != md5:
        raise UserError(f"{file}: its md5 is {actual}, and should be {md5}; fetch it again")


def sizes(addresses: Mapping[str, str], inputs: Mapping[str, str], movies: int) -> dict[str, int]:
    """Store -> size of its archive in bytes; estimated on the web, where nothing is requested.

    addresses: store -> address. inputs: store -> "frames", "clips" or "posters". movies: in the
    record. Raises `UserError`.
    """
    sizes = {}
    for store, address in addresses.items():
        local = http.local_path(address)
        if local is None:
            rows = 1 if inputs[store] == STREAM_INPUTS["poster"] else CLIPS
            sizes[store] = 4 * movies * rows * FEATURES.get(store, 1024)
        elif local.is_file():
            sizes[store] = local.stat().st_size
        else:
            raise UserError(f"{local} does not exist; see published.files")
    return sizes


def check_room(sizes: Mapping[str, int], keep: bool, free: int) -> None:
    """Log the disk space and time that stores need.

    sizes: store -> bytes of its archive. keep: whether all archives stay; otherwise one at a time
    exists beside the stores. free: bytes of free disk space.
    Raises `UserError` when it does not suffice.
    """
    whole = sum(sizes.values())
    archives = whole if keep else max(sizes.values(), default=0)
    need = archives + whole + PACKED * whole
    log.info(
        "download: %s (%.1f h at %d Mbit/s); disk: %s, of which %s for archives, %s for stores, %s "
        "for training; free: %s",
        _size(whole),
        whole * 8 / (MEGABITS * 1e6) / 3600,
        MEGABITS,
        _size(need),
        _size(archives),
        _size(whole),
        _size(PACKED * whole),
        _size(free),
    )
    if free < need:
        raise UserError(
            f"{_size(need)} of disk space are needed and {_size(free)} are free; free some space, "
            "or configure fewer runs"
        )


def _size(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"


def training_hours(movies: int, streams: int, epochs: int) -> float:
    """Upper limit of the CPU hours of all trainings.

    streams: of all runs together. epochs: the maximum of a training.
    """
    return CPU_SECONDS * movies * streams * len(SPLITS) * epochs / 3600


@dataclass(frozen=True)
class Archive:
    """The archive of a store. is_temporary: whether to remove it after unpacking."""

    path: Path
    md5: str
    is_temporary: bool


def fetch_archive(
    address: str,
    md5: str | None,
    folder: Path,
    keep: bool,
    check_beginning: Callable[[Path], None] | None = None,
    bounds: Bounds = http.ARCHIVES,
) -> Archive:
    """Download the archive of one store by one request, or check a local one.

    address: a URL, or the path of a local archive. folder: for a downloaded archive. keep: whether
    a downloaded archive stays. check_beginning: of `http.Checks`. Raises `UserError`, also when the
    disk space does not suffice, before anything is saved.
    """

    def check_size(size: int) -> None:
        check_room({address: size}, keep, shutil.disk_usage(folder).free)

    local = http.local_path(address)
    if local is not None:
        _check(local, md5)
        check_size(local.stat().st_size)
        return Archive(local, md5 or digest_of(local, "md5"), False)
    path = inside(folder, address.rsplit("/", 1)[-1])
    # It exists when an earlier job was killed while it unpacked.
    if not (path.is_file() and md5 and digest_of(path, "md5") == md5):
        checks = http.Checks(check_size, check_beginning)
        http.fetch(address, path, f"md5:{md5}" if md5 else "", checks=checks, bounds=bounds)
    return Archive(path, md5 or digest_of(path, "md5"), not keep)
