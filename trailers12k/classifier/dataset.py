"""Feature stores and labels -> snippets: a torch Dataset for users, a packed form for training.

Reads zarr stores (format 2, one (clips, features) float32 array per movie) and mtgc.csv; writes
packed stores, NAME.npy and NAME.csv. Must not know models, nor what makes or uses the numbers.

A snippet is a run of consecutive clips that the classifier sees at once. Training takes a random
one of each trailer; evaluation cuts the whole trailer into windows from clip 0. Where clips lack,
zeros stand at the end: in the last window, and in a training trailer shorter than a snippet.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import zarr
from torch import Tensor

from trailers12k.classifier.snippets import POSTER, in_all, random_start, window_starts
from trailers12k.common.files import read_csv
from trailers12k.common.vocabulary import GENRES

log = logging.getLogger(__name__)

SUBSETS = {"trn": 0, "val": 1, "tst": 2}
"""The subsets as the split columns of mtgc.csv number them."""


SNIPPET = 30
"""Clips in a snippet; the paper's choice (Information Processing & Management 2023)."""


def read_labels(mtgc: str | Path) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The movies of mtgc.csv: mids, labels (N, 10) uint8 of 0 and 1, subsets (N, splits) uint8.

    Genres come in the order of `GENRES`, split columns (`split0`, ...) in the file's order.
    Raises ValueError, naming the file, on a missing column, a repeated movie or a value that is no
    label or no subset.
    """
    rows = read_csv(mtgc)
    columns = list(rows[0]) if rows else []
    splits = [name for name in columns if name.startswith("split")]
    missing = [name for name in ("mid", *GENRES) if name not in columns]
    if missing or not splits:
        raise ValueError(f"{mtgc}: no column {', '.join(missing) or 'split0'}, or no movies")
    mids = [row["mid"] for row in rows]
    if len(set(mids)) < len(mids):
        raise ValueError(f"{mtgc}: a movie stands there twice")
    labels = _whole_numbers(mtgc, rows, GENRES, (0, 1))
    return mids, labels, _whole_numbers(mtgc, rows, splits, tuple(SUBSETS.values()))


def load_split(
    mtgc: str | Path, split: int = 0, subset: str = "trn"
) -> tuple[list[str], np.ndarray]:
    """The movies of one subset, "trn", "val" or "tst", of a split: mids, labels (N, 10) uint8.

    Raises ValueError on another subset or split, and as `read_labels`.
    """
    mids, labels, splits = read_labels(mtgc)
    if subset not in SUBSETS or not 0 <= split < splits.shape[1]:
        raise ValueError(
            f"subset={subset!r} must be one of {', '.join(SUBSETS)} and split={split} one of "
            f"the {splits.shape[1]} split columns of {mtgc}"
        )
    rows = np.flatnonzero(splits[:, split] == SUBSETS[subset])
    return [mids[row] for row in rows], labels[rows]


def _whole_numbers(
    path: str | Path, rows: list[dict[str, str]], columns: Sequence[str], allowed: tuple[int, ...]
) -> np.ndarray:
    values = {str(value): value for value in allowed}
    for row in rows:
        for name in columns:
            if row[name] not in values:
                raise ValueError(f"{path}: {row['mid']} has {name}={row[name]!r}, not in {allowed}")
    return np.array([[values[row[name]] for name in columns] for row in rows], np.uint8)


class TrailerDataset(torch.utils.data.Dataset):
    """Snippets straight from the stores, for a user's own model and DataLoader.

        data = TrailerDataset({"image": "data/trailers_i_swin_fpc24.zarr"}, "data/mtgc.csv")
        snippets, labels, mid = data[0]  # {"image": (30, 768) float32}, (10,) float32, "tt..."

    The training subset has one item a movie, a random snippet of it, at the same place in every
    stream. Call `set_epoch` before each epoch for other snippets; the draw depends on `seed`, epoch
    and item alone, so it is the same with any number of workers. The other subsets have one item
    a window, in order: item i is of the movie `mids[movies[i]]`. A movie's probabilities are the
    mean over its windows.

    `stores` maps stream -> zarr store; a stream named "poster" has one row, (1, features), whatever
    the snippet. `split` is a split column's number, `subset` one of "trn",
    "val" and "tst". Movies that are not in every store are left out; `mids` are those used,
    `padded` is how many training trailers are shorter than a snippet and end in zeros. Opening
    looks up each movie's number of clips (1 ms a movie and store). Raises ValueError on an unknown
    subset or split, when no movie is left, or when the stores disagree on a movie's clips.
    """

    def __init__(
        self,
        stores: Mapping[str, str | Path],
        mtgc: str | Path,
        split: int = 0,
        subset: str = "trn",
        snippet: int = SNIPPET,
        seed: int = 0,
    ):
        wanted, labels = load_split(mtgc, split, subset)
        row = {mid: place for place, mid in enumerate(wanted)}
        self._groups = {name: zarr.open_group(path, mode="r") for name, path in stores.items()}
        clips = {}
        for name, path in stores.items():
            found = set(os.listdir(path))
            clips[name] = {m: self._groups[name][m].shape[0] for m in wanted if m in found}
        self.mids = in_all(clips, wanted)
        log.info("%s: %d of %d movies are in all stores", subset, len(self.mids), len(wanted))
        if not self.mids:
            raise ValueError(f"no movie of {subset} in split {split} is in {', '.join(stores)}")

        self.labels = labels[[row[mid] for mid in self.mids]].astype(np.float32)
        self.snippet, self.seed, self.epoch = snippet, seed, 0
        self.is_training = subset == "trn"
        first = next((name for name in clips if name != POSTER), POSTER)
        self._clips = [clips[first][mid] for mid in self.mids]
        self.padded = sum(count < snippet for count in self._clips) if self.is_training else 0
        # A training item has no start yet: it is drawn when the item is read.
        self._places = [
            (movie, start)
            for movie, count in enumerate(self._clips)
            for start in ([0] if self.is_training else window_starts(count, snippet))
        ]
        self.movies = [movie for movie, _ in self._places]

    def set_epoch(self, epoch: int) -> None:
        """Draw other training snippets from now on."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, item: int) -> tuple[dict[str, Tensor], Tensor, str]:
        movie, start = self._places[item]
        if self.is_training:
            generator = np.random.default_rng((self.seed, self.epoch, movie))
            start = random_start(self._clips[movie], self.snippet, generator)
        snippets = {}
        for name, group in self._groups.items():
            first, length = (0, 1) if name == POSTER else (start, self.snippet)
            found = group[self.mids[movie]][first : first + length]
            rows = np.zeros((length, found.shape[1]), np.float32)
            rows[: len(found)] = found
            snippets[name] = torch.from_numpy(rows)
        return snippets, torch.from_numpy(self.labels[movie]), self.mids[movie]
