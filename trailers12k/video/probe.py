"""Verifies a video and measures it.

Reads the file once, to its end. Must not know what the video is used for.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError

from trailers12k.common.errors import Failure
from trailers12k.video.reader import TIE, _decode, _decord, _displayed, _video_stream

MAX_CORRUPT = 0.01
"""Fraction of damaged frames above which a file is worthless. Below it, the sound frame nearest in
time stands in for a damaged one."""

LONGEST = 12 * 3600
"""Seconds; a longer video has timestamps that were damaged."""

DECORD_BYTES, DECORD_FRAMES = 64_000_000, 36_000
"""A larger or longer file goes to PyAV: decord demuxes ahead of its decoder without bound, so that
it soon holds all compressed frames."""

CONTAINERS = (b"ftyp", b"moov", b"mdat", b"free", b"styp", b"\x1a\x45\xdf\xa3")
"""Marks at byte 0 or 4 of an MP4 or WebM file, by which a cut file is told from a web page."""


@dataclass(frozen=True)
class Probe:
    """What decoding a video to its end has shown.

    duration: seconds from the first frame to the end of the last.
    height, width: pixels, as displayed: square, after rotation, before any change midway.
    fps: frames a second, on average.
    frames, corrupt: numbers of decoded frames; and of those that are damaged, lost, made from
        such a one (as all are until the next key frame), or stamped with a time already past.
    codec: FFmpeg's name of it.
    decoder: "decord" or "pyav", for `read_frames`.
    """

    duration: float
    height: int
    width: int
    fps: float
    frames: int
    corrupt: int
    codec: str
    decoder: str


def probe(path: str | Path) -> Probe:
    """Decode a file to its end; raises `Failure` when it is no sound video.

    Reasons: `empty` (no bytes), `not_video` (text, a picture, audio alone), `truncated` (no index,
    or the frames end before the duration that the file claims; a cut faststart MP4 claims all of
    it, so nothing less than decoding shows it), `corrupt` (more than 1 % damaged frames).
    """
    path = Path(path)
    if path.stat().st_size == 0:
        raise Failure("empty", "the file has no bytes")
    try:
        container = av.open(str(path), metadata_errors="replace")
    except FFmpegError as error:
        if _looks_like_video(path):
            raise Failure("truncated", f"no readable index: {error.strerror}") from error
        raise Failure("not_video", f"no known container: {error.strerror}") from error
    with container:
        stream = _video_stream(container)
        width, height = _displayed(stream)  # now: while decoding, the stream's size may change
        times, corrupt, last = [], 0, None
        for frame, damaged in _decode(container, stream):
            corrupt += damaged
            if frame is not None and frame.time is not None and frame.time >= 0:
                times.append(frame.time)
                last = frame
        if last is None:
            raise Failure("corrupt", "no frame can be decoded")
        claimed = _claimed_duration(container, stream)
        end = last.time + _frame_duration(last, times)
        if end <= times[0]:
            raise Failure("not_video", "a single picture")
        if end - times[0] > LONGEST:
            raise Failure("corrupt", f"its frames lie {(end - times[0]) / 3600:.0f} hours apart")
        # A second at most: in WebM the claim may be that of a slightly longer sound track.
        if end < claimed - min(1.0, 0.05 * claimed):
            raise Failure("truncated", f"the picture ends at {end:.2f} s of {claimed:.2f} s")
        if corrupt > MAX_CORRUPT * len(times):
            raise Failure("corrupt", f"{corrupt} of {len(times)} frames are damaged")
        if last.rotation % 180:
            height, width = width, height
        # Of several streams, decord may choose another.
        simple = not corrupt and not last.rotation and len(container.streams.video) == 1
        small = path.stat().st_size <= DECORD_BYTES and len(times) <= DECORD_FRAMES
        return Probe(
            duration=end - times[0],
            height=height,
            width=width,
            fps=len(times) / (end - times[0]),
            frames=len(times),
            corrupt=corrupt,
            codec=stream.codec_context.codec.canonical_name,
            decoder="decord" if simple and small and _decord_agrees(path, times) else "pyav",
        )


def _claimed_duration(container: Any, stream: Any) -> float:
    """Seconds; 0 when the file claims nothing."""
    if stream.duration:
        return float((stream.duration + (stream.start_time or 0)) * stream.time_base)
    return (container.duration or 0) / 1e6


def _frame_duration(frame: Any, times: list[float]) -> float:
    """Seconds that the last frame stays: its own claim, or the mean distance of frames."""
    if frame.duration:
        return float(frame.duration * frame.time_base)
    return (times[-1] - times[0]) / max(1, len(times) - 1)


def _looks_like_video(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(8)
    return head[:4] in CONTAINERS or head[4:] in CONTAINERS


def _decord_agrees(path: Path, times: list[float]) -> bool:
    """Whether decord sees the frames that PyAV sees, at the same times."""
    if (decord := _decord()) is None:
        return False
    try:
        video = decord.VideoReader(str(path), num_threads=1)
        stamps = video.get_frame_timestamp(range(len(video)))[:, 0]
    except (decord.DECORDError, RuntimeError, AssertionError):
        return False
    return len(stamps) == len(times) and np.allclose(stamps, times, rtol=0, atol=TIE / 2)
