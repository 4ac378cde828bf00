"""Decodes the sound of a video, piece by piece, on the clock of its frames.

Reads video files with PyAV. Must not know what the sound is for. What a file claims is not
believed: rates and channels have bounds, samples are finite, and times never fall.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError

from trailers12k.common.errors import Failure
from trailers12k.video.no_sound import NO_SOUND
from trailers12k.video.reader import DECODING_ERRORS, decode, video_stream
from trailers12k.video.sound_clock import SoundClock
from trailers12k.video.timing import BACK, FORWARD, FrameClock

MAX_DAMAGED = 0.5
"""Fraction of packets that cannot be decoded above which a sound is damaged. Up to it, silence
takes their place."""

RATES = 1000, 768_000
"""Least and most samples per second and channel. Studios record 384,000."""

MOST_SAMPLES = 8_000_000
"""Samples per second of all channels together: 41 channels of 192,000."""

LONGEST_PIECE = 1 << 16
"""Samples of a piece, per channel. A packet of uncompressed sound may hold all of a file."""

INSTANT = 1e-6
"""Seconds that are no gap: sums of times differ by less."""

JOINED_SAMPLES = 1 << 14
"""Samples from which on pieces are not joined any more. Codecs have packets of a thousand, each of
which would cost as much as this."""

TOLERANCE = 0.03
"""Seconds by which a timestamp may differ from the end of the samples before it: containers round
times, to milliseconds and more."""


@dataclass(frozen=True)
class Piece:
    """Decoded sound.

    samples: float32 (channels, samples), from -1 to 1. rate: samples per second. layout: FFmpeg's
    name of the channels' places. time: of the first sample, in seconds from the first frame that is
    shown. A piece begins where the one before ended, or after a gap.
    """

    samples: np.ndarray
    rate: int
    layout: str
    time: float

    @property
    def end(self) -> float:
        """The time after its last sample."""
        return self.time + self.samples.shape[1] / self.rate


def decoded_sound(path: str | Path, end: float) -> Iterator[Piece]:
    """Yield the sound of a video in order of time, of the track that players choose.

    end: seconds from the first frame that is shown after which nothing is needed.

    Raises `Failure` with the reason `NO_SOUND`: `no_track`, or `damaged` after the last piece where
    more than `MAX_DAMAGED` of the packets cannot be decoded. Where not even the first frame of the
    video can, with the reason `decode_failed`.
    """
    origin = _first_shown(path)
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            yield from _joined(_Decoder(container, origin).pieces(end))
    except DECODING_ERRORS as error:
        raise Failure(NO_SOUND, f"damaged: {error}") from error


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


def _joined(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Fewer, longer pieces of the same sound; its samples are finite, and from -1 to 1."""
    parts: list[Piece] = []
    count, end = 0, None
    for piece in pieces:
        is_next = parts and (piece.rate, piece.layout) == (parts[0].rate, parts[0].layout)
        if parts and not (is_next and abs(piece.time - parts[-1].end) < INSTANT):
            yield (joined := _as_one(parts, end))
            parts, count, end = [], 0, joined.end
        parts.append(piece)
        count += piece.samples.shape[1]
        if count >= JOINED_SAMPLES:
            yield (joined := _as_one(parts, end))
            parts, count, end = [], 0, joined.end
    if parts:
        yield _as_one(parts, end)


def _as_one(parts: list[Piece], end: float | None) -> Piece:
    """Pieces that follow each other. end: of the piece before them."""
    first = parts[0]
    samples = np.concatenate([part.samples for part in parts], 1)
    # Exactly, as sums of other terms are not.
    time = end if end is not None and abs(end - first.time) < INSTANT else first.time
    finite = np.nan_to_num(np.clip(samples, -1, 1), copy=False)
    return Piece(finite, first.rate, first.layout, time)


@dataclass(frozen=True)
class _Waiting:
    """A piece whose `time` is that of its recording; None where the file has none."""

    piece: Piece
    recording: int
    is_timed: bool


class _Decoder:
    """Decodes the sound of an open file and puts its pieces one after the other."""

    def __init__(self, container: Any, origin: float):
        self._stream = container.streams.best("audio")
        if self._stream is None or self._stream.codec_context is None:
            raise Failure(NO_SOUND, "no_track: the file has no sound that can be decoded")
        video = video_stream(container)
        self._clock = SoundClock(container, video, origin)
        self._container = container
        self._streams = [self._stream, *([video] if self._clock.is_broadcast else [])]
        self._waiting: deque[_Waiting] = deque()
        self._end: float | None = None
        self._faults = self._decoded = 0
        self._lost = 0.0

    def pieces(self, end: float) -> Iterator[Piece]:
        """See `decoded_sound`."""
        for packet in self._container.demux(self._streams):
            if packet.stream.index != self._stream.index:
                self._clock.add_video(packet)
                continue
            self._decode(packet)
            for piece in self._placed():
                yield piece
                if piece.end >= end:
                    return self._check()
        while self._waiting:
            self._give_up()
            yield from self._placed()
        return self._check()

    def _check(self) -> None:
        tried = self._faults + self._decoded
        if not self._decoded or self._faults > MAX_DAMAGED * tried:
            raise Failure(
                NO_SOUND, f"damaged: {self._faults} of {tried} packets of sound cannot be decoded"
            )

    def _decode(self, packet: Any) -> None:
        """Add what a packet holds to what waits for its place."""
        try:
            frames = packet.decode()
        except FFmpegError:
            self._faults += 1
            self._lost += float((packet.duration or 0) * packet.time_base)
            return
        for frame in frames:
            rate, channels = frame.sample_rate, frame.layout.nb_channels
            if not (RATES[0] <= rate <= RATES[1] and 0 < channels * rate <= MOST_SAMPLES):
                self._faults += 1
                continue
            self._decoded += 1
            samples = _channels(frame)
            recording, time = self._clock.recording_of(frame, samples.shape[1] / rate)
            for first in range(0, samples.shape[1], LONGEST_PIECE):
                part = samples[:, first : first + LONGEST_PIECE]
                begins = (time or 0.0) + first / rate
                piece = Piece(part, rate, frame.layout.name, begins)
                self._waiting.append(_Waiting(piece, recording, time is not None))

    def _placed(self) -> Iterator[Piece]:
        """The waiting pieces whose place is known."""
        while self._waiting:
            offset = self._clock.offset(self._waiting[0].recording)
            if offset is None:
                held = sum(each.piece.samples.shape[1] / each.piece.rate for each in self._waiting)
                if held <= FORWARD:
                    return
                self._give_up()
                continue
            waiting = self._waiting.popleft()
            own = waiting.piece.time + offset if waiting.is_timed else None
            yield self._continued(waiting.piece, own)

    def _give_up(self) -> None:
        """Let a recording follow of which no frames came."""
        first = self._waiting[0]
        if self._clock.offset(first.recording) is None:
            offset = (self._end or 0.0) - first.piece.time if first.is_timed else 0.0
            self._clock.give_up(first.recording, offset)

    def _continued(self, piece: Piece, time: float | None) -> Piece:
        """The next piece, at its own time unless that is where the last one ended, or before.

        Of one that begins before, as much is left out, but no more than half; where it is far
        before, its time is wrong.
        """
        if self._end is None:
            self._end = 0.0 if time is None else time
        if time is None:
            time, self._lost = self._end + self._lost, 0.0
        early = self._end - time
        samples = piece.samples
        if TOLERANCE < early <= BACK:
            samples = samples[:, min(round(early * piece.rate), samples.shape[1] // 2) :]
        if early > -TOLERANCE:
            time = self._end
        self._end = time + samples.shape[1] / piece.rate
        return Piece(samples, piece.rate, piece.layout, time)


def _channels(frame: Any) -> np.ndarray:
    """The samples of a frame, float32 (channels, samples); full scale is from -1 to 1."""
    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, frame.layout.nb_channels).T
    if values.dtype.kind == "u":
        return (values.astype(np.float32) - 128) / 128
    if values.dtype.kind == "i":
        return values.astype(np.float32) / -float(np.iinfo(values.dtype).min)
    if values.dtype == np.float64:  # which may hold what float32 cannot
        values = np.clip(values, -1, 1)
    return values.astype(np.float32, copy=False)
