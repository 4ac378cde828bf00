"""Stores packed into one array that trainings map into memory.

Reads a store; writes build/packed/. Must not know the model.
"""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import zarr
from torch import Tensor
from tqdm import tqdm

from trailers12k.common.files import read_csv, replacing, write_csv
from trailers12k.common.movie import is_mid

log = logging.getLogger(__name__)


def pack(store: str | Path, manifest: str | Path | None, out: str | Path) -> None:
    """Copy a zarr store into one float32 array file `out` (NAME.npy) and its index NAME.csv.

    `out` is (all clips, features), movies one after the other in the order of their mids; the index
    has `mid,offset,clips,fingerprint`. `manifest` is a CSV with the columns `mid` and `clips` that
    says which movies are to be there, and has their fingerprints if they are known; without one,
    all arrays found are packed. Movies without clips are left out. One movie is in memory at a
    time. Raises ValueError, naming the movie, when an array is missing or incomplete, has another
    shape or type than promised, or holds NaN or infinity.
    """
    store, out = Path(store), Path(out)
    group = zarr.open_group(store, mode="r")
    features = int(group.attrs["num_features"])
    if manifest is None:
        mids = sorted(name for name in os.listdir(store) if is_mid(name))
        clips, marks = {mid: group[mid].shape[0] for mid in mids}, {}
    else:
        rows = read_csv(manifest)
        clips = {row["mid"]: int(row["clips"]) for row in rows}
        marks = {row["mid"]: row.get("fingerprint", "") for row in rows}
    clips = {mid: count for mid, count in sorted(clips.items()) if count}
    if not clips:
        raise ValueError(f"{store}: no movie to pack; run the features stage first")

    index, offset = [], 0
    with replacing(out) as partial:
        shape = (sum(clips.values()), features)
        # open_memmap writes the .npy header, which a plain memmap has not.
        packed = np.lib.format.open_memmap(partial, "w+", np.float32, shape)
        for mid, count in tqdm(clips.items(), f"packing {store.name}", disable=None):
            packed[offset : offset + count] = _read_movie(group, mid, (count, features))
            # The fingerprint, so that the index differs whenever the array does.
            place = {"mid": mid, "offset": offset, "clips": count}
            index.append(place | {"fingerprint": marks.get(mid, "")})
            offset += count
        packed.flush()
        del packed
    write_csv(out.with_suffix(".csv"), ("mid", "offset", "clips", "fingerprint"), index)


def _read_movie(group: zarr.Group, mid: str, shape: tuple[int, int]) -> np.ndarray:
    """A movie's array, checked."""
    where = f"{mid} of {group.store_path}"
    try:
        array = group[mid]
    except KeyError:
        raise ValueError(f"{where} is not in the store; run the features stage again") from None
    if array.shape != shape or array.dtype != np.float32:
        raise ValueError(f"{where} is {array.dtype} {array.shape}, not float32 {shape}")
    # zarr fills a chunk that is not there with zeros and says nothing.
    if array.nchunks_initialized < array.nchunks:
        raise ValueError(f"{where} lacks chunks; fetch or compute the store again")
    rows = array[:]
    if not np.isfinite(rows).all():
        raise ValueError(f"{where} holds NaN or infinity; compute its features again")
    return rows


class Packed:
    """A packed store, opened without reading it: `mids`, `features`, `clips` (mid -> number).

    `path` is the .npy that `pack` wrote, with its index beside it. On the CPU it is mapped into
    memory, so that all jobs share it; on a GPU (`device`) it is copied there once, if that has
    the room, and no batch crosses the bus. Raises ValueError when the two do not belong together.
    """

    def __init__(self, path: str | Path, device: str = "cpu"):
        self.path = Path(path)
        # "c": torch warns of an array that it must not write to.
        self._rows = torch.from_numpy(np.load(self.path, mmap_mode="c"))
        index = read_csv(self.path.with_suffix(".csv"))
        self.mids = [row["mid"] for row in index]
        self.clips = {row["mid"]: int(row["clips"]) for row in index}
        self._offsets = {row["mid"]: int(row["offset"]) for row in index}
        self.features = self._rows.shape[1]
        if sum(self.clips.values()) != len(self._rows):
            raise ValueError(f"{self.path}: its index is of another packing; pack the store again")
        try:
            self._rows = self._rows.to(device)
        except torch.OutOfMemoryError:
            size = self._rows.nbytes / 1e9
            log.warning("%s: %.1f GB are too much for %s, batches go there", path, size, device)

    def rows(self, mid: str) -> Tensor:
        """The features of a movie, (clips, features) float32, a view."""
        offset = self._offsets[mid]
        return self._rows[offset : offset + self.clips[mid]]

    def snippets(self, places: Sequence[tuple[str, int]], snippet: int) -> tuple[Tensor, Tensor]:
        """The snippets at some places, pairs of a mid and a first clip, where the array is:
        (W, snippet, features) float32, zeros where clips lack, and (W, snippet) bool, false there.
        """
        offsets = torch.tensor([self._offsets[mid] for mid, _ in places])
        starts = torch.tensor([start for _, start in places])
        clips = torch.tensor([self.clips[mid] for mid, _ in places])
        index = starts[:, None] + torch.arange(snippet)
        valid = index < clips[:, None]
        index = torch.where(valid, index, 0) + offsets[:, None]
        device = self._rows.device
        index, valid = index.to(device), valid.to(device)
        rows = self._rows.index_select(0, index.flatten()).unflatten(0, index.shape)
        return rows.masked_fill_(~valid[..., None], 0), valid
