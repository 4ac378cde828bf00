"""The shots of a trailer: where its cuts are.

Reads videos through `video`, each once: on the way, `pictures` sees what else is to be seen of it.
Must not know what becomes of the shots. Apart from `clips`, so that a change here computes no
feature of clips that come out the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import numpy as np

from trailers12k.video import reader as video
from trailers12k.video.frame_statistics import Watched

DETECTORS = {"adaptive": "AdaptiveDetector", "content": "ContentDetector"}
"""PySceneDetect's detectors, by their name in the configuration."""

DECODED_SIZE = 90
"""Shorter side, in pixels, of the frames that are decoded, of which pictures are kept."""

DETECTION_SIZE = 27
"""Shorter side of those frames, shrunk, in which cuts are looked for: 48x27 at 16:9. `adaptive` has
precision 1.00 and recall .87 of the 53 transitions of tests/unit/test_shots.py (.98, .87 in full
frames) and 1.00, .85 of the sample's 114, at a twentieth of the time. By way of 90 pixels or at
once, 143 of these 144 cuts are the same."""


@dataclass(frozen=True)
class Found:
    """What one decoding of a trailer has shown.

    shots: (first frame, frame after the last) on the grid.
    repeated: how many frames of the grid are the same of the file as the one before.
    black, still, frozen: see `Watched`.
    pictures: one of each shot, uint8 (H, W, 3), the shorter side `DECODED_SIZE`; or None.
    """

    shots: list[tuple[int, int]]
    repeated: int
    black: float
    still: float
    frozen: float
    pictures: list[np.ndarray | None]


def find_shots(
    path: str | Path, decoder: str, duration: float, detector: str, min_shot: int, fps: float
) -> Found:
    """The shots of a trailer on the grid of `fps`, and what else was seen on the way.

    detector: "adaptive" or "content" of PySceneDetect, with its thresholds; only the shortest shot
    is ours to say, since its default of 15 frames loses a trailer's short ones. Or "transnetv2",
    which sees dissolves too, and takes ten times as long or more. No cut means one shot; none is
    shorter than `min_shot`, the first and the last neither.
    """
    count = max(1, round(duration * fps))
    frames = video.read_frames(path, decoder, np.arange(count) / fps, DECODED_SIZE)
    watched = Watched(frames, fps, DETECTION_SIZE, min_shot)
    if detector == "transnetv2":
        cuts = _transnet().find_cuts(watched, min_shot)
    else:
        cuts = _scenedetect_cuts(watched, DETECTORS[detector], min_shot, fps)
    bounds = [0, *sorted({cut for cut in cuts if min_shot <= cut <= count - min_shot}), count]
    shots = list(zip(bounds, bounds[1:], strict=False))
    return Found(
        shots=shots,
        repeated=watched.repeated,
        black=watched.black,
        still=watched.still,
        frozen=watched.frozen,
        pictures=watched.of(shots),
    )


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
    from trailers12k.video import transnet

    return transnet


def detector_version(detector: str) -> str:
    """The program that finds shots, with its version."""
    if detector == "transnetv2":
        return _transnet().words()
    return f"PySceneDetect {version('scenedetect-headless')}, {DETECTORS[detector]}"
