"""What is seen of a trailer on the way: a picture of each shot, what is black, what is still."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from skimage import data

from trailers12k.video import frame_statistics, shots
from trailers12k.video.frame_statistics import FrameStatistics

WIDTH, HEIGHT, SECONDS = 640, 360, 6


def numbered(count: int, size: tuple[int, int] = (90, 160)) -> list[np.ndarray]:
    """Frames that tell their number by their grey level, modulo 250."""
    return [np.full((*size, 3), i % 250, np.uint8) for i in range(count)]


def watched(frames: Iterable[np.ndarray], fps: float = 24, shortest: int = 6) -> FrameStatistics:
    seen = FrameStatistics(frames, fps, 27, shortest)
    seen.handed_on = list(seen)
    return seen


def levels(seen: FrameStatistics, spans: list[tuple[int, int]]) -> list[int | None]:
    return [None if picture is None else int(picture[0, 0, 0]) for picture in seen.images_of(spans)]


def test_frames_are_handed_on_at_the_detectors_size_and_one_that_repeats_is_shrunk_once():
    a, b = numbered(2)
    seen = watched([a, a, a, b, a])
    assert {small.shape for small in seen.handed_on} == {(27, 48, 3)}
    first, second, third, *_ = seen.handed_on
    assert first is second is third and seen.repeated == 2


def test_a_frame_is_shrunk_to_the_means_of_its_parts_and_never_enlarged():
    frame = np.random.default_rng(0).integers(0, 255, (81, 144, 3), np.uint8)
    means = frame.reshape(27, 3, 48, 3, 3).mean((1, 3))
    assert np.abs(frame_statistics.scaled_down(frame, 27) - means).max() <= 0.51
    assert frame_statistics.scaled_down(np.zeros((160, 90, 3), np.uint8), 27).shape == (48, 27, 3)
    small = np.zeros((20, 48, 3), np.uint8)
    assert frame_statistics.scaled_down(small, 27) is small


def test_a_shot_is_shown_by_its_picture_nearest_to_its_middle():
    seen = watched(numbered(100))
    # Every sixth frame is kept: of the last two spans 66, and 96, is the only one.
    assert levels(seen, [(0, 24), (24, 61), (61, 67), (95, 100)]) == [12, 42, 66, 96]
    assert levels(seen, [(61, 66)]) == [None], "never one of another shot"


@pytest.mark.parametrize(("shortest", "fps"), [(1, 24), (2, 24), (4, 24), (6, 24), (9, 60), (3, 8)])
def test_the_shortest_shot_has_a_picture_of_its_own_wherever_it_lies(shortest, fps):
    seen = watched(numbered(100), fps, shortest)
    spans = [(first, first + shortest) for first in range(100 - shortest)]
    for level, (first, end) in zip(levels(seen, spans), spans, strict=True):
        assert first <= level < end


def test_a_long_video_keeps_fewer_pictures_and_stays_within_its_memory(monkeypatch):
    size = numbered(1)[0].nbytes
    monkeypatch.setattr(frame_statistics, "MAX_BYTES", 10 * size)
    seen = FrameStatistics(iter(numbered(250)), 24, 27, 6)
    most = 0
    for _ in seen:
        most = max(most, len(seen._kept))
    # 42 at every sixth frame, 21 at every 12th, 11 at every 24th, 6 at every 48th.
    assert most <= 11 and [int(kept[0, 0, 0]) for kept in seen._kept] == [0, 48, 96, 144, 192, 240]
    assert levels(seen, [(0, 100), (100, 140), (140, 250)]) == [48, None, 192]


def test_a_single_frame_is_no_stretch():
    seen = watched(numbered(1))
    assert (seen.still, seen.frozen, seen.black) == (0, 0, 1)
    assert levels(seen, [(0, 1)]) == [0]


def photograph(name: str) -> np.ndarray:
    picture = Image.fromarray(getattr(data, name)()).convert("RGB")
    return np.asarray(picture.resize((WIDTH * 3 // 2, HEIGHT * 3 // 2)))


def frozen(rate: int) -> Iterator[np.ndarray]:
    """A photograph with grain."""
    random, picture = np.random.default_rng(0), photograph("coffee")[:HEIGHT, :WIDTH]
    for _ in range(SECONDS * rate):
        grainy = picture + random.normal(0, 3, (HEIGHT, WIDTH, 1))
        yield np.clip(grainy, 0, 255).astype(np.uint8)


def slides(rate: int) -> Iterator[np.ndarray]:
    """Three photographs, two seconds each."""
    for name in ("coffee", "chelsea", "astronaut"):
        for _ in range(SECONDS // 3 * rate):
            yield photograph(name)[:HEIGHT, :WIDTH]


def moving(rate: int) -> Iterator[np.ndarray]:
    """A slow camera: ten pixels a second, of 640."""
    picture = Image.fromarray(photograph("coffee"))
    for i in range(SECONDS * rate):
        box = (10 * i / rate, 0, 10 * i / rate + WIDTH, HEIGHT)
        yield np.asarray(picture.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR, box))


def stopping(rate: int) -> Iterator[np.ndarray]:
    """Motion that stops after three of six seconds."""
    frames = list(moving(rate))
    half = SECONDS * rate // 2
    yield from frames[:half]
    yield from [frames[half]] * half


def black(rate: int) -> Iterator[np.ndarray]:
    """Nothing but the noise of a camera."""
    random = np.random.default_rng(0)
    for _ in range(SECONDS * rate):
        yield np.clip(random.normal(2, 4, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)


def half_black(rate: int) -> Iterator[np.ndarray]:
    yield from list(moving(rate))[: SECONDS * rate // 2]
    yield from list(black(rate))[: SECONDS * rate // 2]


def letterbox(rate: int) -> Iterator[np.ndarray]:
    """A picture between bars that take three quarters."""
    for frame in moving(rate):
        barred = np.zeros_like(frame)
        barred[135:225] = frame[135:225]
        yield barred


def writing(rate: int) -> Iterator[np.ndarray]:
    """A line of thin writing, 2 % of the picture, on black."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[172:188, 180:460:2] = 230
    for _ in range(SECONDS * rate):
        yield picture


CODINGS = {
    "x264": ("libx264", {"crf": "23"}),
    "x264 with many key frames": ("libx264", {"crf": "35", "g": "12"}),
    "mpeg4 of little": ("mpeg4", {"b": "250000"}),
}


def encoded(path: Path, frames: Iterable[np.ndarray], rate: int, coding: str = "x264") -> Path:
    codec, options = CODINGS[coding]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        if "b" in options:
            stream.bit_rate = int(options["b"])
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def looked_at(path: Path) -> shots.ShotDetection:
    return shots.detect_shots(path, "pyav", SECONDS, "adaptive", 6, 24)


@pytest.mark.parametrize(("coding", "rate"), [*((each, 24) for each in CODINGS), ("x264", 12)])
def test_a_frozen_picture_is_still_and_a_slow_camera_is_not(tmp_path, coding, rate):
    """However it is encoded, and where the grid repeats frames."""
    found = looked_at(encoded(tmp_path / "frozen.mp4", frozen(rate), rate, coding))
    assert (found.still, found.frozen, found.black) == (1, 5.75, 0)
    found = looked_at(encoded(tmp_path / "moving.mp4", moving(rate), rate, coding))
    assert found.still < 0.1 and found.frozen <= 0.25 and found.black == 0


@pytest.mark.parametrize(
    ("frames", "still", "longest", "dark"),
    [
        (slides, 21 / 23, 1.75, 0),
        (stopping, 12 / 23, 3, 0),
        (black, 1, 5.75, 1),
        (half_black, 12 / 23, 2.75, 0.5),
        (letterbox, 0, 0, 0),
        (writing, 1, 5.75, 0),
    ],
)
def test_shares_are_those_of_the_edit(tmp_path, frames, still, longest, dark):
    found = looked_at(encoded(tmp_path / "trailer.mp4", frames(24), 24))
    assert found.still == pytest.approx(still, abs=1.5 / 23)
    assert found.frozen == pytest.approx(longest, abs=0.25)
    assert found.black == pytest.approx(dark, abs=1 / 24)


def test_a_video_of_a_third_of_a_second_has_shares_too(tmp_path):
    path = encoded(tmp_path / "short.mp4", list(frozen(24))[:8], 24)
    found = shots.detect_shots(path, "pyav", 8 / 24, "adaptive", 6, 24)
    assert (found.still, found.frozen) == (1, 0.25) and len(found.images) == 1
