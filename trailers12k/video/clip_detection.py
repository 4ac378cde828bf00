"""The clips of a trailer: its shots, cut into clips of equal length.

Reads a video through `shots`. Must not know the job around it, its files, or contact sheets: the
code version of clips is the hash of this module and of what it imports.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from trailers12k.video.clips import Clip
from trailers12k.video.shots import ShotDetection, detect_shots


@dataclass(frozen=True)
class ClipSettings:
    """How shots are detected and cut into clips; the fields of `clips` in the configuration.

    detector, min_shot: see `detect_shots`.
    fps: frames per second of the grid on which shots and clips are cut.
    fpc: frames per clip.
    keep: see `partition`.
    """

    detector: str = "adaptive"
    min_shot: int = 6
    fps: float = 24
    fpc: int = 24
    keep: float = 0.5


def detect_clips(
    path: str | Path, decoder: str, duration: float, settings: ClipSettings
) -> tuple[list[Clip], ShotDetection]:
    """The clips of a trailer of `duration` seconds, at least one, and the shots they come from.

    decoder: `Probe.decoder`. Raises `Failure` when the file cannot be decoded.
    """
    detection = detect_shots(
        path, decoder, duration, settings.detector, settings.min_shot, settings.fps
    )
    clips = partition(detection.shots, settings.fps, settings.fpc, settings.keep)
    return clips, detection


def partition(
    shots: Iterable[tuple[int, int]], fps: float = 24, fpc: int = 24, keep: float = 0.5
) -> list[Clip]:
    """Cut shots into clips of `fpc` frames on the grid of `fps` frames per second.

    shots: (first frame, frame after the last) of each shot.

    A clip never crosses a cut. The remaining frames at the end of a shot become a clip when there
    are at least `keep * fpc` of them (its last frame then pads the clip when it is read), and are
    dropped otherwise. A shot that is shorter than that still gives one clip, so every shot has at
    least one. The paper states no rule for these frames; this one is ours.
    """
    clips: list[Clip] = []
    for shot, (first, end) in enumerate(shots):
        for start in range(first, end, fpc):
            distinct = min(fpc, end - start)
            if distinct >= keep * fpc or start == first:
                clips.append(_clip(len(clips), shot, start, distinct, fps))
    return clips


def _clip(clip: int, shot: int, start: int, distinct: int, fps: float) -> Clip:
    # clips.csv has six decimals; rounding here makes a clip equal to the one read back.
    return Clip(clip, shot, round(start / fps, 6), round((start + distinct) / fps, 6))
