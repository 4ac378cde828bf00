"""The shots of a trailer: detects its cuts, and gathers statistics of its frames on the way.

Reads a video once, through `reader`. Must not know what the shots are used for, nor import a
detector but by the registry: an edit of one detector must not recompute the shots of another.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np

from trailers12k.video.frame_statistics import FrameStatistics
from trailers12k.video.picture import Bars
from trailers12k.video.reader import read_frames

DETECTOR_MODULES = {
    "adaptive": "trailers12k.video.pyscenedetect",
    "content": "trailers12k.video.pyscenedetect",
    "transnetv2": "trailers12k.video.transnet",
}
"""The module of each detector that the configuration can name. It has two functions:
`find_cuts(frames, detector, min_shot, fps)` and `describe(detector)`."""

DECODED_SIZE = 90
"""Shorter side in pixels of the decoded frames, which contact sheets show."""

DETECTION_SIZE = 27
"""Shorter side in pixels of the frames that detectors see: 48x27 at 16:9. Here `adaptive` has
precision 1.00 and recall 0.87 on the 53 transitions of tests/unit/video/test_shots.py (0.98 and
0.87 on full frames), and 1.00 and 0.85 on the sample's 114, in a twentieth of the time. Decoding at
90 pixels first instead of directly at 27 leaves 143 of these 144 cuts the same."""


@dataclass(frozen=True)
class ShotDetection:
    """The shots of a trailer and the statistics of its frames.

    shots: (first frame, frame after the last) of each, on the grid.
    repeated: frames of the grid that repeat the previous one.
    black, still, frozen, bars: see `FrameStatistics`.
    images: one per shot, RGB, uint8 (H, W, 3) with a shorter side of `DECODED_SIZE`; None for a
        shot of which no frame was kept.
    """

    shots: list[tuple[int, int]]
    repeated: int
    black: float
    still: float
    frozen: float
    bars: Bars
    images: list[np.ndarray | None]


def detect_shots(
    path: str | Path, decoder: str, duration: float, detector: str, min_shot: int, fps: float
) -> ShotDetection:
    """Detect the shots of a trailer on a grid of `fps` frames per second.

    decoder: `Probe.decoder`. duration: seconds.
    detector: a key of `DETECTOR_MODULES`. `adaptive` and `content` are PySceneDetect's, with its
        thresholds; `transnetv2` also detects dissolves and takes at least ten times as long.
    min_shot: frames of the shortest shot. The first and the last shot are no exception.

    A trailer without cuts is one shot. Raises `Failure` when the file cannot be decoded.
    """
    count = max(1, round(duration * fps))
    frames = read_frames(path, decoder, np.arange(count) / fps, DECODED_SIZE)
    statistics = FrameStatistics(frames, fps, DETECTION_SIZE, min_shot)
    cuts = _find_cuts(statistics, detector, min_shot, fps)
    bounds = [0, *sorted({cut for cut in cuts if min_shot <= cut <= count - min_shot}), count]
    shots = list(zip(bounds, bounds[1:], strict=False))
    return ShotDetection(
        shots=shots,
        repeated=statistics.repeated,
        black=statistics.black,
        still=statistics.still,
        frozen=statistics.frozen,
        bars=statistics.bars,
        images=statistics.images_of(shots),
    )


def _find_cuts(frames: Iterable[np.ndarray], detector: str, min_shot: int, fps: float) -> list[int]:
    return _module(detector).find_cuts(frames, detector, min_shot, fps)


def detector_version(detector: str) -> str:
    """The program that detects shots, with its version, for the ledger."""
    return _module(detector).describe(detector)


def _module(detector: str) -> ModuleType:
    # Imported when it is used: TransNetV2 needs torch, which an environment for videos lacks.
    return import_module(DETECTOR_MODULES[detector])
