"""A trailer with clips, for tests of features. Must not import torch."""

from pathlib import Path

import av
import numpy as np

from trailers12k.common.files import sha256_of
from trailers12k.video.clips import Clip

SETTINGS = {"fps": 24, "fpc": 24, "detector": "adaptive", "min_shot": 6, "keep": 0.5}
CUT = [Clip(0, 0, 0.0, 1.0), Clip(1, 0, 1.0, 2.0), Clip(2, 1, 2.0, 2.5)]


RATE = 16_000
"""Samples a second of a trailer's sound."""


def write_trailer(path: Path, loudness: float | None = None) -> Path:
    """2.5 s at 24 fps: moving coloured squares, others in the last half second.

    loudness: the peak of its sound, which changes with the squares; None without a sound track.
    """
    random = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        sound = (
            container.add_stream("aac", rate=RATE, layout="mono") if loudness is not None else None
        )
        stream.width, stream.height, stream.pix_fmt = 192, 108, "yuv420p"
        for i in range(60):
            if i in (0, 48):
                squares = random.integers(0, 255, (6, 6, 3), np.uint8)
                picture = np.kron(squares, np.ones((18, 32, 1), np.uint8))
            pixels = np.ascontiguousarray(np.roll(picture, 3 * i, 1))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
        if sound:
            times = np.arange(int(2.5 * RATE)) / RATE
            wave = loudness * np.sin(2 * np.pi * np.where(times < 2, 440, 1760) * times)
            frame = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), "fltp", "mono")
            frame.sample_rate = RATE
            container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
    return path


def row_of(mid: str, path: Path) -> dict[str, str]:
    sha256 = sha256_of(path)
    return {"mid": mid, "status": "ok", "file": str(path), "sha256": sha256, "decoder": "pyav"}


def content(folder: Path) -> dict[str, bytes]:
    """The files of all stores `s.zarr` in the folders of a folder, by their paths in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.glob("*/s.zarr/**/*"))
        if path.is_file()
    }
