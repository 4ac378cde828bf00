"""Reads the sound of a video at requested seconds, on the clock of its frames.

Reads video files with PyAV. Must not know what the sound is for.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError

from trailers12k.common.errors import Failure
from trailers12k.video.reader import DECODING_ERRORS, decode, video_stream
from trailers12k.video.sound import AUDIBLE
from trailers12k.video.timing import FrameClock

NO_SOUND = "no_sound"
"""The reason of `Failure` where a video has nothing to hear. `detail` begins with why: `no_track`,
`silent` or `damaged`."""

TOLERANCE = 0.03
"""Seconds by which a timestamp may differ from the end of the samples before it: containers round
times, to milliseconds and more."""


@dataclass(frozen=True)
class Listening:
    """What is heard of a video.

    rate: samples a second. spans: start and end in seconds from the first frame that is shown, as
    in clips.csv, by ascending starts; they may overlap, begin before the first frame, and end after
    the sound.
    """

    rate: int
    spans: Sequence[tuple[float, float]]


def read_sound(
    path: str | Path, wanted: Mapping[str, Listening]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield a name and the samples of its next span, float32 (samples,), mono, from -1 to 1.

    One pass over the sound serves all. Channels are averaged. A span has
    `round(end * rate) - round(start * rate)` samples; where the video has no sound they are 0.
    Memory depends on the longest span, not on the video.

    Raises `Failure` with the reason `NO_SOUND`; for a silent video after the last span.
    """
    origin = _first_shown(path)
    heard = {name: _Windows(each) for name, each in wanted.items()}
    resampled = {each.rate: _Resampled(each.rate) for each in wanted.values()}
    peak = 0.0
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            for piece in _pieces(container):
                for rate, own in resampled.items():
                    for first, samples in own.add(piece, origin):
                        for name, windows in heard.items():
                            if wanted[name].rate == rate:
                                for window in windows.add(first, samples):
                                    peak = max(peak, float(np.abs(window).max(initial=0)))
                                    yield name, window
    except DECODING_ERRORS as error:
        raise Failure(NO_SOUND, f"damaged: {error}") from error
    for rate, own in resampled.items():
        rest = own.rest()
        for name, windows in heard.items():
            if wanted[name].rate == rate:
                for window in windows.finish(rest):
                    peak = max(peak, float(np.abs(window).max(initial=0)))
                    yield name, window
    if peak < AUDIBLE:
        raise Failure(NO_SOUND, "silent: nothing can be heard")


@dataclass(frozen=True)
class _Piece:
    """Decoded sound: mono samples, their rate, and the time of the first in seconds."""

    samples: np.ndarray
    rate: int
    time: float | None


def _first_shown(path: str | Path) -> float:
    """The time of the first frame that is shown, on the file's clock. Raises `Failure`."""
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            stream = video_stream(container)
            for frame, time, _ in decode(container, stream, FrameClock(container, stream)):
                if frame is not None:
                    return time
    except DECODING_ERRORS as error:
        raise Failure("decode_failed", str(error)) from error
    raise Failure("decode_failed", "no frame can be decoded")


def _pieces(container: Any) -> Iterator[_Piece]:
    """The sound of an open file, frame by frame. Raises `Failure` where it has none."""
    stream = container.streams.best("audio")
    if stream is None or stream.codec_context is None:
        raise Failure(NO_SOUND, "no_track: the file has no sound that can be decoded")
    decoded = faults = 0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except FFmpegError:
            faults += 1
            continue
        for frame in frames:
            decoded += 1
            time = None if frame.pts is None else float(frame.pts * frame.time_base)
            yield _Piece(_mono(frame), frame.sample_rate, time)
    if not decoded:
        raise Failure(NO_SOUND, f"damaged: none of {faults} packets can be decoded")


def _mono(frame: Any) -> np.ndarray:
    """The mean of a frame's channels, float32 (samples,), from -1 to 1."""
    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, frame.layout.nb_channels).T
    if values.dtype.kind == "u":
        values = (values.astype(np.float32) - 128) / 128
    elif values.dtype.kind == "i":
        values = values.astype(np.float32) / -float(np.iinfo(values.dtype).min)
    return np.ascontiguousarray(values.mean(0, dtype=np.float32))


class _Resampled:
    """Sound at another rate: pieces of it with the number of their first sample from the origin."""

    def __init__(self, rate: int):
        self._rate = rate
        self._resampler: Any = None
        self._source_rate = 0
        self._position = 0
        self._expected = 0.0

    def add(self, piece: _Piece, origin: float) -> Iterator[tuple[int, np.ndarray]]:
        time = self._expected if piece.time is None else piece.time - origin
        if piece.rate != self._source_rate or abs(time - self._expected) > TOLERANCE:
            yield from self.rest()
            self._resampler = av.AudioResampler(format="fltp", layout="mono", rate=self._rate)
            self._source_rate = piece.rate
            self._position, self._expected = round(time * self._rate), time
        self._expected += len(piece.samples) / piece.rate
        frame = av.AudioFrame.from_ndarray(piece.samples[None], format="fltp", layout="mono")
        frame.sample_rate = piece.rate
        yield from self._made(frame)

    def rest(self) -> list[tuple[int, np.ndarray]]:
        """What the resampler still holds."""
        if self._resampler is None:
            return []
        rest = list(self._made(None))
        self._resampler = None
        return rest

    def _made(self, frame: Any) -> Iterator[tuple[int, np.ndarray]]:
        for made in self._resampler.resample(frame):
            samples = made.to_ndarray()[0]
            first = self._position
            self._position += len(samples)
            yield first, samples


class _Windows:
    """Cuts the spans of a `Listening` out of pieces of sound."""

    def __init__(self, listening: Listening):
        rate = listening.rate
        self._spans = deque(
            (round(start * rate), round(end * rate)) for start, end in listening.spans
        )
        self._pieces: deque[tuple[int, np.ndarray]] = deque()

    def add(self, first: int, samples: np.ndarray) -> Iterator[np.ndarray]:
        """Take the next piece; yield the spans that end in it."""
        end = first + len(samples)
        if not self._spans or end <= self._spans[0][0]:
            return
        self._pieces.append((first, samples))
        while self._spans and self._spans[0][1] <= end:
            yield self._cut()

    def finish(self, pieces: Sequence[tuple[int, np.ndarray]]) -> Iterator[np.ndarray]:
        """Take the last pieces; yield the spans that are left."""
        for piece in pieces:
            yield from self.add(*piece)
        while self._spans:
            yield self._cut()

    def _cut(self) -> np.ndarray:
        start, end = self._spans.popleft()
        window = np.zeros(end - start, np.float32)
        for first, samples in self._pieces:
            low, high = max(first, start), min(first + len(samples), end)
            if low < high:
                window[low - start : high - start] = samples[low - first : high - first]
        following = self._spans[0][0] if self._spans else end
        while self._pieces and self._pieces[0][0] + len(self._pieces[0][1]) <= following:
            self._pieces.popleft()
        return window
