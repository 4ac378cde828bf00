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
from trailers12k.video.sound import SampleReader
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

SHORTEST_PIECE = 1 << 14
"""Samples of a piece, per channel, unless the sound ends or another kind follows."""

TOLERANCE = 0.03
"""Seconds by which a timestamp may differ from the end of the samples before it: containers round
times, to milliseconds and more."""


@dataclass(frozen=True)
class Piece:
    """Decoded sound.

    samples: float32 (channels, samples), from -1 to 1; within this module as they are stored.
    rate: samples per second. layout: FFmpeg's name of the channels' places. time: of the first
    sample, in seconds from the first frame that is shown. A piece begins where the one before
    ended, or after a gap.
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


def _joined(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same sound in fewer pieces: those of a codec are so short that each costs more than its
    samples."""
    parts: list[Piece] = []
    samples = 0
    for piece in pieces:
        last = parts[-1] if parts else piece
        if samples >= SHORTEST_PIECE or last is not piece and not _follows(piece, last):
            yield _one(parts)
            parts, samples = [], 0
        parts.append(piece)
        samples += piece.samples.shape[1]
    if parts:
        yield _one(parts)


def _follows(piece: Piece, last: Piece) -> bool:
    same = piece.rate == last.rate and piece.layout == last.layout
    alike = len(piece.samples) == len(last.samples) and piece.samples.dtype == last.samples.dtype
    return same and alike and piece.time == last.end


def _one(parts: list[Piece]) -> Piece:
    first = parts[0]
    samples = _normalised(np.concatenate([part.samples for part in parts], axis=1))
    return Piece(samples, first.rate, first.layout, first.time)


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
        self._reader = SampleReader()
        self._recording, self._overlaps = 0, False

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
            recording, time = self._clock.recording_of(frame, frame.samples / rate)
            samples = self._reader.read(frame)
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
            self._overlaps = self._overlaps or waiting.recording > self._recording
            self._recording = waiting.recording
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
        before, its time is wrong. Of another recording all is left out that would be heard together
        with the end of the last one.
        """
        if self._end is None:
            self._end = 0.0 if time is None else time
        if time is None:
            time, self._lost = self._end + self._lost, 0.0
        early = self._end - time
        samples = piece.samples
        self._overlaps = self._overlaps and 0 < early <= FORWARD
        if self._overlaps:
            samples = samples[:, round(early * piece.rate) :]
        elif TOLERANCE < early <= BACK:
            samples = samples[:, min(round(early * piece.rate), samples.shape[1] // 2) :]
        if early > -TOLERANCE:
            time = self._end
        self._end = time + samples.shape[1] / piece.rate
        return Piece(samples, piece.rate, piece.layout, time)


def _normalised(values: np.ndarray) -> np.ndarray:
    """Stored samples as float32 from -1 to 1, finite."""
    if values.dtype.kind == "u":
        return (values.astype(np.float32) - 128) / 128
    if values.dtype.kind == "i":
        return values.astype(np.float32) / -float(np.iinfo(values.dtype).min)
    return np.nan_to_num(np.clip(values, -1, 1), copy=False).astype(np.float32, copy=False)
