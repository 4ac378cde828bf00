"""The collage has frames of contact sheets, none larger than allowed, always the same."""

import io

import numpy as np
import pytest
from PIL import Image

from trailers12k.common.files import write_csv
from trailers12k.publish.texts import collage
from trailers12k.video import contact_sheets


@pytest.fixture
def run(tmp_path):
    mids = [f"tt{place:07d}" for place in range(13)]
    (tmp_path / "build/sheets").mkdir(parents=True)
    for place, mid in enumerate(mids[:12]):
        black, noise = np.zeros((90, 160, 3), np.uint8), np.zeros((90, 160, 3), np.uint8)
        noise[::2] = 20 * place + 20
        contact_sheets.write(tmp_path / f"build/sheets/{mid}.jpg", [black, noise, black])
    rows = [{"mid": mid, "shots": 3} for mid in mids]
    write_csv(tmp_path / "results/tables/trailers.csv", ["mid", "shots"], rows)
    return tmp_path


@pytest.mark.parametrize(("side", "frame"), [(128, (128, 72)), (16, (16, 9)), (256, (160, 90))])
def test_no_frame_is_larger_than_allowed(run, side, frame):
    with Image.open(io.BytesIO(collage.picture(run, side))) as whole:
        # Twelve trailers have a sheet: one whole row of ten.
        assert whole.size == (10 * frame[0], frame[1])
        assert whole.convert("L").getextrema()[1] > 20  # no black shot was chosen


def test_equal_sheets_give_equal_bytes(run):
    assert collage.picture(run, 64) == collage.picture(run, 64)


def test_at_most_sixty_frames(run, monkeypatch):
    monkeypatch.setattr(collage, "MOST", 3)
    with Image.open(io.BytesIO(collage.picture(run, 64))) as whole:
        assert whole.size == (3 * 64, 36)


def test_without_sheets_there_is_no_collage(run):
    for sheet in (run / "build/sheets").iterdir():
        sheet.unlink()
    assert collage.picture(run, 64) == b""
