"""Snippets of clips: training batches and evaluation windows.

Reads packed stores. Must not know models or labels.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from trailers12k.classifier.packed import PackedStore

SNIPPET = 30
"""Clips per snippet in the paper (Information Processing & Management 2023)."""

POSTER = "poster"
"""The stream whose store has one row per movie, which is part of every snippet."""


class Batch(NamedTuple):
    """W snippets of one or more movies."""

    snippets: dict[str, Tensor]
    """Stream -> (W, snippet, features) float32; (W, 1, features) for posters."""
    movies: Tensor
    """(W,) int64: the movie of each snippet, as its place in the list of mids."""
    valid: Tensor
    """(W, snippet) bool: false where the snippet is padded with zeros."""


def common_movies(clips: Mapping[str, Mapping[str, int]], mids: Sequence[str]) -> list[str]:
    """Those of `mids` that every stream has, in their order.

    clips: stream -> mid -> number of clips. Raises ValueError, naming the movie, when two streams
    differ in its number of clips, because their rows would be of different moments. Posters are
    exempt.
    """
    first, *others = [name for name in clips if name != POSTER] or clips
    present = [mid for mid in mids if all(mid in counts for counts in clips.values())]
    for mid in present:
        for other in others:
            if clips[first][mid] != clips[other][mid]:
                raise ValueError(
                    f"{mid} has {clips[first][mid]} clips in {first} but {clips[other][mid]} in "
                    f"{other}; the stores of a run must be made from the same clips"
                )
    return present


def random_start(clips: int, snippet: int, generator: np.random.Generator) -> int:
    """The first clip of a random training snippet; 0 if the trailer is shorter than a snippet."""
    return int(generator.integers(max(clips - snippet, 0) + 1))


def window_starts(clips: int, snippet: int) -> range:
    """The first clips of a trailer's evaluation windows; only the last window may be padded."""
    return range(0, clips, snippet)


def training_batches(
    streams: Mapping[str, PackedStore],
    mids: Sequence[str],
    batch: int,
    snippet: int,
    generator: np.random.Generator,
) -> Iterator[Batch]:
    """One epoch: a random snippet of every movie, in random order.

    batch: movies per batch. generator: the only source of randomness. The last batch holds the
    remaining movies; a single movie with a single row in some stream joins the batch before,
    because BatchNorm cannot normalise one row.
    """
    clips = clip_counts(streams)
    order = generator.permutation(len(mids)).tolist()
    firsts = list(range(0, len(mids), batch))
    has_single_rows = snippet == 1 or POSTER in streams
    if has_single_rows and len(mids) - firsts[-1] == 1 and len(firsts) > 1:
        firsts.pop()
    for first, end in zip(firsts, [*firsts[1:], len(mids)], strict=True):
        places = [
            (movie, random_start(clips[mids[movie]], snippet, generator))
            for movie in order[first:end]
        ]
        yield _gather(streams, mids, places, snippet)


def evaluation_batches(
    streams: Mapping[str, PackedStore], mids: Sequence[str], batch: int, snippet: int
) -> Iterator[Batch]:
    """All windows of all movies in order; a batch holds the windows of `batch` movies."""
    clips = clip_counts(streams)
    for first in range(0, len(mids), batch):
        places = [
            (movie, start)
            for movie in range(first, min(first + batch, len(mids)))
            for start in window_starts(clips[mids[movie]], snippet)
        ]
        yield _gather(streams, mids, places, snippet)


def whole_trailers(streams: Mapping[str, PackedStore], mids: Sequence[str]) -> Iterator[Batch]:
    """One batch per trailer, with all its clips as one snippet."""
    clips = clip_counts(streams)
    for movie, mid in enumerate(mids):
        yield _gather(streams, mids, [(movie, 0)], clips[mid])


def clip_counts(streams: Mapping[str, PackedStore]) -> dict[str, int]:
    """mid -> clips, of the first stream that is no poster; the others agree (`common_movies`)."""
    trailers = [packed for name, packed in streams.items() if name != POSTER]
    return (trailers or list(streams.values()))[0].clips


def _gather(
    streams: Mapping[str, PackedStore],
    mids: Sequence[str],
    places: Sequence[tuple[int, int]],
    snippet: int,
) -> Batch:
    """The snippets at `places`: pairs of a movie (its place in `mids`) and a first clip."""
    starts = [(mids[movie], start) for movie, start in places]
    posters = [(mid, 0) for mid, _ in starts]
    gathered = {
        name: packed.snippets(posters, 1) if name == POSTER else packed.snippets(starts, snippet)
        for name, packed in streams.items()
    }
    first = next((name for name in gathered if name != POSTER), POSTER)
    movies = torch.tensor([movie for movie, _ in places])
    snippets = {name: rows for name, (rows, _) in gathered.items()}
    return Batch(snippets, movies, gathered[first][1])
