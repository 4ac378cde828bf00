"""Renders the small videos that several tests of `video` use."""

from pathlib import Path

import av
import numpy as np


def render_shots(path: Path, lengths: tuple[int, ...], rate: int = 24) -> Path:
    """Write shots of these lengths in frames: coloured squares that move by a pixel per frame."""
    random = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 192, 108, "yuv420p"
        for length in lengths:
            squares = random.integers(0, 255, (6, 6, 3), np.uint8)
            image = np.kron(squares, np.ones((18, 32, 1), np.uint8))
            for i in range(length):
                pixels = np.ascontiguousarray(np.roll(image, i, 1))
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path
