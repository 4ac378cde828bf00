"""Shots are detected at the cuts of a rendered video, and clips follow the stated rule."""

from pathlib import Path

import av
import numpy as np
import pytest

from trailers12k.video.clip_detection import ClipSettings, detect_clips, partition
from trailers12k.video.clips import Clip, frame_times
from trailers12k.video.reader import read_frames
from trailers12k.video.shots import detect_shots

from .rendering import render_shots

SHOTS = (30, 12, 50, 24, 8, 40)


@pytest.fixture(scope="module")
def trailer(tmp_path_factory) -> Path:
    return render_shots(tmp_path_factory.mktemp("trailers") / "trailer.mp4", SHOTS)


@pytest.mark.parametrize("detector", ["adaptive", "content"])
def test_shots_are_detected_at_the_cuts(trailer, detector):
    bounds = [0, *np.cumsum(SHOTS).tolist()]
    detection = detect_shots(trailer, "pyav", sum(SHOTS) / 24, detector, 6, 24)
    assert detection.shots == list(zip(bounds, bounds[1:], strict=False))
    assert detection.repeated == 0


def test_a_video_without_cuts_is_one_shot(tmp_path):
    path = render_shots(tmp_path / "one.mp4", (30,))
    assert detect_shots(path, "pyav", 30 / 24, "adaptive", 6, 24).shots == [(0, 30)]


@pytest.mark.parametrize(("rate", "repeated"), [(12, 72), (24, 0), (30, 0), (60, 0)])
def test_frames_of_the_grid_that_repeat_are_counted(tmp_path, rate, repeated):
    """Six seconds: a file of 12 frames per second repeats every other frame of the grid."""
    path = render_shots(tmp_path / "trailer.mp4", (3 * rate, 3 * rate), rate)
    detection = detect_shots(path, "pyav", 6.0, "adaptive", 6, 24)
    assert detection.shots == [(0, 72), (72, 144)] and detection.repeated == repeated


def test_partition_keeps_half_a_clip_and_one_clip_per_shot():
    clips = partition([(0, 59), (59, 95), (95, 98)], fps=24, fpc=24, keep=0.5)
    # 59 = 24 + 24 + 11, which is dropped; 36 = 24 + 12, which is kept; 3 is the shot's only clip.
    frames = [(clip.shot, round(clip.start * 24), round(clip.end * 24)) for clip in clips]
    assert frames == [(0, 0, 24), (0, 24, 48), (1, 59, 83), (1, 83, 95), (2, 95, 98)]
    assert [clip.clip for clip in clips] == [0, 1, 2, 3, 4]


def test_the_defaults_are_clips_of_a_second_on_a_grid_of_24_frames():
    settings = ClipSettings()
    assert (settings.fps, settings.fpc, settings.keep) == (24, 24, 0.5)
    assert (settings.detector, settings.min_shot) == ("adaptive", 6)
    by_default = partition([(0, 60), (60, 95)])
    assert by_default == partition([(0, 60), (60, 95)], fps=24, fpc=24, keep=0.5)
    assert [round(clip.end - clip.start, 4) for clip in by_default] == [1, 1, 0.5, 1]


def test_the_rest_of_a_shot_is_kept_by_its_share_of_a_clip():
    def rests(keep):
        shots = [(0, 10 + rest) for rest in range(1, 10)]
        return [len(partition([shot], fps=10, fpc=10, keep=keep)) for shot in shots]

    assert rests(0.3) == [1, 1, 2, 2, 2, 2, 2, 2, 2]
    assert rests(1.0) == [1] * 9 and rests(0.1) == [2] * 9


@pytest.mark.parametrize("seconds", [0.01, 0.05, 0.1])
def test_a_trailer_of_a_frame_or_less_is_one_shot(trailer, seconds):
    shots = detect_shots(trailer, "pyav", seconds, "adaptive", 6, 24).shots
    assert shots == [(0, max(1, round(24 * seconds)))]


def test_a_short_clip_is_padded_with_its_last_frame():
    (clip,) = partition([(7, 10)], fps=24, fpc=6)
    expected = np.array([7, 8, 9, 9, 9, 9]) / 24
    assert np.array_equal(frame_times(clip, 24, 6), expected)


def test_clip_times_are_rounded_as_in_the_file():
    assert partition([(1, 25)])[0] == Clip(0, 0, 0.041667, 1.041667)


def test_the_times_in_clips_csv_suffice_to_cut_a_clip(trailer):
    """With PyAV alone: the frames from `start` on and before `end`."""
    clips, _ = detect_clips(trailer, "pyav", sum(SHOTS) / 24, ClipSettings())
    with av.open(str(trailer)) as container:
        frames = [(float(f.time), f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    origin = frames[0][0]
    for clip in clips:
        cut = [f for t, f in frames if clip.start - 1e-3 <= t - origin < clip.end - 1e-3]
        read = list(read_frames(trailer, "pyav", frame_times(clip)))
        assert len(cut) == round((clip.end - clip.start) * 24) and len(read) == 24
        assert all(np.array_equal(a, b) for a, b in zip(cut, read, strict=False))
        assert all(np.array_equal(cut[-1], frame) for frame in read[len(cut) :])
