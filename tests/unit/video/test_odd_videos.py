"""Unusual videos give the right frames or a reason, never silent repeats or garbage.

Each frame encodes its number as twelve black or white fields, which survive coding and scaling.
"""

import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from trailers12k.common.errors import Failure
from trailers12k.video.probe import Probe, probe
from trailers12k.video.reader import decord_module, read_frames

from ...cases.coded_video import FRAMES, coded, number_of

SIZE = (128, 72)


def render(
    path: Path,
    codec: str = "libx264",
    fps: Fraction | int = 30,
    frames: int = FRAMES,
    size: tuple[int, int] = SIZE,
    pixels: str = "yuv420p",
    times: np.ndarray | None = None,
    grain: float = 0,
    options: dict | None = None,
    container: dict | None = None,
    aspect: Fraction | None = None,
) -> Path:
    """Frame i shows its number, at i / fps or at times[i] seconds."""
    draw = np.random.default_rng(0)
    with av.open(str(path), "w", options=container or {}) as output:
        stream = output.add_stream(codec, rate=fps, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 90000)
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        for i in range(frames):
            picture = coded(i, size)
            if grain:
                noisy = picture + draw.normal(0, grain, picture.shape)
                picture = np.clip(noisy, 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = round(times[i] * 90000), Fraction(1, 90000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def remux(parts: list[Path], path: Path, shifts: list[float]) -> Path:
    """Write the packets of files one after the other into one stream, each shifted by seconds."""
    with av.open(str(path), "w") as output:
        target = None
        for part, shift in zip(parts, shifts, strict=True):
            with av.open(str(part)) as original:
                source = original.streams.video[0]
                target = target or output.add_stream_from_template(source)
                for packet in original.demux(source):
                    if packet.dts is not None:
                        packet.pts += round(shift / packet.time_base)
                        packet.dts += round(shift / packet.time_base)
                        packet.stream = target
                        output.mux(packet)
    return path


def numbers_of(path: Path, decoder: str, times: np.ndarray) -> list[int]:
    return [number_of(frame) for frame in read_frames(path, decoder, times)]


def reason_of(path: Path) -> str:
    with pytest.raises(Failure) as caught:
        probe(path)
    return caught.value.reason


def nearest(times: np.ndarray, requested: np.ndarray) -> list[int]:
    """For each requested time the nearest frame, the first of two that are equally near."""
    return [int(np.abs(times - at).round(6).argmin()) for at in requested]


def grid(video: Probe) -> np.ndarray:
    return np.arange(round(video.duration * 24)) / 24


GOOD = {
    "h264.mp4": {},
    "b-frames.mp4": {"options": {"bf": "3", "g": "12"}},
    "av1.mp4": {"codec": "libsvtav1"},
    "av1.webm": {"codec": "libsvtav1"},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "hevc.mp4": {"codec": "libx265"},
    "mpeg4.avi": {"codec": "mpeg4"},
    "mjpeg.mkv": {"codec": "mjpeg", "pixels": "yuvj420p"},
    "fragments.mp4": {"container": {"movflags": "frag_keyframe+empty_moov"}},
    "10-bit-h264.mp4": {"pixels": "yuv420p10le"},
    "10-bit-hevc.mp4": {"codec": "libx265", "pixels": "yuv420p10le"},
    "10-bit-av1.mp4": {"codec": "libsvtav1", "pixels": "yuv420p10le"},
    "10-bit-422.mp4": {"pixels": "yuv422p10le"},
    "full-range.mp4": {"pixels": "yuvj420p"},
    "444.mp4": {"pixels": "yuv444p"},
    "odd-size.mp4": {"pixels": "yuv444p", "size": (97, 55)},
    "odd-size.webm": {"codec": "libvpx-vp9", "size": (97, 55)},
    "portrait.mp4": {"size": (72, 128)},
    "1-frame.mp4": {"frames": 1},
    "2-frames.mp4": {"frames": 2},
    "10-fps.mp4": {"fps": 10},
    "12-fps.mp4": {"fps": 12},
    "15-fps.mp4": {"fps": 15},
    "23.976-fps.mp4": {"fps": Fraction(24000, 1001)},
    "25-fps.mp4": {"fps": 25},
    "50-fps.mp4": {"fps": 50},
    "60-fps.mp4": {"fps": 60, "frames": 120},
    "4-seconds.mp4": {"frames": 120},
}
BY_PYAV = {
    *("av1.mp4", "av1.webm", "fragments.mp4", "444.mp4", "odd-size.mp4"),
    *("10-bit-av1.mp4", "10-bit-h264.mp4", "10-bit-hevc.mp4", "10-bit-422.mp4"),
}


@pytest.mark.parametrize("name", GOOD)
def test_frames_are_the_nearest_in_time_with_the_decoder_that_was_chosen(name, tmp_path):
    """They repeat only in videos of fewer than 24 frames per second."""
    path = render(tmp_path / name, **GOOD[name])
    video = probe(path)
    decord = decord_module() is not None
    assert video.decoder == ("decord" if decord and name not in BY_PYAV else "pyav")
    count, fps = GOOD[name].get("frames", FRAMES), GOOD[name].get("fps", 30)
    assert (video.frames, video.corrupt) == (count, 0)
    requested = grid(video)
    expected = nearest(np.arange(count) / float(fps), requested)
    decoders = ["decord", "pyav"] if video.decoder == "decord" else ["pyav"]
    for size in (None, 36):
        read = [list(read_frames(path, decoder, requested, size)) for decoder in decoders]
        for frames in read:
            assert [number_of(frame) for frame in frames] == expected
        assert np.abs(np.subtract(*map(np.float32, (read[0], read[-1])))).mean() < 1
    if fps >= 24:
        assert len(set(expected)) == len(expected)


@pytest.mark.parametrize("name", ["varying.mp4", "gap.mp4"])
def test_a_varying_frame_rate_is_read_by_time(name, tmp_path):
    if name == "gap.mp4":
        times = np.r_[np.arange(30) / 30, 5 + np.arange(30) / 30]
    else:
        times = np.cumsum(np.random.default_rng(1).uniform(0.02, 0.06, FRAMES))
    path = render(tmp_path / name, times=times - times[0])
    requested = grid(probe(path))
    for decoder in ("decord", "pyav"):
        numbers = [number_of(frame) for frame in read_frames(path, decoder, requested)]
        assert numbers == nearest(times - times[0], requested)


@pytest.mark.parametrize(("start", "first"), [(1.5, 0), (-0.5, 15)])
@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_a_clock_that_does_not_begin_at_zero(start, first, kind, tmp_path):
    """Times count from the first frame. No player shows what an MP4 file puts before 0."""
    path = tmp_path / f"late.{kind}"
    codec = {"mp4": "libx264", "webm": "libvpx-vp9"}[kind]
    render(path, codec=codec, times=np.arange(FRAMES) / 30 + start)
    video = probe(path)
    first = 0 if kind == "webm" else first  # its writer shifts the clock
    frames = read_frames(path, video.decoder, [0.0, 0.5, 1.0])
    assert [number_of(frame) for frame in frames] == [first, first + 15, first + 30]
    assert video.duration == pytest.approx((FRAMES - first) / 30)


@pytest.mark.parametrize("kind", ["mp4", "mkv"])
def test_of_two_video_streams_the_default_one_is_read(kind, tmp_path):
    """The first in MP4, which marks only it; in Matroska both are default, and the larger is read.
    By PyAV: decord might choose another."""
    path = tmp_path / f"two.{kind}"
    with av.open(str(path), "w") as output:
        streams = [output.add_stream("libx264", rate=30) for _ in range(2)]
        for stream, size in zip(streams, (SIZE, (512, 288)), strict=True):
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for i in range(FRAMES):
            for stream, number in zip(streams, (i, 4095 - i), strict=True):
                picture = coded(number, (stream.width, stream.height))
                output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        for stream in streams:
            output.mux(stream.encode(None))
    video = probe(path)
    size = SIZE if kind == "mp4" else (512, 288)
    assert (video.decoder, video.width, video.height) == ("pyav", *size)
    numbers = numbers_of(path, video.decoder, grid(video))
    shown = nearest(np.arange(FRAMES) / 30, grid(video))
    assert numbers == (shown if kind == "mp4" else [4095 - number for number in shown])


def test_a_cover_is_not_a_video(tmp_path):
    """A video's cover is skipped; a song with a cover is refused."""
    whole = render(tmp_path / "whole.mp4")
    for name, moving in (("film.mp4", True), ("song.mp4", False)):
        with av.open(str(whole)) as original, av.open(str(tmp_path / name), "w") as output:
            cover = output.add_stream("mjpeg", rate=1)
            cover.width, cover.height, cover.pix_fmt = 512, 512, "yuvj420p"
            cover.disposition = av.stream.Disposition.attached_pic
            source = original.streams.video[0]
            target = output.add_stream_from_template(source) if moving else None
            picture = np.random.default_rng(0).integers(0, 255, (512, 512, 3), np.uint8)
            output.mux(cover.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            for packet in original.demux(source) if moving else ():
                if packet.dts is not None:
                    packet.stream = target
                    output.mux(packet)
    video = probe(tmp_path / "film.mp4")
    assert (video.frames, video.width) == (FRAMES, SIZE[0])
    assert numbers_of(tmp_path / "film.mp4", video.decoder, [0.0, 1.0]) == [0, 30]
    assert reason_of(tmp_path / "song.mp4") == "not_video"
    with pytest.raises(Failure):
        next(read_frames(tmp_path / "song.mp4", "pyav", [0.0]))


@pytest.mark.parametrize("cut", [0.4, 0.5, 1.3])
def test_frames_hidden_by_an_edit_list_are_not_read(cut, tmp_path):
    """Cut without re-encoding, at a key frame (0.4 s) or between two, with B-frames."""
    whole = render(tmp_path / "whole.mp4", options={"bf": "3", "g": "12"})
    path = remux([whole], tmp_path / "cut.mp4", [-cut])
    assert b"elst" in path.read_bytes()
    video = probe(path)
    assert video.decoder == "pyav" or cut == 0.4
    shown = np.arange(round(30 * cut), FRAMES)
    assert video.frames == len(shown) and video.duration == pytest.approx(len(shown) / 30)
    numbers = numbers_of(path, video.decoder, grid(video))
    assert numbers == [int(shown[i]) for i in nearest(np.arange(len(shown)) / 30, grid(video))]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_rotated_video_is_read_upright_by_pyav(degrees, tmp_path):
    path = render(tmp_path / "rotated.mp4")
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    cos, sin = ({90: (0, 1), 180: (-1, 0), 270: (0, -1)})[degrees]
    matrix = [cos << 16, sin << 16, 0, -sin << 16, cos << 16, 0, 0, 0, 1 << 30]
    data[at : at + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)
    video = probe(path)
    upright = list(read_frames(path, video.decoder, grid(video)))
    assert video.decoder == "pyav" and upright[0].shape == (video.height, video.width, 3)
    assert (video.width, video.height) == (SIZE if degrees == 180 else SIZE[::-1])
    lying = [number_of(np.rot90(frame, degrees // 90)) for frame in upright]
    assert lying == nearest(np.arange(FRAMES) / 30, grid(video))


@pytest.mark.parametrize("kind", ["mp4", "mkv"])
def test_frames_have_square_pixels(kind, tmp_path):
    """A DVD in PAL has pixels of 64:45. An aspect ratio of 50:1 is a damaged header."""
    path = tmp_path / f"wide.{kind}"
    codec = {"mp4": "libx264", "mkv": "mpeg4"}[kind]
    for aspect, width in ((Fraction(3, 2), 192), (Fraction(2, 3), 85), (Fraction(50), 128)):
        render(path, codec=codec, aspect=aspect)
        video = probe(path)
        assert (video.width, video.height) == (width, 72)
        for size, shape in ((None, (72, width, 3)), (36, (36, round(width / 2), 3))):
            a, b = (list(read_frames(path, r, grid(video), size)) for r in ("decord", "pyav"))
            assert a[0].shape == b[0].shape == shape
            assert np.abs(np.subtract(a, b, dtype=np.float32)).mean() < 1
            assert [number_of(f) for f in a] == nearest(np.arange(FRAMES) / 30, grid(video))


COLOURS = {
    "untagged": (5, 1, "yuv420p"),
    "bt709": (1, 1, "yuv420p"),
    "bt709-full": (1, 2, "yuv420p"),
    "bt2020-10-bit": (9, 1, "yuv420p10le"),
}


@pytest.mark.parametrize("name", COLOURS)
def test_both_decoders_return_the_encoded_colours(name, tmp_path):
    space, span, pixels = COLOURS[name]
    rows, columns = np.mgrid[:72, :128]
    picture = np.stack([2 * columns, 3 * rows, 255 - columns], -1).astype(np.uint8)
    path = tmp_path / "colours.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = *SIZE, pixels
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame = frame.reformat(format=pixels, dst_colorspace=space, dst_color_range=span)
        if name != "untagged":
            stream.codec_context.colorspace = frame.colorspace = space
            stream.codec_context.color_range = frame.color_range = span
        for i in range(10):
            frame.pts = i
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    video = probe(path)
    for decoder in {video.decoder, "pyav"}:
        for shown in read_frames(path, decoder, [0.0, 0.2]):
            assert np.abs(shown.astype(int) - picture).mean() < 4


@pytest.mark.parametrize("kind", ["ts", "mkv", "mp4", "webm"])
def test_a_size_that_changes_midway_is_read_at_the_first_size(kind, tmp_path):
    """The probe reports the same size. The file holds two recordings in one stream."""
    own, path = "webm" if kind == "webm" else "ts", tmp_path / f"both.{kind}"
    settings = {"codec": "libvpx-vp9"} if kind == "webm" else {"options": {"bf": "0"}}
    clock = np.arange(FRAMES) / 30
    late = clock + 2 if kind == "ts" else clock
    parts = [
        render(tmp_path / f"a.{own}", times=clock, **settings),
        render(tmp_path / f"b.{own}", times=late, size=(256, 144), **settings),
    ]
    if kind == "ts":
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
    else:
        remux(parts, path, [0.0, 2.0])
    video = probe(path)
    for decoder in {video.decoder, "pyav"}:
        frames = list(read_frames(path, decoder, [0.0, 1.0, 1.9, 3.0]))
        assert {frame.shape for frame in frames} == {(video.height, video.width, 3)}
        assert [number_of(frame) for frame in frames] == [0, 30, 57, 30]


def test_two_recordings_in_one_file_follow_each_other(tmp_path):
    """The times of the second one begin again, as in a stream with a discontinuity."""
    parts = [render(tmp_path / f"{i}.ts", frames=frames) for i, frames in enumerate((60, 90))]
    (tmp_path / "both.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    video = probe(tmp_path / "both.ts")
    assert (video.frames, video.corrupt, video.flags) == (150, 0, ("discontinuity",))
    assert video.duration == pytest.approx(5)
    numbers = numbers_of(tmp_path / "both.ts", video.decoder, np.arange(150) / 30)
    assert numbers == [*range(60), *range(90)]


@pytest.mark.parametrize("name", ["h264.avi", "h264.asf", "mpeg4.avi"])
def test_frames_of_containers_in_decoding_order_are_in_the_order_of_the_decoder(name, tmp_path):
    """These containers have no presentation times for B-frames."""
    codec = "mpeg4" if name == "mpeg4.avi" else "libx264"
    path = render(tmp_path / name, codec=codec, options={"bf": "3" if codec == "libx264" else "2"})
    video = probe(path)
    assert (video.frames, video.corrupt, video.decoder) == (60, 0, "pyav")
    assert video.duration == pytest.approx(2, abs=0.002)
    assert numbers_of(path, "pyav", np.arange(60) / 30) == list(range(60))


@pytest.fixture(scope="module")
def long_gop(tmp_path_factory) -> bytes:
    """Eight seconds of grain, 5 MB, with the index first and a key frame every 12 frames."""
    path = tmp_path_factory.mktemp("long") / "grain.mp4"
    settings = {
        "size": (320, 180),
        "grain": 30,
        "frames": 240,
        "container": {"movflags": "+faststart"},
    }
    return render(path, options={"crf": "18", "g": "12"}, **settings).read_bytes()


def hole(data: bytearray) -> None:
    middle = len(data) // 2
    data[middle : middle + 60_000] = bytes(60_000)


def flips(data: bytearray) -> None:
    for at in np.random.default_rng(2).integers(10_000, len(data), 60):
        data[at] ^= 0x55


def cut(data: bytearray) -> None:
    del data[len(data) * 6 // 10 :]


def no_index(data: bytearray) -> None:
    at = data.index(b"moov") - 4
    del data[at : at + int.from_bytes(data[at : at + 4], "big")]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [(hole, "corrupt"), (flips, "corrupt"), (cut, "truncated"), (no_index, "truncated")],
)
def test_damage_has_a_reason(damage, reason, long_gop, tmp_path):
    data = bytearray(long_gop)
    damage(data)
    (tmp_path / "damaged.mp4").write_bytes(data)
    assert reason_of(tmp_path / "damaged.mp4") == reason


def test_damaged_frames_are_replaced(tmp_path, monkeypatch):
    """As are those predicted from them, up to the next key frame: by the nearest intact ones."""
    monkeypatch.setattr("trailers12k.video.probe.MAX_CORRUPT", 0.2)
    settings = {"size": (320, 180), "grain": 30, "frames": 240}
    path = render(tmp_path / "grain.mp4", options={"crf": "18", "g": "12", "bf": "0"}, **settings)
    data = bytearray(path.read_bytes())
    middle = data.index(b"mdat") + len(data) // 2
    data[middle : middle + 3] = bytes(byte ^ 0xFF for byte in data[middle : middle + 3])
    path.write_bytes(data)
    video = probe(path)
    assert 1 <= video.corrupt <= 24 and video.decoder == "pyav"
    requested = np.arange(240) / 30
    numbers = [number_of(frame) for frame in read_frames(path, "pyav", requested)]
    off = [(i, number) for i, number in enumerate(numbers) if i != number]
    assert 1 <= len(off) <= video.corrupt
    assert all(abs(i - number) <= 13 for i, number in off) and numbers == sorted(numbers)


def test_a_single_damaged_frame_of_many_is_replaced(tmp_path):
    """The last one before a key frame, from which no other is predicted."""
    settings = {"size": (320, 180), "grain": 30, "frames": 121}
    path = render(tmp_path / "grain.mp4", options={"crf": "18", "g": "12", "bf": "0"}, **settings)
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.dts is not None]
    data, (at, size) = bytearray(path.read_bytes()), packets[59]
    for i in range(at + size // 3, at + size // 3 + 40):
        data[i] ^= 0xFF
    path.write_bytes(data)
    video = probe(path)
    assert (video.frames, video.corrupt, video.decoder) == (121, 1, "pyav")
    assert numbers_of(path, "pyav", np.arange(57, 63) / 30) == [57, 58, 58, 60, 61, 62]


def render_long(path: Path, frames: int) -> Path:
    """At 24 frames per second, encoded as fast as possible; numbers are modulo 4096."""
    pictures = [np.ascontiguousarray(coded(i, (64, 36))[..., 0]) for i in range(4096)]
    options = {"g": "600", "preset": "ultrafast", "tune": "zerolatency"}
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=24, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "gray"
        stream.codec_context.thread_count = 1
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(pictures[i % 4096], format="gray")
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def hour(tmp_path_factory) -> Path:
    return render_long(tmp_path_factory.mktemp("hour") / "hour.mp4", 86_400)


def test_an_hour_is_read_to_its_end(hour):
    """decord's timestamps are float32: after an hour they are off by 0.0002 s."""
    video = probe(hour)
    assert video.duration == pytest.approx(3600) and video.frames == 86_400
    last = np.arange(86_400 - 240, 86_400)
    for decoder in ("decord", "pyav"):
        assert numbers_of(hour, decoder, last / 24) == (last % 4096).tolist()


def test_a_file_too_large_for_the_memory_of_decord_goes_to_pyav(hour, tmp_path, monkeypatch):
    assert probe(hour).decoder == "pyav"
    path = render(tmp_path / "large.mp4")
    monkeypatch.setattr("trailers12k.video.probe.DECORD_BYTES", path.stat().st_size - 1)
    assert probe(path).decoder == "pyav"


PEAK = """
import sys
import numpy as np
from trailers12k.video.reader import read_frames
for frame in read_frames(sys.argv[1], sys.argv[2], np.arange(int(sys.argv[3])) / 24, 27):
    pass
status = open("/proc/self/status").read()
print(status.partition("VmHWM:")[2].split()[0])
"""


def peak(path: Path, decoder: str, frames: int) -> int:
    """Peak memory in kB of a process that reads this many frames."""
    command = [sys.executable, "-c", PEAK, str(path), decoder, str(frames)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_an_hour_takes_little_more_memory_than_a_minute(hour, tmp_path):
    """With the decoders that the probe chooses, and with PyAV."""
    minute = render_long(tmp_path / "minute.mp4", 1440)
    most = peak(hour, probe(hour).decoder, 86_400)
    for decoder in {probe(minute).decoder, "pyav"}:
        assert most < 1.2 * peak(minute, decoder, 1440)


FUZZ = """
import sys
from pathlib import Path
import numpy as np
from trailers12k.common.errors import Failure
from trailers12k.video.probe import probe
from trailers12k.video.reader import read_frames

folder = Path(sys.argv[1])
sources = sorted(folder.glob("source.*"))
outcomes = {}
for seed in range(int(sys.argv[2])):
    draw, source = np.random.default_rng(seed), sources[seed % len(sources)]
    data = bytearray(source.read_bytes())
    at = int(draw.integers(10, len(data)))
    match seed // len(sources) % 4:
        case 0:
            for place in draw.integers(0, len(data), draw.integers(1, 20)):
                data[place] ^= int(draw.integers(1, 256))
        case 1:
            del data[at:]
        case 2:
            data[at:at] = draw.bytes(int(draw.integers(1, 2000)))
        case 3:
            at = int(draw.integers(0, min(3000, len(data))))
            data[at : at + 4] = draw.bytes(4)
    path = folder / ("mutant" + source.suffix)
    path.write_bytes(data)
    try:
        video = probe(path)
        times = np.arange(min(240, round(video.duration * 24))) / 24
        frames = list(read_frames(path, video.decoder, times))
        assert len(frames) == len(times)
        if video.decoder == "decord":
            other = list(read_frames(path, "pyav", times))
            assert all(np.array_equal(a, b) for a, b in zip(frames, other))
        outcome = video.decoder
    except Failure as failure:
        outcome = failure.reason
    outcomes[outcome] = outcomes.get(outcome, 0) + 1
print(sorted(outcomes))
"""


def test_mutated_files_are_read_or_refused(tmp_path):
    """In a separate process, because a decoder may crash. decord and PyAV return the same frames;
    damage that the codec does not detect (VP9 has no checksums) is in both."""
    render(tmp_path / "source.mp4", options={"bf": "2"})
    render(tmp_path / "source.webm", codec="libvpx-vp9")
    render(tmp_path / "source.ts")
    command = [sys.executable, "-c", FUZZ, str(tmp_path), "300"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert {"'corrupt'", "'truncated'", "'pyav'"} <= set(done.stdout.strip("[]\n").split(", "))
