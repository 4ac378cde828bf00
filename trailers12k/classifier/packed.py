"""Packed stores, as training reads them.

Reads build/packed/NAME.npy and NAME.csv. Must not know models, nor how a store is packed.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, reading

log = logging.getLogger(__name__)


class PackedStore:
    """A packed store: `mids`, `features` (the feature size) and `clips` (mid -> number of clips).

    path: the .npy file that `packing.pack` wrote; its index lies beside it.
    device: on the CPU the array is mapped into memory, so that all processes share it. A GPU gets
        one copy if it has the room, so that no batch is transferred.
    Raises `UserError` when either is damaged, or they differ in length.
    """

    def __init__(self, path: str | Path, device: str = "cpu"):
        self.path = Path(path)
        with reading(self.path):
            # Mode "c" (copy-on-write), because torch warns about arrays that cannot be written to.
            rows = np.load(self.path, mmap_mode="c")
            if rows.ndim != 2 or rows.dtype != np.float32:
                raise ValueError(f"it holds {rows.dtype} of {rows.shape}, not float32")
        self._rows = torch.from_numpy(rows)
        index = read_csv(
            self.path.with_suffix(".csv"),
            ("mid", "offset", "clips"),
            counts=("offset", "clips"),
            key=["mid"],
        )
        self.mids = [row["mid"] for row in index]
        self.clips = {row["mid"]: int(row["clips"]) for row in index}
        self._offsets = {row["mid"]: int(row["offset"]) for row in index}
        self.features = self._rows.shape[1]
        if sum(self.clips.values()) != len(self._rows):
            raise UserError(
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
