"""What a clip is, and the times of its frames.

Reads and writes nothing. Must not know how clips are detected or stored: every feature depends on
this module, so an edit here recomputes all features.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Clip:
    """One clip of a trailer.

    clip, shot: numbers of the clip and of its shot within the trailer, from 0, in order of time.
    start, end: seconds of presentation time from the trailer's first frame. `end - start` covers
        the clip's distinct frames only, so a padded clip is shorter.
    """

    clip: int
    shot: int
    start: float
    end: float


def frame_times(clip: Clip, fps: float = 24, fpc: int = 24) -> np.ndarray:
    """Times of a clip's frames in seconds, float64 (fpc,); its last distinct frame pads it."""
    first = round(clip.start * fps)
    distinct = round(clip.end * fps) - first
    return (first + np.minimum(np.arange(fpc), distinct - 1)) / fps
