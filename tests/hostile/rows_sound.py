"""Hostile sound in files whose pictures are in order."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.hostile.inputs import HostileInput
from trailers12k.video.sound_measures import measure_sound
from trailers12k.video.sound_track import Listening, read_sound

SECONDS, RATE = 4, 8000
BOUND = "1,000 to 768,000 samples per second, 8,000,000 of all channels"


def _wave() -> np.ndarray:
    return np.sin(np.arange(SECONDS * RATE) / 3)[None]


def _film(path: Path, wave: np.ndarray, form: str, times: range | None = None) -> Path:
    """Black frames with mono PCM. times: of the packets of sound in seconds; None for their own."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("mpeg4", rate=4)
        video.width, video.height = 64, 48
        sound = output.add_stream("pcm_s16le" if form == "s16" else "pcm_f32le", rate=RATE)
        sound.codec_context.format, sound.codec_context.layout = form, "mono"
        black = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")
        packets = [packet for _ in range(4 * SECONDS) for packet in video.encode(black)]
        frame = av.AudioFrame.from_ndarray(wave, form, "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        for packet in (*packets, *video.encode(None)):
            output.mux(packet)
        for packet in (*sound.encode(frame), *sound.encode(None)):
            for second in times or [0]:
                packet.pts = packet.dts = second * RATE
                output.mux(packet)
    return path


def _claiming(channels: int, rate: int) -> HostileInput:
    def make(folder: Path) -> Path:
        wave = (20_000 * _wave()).astype(np.int16)
        path = _film(folder / "sound.avi", wave, "s16")
        own = struct.pack("<HHI", 1, 1, RATE)
        claimed = struct.pack("<HHI", 1, channels, rate)
        path.write_bytes(path.read_bytes().replace(own, claimed))
        return path

    claim = f"{channels:,} channels" if channels > 2 else f"{rate:,} samples per second"
    return HostileInput("sound", f"that claims {claim}", make, _hear, "no_sound: ", BOUND)


def _hear(path: Path) -> None:
    """Both readers of sound. Raises what they raise, and where a sample is not finite."""
    heard = read_sound(path, {"": Listening(16_000, [(i, i + 1) for i in range(SECONDS)])}, SECONDS)
    assert all(np.isfinite(samples).all() for _, samples in heard)
    assert np.isfinite(measure_sound(path, SECONDS).peak)


def _odd(name: str, value: float, answer: str) -> HostileInput:
    def make(folder: Path) -> Path:
        wave = np.where(np.arange(SECONDS * RATE) % 3, value, 0.1 * (answer == ""))
        return _film(folder / "sound.mkv", wave[None].astype(np.float32), "flt")

    return HostileInput("sound", name, make, _hear, answer, "samples from -1 to 1")


def _endless(folder: Path) -> Path:
    wave = _wave()[:, :RATE].astype(np.float32)
    return _film(folder / "sound.mkv", wave, "flt", range(0, 360_000, 20))


ROWS = [
    _claiming(1, 10**9),
    _claiming(1, 1),
    _claiming(65_535, RATE),
    _odd("of samples that are no numbers", np.nan, "no_sound: silent"),
    _odd("of infinite samples", np.inf, ""),
    _odd("of samples of 3e38", 3e38, ""),
    HostileInput("sound", "that lasts a hundred hours", _endless, _hear, "", "the trailer's end"),
]
