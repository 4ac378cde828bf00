"""Is what stands in a store still what was merged? Told as git's index tells it of a checkout.

Reads stores, and writes build/stores/STORE.csv, the index: size and time of each array's files as
they were when its values were known to be good. What has these is trusted unread; anything else is
read, and, when sound, trusted from then on. So a copy, a checkout, or a host with another clock
costs one reading, and no decision rests on which of two times is later. Not seen is what was
overwritten with the same size and given its old time: `python -m
trailers12k.features.store verify` reads everything. Must not import what is slow: a dry run
waits for it.
"""

import csv
import json
import logging
import os
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

from tqdm import tqdm

from trailers12k.common.files import inside, read_csv
from trailers12k.common.movie import is_mid, shard_of
from trailers12k.features.store_index import (
    FILES,
    Index,
    index_of,
    read_index,
    signature,
    write_index,
)

log = logging.getLogger(__name__)

DATA = Path("data")
LOCKS = Path(".snakemake/locks")
MANY = 200
"""Arrays that take so long to read, 0.4 s, that it is said."""
FOREIGN = "%s holds files that are not an array's and stays; move it out of the store"
TOLD = 10
"""Damaged movies of a store that are told one by one."""


def is_running() -> bool:
    """Whether a run of Snakemake holds the lock of this folder, or has left it, being killed."""
    return any(LOCKS.glob("*"))


def check(stores: Iterable[str], shards: int) -> None:
    """Have everything made again that was deleted or damaged since it was merged, and say so.

    stores: names; of those without a manifest nothing is trusted anyway. shards: their number.
    Nothing is done where data/ may not be written to, nor beside another run, which holds the lock.
    """
    if not os.access(DATA, os.W_OK) or is_running():
        return
    for name in stores:
        store, manifest = DATA / f"{name}.zarr", DATA / f"{name}.csv"
        if not (store.is_dir() and manifest.is_file()):
            continue
        faults = damaged(store, manifest, index_of(name))
        for mid in sorted(faults)[:TOLD]:
            about = f"{store}: {mid}" if mid else store
            log.warning("%s: %s; made again", about, faults[mid])
        if len(faults) > TOLD:
            log.warning("%s: and %d more", store, len(faults) - TOLD)
        if faults:
            distrust(name, faults, shards)


def damaged(store: Path, manifest: Path, index: Path) -> dict[str, str]:
    """What is wrong with a store: mid -> fault. Under "" stands a fault of the whole store, beside
    which none is looked for.

    manifest: `mid,clips,fingerprint`, of the movies that must be there, and no others. index: see
    above; what was read and is sound is written there.
    """
    if fault := _fault_of_group(store):
        return {"": fault}
    try:
        listed = {row["mid"]: row | {"clips": int(row["clips"])} for row in read_csv(manifest)}
        marks = {mid: row["fingerprint"] for mid, row in listed.items()}
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        return {"": f"{manifest} cannot be read: {error}"}
    if hostile := [mid for mid in marks if not is_mid(mid)]:
        return {"": f"{manifest}: {hostile[0]!r} is not a movie id"}
    extra = [name for name in os.listdir(store) if name not in marks and is_mid(name)]
    own = [name for name in extra if is_array(store / name)]
    for name in sorted({*extra} - {*own}):
        log.warning(FOREIGN, store / name)
    faults = dict.fromkeys(own, "in the store, but not in the manifest")
    known, unread = read_index(index), {}
    for mid, mark in marks.items():
        found = signature(f"{store}/{mid}")  # a Path takes longer than the call of the system
        if not found:
            faults[mid] = _missing(store / mid)
        elif known.get(mid) != (mark, found):
            unread[mid] = mark, found
    if not unread:
        return faults
    many = len(unread) > MANY
    what = "%s: %d arrays are new here, or have another size or time; %s"
    if not _can_read():
        log.warning(what, store, len(unread), "they are not read, since zarr is not installed")
        return faults
    if many:
        log.warning(what, store, len(unread), "reading them once")
    try:
        for mid in tqdm(unread, unit="movie", disable=None if many else True):
            if fault := fault_of_values(store, mid, listed[mid]):
                faults[mid] = fault
            else:
                known[mid] = unread[mid]
    finally:  # an interrupted reading goes on where it was
        write_index(index, {mid: known[mid] for mid in known if mid in marks})
    return faults


def fault_of_values(store: Path, mid: str, listed: Mapping) -> str:
    """What is wrong with one array, read, by its row of the manifest; empty when it is sound."""
    from trailers12k.features import store as stores

    return stores.fault_of_values(store, mid, stores.attributes(store), listed)


def _can_read() -> bool:
    """With `--sdm conda`, zarr may be installed in the jobs' environments alone."""
    return all(map(find_spec, ("numcodecs", "zarr")))


def _missing(folder: Path) -> str:
    if not folder.is_dir():
        return "its folder is missing"
    return next((said for name, said in FILES.items() if not (folder / name).exists()), "")


def _fault_of_group(store: Path) -> str:
    try:
        zarr_format = json.loads((store / ".zgroup").read_text())["zarr_format"]
        features = json.loads((store / ".zattrs").read_text(encoding="utf-8"))["num_features"]
    except (OSError, KeyError, TypeError, ValueError) as error:
        return f"its .zgroup or .zattrs cannot be read: {error}"
    return "" if (zarr_format, type(features)) == (2, int) else "its .zgroup or .zattrs is damaged"


def distrust(name: str, faults: Mapping[str, str], shards: int) -> None:
    """Take away what is damaged of a store, so that Snakemake has it made again.

    A shard's copy, which by a hard link may be the same file, goes too unless it is sound; then its
    ledger does, and one movie is computed. The manifest goes last: a killed call is done again.
    """
    store = DATA / f"{name}.zarr"
    # Of a store that is damaged as a whole, nothing but the manifest is removed.
    listed = read_csv(store.with_suffix(".csv")) if "" not in faults else []
    mids = {row["mid"] for row in listed}
    known = read_index(index_of(name))
    for mid in filter(None, faults):
        shard = shard_of(mid, shards)
        if mid in mids and not _is_sound(name, shard, mid, known):
            remove_array(inside(f"build/features/{name}/{shard}.zarr", mid))
            # Else the ledger would tell of a second attempt.
            inside(f"build/ledger/{name}/{shard}", f"{mid}.json").unlink(missing_ok=True)
            Path(f"build/ledger/{name}/{shard}.csv").unlink(missing_ok=True)
        remove_array(inside(store, mid))
    store.with_suffix(".csv").unlink(missing_ok=True)


def _is_sound(name: str, shard: str, mid: str, known: Index) -> bool:
    """Whether a shard's copy of an array is what its record says."""
    part = Path(f"build/features/{name}/{shard}.zarr")
    try:
        record = Path(f"build/ledger/{name}/{shard}/{mid}.json")
        row = json.loads(record.read_text(encoding="utf-8"))["row"]
        mark = row["fingerprint"]
    except (OSError, KeyError, TypeError, ValueError):
        return False
    found = signature(part / mid)
    if not found or _fault_of_group(part):
        return False
    if known.get(mid) == (mark, found) or not _can_read():
        return True
    return not fault_of_values(part, mid, row)


def is_array(folder: Path) -> bool:
    """Whether a folder holds nothing but the files of an array, or some of them."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    with os.scandir(folder) as entries:
        return all(entry.name in FILES and entry.is_file() for entry in entries)


def remove_array(folder: Path) -> None:
    """Remove the files of an array, and its folder unless it also holds other files."""
    if folder.is_symlink() or not folder.is_dir():
        if os.path.lexists(folder):
            log.warning(FOREIGN, folder)
        return
    for path in (folder / name for name in FILES):
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)
    try:
        folder.rmdir()
    except OSError:
        log.warning(FOREIGN, folder)
