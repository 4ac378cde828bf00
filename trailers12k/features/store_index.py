"""Store integrity without reading arrays: indexes of stores, and how often stores were repaired.

An index is build/stores/STORE.csv or build/stores/STORE/SHARD.csv: size and time of each array's
files when its values were last verified, as git's index has them of a checkout. A store was
repaired as often as build/repairs/STORE.json or build/repairs/STORE/SHARD.json says. Reads and
writes these; must not read arrays, nor import anything slow, since the Snakefile calls `repairs`
and `shard_repairs` while it is parsed.
"""

import csv
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from trailers12k.common.bounded_files import quoted, read_small
from trailers12k.common.errors import UserError
from trailers12k.common.files import inside, read_csv, write_csv, write_json
from trailers12k.common.movie import is_mid

DATA = Path("data")
INDEXES = Path("build/stores")
REPAIRS = Path("build/repairs")
FEATURES = Path("build/features")

SHARD_GROUP = re.compile(r"\d{3}\.zarr", re.ASCII)
"""Names of the groups in build/features/STORE, see `shard_of_store`."""

FILES = {"0.0": "its chunk is missing", ".zarray": "no .zarray", ".zattrs": "no .zattrs"}
"""The files of an array, and the fault of an array that lacks one."""

COLUMNS = ("mid", "fingerprint", "signature")

Index = dict[str, tuple[str, str]]
"""mid -> fingerprint and signature of an array whose values were verified."""


def index_of(store: str, shard: str = "") -> Path:
    """The index of a store in data/, or of one of its shards in build/features/."""
    return inside(INDEXES / store, f"{shard}.csv") if shard else inside(INDEXES, f"{store}.csv")


def shard_of_store(store: str, shard: str) -> Path:
    """The zarr group that holds one shard of a store."""
    return inside(FEATURES / store, f"{shard}.zarr")


def read_index(path: Path) -> Index:
    """The index of a store; empty when it is missing or damaged."""
    try:
        return {row["mid"]: (row["fingerprint"], row["signature"]) for row in read_csv(path)}
    except (OSError, KeyError, ValueError, csv.Error):
        return {}


def write_index(path: Path, index: Index) -> None:
    """Write the index of a store, sorted by mid."""
    rows = (dict(zip(COLUMNS, (mid, *index[mid]), strict=True)) for mid in sorted(index))
    write_csv(path, COLUMNS, rows)


def signature(folder: str | os.PathLike[str]) -> str:
    """Size and time of an array's files, "BYTES@NANOSECONDS" each; empty when one is missing."""
    try:
        states = [os.stat(f"{folder}/{name}") for name in FILES]
    except OSError:  # missing, or a link to itself: no array either way
        return ""
    return " ".join([f"{state.st_size}@{state.st_mtime_ns}" for state in states])


def is_array(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder holds nothing but the files of an array, or some of them."""
    if os.path.islink(folder) or not os.path.isdir(folder):
        return False
    with os.scandir(folder) as entries:
        return all(entry.name in FILES and entry.is_file() for entry in entries)


def read_manifest(path: Path) -> dict[str, dict[str, str]]:
    """The rows `mid,clips,fingerprint` of a manifest, by mid.

    Raises `UserError`, a ValueError, when it is missing or damaged, or names anything but movies:
    it is then wholly distrusted.
    """
    try:
        rows = read_csv(path, ("mid", "clips", "fingerprint"), counts=["clips"], key=["mid"])
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error}; delete it and run again") from error
    if hostile := [row["mid"] for row in rows if not is_mid(row["mid"])]:
        raise UserError(f"{path}: {quoted(hostile[0])} is not a movie id; delete it and run again")
    return {row["mid"]: row for row in rows}


def group_fault(store: Path) -> str:
    """What is wrong with the group files of a store; empty when they are sound."""
    try:
        zarr_format = json.loads(read_small(store / ".zgroup"))["zarr_format"]
        features = json.loads(read_small(store / ".zattrs"))["num_features"]
    except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        return f"its .zgroup or .zattrs cannot be read: {error}"
    return "" if (zarr_format, type(features)) == (2, int) else "its .zgroup or .zattrs is damaged"


def repairs(store: str) -> int:
    """The param `repairs` of merge_store: how often it has repaired this store, plus one while
    the store in data/ is not as its index says.

    A param that listed the faults would change back after the repair and rerun the job once more.
    """
    return read_count(_count_file(store)) + (not _look(os.getcwd(), store).is_sound)


def shard_repairs(store: str, shard: str) -> int:
    """A store's entry of the param `repairs` of its extraction: how often this shard was repaired,
    plus one while the shard's own copy of an array is damaged that is damaged in data/ too.

    The copies are often two names (hard links) of the same files. The shard's copy of an array
    that is sound in data/ does not count: nothing reads it before the shard is computed again.
    """
    return read_count(_count_file(store, shard)) + (not _is_shard_sound(store, shard))


def is_store_sound(store: str) -> bool:
    """Whether a store in data/ is as its index says; its outputs of merge_store may be missing."""
    return index_of(store).exists() and _look(os.getcwd(), store).is_sound


def is_shard_sound(store: str, shard: str) -> bool:
    """Whether all arrays of a shard are as their index says, or the shard has none."""
    path, part = index_of(store, shard), shard_of_store(store, shard)
    if not path.exists():
        return not (part / ".zattrs").exists()
    index = read_index(path)
    return not _group_is_damaged(part) and all(
        is_mid(mid) and signature(f"{part}/{mid}") == verified
        for mid, (_, verified) in index.items()
    )


def record_repairs(store: str, count: int | None, shard: str = "") -> None:
    """Write the count with which a job was planned: the last step of its job.

    count: the job's param `repairs`; None when its rule has no such param.
    """
    if count is not None:
        write_count(_count_file(store, shard), count)


def write_count(path: Path, count: int) -> None:
    """Write a count, unless the file has it."""
    if count != read_count(path):
        write_json(path, count)


def forget_looks() -> None:
    """Make `repairs` look again; it looks at each store of a folder once in a process."""
    _look.cache_clear()


def _count_file(store: str, shard: str = "") -> Path:
    return inside(REPAIRS / store, f"{shard}.json") if shard else inside(REPAIRS, f"{store}.json")


def read_count(path: Path) -> int:
    """The count in a file; 0 when it is missing or damaged."""
    try:
        count = json.loads(read_small(path))
    except (OSError, ValueError, RecursionError):
        return 0
    return count if isinstance(count, int) else 0


@dataclass(frozen=True)
class _Look:
    """A store in data/ compared with its index by size and time.

    sound: the mids of arrays that are as the index says. is_sound: whether the store is so wholly.
    """

    sound: frozenset[str]
    is_sound: bool


@cache
def _look(folder: str, name: str) -> _Look:
    """folder: the current one, of whose store `name` the result is kept."""
    store, index = DATA / f"{name}.zarr", read_index(index_of(name))
    sound = frozenset(
        mid
        for mid, (_, verified) in index.items()
        # A Path takes longer than the system call.
        if is_mid(mid) and signature(f"{store}/{mid}") == verified
    )
    if not index_of(name).exists():
        # Before the first merge there is no store either.
        return _Look(sound, not (store / ".zattrs").exists())
    is_sound = len(sound) == len(index) and (
        not store.is_dir()
        or not (any(_unlisted_arrays(store, index)) or _has_damaged_tables(store, index))
    )
    return _Look(sound, is_sound)


def _unlisted_arrays(store: Path, index: Index) -> Iterator[str]:
    """Arrays of movies that the index does not list. Files of others are ignored."""
    for name in os.listdir(store):
        if name not in index and is_mid(name) and is_array(store / name):
            yield name


def _has_damaged_tables(store: Path, index: Index) -> bool:
    """Whether the manifest or the group files are damaged.

    Outputs of merge_store that are missing do not count. Snakemake sees them itself, and removes
    them before the job, on whose node the param may be computed again.
    """
    manifest = store.with_suffix(".csv")
    if manifest.exists():
        try:
            listed = read_manifest(manifest)
        except ValueError:
            return True
        if {mid: row["fingerprint"] for mid, row in listed.items()} != {
            mid: fingerprint for mid, (fingerprint, _) in index.items()
        }:
            return True
    return _group_is_damaged(store)


def _group_is_damaged(store: Path) -> bool:
    """As `group_fault`, but a missing .zgroup does not count, see `_has_damaged_tables`."""
    if (store / ".zgroup").exists():
        return bool(group_fault(store))
    return not (store / ".zattrs").exists()


def _is_shard_sound(store: str, shard: str) -> bool:
    look, path = _look(os.getcwd(), store), index_of(store, shard)
    part = shard_of_store(store, shard)
    if not path.exists():
        return not (part / ".zattrs").exists()
    if look.is_sound:
        return True
    index = read_index(path)
    return not _group_is_damaged(part) and all(
        is_mid(mid) and signature(f"{part}/{mid}") == index[mid][1]
        for mid in index.keys() - look.sound
    )
