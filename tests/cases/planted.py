"""Black silent videos with a flash and a click at the same second, of many kinds of files."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

FPS, SECONDS, AT = 24, 6, 3.625
"""Frames per second, duration, and the second after the first frame at which a flash begins."""
CLICK = AT + 0.05
"""The second of the click: within the flash, since shots are cut where it begins."""
SIZE = (64, 48)
TICKS = 90_000


@dataclass(frozen=True)
class Planted:
    """How a file is written.

    times: of the frames in seconds; from 0, `FPS` per second. begins: seconds by which the sound
    begins after the first frame, or before it. ends: the second at which the sound ends.
    shift: seconds that all timestamps are later. form: of the samples, where the encoder has a
    choice. tracks: which of the sound tracks has the click; the others are silent.
    """

    name: str
    video: str = "libx264"
    sound: str = "aac"
    rate: int = 44_100
    layout: str = "stereo"
    form: str = ""
    times: Sequence[float] = tuple(i / FPS for i in range(SECONDS * FPS))
    begins: float = 0.0
    ends: float = SECONDS
    shift: float = 0.0
    tracks: Sequence[bool] = (True,)
    video_options: tuple[tuple[str, str], ...] = ()
    options: tuple[tuple[str, str], ...] = ()


def write_planted(folder: Path, kind: Planted) -> Path:
    """Write the file of a kind."""
    path = folder / kind.name
    with av.open(str(path), "w", options=dict(kind.options)) as output:
        packets = _pictures(output, kind)
        for hears in kind.tracks:
            packets += _sounds(output, kind, hears)
        for packet in sorted(packets, key=lambda each: float(each.dts * each.time_base)):
            output.mux(packet)
    return path


def _pictures(output, kind: Planted) -> list:
    options = {"g": "48"} | dict(kind.video_options)
    stream = output.add_stream(kind.video, rate=FPS, options=options)
    stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
    timed = kind.video not in ("mpeg4", "mpeg2video")
    if timed:
        stream.codec_context.time_base = Fraction(1, TICKS)
    packets = []
    for number, time in enumerate(kind.times):
        lit = 255 if AT - 1e-3 <= time < AT + 0.125 else 0
        frame = av.VideoFrame.from_ndarray(np.full((*SIZE[::-1], 3), lit, np.uint8), "rgb24")
        frame.time_base = Fraction(1, TICKS) if timed else Fraction(1, FPS)
        frame.pts = round((time + kind.shift) * TICKS) if timed else number
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def _sounds(output, kind: Planted, hears: bool) -> list:
    stream = output.add_stream(kind.sound, rate=kind.rate, layout=kind.layout)
    form = kind.form or stream.codec_context.codec.audio_formats[0].name
    stream.codec_context.format = form
    channels = av.AudioLayout(kind.layout).nb_channels
    times = kind.begins + np.arange(round((kind.ends - kind.begins) * kind.rate)) / kind.rate
    wave = np.where((times >= CLICK) & (times < CLICK + 0.01), 0.9, 0.0).astype(np.float32) * hears
    frame = av.AudioFrame.from_ndarray(np.repeat(wave, channels)[None], "flt", kind.layout)
    frame.sample_rate, frame.time_base = kind.rate, Fraction(1, kind.rate)
    frame.pts = round((kind.begins + kind.shift) * kind.rate)
    size = stream.codec_context.frame_size or 1024
    convert = av.AudioResampler(form, kind.layout, kind.rate, frame_size=size)
    packets = []
    for part in (*convert.resample(frame), *convert.resample(None)):
        packets += stream.encode(part)
    return packets + stream.encode(None)


def _varying() -> tuple[float, ...]:
    """Times of frames 1/60 to 1/12 s apart."""
    steps = np.random.default_rng(0).choice([1 / 60, 1 / FPS, 1 / 12], 200)
    times = np.append(0, np.cumsum(steps))
    before = times[times < AT - 1 / FPS]
    after = AT + 0.125 + times[times < SECONDS - AT - 0.2]
    return *before, AT, AT + 1 / FPS, AT + 2 / FPS, *after


KINDS = (
    Planted("b_frames.mp4"),
    Planted("variable_frame_rate.mp4", times=_varying()),
    Planted("late_picture.mp4", begins=-1.5),
    Planted("late_sound.mp4", begins=1.25),
    Planted("edit_list.mp4", shift=-1.0, options=(("avoid_negative_ts", "disabled"),)),
    Planted("fragments.mp4", options=(("movflags", "frag_keyframe+empty_moov"),)),
    Planted("late_picture.mkv", begins=-0.7, sound="ac3", layout="5.1", rate=48_000),
    Planted("late_sound.mkv", begins=0.7, sound="flac", layout="5.1", form="s16"),
    Planted("eight_channels.mkv", layout="7.1", rate=48_000),
    Planted("opus.webm", video="libvpx", sound="libopus", rate=48_000),
    Planted("late_picture.ts", begins=-1.1),
    Planted("late_sound.ts", begins=1.1),
    Planted("wrapping.ts", shift=2**33 / TICKS - 3, options=(("avoid_negative_ts", "disabled"),)),
    Planted("mp3.avi", video="mpeg4", sound="libmp3lame"),
    Planted("b_frames.avi", video="mpeg4", sound="pcm_s16le", video_options=(("bf", "2"),)),
    Planted("8_bit.avi", video="mpeg4", sound="pcm_u8", layout="mono", rate=8000),
    Planted("32_bit.mov", sound="pcm_s32le", rate=96_000),
    Planted("flash.flv", video="flv", sound="libmp3lame"),
    Planted("program.mpg", video="mpeg2video", sound="mp2"),
)
"""Files of all kinds, with the sound from the first frame on, or later, or before it."""
