"""Statistics of frames: an image of each shot, black frames, still frames, frozen stretches."""

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
    """Frames whose grey level encodes their number, modulo 250."""
    return [np.full((*size, 3), i % 250, np.uint8) for i in range(count)]


def statistics_of(
    frames: Iterable[np.ndarray], fps: float = 24, min_shot: int = 6
) -> FrameStatistics:
    statistics = FrameStatistics(frames, fps, 27, min_shot)
    statistics.passed_on = list(statistics)
    return statistics


def levels(statistics: FrameStatistics, shots: list[tuple[int, int]]) -> list[int | None]:
    images = statistics.images_of(shots)
    return [None if image is None else int(image[0, 0, 0]) for image in images]


def test_frames_are_scaled_to_the_detectors_size_and_a_repeated_one_only_once():
    a, b = numbered(2)
    statistics = statistics_of([a, a, a, b, a])
    assert {small.shape for small in statistics.passed_on} == {(27, 48, 3)}
    first, second, third, *_ = statistics.passed_on
    assert first is second is third and statistics.repeated == 2


def test_frames_are_scaled_down_by_averaging_and_never_enlarged():
    frame = np.random.default_rng(0).integers(0, 255, (81, 144, 3), np.uint8)
    means = frame.reshape(27, 3, 48, 3, 3).mean((1, 3))
    assert np.abs(frame_statistics.scaled_down(frame, 27) - means).max() <= 0.51
    assert frame_statistics.scaled_down(np.zeros((160, 90, 3), np.uint8), 27).shape == (48, 27, 3)
    small = np.zeros((20, 48, 3), np.uint8)
    assert frame_statistics.scaled_down(small, 27) is small


def test_the_image_of_a_shot_is_its_kept_frame_nearest_to_the_middle():
    statistics = statistics_of(numbered(100))
    # Every sixth frame is kept: 66 and 96 are the only ones of the last two shots.
    assert levels(statistics, [(0, 24), (24, 61), (61, 67), (95, 100)]) == [12, 42, 66, 96]
    assert levels(statistics, [(61, 66)]) == [None], "an image of another shot"


@pytest.mark.parametrize(("min_shot", "fps"), [(1, 24), (2, 24), (4, 24), (6, 24), (9, 60), (3, 8)])
def test_the_shortest_shot_has_an_image_wherever_it_begins(min_shot, fps):
    statistics = statistics_of(numbered(100), fps, min_shot)
    spans = [(first, first + min_shot) for first in range(100 - min_shot)]
    for level, (first, end) in zip(levels(statistics, spans), spans, strict=True):
        assert first <= level < end


def test_a_long_video_keeps_fewer_frames_within_its_memory_limit(monkeypatch):
    size = numbered(1)[0].nbytes
    monkeypatch.setattr(frame_statistics, "MAX_BYTES", 10 * size)
    statistics = FrameStatistics(iter(numbered(250)), 24, 27, 6)
    most = 0
    for _ in statistics:
        most = max(most, len(statistics._kept))
    # 42 at every sixth frame, 21 at every 12th, 11 at every 24th, 6 at every 48th.
    assert most <= 11 and [int(kept[0, 0, 0]) for kept in statistics._kept] == [
        0,
        48,
        96,
        144,
        192,
        240,
    ]
    assert levels(statistics, [(0, 100), (100, 140), (140, 250)]) == [48, None, 192]


def test_a_single_frame_is_not_frozen():
    statistics = statistics_of(numbered(1))
    assert (statistics.still, statistics.frozen, statistics.black) == (0, 0, 1)
    assert levels(statistics, [(0, 1)]) == [0]


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
    """Only the noise of a camera."""
    random = np.random.default_rng(0)
    for _ in range(SECONDS * rate):
        yield np.clip(random.normal(2, 4, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)


def half_black(rate: int) -> Iterator[np.ndarray]:
    yield from list(moving(rate))[: SECONDS * rate // 2]
    yield from list(black(rate))[: SECONDS * rate // 2]


def letterbox(rate: int) -> Iterator[np.ndarray]:
    """Motion between bars that cover three quarters of the frame."""
    for frame in moving(rate):
        barred = np.zeros_like(frame)
        barred[135:225] = frame[135:225]
        yield barred


def text(rate: int) -> Iterator[np.ndarray]:
    """A line of thin text, 2 % of the frame, on black."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[172:188, 180:460:2] = 230
    for _ in range(SECONDS * rate):
        yield picture


CODINGS = {
    "x264": ("libx264", {"crf": "23"}),
    "x264 with many key frames": ("libx264", {"crf": "35", "g": "12"}),
    "mpeg4 at a low bit rate": ("mpeg4", {"b": "250000"}),
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


def detection_of(path: Path) -> shots.ShotDetection:
    return shots.detect_shots(path, "pyav", SECONDS, "adaptive", 6, 24)


@pytest.mark.parametrize(("coding", "rate"), [*((each, 24) for each in CODINGS), ("x264", 12)])
def test_a_frozen_image_is_still_and_a_slow_camera_is_not(tmp_path, coding, rate):
    """With every encoding, and where the grid repeats frames."""
    detection = detection_of(encoded(tmp_path / "frozen.mp4", frozen(rate), rate, coding))
    assert (detection.still, detection.frozen, detection.black) == (1, 5.75, 0)
    detection = detection_of(encoded(tmp_path / "moving.mp4", moving(rate), rate, coding))
    assert detection.still < 0.1 and detection.frozen <= 0.25 and detection.black == 0


@pytest.mark.parametrize(
    ("frames", "still", "longest", "dark"),
    [
        (slides, 21 / 23, 1.75, 0),
        (stopping, 12 / 23, 3, 0),
        (black, 1, 5.75, 1),
        (half_black, 12 / 23, 2.75, 0.5),
        (letterbox, 0, 0, 0),
        (text, 1, 5.75, 0),
    ],
)
def test_fractions_are_those_of_the_edit(tmp_path, frames, still, longest, dark):
    detection = detection_of(encoded(tmp_path / "trailer.mp4", frames(24), 24))
    assert detection.still == pytest.approx(still, abs=1.5 / 23)
    assert detection.frozen == pytest.approx(longest, abs=0.25)
    assert detection.black == pytest.approx(dark, abs=1 / 24)


def test_a_video_of_a_third_of_a_second_has_statistics(tmp_path):
    path = encoded(tmp_path / "short.mp4", list(frozen(24))[:8], 24)
    detection = shots.detect_shots(path, "pyav", 8 / 24, "adaptive", 6, 24)
    assert (detection.still, detection.frozen) == (1, 0.25) and len(detection.images) == 1
