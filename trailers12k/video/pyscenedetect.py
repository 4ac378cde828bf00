"""Shot boundaries by PySceneDetect, which compares consecutive frames: hard cuts only.

Reads frames, nothing else. Must not know where they come from. Only `shots` imports it, through its
registry of detectors.
"""

from collections.abc import Iterable
from importlib.metadata import version

import numpy as np
import scenedetect
from scenedetect import FrameTimecode

DETECTORS = {"adaptive": "AdaptiveDetector", "content": "ContentDetector"}
"""PySceneDetect's class of each detector, which keeps its default thresholds."""


def find_cuts(frames: Iterable[np.ndarray], detector: str, min_shot: int, fps: float) -> list[int]:
    """The first frames of the new shots of a video.

    frames: RGB, uint8 (H, W, 3). detector: a key of `DETECTORS`.
    min_shot: frames of the shortest shot. PySceneDetect's default of 15 misses a trailer's short
        shots.
    """
    finder = getattr(scenedetect, DETECTORS[detector])(min_scene_len=min_shot)
    cuts, at = [], FrameTimecode(0, float(fps))
    for number, rgb in enumerate(frames):
        at = FrameTimecode(number, float(fps))
        cuts += finder.process_frame(at, np.ascontiguousarray(rgb[..., ::-1]))
    return [cut.frame_num for cut in [*cuts, *finder.post_process(at)]]


def describe(detector: str) -> str:
    """The detector with its version, for the ledger."""
    return f"PySceneDetect {version('scenedetect-headless')}, {DETECTORS[detector]}"
