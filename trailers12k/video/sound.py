"""What a video's sound track is, and whether it can be heard.

Reads packets of an open file. Must not know what the sound is used for.
"""

from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.error import FFmpegError

AUDIBLE = 0.001
"""Part of the full scale, -60 dB, that the loudest sample of an audible track reaches. Encoders
turn digital silence into noise of up to -80 dB."""


@dataclass(frozen=True)
class Sound:
    """Properties of a sound track.

    codec: FFmpeg's name. channels: their number. rate: samples per second. duration: seconds from
    the first packet to the end of the last. silent: whether samples can be decoded, and none is
    `AUDIBLE`; a track that cannot be decoded is damaged, not silent.
    """

    codec: str
    channels: int
    rate: int
    duration: float
    silent: bool


MOST_PLANES = 7
"""Channels of a frame with a plane for each, up to which PyAV reads it. Where there are more it
reads beyond the last, to the first address that happens to be 0."""


class SampleReader:
    """Reads the samples of decoded frames, of any number of channels."""

    def __init__(self) -> None:
        self._form: tuple[str, str, int] | None = None
        self._packer: Any = None

    def read(self, frame: Any) -> np.ndarray:
        """The samples as they are stored: (channels, samples)."""
        channels = frame.layout.nb_channels
        if frame.format.is_planar and channels <= MOST_PLANES:
            return frame.to_ndarray()
        frames = self._packed(frame) if frame.format.is_planar else [frame]
        values = [each.to_ndarray().reshape(-1, channels).T for each in frames]
        return np.concatenate(values, axis=1)

    def _packed(self, frame: Any) -> list[Any]:
        """The same samples in one plane."""
        form = frame.format.packed.name, frame.layout.name, frame.sample_rate
        if form != self._form:
            self._form, self._packer = form, av.AudioResampler(*form)
        frame.pts = None
        return self._packer.resample(frame)


class SoundMeter:
    """Measures the sound track that players choose, packet by packet.

    Decodes no more than it takes to find an audible sample: of most trailers the first second.
    """

    def __init__(self, container: Any):
        self._stream = container.streams.best("audio")
        context = self._stream.codec_context if self._stream else None
        self._codec = context.codec.canonical_name if context else "unknown"
        self._channels = context.layout.nb_channels if context else 0
        self._rate = context.sample_rate or 0 if context else 0
        self._silent, self._decodes = True, context is not None
        self._decoded = False
        self._reader = SampleReader()

    @property
    def index(self) -> int | None:
        """The number of the measured stream in the file; None without one."""
        return self._stream.index if self._stream else None

    def add(self, packet: Any) -> None:
        """Measure the next packet of the file, which may be of another stream."""
        if not (self._decodes and self._silent) or packet.stream.index != self.index:
            return
        try:
            for frame in packet.decode():
                # The decoder knows better than the file's header, as with HE-AAC.
                self._channels, self._rate = frame.layout.nb_channels, frame.sample_rate
                self._decoded = True
                self._silent = self._silent and not _is_audible(self._reader.read(frame))
        except (FFmpegError, LookupError, ValueError, ArithmeticError, MemoryError):
            return  # damaged sound does not make a video unusable

    def sound(self, span: tuple[float, float] | None) -> Sound | None:
        """The measured track; None without one. span: its start and end in seconds."""
        if self._stream is None:
            return None
        start, end = span or (0.0, 0.0)
        silent = self._silent and self._decoded
        return Sound(self._codec, self._channels, self._rate, end - start, silent)


def _is_audible(samples: np.ndarray) -> bool:
    if samples.dtype.kind == "u":
        samples = samples.astype(np.int16) - 128  # unsigned samples have 8 bits
        full = 128.0
    else:
        full = 1.0 if samples.dtype.kind == "f" else float(np.iinfo(samples.dtype).max)
    loud = np.abs(samples.astype(np.float32)) >= AUDIBLE * full  # NaN is not
    return bool(loud.any())
