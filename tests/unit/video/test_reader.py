"""`probe` describes intact, unusual and broken files; both decoders return the same frames."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from trailers12k.common.errors import Failure
from trailers12k.video.probe import probe
from trailers12k.video.reader import decord_module, read_frames

FPS = 30
FRAMES = 60


def render(path: Path, codec: str = "libx264", times=None, size=(96, 64), **options: str) -> Path:
    """Frame i has the grey level 4 * i above a strip of noise, at i / 30 s or at times[i]."""
    noise = np.random.default_rng(0).integers(0, 255, (FRAMES, 16, size[0], 3), np.uint8)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=FPS)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for i in range(FRAMES):
            pixels = np.full((size[1], size[0], 3), 4 * i, np.uint8)
            pixels[-16:] = noise[i]
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = round(times[i] * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    varying = np.cumsum(np.random.default_rng(1).uniform(0.02, 0.06, FRAMES))
    render(folder / "plain.mp4")
    render(folder / "fast.mp4", movflags="+faststart")
    render(folder / "vp9.webm", codec="libvpx-vp9")
    render(folder / "varying.mp4", times=varying - varying[0])
    render(folder / "odd.mp4", size=(98, 54))
    return folder


def level(frame: np.ndarray) -> int:
    """The number of the frame, from its grey level."""
    return round(float(frame[: frame.shape[0] // 3].mean()) / 4)


def failure_of(path: Path) -> str:
    with pytest.raises(Failure) as caught:
        probe(path)
    return caught.value.reason


def test_probe_of_an_intact_file(folder):
    video = probe(folder / "plain.mp4")
    assert (video.height, video.width, video.frames, video.corrupt) == (64, 96, FRAMES, 0)
    assert video.duration == pytest.approx(2.0) and video.fps == pytest.approx(30)
    assert (video.codec, video.decoder) == ("h264", "decord" if decord_module() else "pyav")


def test_probe_gives_the_reason_why_a_file_is_not_a_video(tmp_path):
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "page.mp4").write_text("<html><body>Not found</body></html>")
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts = 44100, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert failure_of(tmp_path / "empty.mp4") == "empty"
    assert failure_of(tmp_path / "page.mp4") == "not_video"
    assert failure_of(tmp_path / "sound.mp4") == "not_video"


@pytest.mark.parametrize("name", ["plain.mp4", "fast.mp4"])
def test_a_cut_file_is_truncated_with_and_without_its_index(folder, tmp_path, name):
    whole = (folder / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(len(whole) * 0.6)])
    assert failure_of(tmp_path / name) == "truncated"


def test_flipped_bytes_are_corruption(folder, tmp_path):
    data = bytearray((folder / "fast.mp4").read_bytes())
    for at in np.random.default_rng(2).integers(8000, len(data), 60):
        data[at] ^= 0x55
    (tmp_path / "flipped.mp4").write_bytes(data)
    assert failure_of(tmp_path / "flipped.mp4") == "corrupt"


@pytest.mark.parametrize("decoder", ["decord", "pyav"])
def test_frames_are_the_nearest_to_the_requested_times(folder, decoder):
    """At 30 fps, 0.05 s is midway between frames 1 and 2: the earlier one is taken."""
    times = [0.0, 0.01, 0.02, 0.05, 0.1, 0.1, 1.0, 9.9]
    frames = read_frames(folder / "plain.mp4", decoder, times)
    assert [level(frame) for frame in frames] == [0, 0, 1, 1, 3, 3, 30, FRAMES - 1]


@pytest.mark.parametrize("name", ["plain.mp4", "vp9.webm", "varying.mp4", "odd.mp4"])
def test_both_decoders_return_the_same_frames(folder, name):
    pytest.importorskip("decord")
    path = folder / name
    video = probe(path)
    assert video.decoder == "decord"
    times = np.arange(0, video.duration, 1 / 24)
    a = np.stack(list(read_frames(path, "decord", times)))
    b = np.stack(list(read_frames(path, "pyav", times)))
    assert len(a) == len(times) and np.array_equal(a, b)


@pytest.mark.parametrize("size", [27, 32, 40])
def test_both_decoders_scale_alike(folder, size):
    """At 48x32, decord returns the padding of its rows as a fourth channel."""
    pytest.importorskip("decord")
    times = np.arange(24) / 24
    a = np.stack(list(read_frames(folder / "plain.mp4", "decord", times, size)))
    b = np.stack(list(read_frames(folder / "plain.mp4", "pyav", times, size)))
    assert a.shape == b.shape == (24, size, round(size * 1.5), 3)
    assert np.abs(a.astype(int) - b).mean() < 2


def test_a_small_video_is_not_enlarged(folder):
    assert next(read_frames(folder / "plain.mp4", "pyav", [0.0], 256)).shape == (64, 96, 3)


def test_a_rotated_video_is_read_upright(folder, tmp_path):
    """By PyAV, which reports the rotation; decord rotates frames itself."""
    data = bytearray((folder / "odd.mp4").read_bytes())
    at = data.index(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
    path = tmp_path / "rotated.mp4"
    path.write_bytes(data)
    video = probe(path)
    assert (video.height, video.width, video.decoder) == (98, 54, "pyav")
    upright = next(read_frames(path, "pyav", [1.0]))
    lying = next(read_frames(folder / "odd.mp4", "pyav", [1.0]))
    assert np.array_equal(upright, np.rot90(lying, -1))
    if decord := decord_module():
        assert np.array_equal(upright, decord.VideoReader(str(path))[30].asnumpy())


def test_an_edit_list_goes_to_pyav(folder, tmp_path):
    """A file cut without re-encoding: its first frames are before time 0."""
    path = tmp_path / "edited.mp4"
    with av.open(str(folder / "plain.mp4")) as original, av.open(str(path), "w") as output:
        source = original.streams.video[0]
        target = output.add_stream_from_template(source)
        for packet in original.demux(source):
            if packet.dts is not None:
                packet.pts -= round(0.5 / packet.time_base)
                packet.dts -= round(0.5 / packet.time_base)
                packet.stream = target
                output.mux(packet)
    video = probe(path)
    assert video.decoder == "pyav" and video.duration == pytest.approx(1.5, abs=0.05)
    assert level(next(read_frames(path, video.decoder, [0.0]))) == 15


def test_metadata_that_is_not_utf8_does_not_matter(folder, tmp_path):
    path = tmp_path / "titled.mp4"
    with av.open(str(folder / "plain.mp4")) as source, av.open(str(path), "w") as target:
        target.metadata["title"] = "AmXXXlie"
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    data = path.read_bytes()
    assert data.count(b"XXX") == 1
    path.write_bytes(data.replace(b"XXX", b"\xe9\xe9\xe9"))
    with pytest.raises(UnicodeDecodeError), av.open(str(path)) as container:
        container.metadata.get("title")
    assert probe(path).frames == FRAMES
    assert len(list(read_frames(path, "pyav", [0.0, 1.0]))) == 2
