"""An exported clip shows exactly the frames that features see."""

from fractions import Fraction

import av
import numpy as np
import pytest

from trailers12k.common.errors import Failure, UserError
from trailers12k.video import clip_export
from trailers12k.video.clips import Clip, frame_times
from trailers12k.video.probe import probe
from trailers12k.video.reader import read_frames

from .rendering import render_shots


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other).mean())


@pytest.fixture(scope="module")
def trailer(tmp_path_factory):
    """At 30 frames per second, so that the grid of 24 skips frames."""
    return render_shots(tmp_path_factory.mktemp("trailer") / "trailer.mp4", (60, 45), rate=30)


@pytest.mark.parametrize("encoder", ["libx264", "mpeg4"])
@pytest.mark.parametrize(
    ("clip", "distinct"),
    [(Clip(1, 0, 1.0, 2.0), 24), (Clip(2, 1, 2.0, 2.333333), 8)],
    ids=["full", "padded"],
)
def test_a_cut_clip_has_the_frames_that_features_see(
    trailer, tmp_path, monkeypatch, encoder, clip, distinct
):
    monkeypatch.setattr(clip_export, "ENCODERS", {encoder: clip_export.ENCODERS[encoder]})
    path = tmp_path / "clip.mp4"
    assert clip_export.cut(trailer, "pyav", clip, path, 24, 24) == 24
    expected = list(read_frames(trailer, "pyav", frame_times(clip, 24, 24)))
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == 24
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 24 and frames[0].shape == expected[0].shape
    for number, frame in enumerate(frames):
        assert difference(frame, expected[number]) < 4
        # Colours are halved; the encoder's own settings would change brightness by 1.67 and 4.9.
        brightness = (frame.astype(float) - expected[number]) @ (0.2126, 0.7152, 0.0722)
        assert np.abs(brightness).mean() < 1.58
        # Squares that move by a pixel per frame: no neighbouring frame is as similar.
        for other in {number - 1, number + 1} & set(range(distinct)):
            if number < distinct:
                assert difference(frame, expected[other]) > difference(frame, expected[number])
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_clip_of_an_odd_size_and_another_grid_is_cut(tmp_path):
    source = tmp_path / "odd.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 97, 55, "yuv444p"
        for level in range(48):
            pixels = np.full((55, 97, 3), 4 * level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    path, clip = tmp_path / "clip.mp4", Clip(0, 0, 0.5, 1.0)
    assert clip_export.cut(source, "pyav", clip, path, 12, 6) == 6
    video = probe(path)
    assert (video.frames, video.width, video.height) == (6, 97, 55)
    assert Fraction(video.fps).limit_denominator(100) == 12
    levels = [frame.mean() / 4 for frame in read_frames(path, "pyav", np.arange(6) / 12)]
    assert np.round(levels).tolist() == [12, 14, 16, 18, 20, 22]


def test_what_cannot_be_cut_is_reported_and_leaves_no_file(trailer, tmp_path):
    clip = Clip(0, 0, 0.0, 1.0)
    (tmp_path / "broken.mp4").write_bytes(trailer.read_bytes()[:500])
    with pytest.raises(Failure, match="decode_failed"):
        clip_export.cut(tmp_path / "broken.mp4", "pyav", clip, tmp_path / "clip.mp4", 24, 24)
    assert [path.name for path in tmp_path.iterdir()] == ["broken.mp4"]
    with pytest.raises(UserError, match="clip.mp4 cannot be written: "):
        clip_export.cut(trailer, "pyav", clip, tmp_path / "broken.mp4/clip.mp4", 24, 24)
