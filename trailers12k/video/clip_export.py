"""Cuts a clip out of a trailer, as a video file of exactly the clip's frames.

Reads the trailer, writes an MP4 file. Must not know which clip the user wants to see, or why.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from trailers12k.common.errors import UserError
from trailers12k.common.files import replacing
from trailers12k.video.clips import Clip, frame_times
from trailers12k.video.reader import read_frames

ENCODERS = {
    "libx264": ({"crf": "8"}, Colorspace.ITU709),
    "mpeg4": ({"qmin": "1", "qmax": "2"}, Colorspace.ITU601),
}
"""Encoders in order of preference, with options for a visually lossless picture and the colour
space: MPEG-4 Part 2 files do not record theirs, and FFmpeg assumes BT.601."""


def cut(
    trailer: str | Path,
    decoder: str,
    clip: Clip,
    output: str | Path,
    fps: float = 24,
    fpc: int = 24,
) -> int:
    """Write a clip's frames to an MP4 file without sound; returns their number, `fpc`.

    The frames are those that the features of the clip are computed from: at `frame_times`, padding
    included, in full size and at `fps` frames per second.

    decoder: `Probe.decoder`. fps, fpc: the ones that the clip was made with.

    Raises `Failure` when the trailer cannot be decoded, `UserError` when the file cannot be
    written.
    """
    frames = read_frames(trailer, decoder, frame_times(clip, fps, fpc))
    try:
        with replacing(output) as partial:
            return _encode(partial, frames, Fraction(fps).limit_denominator(1001))
    except OSError as error:
        raise UserError(f"{output} cannot be written: {error.strerror or error}") from error


def _encode(path: Path, frames: Iterator[np.ndarray], rate: Fraction) -> int:
    encoder = next(name for name in ENCODERS if name in av.codecs_available)
    options, colours = ENCODERS[encoder]
    first = next(frames)
    height, width = first.shape[:2]
    # libx264 halves the colours of even sizes only; players read 4:2:0 more widely than 4:4:4.
    odd = encoder == "libx264" and (height % 2 or width % 2)
    count = 0
    with av.open(str(path), "w", format="mp4") as container:
        stream: Any = container.add_stream(encoder, rate=rate, options=options)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv444p" if odd else "yuv420p"
        # Recorded, because players guess the colour space of other files by their size.
        stream.codec_context.colorspace = colours
        stream.codec_context.color_range = ColorRange.MPEG
        for image in chain([first], frames):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
                format=stream.pix_fmt,
                dst_colorspace=colours,
                dst_color_range=ColorRange.MPEG,
            )
            frame.pts, frame.time_base = count, 1 / rate
            container.mux(stream.encode(frame))
            count += 1
        container.mux(stream.encode(None))
    return count
