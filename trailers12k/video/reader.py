"""Reads RGB frames of a video at requested times.

Reads video files. Must not know what the frames are for. Only this module and `probe` use decord
and PyAV.

decord decodes the files on which both agree, PyAV all others (AV1, edit lists, damaged frames,
several streams, long files, what `picture.Appearance` does not call ordinary), and every file where
decord has no wheel. Of a file that `probe` assigns to decord both return the same bits at full size
if it has even sides and square pixels, and PyAV, which is cheaper, reads it in place of decord;
otherwise, and when they scale, they differ by rounding.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.error import FFmpegError

from trailers12k.common.errors import Failure
from trailers12k.video.picture import Bars, PictureConverter, deinterlaced, scaled, without_bars
from trailers12k.video.timing import FrameClock

DECODING_ERRORS = (FFmpegError, LookupError, ValueError, ArithmeticError, MemoryError)
"""What PyAV raises on damaged data."""

TIE = 8e-4
"""Seconds by which the distances of two frames must differ for the later one to be chosen. decord's
timestamps are float32; without this margin their rounding would decide. Distances to times on a
grid of 24 per second differ by multiples of a third of a millisecond in files that count
milliseconds, of which this is none."""


COVERS = (
    av.stream.Disposition.attached_pic
    | av.stream.Disposition.timed_thumbnails
    | av.stream.Disposition.still_image
    | av.stream.Disposition.dependent
)
"""Streams that are no film: covers, thumbnails, stills, and parts of another stream."""

PICTURE_CODECS = ("bmp", "gif", "jpeg2000", "mjpeg", "png", "tiff", "webp")
"""Codecs of a picture beside a film, which not every program marks as a cover."""


class DecodedFrame(NamedTuple):
    """A frame of `decode`.

    frame: PyAV's; None for a packet that cannot be decoded. time: seconds, by `FrameClock`.
    damaged: whether the frame, or one that it is predicted from, is damaged.
    """

    frame: Any
    time: float
    damaged: bool


def read_frames(
    path: str | Path,
    decoder: str,
    times: Iterable[float],
    size: int | None = None,
    bars: Bars | None = None,
) -> Iterator[np.ndarray]:
    """Yield one RGB frame, uint8 (H, W, 3), for each time.

    Reads straight through the file and holds one frame at a time: seeking is not faster, and a
    whole 720p trailer takes 2 GB. A frame that repeats is the same object.

    decoder: `Probe.decoder`. Where decord is not installed, PyAV decodes instead.
    times: ascending seconds from the first frame that is shown. Each yields the frame nearest in
        presentation time; after the end, the last frame.
    size: shorter side of the frames in pixels, with the aspect ratio kept. Smaller videos are not
        enlarged. None keeps the video's own size. Pixels that are not square become square.
    bars: what is cut off; `size` counts for the picture between them.

    Raises `Failure` with the reason `decode_failed`, or `not_video` as `probe` does.
    """
    decord = decord_module() if decoder == "decord" and (size or not _alike(path)) else None
    source = (
        _read_decord(decord, path, times, size, bars)
        if decord
        else _read_pyav(path, times, size, bars)
    )
    try:
        yield from source
    except DECODING_ERRORS as error:
        raise Failure("decode_failed", getattr(error, "strerror", None) or str(error)) from error


def _alike(path: str | Path) -> bool:
    """Whether PyAV returns the bits of decord at full size, for two thirds of its CPU time."""
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            stream = video_stream(container)
            width, height = stream.width, stream.height
            return (width, height) == displayed_size(stream) and not (width % 2 or height % 2)
    except DECODING_ERRORS:
        return False


def _read_pyav(
    path: str | Path, times: Iterable[float], size: int | None, bars: Bars | None
) -> Iterator[np.ndarray]:
    with av.open(str(path), metadata_errors="replace") as container:
        stream = video_stream(container)
        shown = displayed_size(stream)
        frames = _intact(decode(container, stream, FrameClock(container, stream)))
        first = list(islice(frames, 1))
        shown = shown if all(shown) else displayed_size(stream)
        pictures = PictureConverter(*shown, size, bars)
        stamped = deinterlaced(chain(first, frames))
        previous, image = None, np.empty(0, np.uint8)
        for frame in _nearest(stamped, times):
            if frame is not previous:
                previous, image = frame, pictures.convert(frame)
            yield image


def _read_decord(
    decord: Any, path: str | Path, times: Iterable[float], size: int | None, bars: Bars | None
) -> Iterator[np.ndarray]:
    with av.open(str(path), metadata_errors="replace") as container:
        width, height = scaled(*displayed_size(video_stream(container)), size, bars)
    try:
        video = decord.VideoReader(str(path), num_threads=1, width=width, height=height)
        stamps = video.get_frame_timestamp(range(len(video)))[:, 0].astype(float)
        position = -1
        image: np.ndarray = np.empty(0, np.uint8)
        for index in _nearest(zip(stamps - stamps[0], range(len(video)), strict=True), times):
            if position < index:
                # Not skip_frames, which miscounts where the frame rate varies.
                while position < index:
                    frame = video.next()
                    position += 1
                # decord returns the padding of some narrow frames' rows as further channels.
                flat = frame.asnumpy().reshape(height, -1)
                image = np.ascontiguousarray(flat[:, : 3 * width]).reshape(height, width, 3)
                image = without_bars(image, bars)
            yield image
    except (decord.DECORDError, RuntimeError, StopIteration, AssertionError) as error:
        raise Failure("decode_failed", str(error).splitlines()[0] if str(error) else "") from error


def _intact(frames: Iterable[DecodedFrame]) -> Iterator[tuple[float, Any]]:
    """The intact frames of `decode` with their times, which count from the first frame's, be it
    damaged or not."""
    origin = None
    for frame, time, damaged in frames:
        if frame is None:
            continue
        if origin is None:
            origin = time
        if not damaged:
            yield time - origin, frame


def _nearest(stamped: Iterable[tuple[float, Any]], times: Iterable[float]) -> Iterator[Any]:
    """For each time the item nearest to it; `stamped` ascends. Raises `Failure` without items."""
    stamped = iter(stamped)
    current, following = next(stamped, None), next(stamped, None)
    if current is None:
        raise Failure("decode_failed", "no frame can be decoded")
    for at in times:
        while following and following[0] - at < at - current[0] - TIE:
            current, following = following, next(stamped, None)
        yield current[1]


def decode(
    container: Any,
    stream: Any,
    clock: FrameClock,
    watch: Callable[[Any], None] | None = None,
) -> Iterator[DecodedFrame]:
    """Yield the frames of a stream in presentation order, but for those that an edit list hides.

    FFmpeg marks only the frame in which it detects damage; the frames predicted from it, up to the
    next key frame, are damaged too.

    watch: called with every packet of every stream.
    """
    # The jobs of a run share the cores, so more threads in one job gain nothing.
    stream.codec_context.thread_count = 1
    # FFmpeg removes what an edit list hides, but for files in fragments. No other format hides
    # frames by negative times.
    has_edit_lists = is_mp4(container)
    damaged = False
    try:
        for packet in container.demux() if watch else container.demux(stream):
            if watch:
                watch(packet)
                if packet.stream.index != stream.index:
                    continue
            try:
                frames = packet.decode()
            except FFmpegError:
                frames = [None]
            for frame in frames:
                if frame is None or frame.is_corrupt:
                    damaged = True
                elif frame.key_frame:
                    damaged = False
                time = 0.0 if frame is None else clock.time_of(frame)
                if time >= 0 or not has_edit_lists:
                    yield DecodedFrame(frame, time, damaged)
    except DECODING_ERRORS:  # the rest of the file is damaged
        yield DecodedFrame(None, 0.0, True)


def is_mp4(container: Any) -> bool:
    """Whether an open file is of the MP4 family."""
    return "mp4" in container.format.name.split(",")


def video_stream(container: Any) -> Any:
    """The video stream that players show.

    Not a cover or another picture, if there is one that moves; the one that is marked as the
    default; of several the largest, since the others are its low resolutions.

    Raises `Failure` with the reason `not_video` when there is none.
    """
    streams = [s for s in container.streams.video if not s.disposition & COVERS]
    if not streams or container.format.name.endswith("_pipe"):
        raise Failure("not_video", f"no video stream in this {container.format.name} file")
    stream = min(streams, key=_preference)
    if stream.codec_context is None:
        raise Failure("not_video", "no decoder for this codec")
    return stream


def _preference(stream: Any) -> tuple[bool, bool, bool, int]:
    """The lower, the more players prefer a stream; of equal ones the first."""
    context = stream.codec_context
    if context is None:
        return True, True, True, 0
    is_default = bool(stream.disposition & av.stream.Disposition.default)
    return False, context.name in PICTURE_CODECS, not is_default, -stream.width * stream.height


def displayed_size(stream: Any) -> tuple[int, int]:
    """Width and height in square pixels, before rotation; decoders report the stored size.

    To be called before decoding, which may change the size. Zeros where the first packets that
    FFmpeg reads do not state it; then another call after the first frame returns that frame's size.
    An aspect ratio of pixels beyond 1:4 or 4:1 comes from a damaged header and is ignored.
    """
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or 1
    return round(stream.width * (aspect if 0.25 <= aspect <= 4 else 1)), stream.height


def available_decoder(decoder: str) -> str:
    """The decoder that reads here in place of `decoder`: PyAV where decord is not installed."""
    return "pyav" if decoder == "decord" and decord_module() is None else decoder


def decoder_versions() -> str:
    """Names and versions of the decoders installed here, for the attributes of stores."""
    decord = decord_module()
    return (f"decord {decord.__version__}, " if decord else "") + f"PyAV {av.__version__}"


def decord_module() -> Any:
    """The module decord, or None where it is not installed: it has wheels for x86_64 only."""
    try:
        import decord
    except (ImportError, OSError):
        return None
    decord.logging.set_level(decord.logging.FATAL)
    return decord
