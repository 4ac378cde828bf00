"""Open a video, find what is wrong with it, read RGB frames at asked times.

Reads video files. Must not know what the frames are for. The only module that knows decord and
PyAV: decord reads what both read alike, PyAV the rest (AV1, edit lists, rotation, damaged frames,
several streams, long files) and everything where decord has no wheel. On a file that `probe` gives
to decord, both return the same bits at full size if it has 8 bits, even sides and square pixels;
else, and when they resize, they differ by rounding.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter

from trailers12k.common.errors import Failure

SENSELESS = (FFmpegError, LookupError, ValueError, ArithmeticError, MemoryError)
"""What PyAV raises on data that make no sense."""

TIE = 1e-3
"""Seconds. decord's timestamps are float32: of two frames nearly equally near, the first is taken,
so that rounding never decides."""


def read_frames(
    path: str | Path, decoder: str, times: Iterable[float], size: int | None = None
) -> Iterator[np.ndarray]:
    """RGB frames, uint8 (H, W, 3), at the asked times, one for each.

    The file is read straight through and one frame is held at a time: seeking does not pay, and a
    whole 720p trailer takes 2 GB.

    decoder: `Probe.decoder`. Where decord is not installed PyAV reads instead.
    times: seconds from the first frame (of those at or after 0), ascending; each gives the frame
        nearest by presentation time, so a frame may repeat; past the end, the last frame.
    size: the shorter side of the frames in pixels, the aspect kept; a smaller video is not
        enlarged. None for the video's own size. Pixels that are not square are made so.

    Raises `Failure`: `decode_failed`, or `not_video` as `probe` does.
    """
    decord = _decord() if decoder == "decord" else None
    source = _read_decord(decord, path, times, size) if decord else _read_pyav(path, times, size)
    try:
        yield from source
    except SENSELESS as error:
        raise Failure("decode_failed", getattr(error, "strerror", None) or str(error)) from error


def _read_pyav(path: str | Path, times: Iterable[float], size: int | None) -> Iterator[np.ndarray]:
    with av.open(str(path), metadata_errors="replace") as container:
        stream = _video_stream(container)
        width, height = _scaled(*_displayed(stream), size)
        stamped = _sound(_decode(container, stream))
        shown, image = None, None
        # One for all frames and on one thread: `frame.reformat` starts threads for every frame.
        scaler = VideoReformatter()
        for frame in _nearest(stamped, times):
            if frame is not shown:
                # FFmpeg's bilinear scaler averages over all source pixels when it shrinks.
                rgb = scaler.reformat(
                    frame, width, height, "rgb24", interpolation="BILINEAR", threads=1
                )
                shown = frame
                image = np.ascontiguousarray(np.rot90(rgb.to_ndarray(), frame.rotation // 90))
            yield image


def _read_decord(
    decord: Any, path: str | Path, times: Iterable[float], size: int | None
) -> Iterator[np.ndarray]:
    with av.open(str(path), metadata_errors="replace") as container:
        width, height = _scaled(*_displayed(_video_stream(container)), size)
    try:
        video = decord.VideoReader(str(path), num_threads=1, width=width, height=height)
        stamps = video.get_frame_timestamp(range(len(video)))[:, 0].astype(float)
        position, image = -1, None
        for index in _nearest(zip(stamps - stamps[0], range(len(video)), strict=True), times):
            if position < index:
                # Not skip_frames: it loses count where the frame rate varies.
                while position < index:
                    frame = video.next()
                    position += 1
                # decord takes a padded row of some narrow frames for further channels.
                flat = frame.asnumpy().reshape(height, -1)
                image = np.ascontiguousarray(flat[:, : 3 * width]).reshape(height, width, 3)
            yield image
    except (decord.DECORDError, RuntimeError, StopIteration, AssertionError) as error:
        raise Failure("decode_failed", str(error).splitlines()[0] if str(error) else "") from error


def _sound(frames: Iterable[tuple[Any, bool]]) -> Iterator[tuple[float, Any]]:
    """The times and frames that can be shown. The first time counts even if its frame does not: it
    is the origin of all others."""
    origin = None
    for frame, damaged in frames:
        if frame is None or frame.time is None or frame.time < 0:
            continue
        if origin is None:
            origin = frame.time
        if not damaged:
            yield frame.time - origin, frame


def _nearest(stamped: Iterable[tuple[float, Any]], times: Iterable[float]) -> Iterator[Any]:
    """For each time the item nearest to it; `stamped` ascends."""
    stamped = iter(stamped)
    current, following = next(stamped, None), next(stamped, None)
    if current is None:
        raise Failure("decode_failed", "no frame can be decoded")
    for at in times:
        while following and following[0] - at < at - current[0] - TIE:
            current, following = following, next(stamped, None)
        yield current[1]


def _decode(container: Any, stream: Any) -> Iterator[tuple[Any, bool]]:
    """The frames of a stream in the order of presentation, and whether each is damaged.

    None stands for a packet that cannot be decoded. FFmpeg marks the frame in which it finds the
    damage; those made from it look as bad, up to the next key frame. A clock that goes back (two
    recordings in one file, H.264 in AVI) is damage too: when to show such a frame is not known.
    """
    # The jobs of a run share the cores; more threads in one of them gain nothing.
    stream.codec_context.thread_count = 1
    damaged, latest = False, 0.0
    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except FFmpegError:
                frames = [None]
            for frame in frames:
                if frame is None or frame.is_corrupt:
                    damaged = True
                elif frame.key_frame:
                    damaged = False
                time = None if frame is None else frame.time
                late = time is not None and 0 <= time < latest
                latest = max(latest, time or 0.0)
                yield frame, damaged or late
    except SENSELESS:  # the data end, or make no sense any more
        yield None, True


def _video_stream(container: Any) -> Any:
    """The first stream of moving pictures (not the cover of a sound track)."""
    cover = av.stream.Disposition.attached_pic
    stream = next((s for s in container.streams.video if not s.disposition & cover), None)
    if stream is None or container.format.name.endswith("_pipe"):
        raise Failure("not_video", f"no moving picture in this {container.format.name} file")
    if stream.codec_context is None:
        raise Failure("not_video", "no decoder knows this kind of video")
    return stream


def _displayed(stream: Any) -> tuple[int, int]:
    """Width and height in square pixels, before rotation. Both decoders know the stored ones only.

    A pixel more than four times as wide as high, or the reverse, is a damaged header.
    """
    aspect = stream.sample_aspect_ratio or 1
    return round(stream.width * (aspect if 0.25 <= aspect <= 4 else 1)), stream.height


def _scaled(width: int, height: int, size: int | None) -> tuple[int, int]:
    scale = min(1.0, size / min(width, height)) if size else 1.0
    return round(width * scale), round(height * scale)


def decoders() -> str:
    """Name and version of what reads videos here."""
    decord = _decord()
    return (f"decord {decord.__version__}, " if decord else "") + f"PyAV {av.__version__}"


def _decord() -> Any:
    """The decord module, or None: its wheels exist for x86-64 only."""
    try:
        import decord
    except (ImportError, OSError):
        return None
    decord.logging.set_level(decord.logging.FATAL)
    return decord
