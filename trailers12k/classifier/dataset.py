"""Feature stores and labels -> snippets: a torch Dataset for users, a packed form for training.

Reads zarr stores (format 2, one (clips, features) float32 array per movie) and mtgc.csv; writes
packed stores, NAME.npy and NAME.csv. Must not know models, nor what makes or uses the numbers.

A snippet is a run of consecutive clips that the classifier sees at once. Training takes a random
one of each trailer; evaluation cuts the whole trailer into windows from clip 0. Where clips lack,
zeros stand at the end: in the last window, and in a training trailer shorter than a snippet.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import zarr
from torch import Tensor
from tqdm import tqdm

from trailers12k.common.files import read_csv, replacing, write_csv
from trailers12k.common.movie import GENRES, is_mid

log = logging.getLogger(__name__)

SUBSETS = {"trn": 0, "val": 1, "tst": 2}
"""The subsets as the split columns of mtgc.csv number them."""

POSTER = "poster"
"""The stream whose store has one row a movie, which no snippet cuts."""

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


def in_all(clips: Mapping[str, Mapping[str, int]], mids: Sequence[str]) -> list[str]:
    """Those of `mids` that every stream has, in their order; `clips` is stream -> mid -> clips.

    Raises ValueError, naming the movie, when two streams disagree on its number of clips: row i of
    one would not be the same moment as row i of the other. Posters have no moments.
    """
    first, *others = [name for name in clips if name != POSTER] or clips
    present = [mid for mid in mids if all(mid in counts for counts in clips.values())]
    for mid in present:
        for other in others:
            if clips[first][mid] != clips[other][mid]:
                raise ValueError(
                    f"{mid} has {clips[first][mid]} clips in {first} but {clips[other][mid]} in "
                    f"{other}; compute its features again"
                )
    return present


def random_start(clips: int, snippet: int, generator: np.random.Generator) -> int:
    """Where a training snippet begins: anywhere it fits, or 0 if the trailer is shorter."""
    return int(generator.integers(max(clips - snippet, 0) + 1))


def window_starts(clips: int, snippet: int) -> range:
    """Where the windows of an evaluated trailer begin. Only the last one may run over its end."""
    return range(0, clips, snippet)


class Batch(NamedTuple):
    """Snippets to be seen at once: W of them, of one or more movies."""

    snippets: dict[str, Tensor]
    """Stream -> (W, snippet, features) float32; (W, 1, features) for posters."""
    movies: Tensor
    """(W,) int64: each snippet's movie, as its place in the list the batches were made from."""
    valid: Tensor
    """(W, snippet) bool: false where clips lack."""


def training_batches(
    streams: Mapping[str, Packed],
    mids: Sequence[str],
    batch: int,
    snippet: int,
    generator: np.random.Generator,
) -> Iterator[Batch]:
    """One epoch: every movie once, in random order, a random snippet of it from all streams.

    All randomness is drawn from `generator`. The last batch holds what is left; if that is one
    movie and one row of some stream, it joins the batch before, since BatchNorm cannot take one.
    """
    clips = clips_of(streams)
    order = generator.permutation(len(mids)).tolist()
    firsts = list(range(0, len(mids), batch))
    single = snippet == 1 or POSTER in streams
    if single and len(mids) - firsts[-1] == 1 and len(firsts) > 1:
        firsts.pop()
    for first, end in zip(firsts, [*firsts[1:], len(mids)], strict=True):
        places = [
            (movie, random_start(clips[mids[movie]], snippet, generator))
            for movie in order[first:end]
        ]
        yield _gather(streams, mids, places, snippet)


def evaluation_batches(
    streams: Mapping[str, Packed], mids: Sequence[str], batch: int, snippet: int
) -> Iterator[Batch]:
    """All windows of all movies in order; a batch holds the windows of `batch` movies."""
    clips = clips_of(streams)
    for first in range(0, len(mids), batch):
        places = [
            (movie, start)
            for movie in range(first, min(first + batch, len(mids)))
            for start in window_starts(clips[mids[movie]], snippet)
        ]
        yield _gather(streams, mids, places, snippet)


def whole_trailers(streams: Mapping[str, Packed], mids: Sequence[str]) -> Iterator[Batch]:
    """Every trailer as one sequence of all its clips, one a batch."""
    clips = clips_of(streams)
    for movie, mid in enumerate(mids):
        yield _gather(streams, mids, [(movie, 0)], clips[mid])


def clips_of(streams: Mapping[str, Packed]) -> dict[str, int]:
    """mid -> clips: the first stream's, since all but posters agree (`in_all`)."""
    trailers = [packed for name, packed in streams.items() if name != POSTER]
    return (trailers or list(streams.values()))[0].clips


def _gather(
    streams: Mapping[str, Packed],
    mids: Sequence[str],
    places: Sequence[tuple[int, int]],
    snippet: int,
) -> Batch:
    """The snippets at `places`: pairs of a movie (its place in `mids`) and a first clip."""
    moments = [(mids[movie], start) for movie, start in places]
    posters = [(mid, 0) for mid, _ in moments]
    found = {
        name: packed.snippets(posters, 1) if name == POSTER else packed.snippets(moments, snippet)
        for name, packed in streams.items()
    }
    _, valid = next((both for name, both in found.items() if name != POSTER), found.get(POSTER))
    movies = torch.tensor([movie for movie, _ in places])
    return Batch({name: rows for name, (rows, _) in found.items()}, movies, valid)


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
