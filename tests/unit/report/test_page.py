"""The parts of pages that no browser is needed for."""

import json
from base64 import b64decode
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from trailers12k.common import fingerprint
from trailers12k.report import formatting
from trailers12k.report import page as pages
from trailers12k.report import pictures as pictures_
from trailers12k.report import thumbnails as sprites
from trailers12k.video import contact_sheets as sheets


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.04, "0.0 s"), (41, "41 s"), (425, "7:05 min"), (5400, "1.5 h"), (36e5, "1,000.0 h")],
)
def test_durations_as_a_person_says_them(seconds, told):
    assert formatting.duration(seconds) == told


def test_data_ends_no_script_and_stays_what_it_is():
    hostile = {"a": "</script><!-- & \u2028"}
    text = str(formatting._json(hostile))
    assert "<" not in text and "&" not in text and json.loads(text) == hostile
    assert "</script" not in str(formatting._script('"</script>"')).lower()


def test_links_are_seen_from_the_page():
    assert formatting._relative("results/tables/funnel.csv") == "../tables/funnel.csv"
    assert formatting._relative("data/curation.csv") == "../../data/curation.csv"


def test_the_funnel_in_words():
    rows = [
        ("movies", "ok", None, 12_000),
        ("trailers", "failed", "bot_check", 1_500),
        ("trailers", "ok", None, 10_500),
        ("clips", "ok", None, 10_500),
        ("features", "ok", None, 10_500),
        ("evaluated", "ok", None, 2_100),
    ]
    words = pictures_.funnel_words(
        pd.DataFrame(rows, columns=["step", "status", "reason", "movies"])
    )
    assert words.startswith("Of 12,000 movies, 10,500 have a whole trailer, 10,500 were cut")
    assert words.endswith("2,100 were tested by every run. Lost: 1,500 bot check (trailers).")


def test_a_template_counts_as_code(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprint, "PACKAGE", tmp_path)
    (tmp_path / "report/templates").mkdir(parents=True)
    versions = set()
    for text in ("a", "b"):
        (tmp_path / "report/templates" / "x.css").write_text(text)
        fingerprint.code_version.cache_clear()
        versions.add(fingerprint.code_version("report/templates/x.css"))
    fingerprint.code_version.cache_clear()
    assert len(versions) == 2


@pytest.fixture
def sheet(tmp_path):
    """Makes a contact sheet of shots each of a brightness of its own, of this many pixels."""

    def make(name="tt1", shots=20, width=160):
        pictures = [np.full((90, width, 3), 10 * shot, np.uint8) for shot in range(shots)]
        sheets.write(tmp_path / f"{name}.jpg", pictures)
        return tmp_path

    return make


def decoded(found):
    data = b64decode(found.pictures[0].split(",")[1])
    return np.asarray(Image.open(BytesIO(data)).convert("L")).astype(int)


def test_frames_are_spread_over_the_trailer(sheet):
    found = sprites.build(sheet(), {"tt1": 20})
    assert (found.count, found.width, found.height) == (4, 128, 72)
    picture = decoded(found)
    assert picture.shape == (72, 512)
    assert picture[36, 64::128] == pytest.approx([20, 70, 120, 170], abs=6)


def test_a_wide_trailer_is_whole_and_few_shots_are_shown_more_than_once(sheet):
    picture = decoded(sprites.build(sheet(shots=2, width=320), {"tt1": 2}))
    assert picture[36, 64::128] == pytest.approx([0, 0, 10, 10], abs=4)
    wide = decoded(sprites.build(sheet(shots=20, width=320), {"tt1": 20}))
    assert wide[2, 320] == pytest.approx(0, abs=4) and wide[36, 320] == pytest.approx(120, abs=6)


def test_a_sheet_of_another_version_is_not_shown(sheet):
    assert np.ptp(decoded(sprites.build(sheet(), {"tt1": 19}))) < 4


def test_trailers_without_a_sheet_are_left_out(sheet, tmp_path):
    sheet("tt1")
    sheet("tt3", 1)
    found = sprites.build(tmp_path, {"tt1": 20, "tt2": 5, "tt3": 1})
    assert found.mids == ["tt1", "tt3"] and len(found.pictures) == 1
    assert found == sprites.build(tmp_path, {"tt3": 1, "tt1": 20})
    assert sprites.build(tmp_path / "none", {"tt1": 20}) is None


def test_frames_keep_to_their_budget(sheet, tmp_path, monkeypatch):
    sheet()
    monkeypatch.setattr(sprites, "BUDGET", 10)
    assert sprites.build(tmp_path, {"tt1": 20}) is None
    assert sprites.of_rows([{"mid": "tt1", "shots": "4"}, {"mid": "tt2", "shots": ""}]) == {
        "tt1": 4
    }


def test_no_picture_is_higher_than_webp_allows():
    assert max(height for *_, height in sprites.TIERS) * sprites.PER_PICTURE < 16383


def test_the_tile_of_clips_counts_the_stores_whose_input_is_clips_or_frames():
    rows = [
        {"store": "covers", "input": "posters", "clips": 999},
        {"store": "posters_in_motion", "input": "frames", "clips": 7},
    ]
    funnel = [{"step": step, "status": "ok", "movies": 3} for step in ("movies", "evaluated")]
    summary = pd.DataFrame([{"run": "a", "uap": 50.0}])
    tables = {"stores": pd.DataFrame(rows), "funnel": pd.DataFrame(funnel), "summary": summary}
    assert ("7", "clips") in pages._tiles(tables)
