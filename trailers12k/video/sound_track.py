"""Reads the sound of a video at requested seconds, on the clock of its frames.

Reads video files with PyAV. Must not know what the sound is for.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import av
import numpy as np

from trailers12k.common.errors import Failure
from trailers12k.video.no_sound import NO_SOUND, SILENT
from trailers12k.video.sound import AUDIBLE
from trailers12k.video.sound_decoding import Piece, decoded_sound

MOST_CONTEXT = 30.0
"""Most seconds that a span may reach beyond the end of the trailer; `context` in the settings."""

MARGIN = 0.1
"""Seconds of sound that are read beyond the longest span: a resampler needs what follows."""


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
    path: str | Path, wanted: Mapping[str, Listening], end: float
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield a name and the samples of its next span, float32 (samples,), mono, from -1 to 1.

    end: of the trailer, in seconds. What can be heard until then, and how much of it is damaged,
    decide about all spans alike: no result depends on what else is wanted.

    One pass over the sound serves all. Channels are averaged. A span has
    `round(end * rate) - round(start * rate)` samples; where the video has no sound they are 0.
    Memory depends on the longest span, not on the video.

    Raises `Failure` with the reason `NO_SOUND`; for a silent video after the last span.
    """
    ears = [_Ear(rate, wanted) for rate in dict.fromkeys(each.rate for each in wanted.values())]
    peak = 0.0
    for piece in decoded_sound(path, end + MOST_CONTEXT + MARGIN):
        mono = piece.samples.mean(0, dtype=np.float32)
        peak = max(peak, _peak(mono, piece, end))
        for ear in ears:
            yield from ear.add(mono, piece.rate, piece.time)
    for ear in ears:
        yield from ear.finish()
    if peak < AUDIBLE:
        raise Failure(NO_SOUND, SILENT)


def _peak(mono: np.ndarray, piece: Piece, end: float) -> float:
    """The greatest absolute sample between the first shown frame and the end of the trailer."""
    first, last = (max(0, ceil((time - piece.time) * piece.rate)) for time in (0.0, end))
    return float(np.abs(mono[first:last]).max(initial=0))


class _Ear:
    """Hears all spans at one rate."""

    def __init__(self, rate: int, wanted: Mapping[str, Listening]):
        self._resampled = _Resampled(rate)
        self._windows = {name: _Windows(each) for name, each in wanted.items() if each.rate == rate}

    def add(self, samples: np.ndarray, rate: int, time: float) -> Iterator[tuple[str, np.ndarray]]:
        for first, made in self._resampled.add(samples, rate, time):
            yield from self._cut(first, made)

    def finish(self) -> Iterator[tuple[str, np.ndarray]]:
        for first, made in self._resampled.rest():
            yield from self._cut(first, made)
        for name, windows in self._windows.items():
            for window in windows.finish():
                yield name, window

    def _cut(self, first: int, samples: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        for name, windows in self._windows.items():
            for window in windows.add(first, samples):
                yield name, window


class _Resampled:
    """Sound at another rate: pieces of it with the number of their first sample from the origin."""

    def __init__(self, rate: int):
        self._rate = rate
        self._resampler: Any = None
        self._source_rate = 0
        self._position = 0
        self._expected = 0.0

    def add(self, samples: np.ndarray, rate: int, time: float) -> Iterator[tuple[int, np.ndarray]]:
        """Take the next samples; time: of the first, in seconds."""
        # Sums of times are rounded.
        if rate != self._source_rate or abs(time - self._expected) > 0.5 / rate:
            yield from self.rest()
            self._resampler = av.AudioResampler(format="fltp", layout="mono", rate=self._rate)
            self._source_rate, self._position = rate, round(time * self._rate)
        self._expected = time + len(samples) / rate
        if not len(samples):
            return
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate = rate
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

    def finish(self) -> Iterator[np.ndarray]:
        """Yield the spans that are left when the sound has ended."""
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
