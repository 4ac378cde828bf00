"""Checks that a file is an intact video, and measures it.

Reads the file once, to its end. Must not know what the video is used for.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError

from trailers12k.common.errors import Failure
from trailers12k.video.container import check_format, is_picture_format
from trailers12k.video.reader import TIE, decode, decord_module, displayed_size, video_stream
from trailers12k.video.sound import Sound

MAX_CORRUPT = 0.01
"""Fraction of damaged frames above which a file is rejected. Up to it, the nearest intact frame
replaces each damaged one."""

LONGEST = 12 * 3600
"""Seconds; a longer video has damaged timestamps."""

DECORD_BYTES, DECORD_FRAMES = 64_000_000, 36_000
"""Limits above which PyAV decodes a file: decord demuxes ahead of its decoder without bound and so
holds all compressed frames in memory."""

CONTAINERS = (b"ftyp", b"moov", b"mdat", b"free", b"styp", b"\x1a\x45\xdf\xa3")
"""Signatures at byte 0 or 4 of MP4 and WebM files, which distinguish a truncated file from a web
page."""

FLAGS: dict[str, str] = {}
"""The words of `Probe.flags` -> their meaning."""


@dataclass(frozen=True)
class Probe:
    """Properties of a video that was decoded to its end.

    duration: seconds from the first frame to the end of the last.
    height, width: square pixels as displayed, after rotation; the first ones if they change.
    fps: average frames per second.
    frames: number of decoded frames.
    corrupt: number of frames that are damaged, missing, predicted from a damaged one (as all are
        up to the next key frame), or earlier than the frame before.
    codec: FFmpeg's name.
    decoder: "decord" or "pyav", for `read_frames`.
    flags: what a person may want to check, words of `FLAGS` in its order.
    sound: of the sound track; None without one.
    """

    duration: float
    height: int
    width: int
    fps: float
    frames: int
    corrupt: int
    codec: str
    decoder: str
    flags: tuple[str, ...] = ()
    sound: Sound | None = None


def probe(path: str | Path) -> Probe:
    """Decode a file to its end.

    Raises `Failure` when it is not an intact video. Reasons: `empty` (no bytes), `not_video` (text,
    a picture, audio only), `truncated` (no index, or the frames end before the duration in the
    header; only decoding detects a truncated faststart MP4), `corrupt` (more than `MAX_CORRUPT`
    damaged frames).
    """
    path = Path(path)
    if path.stat().st_size == 0:
        raise Failure("empty", "the file has no bytes")
    try:
        container = av.open(str(path), metadata_errors="replace")
    except FFmpegError as error:
        if _looks_like_video(path):
            raise Failure("truncated", f"no readable index: {error.strerror}") from error
        raise Failure("not_video", f"unknown container format: {error.strerror}") from error
    with container:
        check_format(container)
        stream = video_stream(container)
        # Before decoding, which may change the size of the stream.
        width, height = displayed_size(stream)
        times, corrupt, last = [], 0, None
        for frame, damaged in decode(container, stream):
            corrupt += damaged
            if frame is not None and frame.time is not None and frame.time >= 0:
                times.append(frame.time)
                last = frame
        if last is None:
            raise Failure("corrupt", "no frame can be decoded")
        declared = _declared_duration(container, stream)
        end = last.time + _frame_duration(last, times)
        if end <= times[0] or (len(times) == 1 and is_picture_format(container)):
            raise Failure("not_video", "a single picture")
        if end - times[0] > LONGEST:
            raise Failure("corrupt", f"its timestamps span {(end - times[0]) / 3600:.0f} hours")
        # Tolerates a second: the duration of a WebM file may be that of a longer sound track.
        if end < declared - min(1.0, 0.05 * declared):
            raise Failure("truncated", f"the video ends at {end:.2f} s of {declared:.2f} s")
        if corrupt > MAX_CORRUPT * len(times):
            raise Failure("corrupt", f"{corrupt} of {len(times)} frames are damaged")
        if last.rotation % 180:
            height, width = width, height
        # Of several streams, decord may choose a different one.
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


def _declared_duration(container: Any, stream: Any) -> float:
    """Seconds by the header; 0 without one."""
    if stream.duration:
        return float((stream.duration + (stream.start_time or 0)) * stream.time_base)
    return (container.duration or 0) / 1e6


def _frame_duration(frame: Any, times: list[float]) -> float:
    """Seconds that the last frame is shown: its declared duration, or the mean of all frames."""
    if frame.duration:
        return float(frame.duration * frame.time_base)
    return (times[-1] - times[0]) / max(1, len(times) - 1)


def _looks_like_video(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(8)
    return head[:4] in CONTAINERS or head[4:] in CONTAINERS


def _decord_agrees(path: Path, times: list[float]) -> bool:
    """Whether decord decodes as many frames as PyAV, at the same times."""
    if (decord := decord_module()) is None:
        return False
    try:
        video = decord.VideoReader(str(path), num_threads=1)
        stamps = video.get_frame_timestamp(range(len(video)))[:, 0]
    except (decord.DECORDError, RuntimeError, AssertionError):
        return False
    return len(stamps) == len(times) and np.allclose(stamps, times, rtol=0, atol=TIE / 2)
