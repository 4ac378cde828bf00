"""Resizing and cropping: whole frames to what a network sees.

Reads and writes nothing. Must not know models, files, or videos.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class FrameByFrame:
    """A transform by a function of one image; equal ones have the same description.

    description: of all that determines the crop. crop: uint8 (H, W, 3) -> uint8 (h, w, 3).
    """

    description: str
    crop: Callable[[np.ndarray], np.ndarray] = field(compare=False)

    def __call__(self, frames: Tensor) -> Tensor:
        """Frames, uint8 (N, H, W, 3), to crops, uint8 (N, h, w, 3)."""
        return torch.from_numpy(np.stack([self.crop(frame) for frame in frames.cpu().numpy()]))
