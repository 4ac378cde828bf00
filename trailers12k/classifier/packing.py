"""Packs a store into one array file, which all trainings map into memory.

Reads a store; writes build/packed/NAME.npy and NAME.csv. Must not know models, nor torch, which
takes longer to import than a small store to pack.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import zarr
from tqdm import tqdm

from trailers12k.common.errors import UserError
from trailers12k.common.files import inside, read_csv, replacing, write_csv
from trailers12k.common.movie import is_mid
from trailers12k.features import array_files

INDEX_COLUMNS = ("mid", "offset", "clips", "fingerprint")
"""Columns of the index: the movie's first row in the array, its number of rows, and the
fingerprint of its features."""


class _Movies(NamedTuple):
    """What a manifest says: mid -> clips, and mid -> fingerprint where it is recorded."""

    clips: dict[str, int]
    fingerprints: dict[str, str]


def pack(store: str | Path, manifest: str | Path | None, out: str | Path) -> None:
    """Copy a zarr store into one float32 array file `out` (NAME.npy) and its index NAME.csv.

    The array is (all clips, features), movies in the order of their mids; movies without clips are
    left out. One movie at a time is in memory.
    manifest: a CSV of the movies that the store must hold, with columns `mid`, `clips` and perhaps
        `fingerprint`; without one, all arrays of the store are packed. The index of an array that
        was lost may be the manifest.
    Raises `UserError`, naming the movie, when an array is missing or incomplete, has another shape
    or type than expected, or holds NaN or infinity. The message says how to get the array again,
    which differs for stores of this project and for those of others.
    """
    store, out = Path(store), Path(out)
    group = zarr.open_group(store, mode="r")
    features = int(str(group.attrs["num_features"]))
    remedy = (
        f"run `trailers12k stores verify {store} --repair`, then run again"
        if "determined_by" in group.attrs
        else f"to fetch this store again, delete {store.with_suffix('.csv')} and run again"
    )
    clips, fingerprints = _arrays_of(store, group) if manifest is None else _read(manifest)
    clips = {mid: count for mid, count in sorted(clips.items()) if count}
    if not clips:
        raise UserError(f"{store}: no movie to pack; data/ledger.csv says why each has no features")

    index, offset = [], 0
    with replacing(out) as partial:
        shape = (sum(clips.values()), features)
        # open_memmap writes the header of the .npy file, which np.memmap does not.
        packed = np.lib.format.open_memmap(partial, "w+", np.float32, shape)
        _reserve(partial)
        for mid, count in tqdm(clips.items(), f"packing {store.name}", disable=None):
            try:
                packed[offset : offset + count] = _read_movie(store, mid, (count, features))
            except ValueError as error:
                raise UserError(f"{mid} of {store}: {error}; {remedy}") from error
            # With the fingerprint the index differs whenever the array does.
            cells = (mid, offset, count, fingerprints.get(mid, ""))
            index.append(dict(zip(INDEX_COLUMNS, cells, strict=True)))
            offset += count
        packed.flush()
        del packed
    if manifest is None or Path(manifest) != out.with_suffix(".csv"):
        write_csv(out.with_suffix(".csv"), INDEX_COLUMNS, index)


def _reserve(path: Path) -> None:
    """Take the disk space of a file before its pages are written: where there is none, that is an
    `OSError` here, and a signal that ends the process there. macOS cannot reserve space."""
    if hasattr(os, "posix_fallocate"):
        with open(path, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)


def open_array(group: zarr.Group, mid: str) -> zarr.Array[Any]:
    """The array of a movie, (clips, features). Raises KeyError when the store has none."""
    array = group[mid]
    if not isinstance(array, zarr.Array):
        raise ValueError(f"{mid} of {group.store_path} is not an array; move it out of the store")
    return array


def _arrays_of(store: Path, group: zarr.Group) -> _Movies:
    mids = sorted(name for name in os.listdir(store) if is_mid(name))
    return _Movies({mid: open_array(group, mid).shape[0] for mid in mids}, {})


def _read(manifest: str | Path) -> _Movies:
    rows: Sequence[Mapping[str, str]] = read_csv(
        manifest, ("mid", "clips"), counts=["clips"], key=["mid"]
    )
    return _Movies(
        {row["mid"]: int(row["clips"]) for row in rows},
        {row["mid"]: row.get("fingerprint", "") for row in rows},
    )


def _read_movie(store: Path, mid: str, shape: tuple[int, int]) -> np.ndarray:
    """A movie's array, checked. Raises ValueError."""
    if not (array := inside(store, mid)).is_dir():
        raise ValueError("it is not in the store")
    rows = array_files.read(array)
    if rows.shape != shape or rows.dtype != np.float32:
        raise ValueError(f"{rows.dtype} {rows.shape}, not float32 {shape}")
    if not np.isfinite(rows).all():
        raise ValueError("NaN or infinity")
    return rows
