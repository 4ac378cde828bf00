"""The shots of a trailer: where its cuts are.

Reads videos through `video`. Must not know what becomes of the shots. Apart from `clips`, so that a
change here computes no feature of clips that come out the same.
"""

from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import numpy as np

from trailers12k import video

DETECTORS = {"adaptive": "AdaptiveDetector", "content": "ContentDetector"}
"""PySceneDetect's detectors, by their name in the configuration."""

DETECTION_SIZE = 27
"""Shorter side, in pixels, of the frames in which cuts are looked for: 48x27 at 16:9. Precision and
recall are those of full frames (.95, .82 on 23 known transitions), at a twentieth of the time."""


class Watched:
    """Frames as they come, and how many of them are the one before once more."""

    def __init__(self, frames: Iterable[np.ndarray]):
        self._frames = frames
        self.repeated = 0

    def __iter__(self) -> Iterator[np.ndarray]:
        last = None
        for frame in self._frames:
            self.repeated += frame is last
            last = frame
            yield frame


def find_shots(
    path: str | Path, reader: str, duration: float, detector: str, min_shot: int, fps: float
) -> tuple[list[tuple[int, int]], int]:
    """The shots of a trailer, (first frame, frame after the last) on the grid of `fps`; and how
    many frames of the grid are the same of the file as the one before.

    detector: "adaptive" or "content" of PySceneDetect, with its thresholds; only the shortest shot
    is ours to say, since its default of 15 frames loses a trailer's short ones. Or "transnetv2",
    which sees dissolves too, and takes ten times as long or more. No cut means one shot; none is
    shorter than `min_shot`, the first and the last neither.
    """
    frames = max(1, round(duration * fps))
    pictures = Watched(video.read_frames(path, reader, np.arange(frames) / fps, DETECTION_SIZE))
    if detector == "transnetv2":
        cuts = _transnet().find_cuts(pictures, min_shot)
    else:
        cuts = _scenedetect_cuts(pictures, DETECTORS[detector], min_shot, fps)
    bounds = [0, *sorted({cut for cut in cuts if min_shot <= cut <= frames - min_shot}), frames]
    return list(zip(bounds, bounds[1:], strict=False)), pictures.repeated


def _scenedetect_cuts(
    pictures: Iterable[np.ndarray], detector: str, min_shot: int, fps: float
) -> list[int]:
    # Here, since whoever only reads clips (features, merges) need not have PySceneDetect.
    import scenedetect
    from scenedetect import FrameTimecode

    finder = getattr(scenedetect, detector)(min_scene_len=min_shot)
    cuts, at = [], FrameTimecode(0, float(fps))
    for i, rgb in enumerate(pictures):
        at = FrameTimecode(i, float(fps))
        cuts += finder.process_frame(at, np.ascontiguousarray(rgb[..., ::-1]))
    return [cut.frame_num for cut in [*cuts, *finder.post_process(at)]]


def _transnet() -> ModuleType:
    """The module, which needs torch: only for those who ask for it."""
    from trailers12k import transnet

    return transnet


def detector_version(detector: str) -> str:
    """The program that finds shots, with its version."""
    if detector == "transnetv2":
        return _transnet().words()
    return f"PySceneDetect {version('scenedetect-headless')}, {DETECTORS[detector]}"
