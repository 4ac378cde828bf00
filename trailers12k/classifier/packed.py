"""Stores packed into one array, which all trainings map into memory.

Reads a store; writes build/packed/NAME.npy and NAME.csv. Must not know models.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import zarr
from torch import Tensor
from tqdm import tqdm

from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, replacing, write_csv
from trailers12k.common.movie import is_mid
from trailers12k.features import array_files

log = logging.getLogger(__name__)

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
        `fingerprint`; without one, all arrays of the store are packed.
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
    write_csv(out.with_suffix(".csv"), INDEX_COLUMNS, index)


def open_array(group: zarr.Group, mid: str) -> zarr.Array[Any]:
    """The array of a movie, (clips, features). Raises KeyError when the store has none."""
    array = group[mid]
    if not isinstance(array, zarr.Array):
        raise ValueError(f"{mid} of {group.store_path} is not an array; move it out of the store")
    return array


class PackedStore:
    """A packed store: `mids`, `features` (the feature size) and `clips` (mid -> number of clips).

    path: the .npy file that `pack` wrote; its index lies beside it.
    device: on the CPU the array is mapped into memory, so that all processes share it. A GPU gets
        one copy if it has the room, so that no batch is transferred.
    Raises ValueError when array and index differ in length.
    """

    def __init__(self, path: str | Path, device: str = "cpu"):
        self.path = Path(path)
        # Mode "c" (copy-on-write), because torch warns about arrays that cannot be written to.
        self._rows = torch.from_numpy(np.load(self.path, mmap_mode="c"))
        index = read_csv(self.path.with_suffix(".csv"))
        self.mids = [row["mid"] for row in index]
        self.clips = {row["mid"]: int(row["clips"]) for row in index}
        self._offsets = {row["mid"]: int(row["offset"]) for row in index}
        self.features = self._rows.shape[1]
        if sum(self.clips.values()) != len(self._rows):
            raise ValueError(
                f"{self.path} and its index are of different packings; pack the store again"
            )
        try:
            self._rows = self._rows.to(device)
        except torch.OutOfMemoryError:
            size = self._rows.nbytes / 1e9
            log.warning(
                "%s: %.1f GB do not fit on %s; each batch is transferred", path, size, device
            )

    def rows(self, mid: str) -> Tensor:
        """The features of a movie, (clips, features) float32, as a view."""
        offset = self._offsets[mid]
        return self._rows[offset : offset + self.clips[mid]]

    def snippets(self, places: Sequence[tuple[str, int]], snippet: int) -> tuple[Tensor, Tensor]:
        """The snippets at W places, on the device of the array.

        places: pairs of a mid and a first clip. Returns (W, snippet, features) float32, with zeros
        after the last clip of a movie, and (W, snippet) bool, false there.
        """
        offsets = torch.tensor([self._offsets[mid] for mid, _ in places])
        starts = torch.tensor([start for _, start in places])
        clips = torch.tensor([self.clips[mid] for mid, _ in places])
        index = starts[:, None] + torch.arange(snippet)
        valid = index < clips[:, None]
        index = torch.where(valid, index, 0) + offsets[:, None]
        device = self._rows.device
        index, valid = index.to(device), valid.to(device)
        rows = self._rows.index_select(0, index.flatten()).view(*index.shape, -1)
        return rows.masked_fill_(~valid[..., None], 0), valid


def _arrays_of(store: Path, group: zarr.Group) -> _Movies:
    mids = sorted(name for name in os.listdir(store) if is_mid(name))
    return _Movies({mid: open_array(group, mid).shape[0] for mid in mids}, {})


def _read(manifest: str | Path) -> _Movies:
    rows: Sequence[Mapping[str, str]] = read_csv(manifest)
    return _Movies(
        {row["mid"]: int(row["clips"]) for row in rows},
        {row["mid"]: row.get("fingerprint", "") for row in rows},
    )


def _read_movie(store: Path, mid: str, shape: tuple[int, int]) -> np.ndarray:
    """A movie's array, checked. Raises ValueError."""
    if not (store / mid).is_dir():
        raise ValueError("it is not in the store")
    rows = array_files.read(store / mid)
    if rows.shape != shape or rows.dtype != np.float32:
        raise ValueError(f"{rows.dtype} {rows.shape}, not float32 {shape}")
    if not np.isfinite(rows).all():
        raise ValueError("NaN or infinity")
    return rows
