"""Checks that a file is an intact video, and measures it.

Reads the file once, to its end. Must not know what the video is used for.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError

from trailers12k.common.errors import Failure
from trailers12k.video.completeness import INDEX, Missing, has_all_packets, missing
from trailers12k.video.container import check_format, is_picture_format
from trailers12k.video.picture import Appearance
from trailers12k.video.reader import (
    TIE,
    decode,
    decord_module,
    displayed_size,
    is_mp4,
    video_stream,
)
from trailers12k.video.sound import Sound, SoundMeter
from trailers12k.video.timing import DISCONTINUOUS, FrameClock, PacketTimes
from trailers12k.video.video_flags import FLAGS

MAX_CORRUPT = 0.01
"""Fraction of damaged frames above which a file is rejected. Up to it, the nearest intact frame
replaces each damaged one."""

MOST_STREAMS = 100
"""Streams of a file, each of which takes memory. Films on disc have up to 50 sound and subtitle
tracks."""

MOST_FRAMES = 1_000_000
"""Frames of a video: an hour at 240 per second, and more than three minutes at 5000."""

LONGEST_FRAME = 600
"""Seconds that one frame is shown. A video of one still picture has at least one every ten minutes,
by the key frames of all usual encoders."""

DECORD_BYTES, DECORD_FRAMES = 64_000_000, 36_000
"""Limits above which PyAV decodes a file: decord demuxes ahead of its decoder without bound and so
holds all compressed frames in memory."""

CONTAINERS = (b"ftyp", b"moov", b"mdat", b"free", b"styp", b"\x1a\x45\xdf\xa3")
"""Signatures at byte 0 or 4 of MP4 and WebM files, which distinguish a truncated file from a web
page."""

MATROSKA_DURATION = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")
"""Hours, minutes, seconds of the tag DURATION of a track."""


@dataclass(frozen=True)
class VideoLimits:
    """What a video may need of whoever reads it.

    megapixels: of a frame as it is stored, and as it is shown; 36 hold all frames of level 6.2 of
        H.264 (8K). minutes: of the picture.
    """

    megapixels: float = 36.0
    minutes: float = 60.0

    @property
    def pixels(self) -> int:
        """`megapixels` as a number of pixels."""
        return int(self.megapixels * 1e6)


@dataclass(frozen=True)
class Probe:
    """Properties of a video that was decoded to its end.

    duration: seconds from the first frame to the end of the last.
    height, width: square pixels as displayed, after rotation; the first ones if they change.
    fps: average frames per second.
    frames: number of decoded frames.
    corrupt: number of frames that are damaged, missing, or predicted from a damaged one, as all are
        up to the next key frame.
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


def probe(path: str | Path, limits: VideoLimits | None = None) -> Probe:
    """Decode a file to its end.

    Raises `Failure` when it is not an intact video. Reasons: `empty` (no bytes), `not_video` (text,
    a picture, audio only), `truncated` (see `_check_end`; or no index), `corrupt` (more than
    `MAX_CORRUPT` damaged frames), `too_large` (beyond the limits).

    No more is decoded than the limits allow. What a decoder takes beyond its frames, and its time,
    `confined` limits.
    """
    path, limits = Path(path), limits or VideoLimits()
    if path.stat().st_size == 0:
        raise Failure("empty", "the file has no bytes")
    try:
        # FFmpeg decodes the first frames here.
        options = {"max_pixels": str(limits.pixels)}
        container = av.open(str(path), options=options, metadata_errors="replace")
    except FFmpegError as error:
        if _looks_like_video(path):
            raise Failure("truncated", f"no readable index: {error.strerror}") from error
        raise Failure("not_video", f"unknown container format: {error.strerror}") from error
    with container:
        return _probe(path, container, limits)


def _probe(path: Path, container: Any, limits: VideoLimits) -> Probe:
    check_format(container)
    if len(container.streams) > MOST_STREAMS:
        raise Failure("too_large", f"{len(container.streams)} streams; at most {MOST_STREAMS}")
    try:
        stream = video_stream(container)
    except Failure as error:
        if (lack := missing(path)) and lack.part == INDEX:
            raise Failure("truncated", f"{lack.bytes} bytes of its index are missing") from error
        raise
    stated = size = displayed_size(stream)
    _check_size(stream.width * stream.height, limits)
    _check_size(size[0] * size[1], limits)
    stream.codec_context.options = {"max_pixels": str(limits.pixels)}
    clock = FrameClock(container, stream)
    packets, meter = PacketTimes(container), SoundMeter(container)

    def watch(packet: Any) -> None:
        packets.add(packet)
        meter.add(packet)

    is_broadcast = container.format.flags & DISCONTINUOUS
    times, corrupt, last, appearance = [], 0, None, Appearance()
    for frame, time, damaged in decode(container, stream, clock, watch):
        # A recording of a broadcast may begin before the first frame that can be decoded.
        corrupt += damaged and (frame is not None or last is not None or not is_broadcast)
        if frame is not None:
            if not all(size):
                size = displayed_size(stream)
                _check_size(size[0] * size[1], limits)
            times.append(time)
            _check_times(times, limits)
            # Colours and orientation change at key frames only; looking at each frame takes a tenth
            # of the time of decoding.
            if last is None or frame.key_frame or frame.interlaced_frame:
                appearance.add(frame)
            last = frame
    if last is None:
        raise _no_frame(path, stream.index, all(stated), limits)
    end = times[-1] + _frame_duration(last, times)
    _check_times([*times[:1], times[-1], end], limits)
    if end <= times[0] or (len(times) == 1 and is_picture_format(container)):
        raise Failure("not_video", "a single picture")
    _check_end(path, container, stream, packets, end)
    if corrupt > MAX_CORRUPT * len(times):
        raise Failure("corrupt", f"{corrupt} of {len(times)} frames are damaged")
    if not all(size):
        raise Failure("corrupt", "its pictures have no size")
    height, width = size if appearance.is_transposed else size[::-1]
    # Of several streams, decord may choose a different one; in broadcast formats, whose times may
    # be negative, it may skip the first frames.
    simple = not corrupt and appearance.is_ordinary and len(container.streams.video) == 1
    simple = simple and not clock.flags and not is_broadcast and all(stated)
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
        flags=_flags(appearance, clock, packets, container, stream, times[0]),
        sound=meter.sound(packets.of(meter.index)),
    )


def _no_frame(path: Path, index: int, is_accepted: bool, limits: VideoLimits) -> Failure:
    """The failure of a file of which no frame can be decoded within the limits.

    index: of the stream. is_accepted: whether its decoder has left the size that the container or
    the first packets state: it replaces one beyond the limits by zeros.
    """
    try:
        # Without a decoder, FFmpeg returns the size of the container, or of the codec's parser.
        options = {"codec_whitelist": "none"}
        with av.open(str(path), options=options, metadata_errors="replace") as container:
            stream: Any = container.streams[index]
            pixels = stream.width * stream.height
    except (FFmpegError, LookupError, AttributeError):
        pixels = 0
    if pixels and not is_accepted:
        return _too_many_pixels(pixels, limits)
    return Failure(
        "corrupt",
        "no frame can be decoded"
        if pixels
        else f"no frame within trailers.max_megapixels, {limits.megapixels:g}, can be decoded",
    )


def _check_size(pixels: int, limits: VideoLimits) -> None:
    """Raise `Failure` for frames of more pixels than allowed."""
    if pixels > limits.pixels:
        raise _too_many_pixels(pixels, limits)


def _too_many_pixels(pixels: int, limits: VideoLimits) -> Failure:
    """pixels: of a frame, as far as the container states them truly."""
    number = f"{pixels / 1e6:.1f}" if pixels > limits.pixels else f"more than {limits.megapixels:g}"
    return Failure(
        "too_large",
        f"frames of {number} megapixels; trailers.max_megapixels allows {limits.megapixels:g}",
    )


def _check_times(times: Sequence[float], limits: VideoLimits) -> None:
    """Raise `Failure` when the last of the ascending times is beyond the limits."""
    if len(times) > MOST_FRAMES:
        raise Failure("too_large", f"more than {MOST_FRAMES} frames")
    if times[-1] - times[0] > 60 * limits.minutes + 1:
        raise Failure(
            "too_large",
            f"more than {limits.minutes:g} minutes; trailers.max_minutes allows {limits.minutes:g}",
        )
    if times[-1] - times[max(0, len(times) - 2)] > LONGEST_FRAME:
        raise Failure("corrupt", f"a frame is shown for more than {LONGEST_FRAME} seconds")


def _check_end(path: Path, container: Any, stream: Any, packets: PacketTimes, end: float) -> None:
    """Raise `Failure` with the reason `truncated` when the end of a file is missing.

    That is when the container states that bytes with packets are missing, when the index of an MP4
    file lists packets that are missing, or when the packets of all streams end before the duration
    in the header. Sound and subtitles may outlast the picture, which ends where its track ends.

    end: of the picture, in seconds.
    """
    lack = missing(path)
    if not lack and container.format.flags & DISCONTINUOUS:
        return  # FFmpeg estimates the duration from the last packets
    start, reached = packets.all()
    declared = (container.duration or 0) / 1e6
    # Some programs write the time of the end, others the time since the start.
    shift = start if start < 0 or start >= declared else 0.0
    is_listed = is_mp4(container) and stream.duration
    first, track = _mp4_track(stream) if is_listed else (shift, _matroska_duration(stream))
    picture_ends_early = end - first < track - _tolerance(track, lack)
    file_ends_early = reached - shift < declared - _tolerance(declared, lack)
    if lack and (lack.media or picture_ends_early or file_ends_early or not declared):
        raise Failure("truncated", f"{lack.bytes} bytes of its {lack.part} are missing")
    if picture_ends_early and is_mp4(container):
        raise Failure("truncated", f"the video ends at {end:.2f} s of {first + track:.2f} s")
    # Some programs add the start of a late stream to the duration in the header.
    if file_ends_early and (picture_ends_early or not track) and not has_all_packets(path):
        raise Failure("truncated", f"the last packet ends at {reached:.2f} s of {declared:.2f} s")


def _mp4_track(stream: Any) -> tuple[float, float]:
    """Seconds at which a track of an MP4 file starts, and its duration.

    FFmpeg returns the duration of a track that the index lists. Of one in fragments, which the
    index does not list, it returns the time of the end, unless an edit list delays the track.
    """
    start, duration = stream.start_time or 0, stream.duration
    if not stream.frames and start < duration:
        duration -= max(0, start)
    return float(start * stream.time_base), float(duration * stream.time_base)


def _matroska_duration(stream: Any) -> float:
    """Seconds to the end of a track by a tag; 0 without it."""
    tag = MATROSKA_DURATION.fullmatch(stream.metadata.get("DURATION", ""))
    return 3600 * int(tag[1]) + 60 * int(tag[2]) + float(tag[3]) if tag else 0.0


def _tolerance(duration: float, lack: Missing | None) -> float:
    """Seconds by which the last packets may end before a duration; many headers are inexact."""
    return 0.1 if lack else min(1.0, 0.05 * duration)


def _flags(
    appearance: Appearance,
    clock: FrameClock,
    packets: PacketTimes,
    container: Any,
    stream: Any,
    first: float,
) -> tuple[str, ...]:
    """first: time of the first frame."""
    flags = {*clock.flags, *appearance.flags}
    own = packets.of(stream.index)
    if own and "discontinuity" not in flags:
        _, reached = packets.all()
        if reached - own[1] > _tolerance(reached - own[0], None):
            flags.add("picture_ends_early")
    # An edit list hides the first frames on purpose; without right times nothing can be said.
    if own and not clock.flags and not is_mp4(container):
        late = first - clock.near(own[0], first)
        flags |= {"starts_undecodable"} if late > clock.step / 2 else set()
    return tuple(flag for flag in FLAGS if flag in flags)


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
    return len(stamps) == len(times) and np.allclose(stamps, times, rtol=1e-7, atol=TIE / 8)
