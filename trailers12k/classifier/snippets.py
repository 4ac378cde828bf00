"""Snippets of clips: training batches and evaluation windows.

Reads packed stores. Must not know the model.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from trailers12k.classifier.packed import Packed

POSTER = "poster"
"""The stream whose store has one row a movie, which no snippet cuts."""


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
