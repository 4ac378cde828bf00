"""The parts of pages that no browser is needed for."""

import json

import pandas as pd
import pytest
from PIL import Image

from trailers12k import fingerprint, pages, sprites


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.04, "0.0 s"), (41, "41 s"), (425, "7:05 min"), (5400, "1.5 h"), (36e5, "1,000.0 h")],
)
def test_durations_as_a_person_says_them(seconds, told):
    assert pages.duration(seconds) == told


def test_data_ends_no_script_and_stays_what_it_is():
    hostile = {"a": "</script><!-- & \u2028"}
    text = str(pages._json(hostile))
    assert "<" not in text and "&" not in text and json.loads(text) == hostile
    assert "</script" not in str(pages._script('"</script>"')).lower()


def test_links_are_seen_from_the_page():
    assert pages._relative("results/tables/funnel.csv") == "../tables/funnel.csv"
    assert pages._relative("data/curation.csv") == "../../data/curation.csv"


def test_the_funnel_in_words():
    rows = [
        ("movies", "ok", None, 12_000),
        ("trailers", "failed", "bot_check", 1_500),
        ("trailers", "ok", None, 10_500),
        ("clips", "ok", None, 10_500),
        ("features", "ok", None, 10_500),
        ("evaluated", "ok", None, 2_100),
    ]
    words = pages.funnel_words(pd.DataFrame(rows, columns=["step", "status", "reason", "movies"]))
    assert words.startswith("Of 12,000 movies, 10,500 have a whole trailer, 10,500 were cut")
    assert words.endswith("2,100 were tested by every run. Lost: 1,500 bot check (trailers).")


def test_a_template_counts_as_code(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprint, "PACKAGE", tmp_path)
    (tmp_path / "templates").mkdir()
    versions = set()
    for text in ("a", "b"):
        (tmp_path / "templates" / "x.css").write_text(text)
        fingerprint.code_version.cache_clear()
        versions.add(fingerprint.code_version("templates/x.css"))
    fingerprint.code_version.cache_clear()
    assert len(versions) == 2


@pytest.fixture
def sheet(tmp_path):
    """A contact sheet: 23 cells of 160 x 90, each of a brightness of its own."""

    def make(name="tt1", shots=23, width=160):
        columns = min(sprites.COLUMNS, shots)
        rows = -(-shots // columns)
        picture = Image.new("RGB", (width * columns, 90 * rows))
        for cell in range(shots):
            box = (cell % columns * width, cell // columns * 90)
            picture.paste((10 * cell, 10 * cell, 10 * cell), (*box, box[0] + width, box[1] + 90))
        picture.save(tmp_path / f"{name}.jpg", quality=90)
        return tmp_path / f"{name}.jpg"

    return make


def test_frames_are_spread_over_the_trailer(sheet):
    found = sprites.frames(sheet(), 23, 4, 128, 72)
    assert [round(frame.getpixel((64, 36))[0], -1) for frame in found] == [20, 80, 140, 200]
    assert all(frame.size == (128, 72) for frame in found)


def test_a_wide_trailer_is_whole(sheet):
    (frame,) = sprites.frames(sheet(shots=21, width=240), 21, 1, 128, 72)
    assert frame.getpixel((64, 2)) == (0, 0, 0) and round(frame.getpixel((64, 36))[0], -1) == 100


def test_trailers_without_a_sheet_are_left_out(sheet, tmp_path):
    sheet("tt1"), sheet("tt3", 1)
    found = sprites.build(tmp_path, {"tt1": 23, "tt2": 5, "tt3": 1})
    assert found.mids == ["tt1", "tt3"] and len(found.pictures) == 1
    assert found == sprites.build(tmp_path, {"tt3": 1, "tt1": 23})
    assert sprites.build(tmp_path / "none", {"tt1": 23}) is None


def test_frames_keep_to_their_budget(sheet, tmp_path, monkeypatch):
    sheet()
    monkeypatch.setattr(sprites, "BUDGET", 10)
    assert sprites.build(tmp_path, {"tt1": 23}) is None
    assert sprites.of_rows([{"mid": "tt1", "shots": "4"}, {"mid": "tt2", "shots": ""}]) == {
        "tt1": 4
    }


def test_no_picture_is_higher_than_webp_allows():
    assert max(height for *_, height in sprites.TIERS) * sprites.PER_PICTURE < 16383
