"""Integrity of a store: reads every array, and removes damaged ones so that a run replaces them.

Reads stores with their manifests, clips.csv and the records of shards; `repair` removes arrays from
data/ and build/features/. Must not know Snakemake; what needs no array to be read is `store_index`.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from trailers12k.common.errors import UserError
from trailers12k.common.files import inside, read_json
from trailers12k.common.movie import is_mid
from trailers12k.features import store_index
from trailers12k.features.store import attributes, fault_of_values, movies, remove_array
from trailers12k.video.clip_table import read_clips


@dataclass(frozen=True)
class Fault:
    """What is wrong with a store.

    mid: of the array; empty when the whole store, or its manifest, is damaged.
    is_foreign: whether `mid` is a folder of other files, which are never removed.
    """

    mid: str
    reason: str
    is_foreign: bool = False

    def __str__(self) -> str:
        return f"{self.mid}: {self.reason}" if self.mid else self.reason


def verify(store: Path, manifest: Path | None = None, clips: Path | None = None) -> list[Fault]:
    """Read every array of a store; its faults, sorted by mid.

    manifest: the table `mid,clips,fingerprint` that was written with the store: both must have the
        same movies. When it is damaged, or names anything but movies, arrays are not compared with
        it.
    clips: clips.csv: row i of an array is clip i, so an array must have as many rows, and the
        fingerprint of these clips.
    """
    if fault := store_index.group_fault(store):
        return [Fault("", f"{store}: {fault}")]
    faults, listed = [], None
    if manifest:
        try:
            listed = store_index.read_manifest(manifest)
        except ValueError as error:
            faults.append(Fault("", str(error)))
    about = attributes(store)
    cut = read_clips(clips) if clips and about.get("input") != "posters" else None
    present = movies(store)
    if listed is not None and manifest:
        missing = f"in {manifest.name}, but not in the store"
        faults += [Fault(mid, missing) for mid in listed.keys() - {*present}]
    for mid in tqdm(present, unit="movie", disable=None):
        if listed is not None and manifest and mid not in listed:
            faults.append(_unlisted(store, mid, manifest.name))
            continue
        row = listed[mid] if listed is not None else None
        own = None if cut is None else cut.get(mid, [])
        is_ours = "determined_by" in about
        if fault := fault_of_values(store, mid, about, row, own, may_be_strange=not is_ours):
            faults.append(Fault(mid, fault))
    return sorted(faults, key=lambda fault: fault.mid)


def _unlisted(store: Path, mid: str, manifest: str) -> Fault:
    folder = inside(store, mid)
    if store_index.is_array(folder) or (folder / ".zarray").is_file():
        return Fault(mid, f"in the store, but not in {manifest}")
    return Fault(mid, "holds files that are not an array's; move it out of the store", True)


def repair(store: Path, faults: Sequence[Fault]) -> list[str]:
    """Remove damaged arrays from a store in data/ and from its shards; the mids, sorted.

    The next run computes them again and merges them. A shard's copy is removed when it is damaged
    too, as it is when both are names of the same files. Only files of arrays are removed, only
    inside data/STORE.zarr and build/features/STORE of the current folder. What is wrong with the
    manifest or the group is left to the next run, which writes both again.

    faults: of `verify`. Raises `UserError` for a store that this folder's runs did not compute.
    """
    shards = inside(store_index.FEATURES, store.stem)
    if store.resolve() != inside(store_index.DATA, store.name).resolve() or not shards.is_dir():
        raise UserError(
            f"{store} was not computed in this folder, so no run can compute its arrays again; "
            "fetch or copy it again"
        )
    # Before anything is removed.
    arrays = {
        fault.mid: inside(store, fault.mid)
        for fault in faults
        if is_mid(fault.mid) and not fault.is_foreign
    }
    for mid, array in arrays.items():
        for shard in (inside(shards, name) for name in sorted(os.listdir(shards))):
            if not store_index.SHARD_GROUP.fullmatch(shard.name):
                continue
            copy = inside(shard, mid)
            if copy.exists() and not _is_shard_copy_sound(shard, mid):
                remove_array(copy)
        remove_array(array)
    return sorted(arrays)


def _is_shard_copy_sound(shard: Path, mid: str) -> bool:
    """Whether a shard's array has the values and the fingerprint that its record says."""
    try:
        record = inside(Path("build/ledger", shard.parent.name, shard.stem), f"{mid}.json")
        row = read_json(record)["row"]
        return not fault_of_values(shard, mid, attributes(shard), row)
    except (OSError, KeyError, TypeError, ValueError):
        return False
