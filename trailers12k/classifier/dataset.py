"""Stores and labels as a torch Dataset of snippets, for users' own models.

Reads zarr stores (format 2, one (clips, features) float32 array per movie) and mtgc.csv. Must not
know models or training.

A snippet is a run of consecutive clips that the classifier sees at once. Training takes a random
snippet of each trailer; evaluation divides the whole trailer into windows, from clip 0. Snippets
are padded with zeros at the end: the last window of a trailer, and the training snippet of a
trailer that is shorter than a snippet.
"""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import zarr
from torch import Tensor

from trailers12k.classifier.labels import LabelTable as LabelTable
from trailers12k.classifier.labels import load_split as load_split
from trailers12k.classifier.labels import read_labels as read_labels
from trailers12k.classifier.packing import open_array
from trailers12k.classifier.snippets import (
    POSTER,
    SNIPPET,
    common_movies,
    random_start,
    window_starts,
)
from trailers12k.common.seeds import seed_for

log = logging.getLogger(__name__)


class TrailerDataset(torch.utils.data.Dataset[tuple[dict[str, Tensor], Tensor, str]]):
    """Snippets read from the stores, for a user's own model and DataLoader.

        data = TrailerDataset({"image": "data/trailers_i_swin_fpc24.zarr"}, "data/mtgc.csv")
        snippets, labels, mid = data[0]  # {"image": (30, 768) float32}, (10,) float32, "tt..."

    The training subset has one item per movie: a random snippet of it, at the same clips in every
    stream. Call `set_epoch` before the iterator of each epoch is made, to draw other snippets; they
    depend on `seed`, epoch and item only, and thus not on the number of workers. Lightning leaves
    this call to the hook `on_train_epoch_start`; the loaders of accelerate make it themselves. The
    other subsets have one item per window, in order: item i is of the movie `mids[movies[i]]`. The
    probabilities of a movie are the mean over its windows.

    stores: stream -> zarr store. The stream "poster" has one row, (1, features), in every item.
    split: number of a split column. subset: one of `SUBSETS`. snippet: clips per item.

    Movies that are missing from a store are left out; `mids` are the others. `padded` counts
    training trailers that are shorter than a snippet. Opening takes 1 ms per movie and store.
    Raises ValueError on an unknown subset or split, when no movie is left, or when stores differ in
    the number of a movie's clips.
    """

    def __init__(
        self,
        stores: Mapping[str, str | Path],
        mtgc: str | Path,
        split: int = 0,
        subset: str = "training",
        snippet: int = SNIPPET,
        seed: int = 0,
    ):
        requested, labels = load_split(mtgc, split, subset)
        row = {mid: place for place, mid in enumerate(requested)}
        self._groups = {name: zarr.open_group(path, mode="r") for name, path in stores.items()}
        clips = {}
        for name, path in stores.items():
            stored = set(os.listdir(path))
            clips[name] = {
                mid: _rows(open_array(self._groups[name], mid))
                for mid in requested
                if mid in stored
            }
        self.mids = common_movies(clips, requested)
        log.info("%s: %d of %d movies are in all stores", subset, len(self.mids), len(requested))
        if not self.mids:
            raise ValueError(f"no {subset} movie of split {split} is in all of {', '.join(stores)}")

        self.labels = labels[[row[mid] for mid in self.mids]].astype(np.float32)
        self.snippet, self.seed = snippet, seed
        # In shared memory, since persistent workers keep the copy of the dataset with which they
        # were started. torch hands it over to forked and to spawned processes alike.
        self._epoch = _shared(0)
        self.is_training = subset == "training"
        first = next((name for name in clips if name != POSTER), POSTER)
        self._clips = [clips[first][mid] for mid in self.mids]
        self.padded = sum(count < snippet for count in self._clips) if self.is_training else 0
        # The start of a training item is drawn when the item is read.
        self._places = [
            (movie, start)
            for movie, count in enumerate(self._clips)
            for start in ([0] if self.is_training else window_starts(count, snippet))
        ]
        self.movies = [movie for movie, _ in self._places]

    @property
    def epoch(self) -> int:
        """The epoch whose training snippets are drawn."""
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Draw the training snippets of this epoch from now on, in persistent workers too.

        Snippets that workers read ahead before this call are of the epoch before.
        """
        self._epoch.fill_(epoch)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if not self._epoch.untyped_storage().is_shared():  # in a copy
            self._epoch = _shared(self.epoch)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, item: int) -> tuple[dict[str, Tensor], Tensor, str]:
        movie, start = self._places[item]
        if self.is_training:
            seed = seed_for(self.seed, "snippet", self.epoch, movie)
            generator = np.random.default_rng(seed)
            start = random_start(self._clips[movie], self.snippet, generator)
        snippets = {}
        for name, group in self._groups.items():
            first, length = (0, 1) if name == POSTER else (start, self.snippet)
            array = open_array(group, self.mids[movie])
            kept = slice(first, first + length) if array.ndim > 1 else slice(None)
            stored = np.atleast_2d(np.asarray(array[kept]))
            rows = np.zeros((length, stored.shape[1]), np.float32)
            rows[: len(stored)] = stored
            snippets[name] = torch.from_numpy(rows)
        return snippets, torch.from_numpy(self.labels[movie]), self.mids[movie]


def _rows(array: zarr.Array[Any]) -> int:
    """The number of rows; a poster that others published as (features,) is one."""
    return array.shape[0] if array.ndim > 1 else 1


def _shared(number: int) -> Tensor:
    """A scalar int64 tensor in shared memory."""
    tensor = torch.tensor(number)
    tensor.share_memory_()  # type: ignore[no-untyped-call]
    return tensor
