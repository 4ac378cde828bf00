"""Videos whose frames carry their number as twelve black or white fields."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

FRAMES = 60


def coded(number: int, size: tuple[int, int] = (128, 72)) -> np.ndarray:
    """RGB, uint8 (H, W, 3): four fields by three, the lowest bit first."""
    width, height = size
    bits = np.array([number >> bit & 1 for bit in range(12)]).reshape(3, 4)
    rows, columns = np.arange(height) * 3 // height, np.arange(width) * 4 // width
    return np.repeat((25 + 205 * bits[rows][:, columns])[..., None], 3, 2).astype(np.uint8)


def number_of(frame: np.ndarray) -> int:
    height, width = frame.shape[:2]
    rows, columns = (2 * np.arange(3) + 1) * height // 6, (2 * np.arange(4) + 1) * width // 8
    fields = frame[rows][:, columns].mean(-1) > 127
    return int(sum(1 << bit for bit, white in enumerate(fields.ravel()) if white))


def render(
    path: Path,
    picture: str = "libx264",
    options: dict[str, str] | None = None,
    times: np.ndarray | None = None,
    fps: Fraction | int = 30,
    frames: int = FRAMES,
    sound: str | None = None,
    seconds: float = 0,
    loudness: float = 0.3,
    muxer: dict[str, str] | None = None,
    kind: str | None = None,
) -> Path:
    """Frame i shows its number at i / fps or at times[i] seconds, beside a tone of `seconds`."""
    with av.open(str(path), "w", format=kind, options=muxer or {}) as output:
        stream: Any = output.add_stream(picture, rate=fps, options={"g": "12"} | (options or {}))
        stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv420p"
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 90_000)
        tone = output.add_stream(sound, rate=48_000, layout="mono") if sound else None
        packets = []
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(coded(number), format="rgb24")
            frame.pts, frame.time_base = number, 1 / Fraction(fps)
            if times is not None:
                frame.pts, frame.time_base = round(times[number] * 90_000), Fraction(1, 90_000)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        packets += _tone(tone, seconds, loudness) if tone else []
        packets = [packet for packet in packets if packet.dts is not None]
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            output.mux(packet)
    return path


def _tone(stream: Any, seconds: float, loudness: float) -> list[Any]:
    rate, size = stream.rate, 1024
    kind = stream.codec_context.format.name
    packets = []
    for start in range(0, round(seconds * rate), size):
        wave = loudness * np.sin(2 * np.pi * 440 / rate * (start + np.arange(size)))[None]
        if not kind.startswith("flt"):
            top, whole = (2**31, np.int32) if kind.startswith("s32") else (2**15, np.int16)
            wave = (wave * (top - 1)).astype(whole)
        frame = av.AudioFrame.from_ndarray(
            wave.astype(np.float32) if kind.startswith("flt") else wave, kind, "mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        packets += stream.encode(frame)
    return packets + stream.encode(None)
