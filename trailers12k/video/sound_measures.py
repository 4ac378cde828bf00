"""Measures the sound of a trailer: its loudness, peak and silence, and its waveform.

Reads a video through `sound_decoding`. Must not know the job around it, nor its files: the code
version of the stage `sound` is the hash of this module and of what it imports.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, log10
from pathlib import Path
from typing import Any

import av
import numpy as np

from trailers12k.common.errors import Failure
from trailers12k.video import waveforms
from trailers12k.video.no_sound import NO_SOUND
from trailers12k.video.sound import AUDIBLE
from trailers12k.video.sound_decoding import Piece, decoded_sound

BLOCK = 0.1
"""Seconds of the blocks of which `silence` counts those that are silent."""

QUIET = -60.0
"""Decibels below the full scale of a block's root mean square, below which it is silent."""

MOST_CHANNELS = 8
"""Channels of which the standard weighs each by its place; of more the mean is measured."""

LEAST_RATE = 8000
"""Samples per second of sound whose loudness is measured: at lower rates the standard's filter,
which lifts frequencies above 2 kHz, is not stable."""

ABSOLUTE_GATE, RELATIVE_GATE = -70.0, -10.0
"""ITU-R BS.1770-4, annex 1: blocks count that are louder than this in LUFS, and than so many units
more than the mean of these."""


@dataclass(frozen=True)
class SoundMeasures:
    """The sound of a trailer from its first shown frame to its end.

    loudness: integrated, in LUFS, by ITU-R BS.1770-4; None where no block passes its gates, and for
        sound of less than `LEAST_RATE`.
    peak: the greatest absolute sample in decibels of the full scale.
    silence: share of the trailer's blocks that are silent.
    waveform: uint8 (n,), the greatest absolute sample of each 1 / `waveforms.PER_SECOND` of a
        second, where 255 is the full scale.
    """

    loudness: float | None
    peak: float
    silence: float
    waveform: np.ndarray


def measure_sound(path: str | Path, duration: float) -> SoundMeasures:
    """Measure the sound of a trailer of `duration` seconds.

    Where the trailer has no sound of its own, as before a late start, it is silent.

    Raises `Failure` as `decoded_sound` does, and with the reason `NO_SOUND` where nothing is
    `AUDIBLE`.
    """
    energy = np.zeros(_steps(duration, BLOCK))
    peaks = np.zeros(_steps(duration, 1 / waveforms.PER_SECOND))
    meter = _LoudnessMeter()
    for piece in decoded_sound(path, duration):
        heard = _part(piece, duration)
        if heard.samples.size:
            if heard.rate >= LEAST_RATE:
                meter.add(heard)
            _gather(energy, np.square(heard.samples).mean(0) / heard.rate, heard, BLOCK, np.add)
            step = 1 / waveforms.PER_SECOND
            _gather(peaks, np.abs(heard.samples).max(0), heard, step, np.maximum)
    peak = float(peaks.max())
    if peak < AUDIBLE:
        raise Failure(NO_SOUND, "silent: nothing can be heard")
    lengths = np.diff(np.append(np.arange(len(energy)) * BLOCK, duration))
    silent = energy < lengths * 10 ** (QUIET / 10)
    return SoundMeasures(
        integrated(meter.blocks()),
        20 * log10(peak),
        float(silent.mean()),
        np.round(peaks * 255).astype(np.uint8),
    )


def integrated(blocks: Sequence[float]) -> float | None:
    """The loudness of a programme from that of its blocks, both in LUFS; None if none counts."""
    values = np.asarray(blocks, float)
    values = values[np.isfinite(values) & (values > ABSOLUTE_GATE)]
    if not values.size:
        return None
    gate = _mean(values) + RELATIVE_GATE
    return _mean(values[values > gate])


def _mean(loudness: np.ndarray) -> float:
    return 10 * log10(float(np.mean(10 ** (loudness / 10))))


def _part(piece: Piece, duration: float) -> Piece:
    """What lies between the first shown frame and the trailer's end."""
    first = max(0, ceil(-piece.time * piece.rate))
    last = max(0, ceil((duration - piece.time) * piece.rate))
    time = piece.time + first / piece.rate
    return Piece(piece.samples[:, first:last], piece.rate, piece.layout, time)


def _steps(duration: float, step: float) -> int:
    return max(1, ceil(duration / step - 1e-6))


def _gather(
    totals: np.ndarray, values: np.ndarray, piece: Piece, step: float, operation: np.ufunc
) -> None:
    """Add the values of a piece's samples to those of the steps of time in which they lie.

    totals: (steps,), changed. values: (samples,).
    """
    times = piece.time + np.arange(len(values)) / piece.rate
    cells = np.minimum((times / step + 1e-9).astype(int), len(totals) - 1)
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    own = cells[starts]
    totals[own] = operation(totals[own], operation.reduceat(values, starts))


class _LoudnessMeter:
    """Measures the loudness of blocks of 0.4 s, every 0.1 s, with FFmpeg's filter `ebur128`."""

    def __init__(self) -> None:
        self._blocks: list[float] = []
        self._graph: Any = None
        self._form: tuple[int, str] | None = None

    def add(self, piece: Piece) -> None:
        """Measure the next piece."""
        samples, layout = _laid_out(piece)
        if self._form != (piece.rate, layout):
            self._finish()
            self._form = piece.rate, layout
            self._graph = _graph(piece.rate, layout)
        # PyAV makes no frame of eight planes.
        packed = np.ascontiguousarray(samples.T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
        frame.sample_rate = piece.rate
        self._graph.push(frame)
        self._pull()

    def blocks(self) -> list[float]:
        """The loudness of all blocks, in LUFS."""
        self._finish()
        return self._blocks

    def _finish(self) -> None:
        if self._graph is not None:
            self._graph.push(None)
            self._pull()
            self._graph = None

    def _pull(self) -> None:
        while True:
            try:
                measured = self._graph.pull().metadata
            except (BlockingIOError, EOFError):
                return
            # Below the gate until the first block is whole.
            self._blocks.append(float(measured.get("lavfi.r128.M", "-inf")))


def _graph(rate: int, layout: str) -> Any:
    graph = av.filter.Graph()
    source = graph.add_abuffer(
        sample_rate=rate, format="flt", layout=layout, time_base=Fraction(1, rate)
    )
    meter, sink = graph.add("ebur128", "metadata=1"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    return graph


def _laid_out(piece: Piece) -> tuple[np.ndarray, str]:
    """The samples of a piece and the layout of their channels; of an unknown one their mean."""
    if len(piece.samples) <= MOST_CHANNELS:
        with suppress(ValueError):
            if av.AudioLayout(piece.layout).nb_channels == len(piece.samples):
                return piece.samples, piece.layout
    return piece.samples.mean(0, keepdims=True), "mono"
