"""Which frames of a clip a video network of the hub sees: as many and as fast as in its training.

Reads and writes nothing. Must not know networks, nor where clips come from.
"""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

ROUNDING = 1e-6
"""Of a frame: a step's middle that is a whole number does not become the number before."""


@dataclass(frozen=True)
class Frames:
    """What a network was trained on.

    count: frames of a clip. rate: frames a second; None for frames evenly spaced over a whole clip,
        and where it is not known.

    The rule: where a clip lasts `count` / `rate` seconds, the network sees the middle of each of
    `count` steps of 1 / `rate` seconds in the clip's centre; else, of `count` equal steps of the
    whole clip. Where there are fewer frames than steps, the nearest ones repeat.
    """

    count: int
    rate: float | None

    def numbers(self, fps: float, fpc: int) -> tuple[int, ...]:
        """The numbers of the frames that are seen of a clip's `fpc`, `fps` of them a second."""
        span: float = fpc
        if self.is_at_rate(fps, fpc) and self.rate:
            span = self.count * fps / self.rate
        first = (fpc - span) / 2 + ROUNDING
        return tuple(int(first + (n + 0.5) * span / self.count) for n in range(self.count))

    def is_at_rate(self, fps: float, fpc: int) -> bool:
        """Whether a clip is long enough for the rate of the training."""
        return self.rate is not None and fps > 0 and self.count * fps / self.rate <= fpc

    def of(self, pixels: Tensor, fps: float) -> Tensor:
        """The frames that are seen, on the same device: (N, T, ...) -> (N, count, ...)."""
        return pixels.index_select(1, _index(self.numbers(fps, pixels.shape[1]), pixels.device))

    def described(self, fps: float, fpc: int) -> dict[str, object]:
        """What a store records."""
        seen = "evenly spaced over the whole clip"
        if self.is_at_rate(fps, fpc):
            seen = "at the rate of the training, in the clip's centre"
        return {"frames_seen": self.count, "frames_rate": self.rate, "frames_rule": seen}


@cache
def _index(numbers: tuple[int, ...], device: torch.device) -> Tensor:
    """The numbers on a device, copied there once, since a GPU stops for such a copy."""
    with torch.inference_mode(False):
        return torch.tensor(numbers, device=device)
