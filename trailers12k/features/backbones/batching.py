"""Fills the batches of one network with clips, of one trailer or of several in progress.

Reads and writes nothing. Must not know videos, nor what the network is.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition

import torch
from torch import Tensor


@dataclass(eq=False)
class Part:
    """One trailer's share of the batches.

    waiting: clips that are not computed yet. is_open: whether it has not ended.
    features: of the other clips, in order, each (n, num_features).
    """

    waiting: int = 0
    is_open: bool = True
    features: list[Tensor] = field(default_factory=list)


class Batches:
    """The batches of one network. Trailers that share them may belong to several threads.

    compute: crops of clips, uint8 (B, T, h, w, 3), -> features (B, num_features). clips: how many
    fill a batch now.
    """

    def __init__(self, compute: Callable[[Tensor], Tensor], clips: Callable[[], int]):
        self._compute, self._clips = compute, clips
        self._queue: deque[tuple[Part, Tensor]] = deque()
        self._open = self._ended = 0
        self._error: BaseException | None = None
        self._changed = Condition()

    def begin(self) -> Part:
        """The part of a trailer, which must `finish` or be given up by `abandon`."""
        with self._changed:
            self._open += 1
        return Part()

    def add(self, part: Part, crops: Tensor) -> None:
        """Take the crops of a trailer's next clip, uint8 (T, h, w, 3)."""
        with self._changed:
            self._queue.append((part, crops))
            part.waiting += 1
            while len(self._queue) >= self._clips():
                self._compute_batch()

    def finish(self, part: Part) -> Tensor:
        """The features of all clips of a trailer, (clips, num_features).

        Waits until other trailers have filled its last batch, or have ended too.
        """
        with self._changed:
            self._ended += 1
            self._changed.notify_all()
            try:
                while part.waiting:
                    if self._error:
                        raise self._error
                    if self._ended == self._open:
                        self._compute_batch()
                    else:
                        self._changed.wait()
            finally:
                self._ended -= 1
                self._close(part)
        return torch.cat(part.features)

    def abandon(self, part: Part) -> None:
        """Forget a trailer that failed, unless it has ended."""
        with self._changed:
            if part.is_open:
                self._queue = deque(entry for entry in self._queue if entry[0] is not part)
                self._close(part)

    def _close(self, part: Part) -> None:
        part.is_open = False
        self._open -= 1
        self._changed.notify_all()

    def _compute_batch(self) -> None:
        """Compute the first clips that wait; at most a batch of them."""
        count = min(self._clips(), len(self._queue))
        entries = [self._queue.popleft() for _ in range(count)]
        try:
            features = self._compute(torch.stack([crops for _, crops in entries]))
        except BaseException as error:
            self._error = error
            self._changed.notify_all()
            raise
        first = 0
        while first < count:
            part, last = entries[first][0], first
            while last < count and entries[last][0] is part:
                last += 1
            part.features.append(features[first:last])
            part.waiting -= last - first
            first = last
        self._changed.notify_all()
