"""Random damage to videos and pictures, which are read in a process of its own."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.hostile.fuzzing import answered, damaged, examples
from trailers12k.video import confined

DATA = Path(__file__).parents[1] / "cases" / "data"
VIDEOS = [
    (DATA / name).read_bytes() for name in ("plain.mp4", "subs_longer.mkv", "wmv2.wmv", "mpeg2.mpg")
]


def picture(form):
    """A small picture of a format of Pillow."""
    file = io.BytesIO()
    Image.effect_noise((9, 7), 50).convert("RGB").save(file, form)
    return file.getvalue()


PICTURES = [picture(form) for form in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")]


@pytest.fixture
def folder(tmp_path):
    yield tmp_path
    confined.close()


@given(data=st.sampled_from(VIDEOS).flatmap(damaged))
@examples(30)
def test_videos(folder, data):
    (folder / "a").write_bytes(data)
    found, _ = answered(confined.probe, folder / "a")
    assert found is None or found.frames > 0


@given(data=st.one_of(st.sampled_from(PICTURES).flatmap(damaged), st.binary(max_size=60)))
@examples(25)
def test_pictures(folder, data):
    (folder / "a").write_bytes(data)
    answered(confined.save_as_jpeg, folder / "a", folder / "a.jpg", 25)
    if (folder / "a.jpg").exists():
        with Image.open(folder / "a.jpg") as image:
            assert image.mode == "RGB"
        (folder / "a.jpg").unlink()
