"""Thumbnails: frames of contact sheets, packed for the report page."""

from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from trailers12k.report import thumbnails
from trailers12k.video import contact_sheets


@pytest.fixture
def sheet(tmp_path):
    """Writes a contact sheet whose shots differ in brightness; width: of a frame in pixels."""

    def make(name="tt1", shots=20, width=160):
        pictures = [np.full((90, width, 3), 10 * shot, np.uint8) for shot in range(shots)]
        contact_sheets.write(tmp_path / f"{name}.jpg", pictures)
        return tmp_path

    return make


def decoded(packed):
    data = b64decode(packed.pictures[0].split(",")[1])
    return np.asarray(Image.open(BytesIO(data)).convert("L")).astype(int)


def test_frames_are_spread_over_the_trailer(sheet):
    packed = thumbnails.build(sheet(), {"tt1": 20})
    assert (packed.count, packed.width, packed.height) == (4, 128, 72)
    picture = decoded(packed)
    assert picture.shape == (72, 512)
    assert picture[36, 64::128] == pytest.approx([20, 70, 120, 170], abs=6)


def test_wide_frames_are_padded_and_few_shots_are_repeated(sheet):
    picture = decoded(thumbnails.build(sheet(shots=2, width=320), {"tt1": 2}))
    assert picture[36, 64::128] == pytest.approx([0, 0, 10, 10], abs=4)
    wide = decoded(thumbnails.build(sheet(shots=20, width=320), {"tt1": 20}))
    assert wide[2, 320] == pytest.approx(0, abs=4) and wide[36, 320] == pytest.approx(120, abs=6)


def test_a_sheet_of_another_version_is_not_used(sheet):
    assert np.ptp(decoded(thumbnails.build(sheet(), {"tt1": 19}))) < 4


def test_trailers_without_a_sheet_are_left_out(sheet, tmp_path):
    sheet("tt1")
    sheet("tt3", 1)
    packed = thumbnails.build(tmp_path, {"tt1": 20, "tt2": 5, "tt3": 1})
    assert packed.mids == ["tt1", "tt3"] and len(packed.pictures) == 1
    assert packed == thumbnails.build(tmp_path, {"tt3": 1, "tt1": 20})
    assert thumbnails.build(tmp_path / "none", {"tt1": 20}) is None


def test_the_budget_limits_the_bytes(sheet, tmp_path, monkeypatch):
    sheet()
    monkeypatch.setattr(thumbnails, "BUDGET", 10)
    assert thumbnails.build(tmp_path, {"tt1": 20}) is None
    assert thumbnails.shots_of([{"mid": "tt1", "shots": "4"}, {"mid": "tt2", "shots": ""}]) == {
        "tt1": 4
    }


def test_no_picture_is_higher_than_webp_allows():
    assert max(height for *_, height in thumbnails.TIERS) * thumbnails.PER_PICTURE < 16383
