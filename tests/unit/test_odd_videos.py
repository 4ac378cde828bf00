"""Odd videos give right frames or a reason, never silent repeats or garbage.

Every frame carries its number as twelve black or white fields, which survive coding and scaling.
"""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from trailers12k import video
from trailers12k.shards import Failure

SIZE = (128, 72)
FRAMES = 60


def coded(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
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
    codec: str = "libx264",
    fps: Fraction | int = 30,
    frames: int = FRAMES,
    size: tuple[int, int] = SIZE,
    pixels: str = "yuv420p",
    times: np.ndarray | None = None,
    grain: float = 0,
    options: dict | None = None,
    container: dict | None = None,
) -> Path:
    """Frame i shows its number, at i / fps or at times[i] seconds."""
    draw = np.random.default_rng(0)
    with av.open(str(path), "w", options=container or {}) as made:
        stream = made.add_stream(codec, rate=fps, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 90000)
        for i in range(frames):
            picture = coded(i, size)
            if grain:
                noisy = picture + draw.normal(0, grain, picture.shape)
                picture = np.clip(noisy, 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = round(times[i] * 90000), Fraction(1, 90000)
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return path


def nearest(times: np.ndarray, asked: np.ndarray) -> list[int]:
    """For each asked time the frame nearest to it, the first of two that are equally near."""
    return [int(np.abs(times - at).round(6).argmin()) for at in asked]


def grid(probe: video.Probe) -> np.ndarray:
    return np.arange(round(probe.duration * 24)) / 24


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
    "full-range.mp4": {"pixels": "yuvj420p"},
    "444.mp4": {"pixels": "yuv444p"},
    "odd-size.mp4": {"pixels": "yuv444p", "size": (97, 55)},
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
BY_PYAV = {"av1.mp4", "av1.webm", "fragments.mp4"}


@pytest.mark.parametrize("name", GOOD)
def test_frames_are_the_nearest_in_time_by_the_reader_that_was_chosen(name, tmp_path):
    """At less than 24 frames a second, and only then, some of them repeat."""
    path = render(tmp_path / name, **GOOD[name])
    probe = video.probe(path)
    decord = video._decord() is not None
    assert probe.reader == ("decord" if decord and name not in BY_PYAV else "pyav")
    count, fps = GOOD[name].get("frames", FRAMES), GOOD[name].get("fps", 30)
    assert (probe.frames, probe.corrupt) == (count, 0)
    asked = grid(probe)
    expected = nearest(np.arange(count) / float(fps), asked)
    readers = ["decord", "pyav"] if probe.reader == "decord" else ["pyav"]
    for reader in readers:
        numbers = [number_of(frame) for frame in video.read_frames(path, reader, asked)]
        assert numbers == expected
        small = [number_of(frame) for frame in video.read_frames(path, reader, asked, 36)]
        assert small == expected
    if fps >= 24:
        assert len(set(expected)) == len(expected)


@pytest.mark.parametrize("name", ["varying.mp4", "gap.mp4"])
def test_a_varying_rate_is_read_by_time(name, tmp_path):
    if name == "gap.mp4":
        times = np.r_[np.arange(30) / 30, 5 + np.arange(30) / 30]
    else:
        times = np.cumsum(np.random.default_rng(1).uniform(0.02, 0.06, FRAMES))
    path = render(tmp_path / name, times=times - times[0])
    asked = grid(video.probe(path))
    for reader in ("decord", "pyav"):
        numbers = [number_of(frame) for frame in video.read_frames(path, reader, asked)]
        assert numbers == nearest(times - times[0], asked)


@pytest.mark.parametrize(("start", "first"), [(1.5, 0), (-0.5, 15)])
@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_a_clock_that_does_not_begin_at_zero(start, first, kind, tmp_path):
    """Seconds count from the first frame. What an MP4 puts before 0 is not shown by any player."""
    path = tmp_path / f"late.{kind}"
    codec = {"mp4": "libx264", "webm": "libvpx-vp9"}[kind]
    render(path, codec=codec, times=np.arange(FRAMES) / 30 + start)
    probe = video.probe(path)
    first = 0 if kind == "webm" else first  # its writer shifts the clock
    frames = video.read_frames(path, probe.reader, [0.0, 0.5, 1.0])
    assert [number_of(frame) for frame in frames] == [first, first + 15, first + 30]
    assert probe.duration == pytest.approx((FRAMES - first) / 30)


def test_of_two_pictures_in_a_file_the_first_moving_one_is_read(tmp_path):
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as made:
        streams = [made.add_stream("libx264", rate=30) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for i in range(FRAMES):
            for stream, number in zip(streams, (i, 4095), strict=True):
                frame = av.VideoFrame.from_ndarray(coded(number), format="rgb24")
                made.mux(stream.encode(frame))
        for stream in streams:
            made.mux(stream.encode(None))
    probe = video.probe(path)
    numbers = [number_of(f) for f in video.read_frames(path, probe.reader, grid(probe))]
    assert numbers == nearest(np.arange(FRAMES) / 30, grid(probe))


def test_a_size_that_changes_midway_is_read_at_the_first(tmp_path):
    """Two recordings of a transport stream, one after the other."""
    parts = [
        render(tmp_path / "a.ts", times=np.arange(FRAMES) / 30, options={"bf": "0"}),
        render(
            tmp_path / "b.ts",
            times=2 + np.arange(FRAMES) / 30,
            size=(256, 144),
            options={"bf": "0"},
        ),
    ]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    probe = video.probe(path)
    frames = list(video.read_frames(path, probe.reader, [0.0, 1.0, 1.9, 3.0]))
    assert {frame.shape for frame in frames} == {(72, 128, 3)}
    assert [number_of(frame) for frame in frames] == [0, 30, 57, 30]


@pytest.fixture(scope="module")
def long_gop(tmp_path_factory) -> bytes:
    """Eight seconds of grain, the index first, with a key frame every half second; 5 MB."""
    path = tmp_path_factory.mktemp("long") / "grain.mp4"
    given = {
        "size": (320, 180),
        "grain": 30,
        "frames": 240,
        "container": {"movflags": "+faststart"},
    }
    return render(path, options={"crf": "18", "g": "12"}, **given).read_bytes()


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
def test_damage_is_a_reason(damage, reason, long_gop, tmp_path):
    data = bytearray(long_gop)
    damage(data)
    (tmp_path / "damaged.mp4").write_bytes(data)
    with pytest.raises(Failure) as caught:
        video.probe(tmp_path / "damaged.mp4")
    assert caught.value.reason == reason


def test_frames_that_are_damaged_are_not_shown(tmp_path, monkeypatch):
    """Nor those made from them, up to the next key frame: the nearest sound ones stand in."""
    monkeypatch.setattr(video, "MAX_CORRUPT", 0.2)
    given = {"size": (320, 180), "grain": 30, "frames": 240}
    path = render(tmp_path / "grain.mp4", options={"crf": "18", "g": "12", "bf": "0"}, **given)
    data = bytearray(path.read_bytes())
    middle = data.index(b"mdat") + len(data) // 2
    data[middle : middle + 3] = bytes(byte ^ 0xFF for byte in data[middle : middle + 3])
    path.write_bytes(data)
    probe = video.probe(path)
    assert 1 <= probe.corrupt <= 24 and probe.reader == "pyav"
    asked = np.arange(240) / 30
    numbers = [number_of(frame) for frame in video.read_frames(path, "pyav", asked)]
    off = [(i, number) for i, number in enumerate(numbers) if i != number]
    assert 1 <= len(off) <= probe.corrupt
    assert all(abs(i - number) <= 13 for i, number in off) and numbers == sorted(numbers)


@pytest.fixture(scope="module")
def hour(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hour")
    # The number of a frame modulo 4096, five a second.
    return render(folder / "hour.mp4", fps=5, frames=18_000, size=(64, 36), options={"g": "600"})


def test_an_hour_is_read_to_its_end(hour):
    """decord's timestamps are float32: in an hour they are off by 0.0002 s."""
    probe = video.probe(hour)
    assert probe.duration == pytest.approx(3600) and probe.frames == 18_000
    asked = 3590 + np.arange(240) / 24
    expected = [n % 4096 for n in nearest(np.arange(18_000) / 5, asked)]
    for reader in ("decord", "pyav"):
        numbers = [number_of(frame) for frame in video.read_frames(hour, reader, asked)]
        assert numbers == expected


PEAK = """
import sys
import numpy as np
from trailers12k import video
for frame in video.read_frames(sys.argv[1], sys.argv[2], np.arange(int(sys.argv[3])) / 5, 27):
    pass
status = open("/proc/self/status").read()
print(status.partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.parametrize("reader", ["decord", "pyav"])
def test_an_hour_takes_little_more_memory_than_a_minute(hour, reader, tmp_path):
    """None of its frames are kept, only decord's list of them; in MB."""
    minute = render(tmp_path / "minute.mp4", fps=5, frames=300, size=(64, 36))
    peaks = []
    for path, frames in ((minute, 300), (hour, 18_000)):
        command = [sys.executable, "-c", PEAK, str(path), reader, str(frames)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout) / 1024)
    assert peaks[1] - peaks[0] < 25


FUZZ = """
import sys
from pathlib import Path
import numpy as np
from trailers12k import video
from trailers12k.shards import Failure

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
        probe = video.probe(path)
        times = np.arange(min(240, round(probe.duration * 24))) / 24
        frames = list(video.read_frames(path, probe.reader, times))
        assert len(frames) == len(times)
        if probe.reader == "decord":
            other = list(video.read_frames(path, "pyav", times))
            assert all(np.array_equal(a, b) for a, b in zip(frames, other))
        outcome = probe.reader
    except Failure as failure:
        outcome = failure.reason
    outcomes[outcome] = outcomes.get(outcome, 0) + 1
print(sorted(outcomes))
"""


def test_mutated_files_are_read_or_refused(tmp_path):
    """In a process of its own, which a decoder could take down. What decord reads, PyAV reads
    alike; damage that the codec itself does not notice (VP9 has no checksums) is in both."""
    render(tmp_path / "source.mp4", options={"bf": "2"})
    render(tmp_path / "source.webm", codec="libvpx-vp9")
    render(tmp_path / "source.ts")
    command = [sys.executable, "-c", FUZZ, str(tmp_path), "300"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert {"'corrupt'", "'truncated'", "'pyav'"} <= set(done.stdout.strip("[]\n").split(", "))
