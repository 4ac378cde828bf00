"""The folder of the review: the data of its page, and the files that are written."""

import base64
import hashlib
import json
import os
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from trailers12k.common.text import unescape_formula
from trailers12k.features import store as stores
from trailers12k.review import page as review
from trailers12k.review import waveform_pictures
from trailers12k.review.flags import FLAGS
from trailers12k.video import contact_sheets, waveforms

COLUMNS = [
    "mid",
    "title",
    "year",
    "genres",
    "status",
    "trailer",
    "video_title",
    "duration",
    "height",
    "width",
    "shots",
    "sound",
    "loudness",
    "silence",
    "speech",
    "sha256",
]
HOSTILE = '</script><script>alert("x")</script>\'"\u2028&amp;'


def trailers(**odd) -> pd.DataFrame:
    rows = [
        {
            **dict.fromkeys(COLUMNS, ""),
            **{
                "mid": f"tt000000{i}",
                "title": f"Film {i}",
                "year": "2010",
                "genres": "drama|crime",
            },
            **{"status": "ok", "trailer": "aaaaaaaaaaa", "duration": "12.345", "height": "360"},
            **{"width": "640", "shots": "3", "sha256": f"{i:064x}"},
            **{"sound": "ok", "loudness": "-14.2", "silence": "0.031", "speech": ""},
        }
        for i in range(4)
    ]
    rows[3] |= odd
    return pd.DataFrame(rows)


CLIPS = pd.DataFrame(
    [
        (f"tt000000{i}", shot, shot * 3 + part, shot * 3 + part + 1)
        for i in range(4)
        for shot in range(3)
        for part in (0, 1)
    ],
    columns=["mid", "shot", "start", "end"],
)


@pytest.fixture
def folders(tmp_path):
    """Contact sheets of three shots, posters and waveforms of tt0000000 to tt0000002."""
    (tmp_path / "posters").mkdir()
    for i in range(3):
        frame = np.full((90, 160, 3), 60 * i, np.uint8)
        contact_sheets.write(tmp_path / "sheets" / f"tt000000{i}.jpg", [frame] * 3)
        poster = Image.new("RGB", (300, 450), (60 * i, 90, 30))
        poster.save(tmp_path / "posters" / f"tt000000{i}.jpg")
        waveforms.write(tmp_path / "waveforms" / f"tt000000{i}.bin", np.arange(180) % 256)
    return tmp_path


def write(folders, table=None, flags=(), decisions=(), speech=None):
    out = folders / "review"
    table = trailers() if table is None else table
    # `curation.read_written` returns rows like these.
    decisions = [{name: unescape_formula(text) for name, text in row.items()} for row in decisions]
    contents = review.ReviewContents("films.csv", table, flags, CLIPS, decisions, speech)
    names = ("sheets", "posters", "waveforms")
    review.write(out, contents, review.PictureFolders(*(folders / name for name in names)))
    text = (out / "movies.js").read_text()
    data = json.loads(text.removeprefix("window.TRAILERS12K = ").removesuffix(";\n"))
    movies = {row[0]: dict(zip(data["columns"], row, strict=True)) for row in data["movies"]}
    return out, data, movies


def test_the_data_of_the_page_comes_from_the_tables(folders):
    flags = [{"mid": "tt0000001", "flag": "black", "words": "41% black", "others": "tt1|tt2"}]
    decision = {"mid": "tt0000002", "decision": "reject", "note": "'=1+1", "wrong": "a|b"}
    out, data, movies = write(folders, flags=flags, decisions=[decision])
    assert data["collection"] == "films.csv" and list(data["flags"]) == list(FLAGS)
    assert data["genres"] == ["crime", "drama"]
    assert movies["tt0000001"] == {
        **{"mid": "tt0000001", "title": "Film 1", "year": "2010", "genres": [1, 0]},
        **{"address": "aaaaaaaaaaa", "video": "", "duration": 12.35, "width": 640, "height": 360},
        **{"sha256": f"{1:064x}", "shots": 3, "starts": "0 u u", "cell": 160, "poster": 1},
        **{"sound": "ok", "loudness": -14.2, "silence": 0.031, "speech": None},
        **{"waveform": 9.0, "spoken": ""},
        "flags": [[list(FLAGS).index("black"), "41% black", ["tt1", "tt2"]]],
    }
    assert (movies["tt0000003"]["cell"], movies["tt0000003"]["poster"]) == (0, 0)
    decided = dict(zip(data["decided"], data["decisions"][0], strict=True))
    # The reviewer's text, without the escape for spreadsheets.
    assert (decided["note"], decided["wrong"]) == ("=1+1", ["a", "b"])


def test_pictures_are_linked_or_reduced_and_only_when_they_changed(folders):
    out, *_ = write(folders)
    assert (out / "sheets/tt0000001.jpg").samefile(folders / "sheets/tt0000001.jpg")
    with Image.open(out / "posters/tt0000001.jpg") as poster:
        assert poster.size == (120, 180)
    before = {path: path.stat() for path in out.rglob("*.jpg")}
    write(folders)
    assert {path: path.stat().st_ino for path in out.rglob("*.jpg")} == {
        path: state.st_ino for path, state in before.items()
    }
    changed = folders / "posters/tt0000001.jpg"
    Image.new("RGB", (450, 450)).save(changed)
    write(folders)
    with Image.open(out / "posters/tt0000001.jpg") as poster:
        assert poster.size == (180, 180)
    assert [p for p in before if p.stat().st_ino != before[p].st_ino] == [
        out / "posters/tt0000001.jpg"
    ]


def test_pictures_of_removed_movies_are_removed(folders):
    out, *_ = write(folders)
    (out / "sheets/tt0000001.jpg.partial").touch()
    write(folders, trailers().iloc[2:])
    assert sorted(path.name for path in out.rglob("*.jpg*")) == ["tt0000002.jpg"] * 2


def test_waveforms_are_drawn_once_and_again_when_they_change(folders):
    out, *_ = write(folders)
    picture = out / "waveforms/tt0000001.png"
    with Image.open(picture) as image:
        assert image.size == (180, waveform_pictures.HEIGHT)
        # A column is as high as its peak, around the middle; nothing is drawn beyond.
        heights = (np.asarray(image.convert("RGBA"))[..., 3] > 0).sum(0)
    assert list(heights[[0, 64, 128, 179]]) == [2, 8, 16, 22]
    first = picture.stat().st_ino
    write(folders)
    assert picture.stat().st_ino == first
    waveforms.write(folders / "waveforms/tt0000001.bin", np.full(60, 255))
    _, _, movies = write(folders)
    assert movies["tt0000001"]["waveform"] == 3.0 and movies["tt0000002"]["waveform"] == 9.0
    (folders / "waveforms/tt0000001.bin").write_bytes(b"")
    _, _, movies = write(folders)
    assert movies["tt0000001"]["waveform"] == 0 and not picture.exists()
    (folders / "waveforms/tt0000002.bin").unlink()
    _, _, movies = write(folders)
    assert movies["tt0000002"]["waveform"] == 0 and not picture.with_stem("tt0000002").exists()


def test_a_long_waveform_is_drawn_no_wider_than_browsers_show(tmp_path):
    peaks = np.zeros(3600 * waveforms.PER_SECOND, np.uint8)
    peaks[36_005] = 255
    waveforms.write(tmp_path / "tt0000001.bin", peaks)
    waveform_pictures.draw(tmp_path / "tt0000001.bin", tmp_path / "tt0000001.png")
    assert waveform_pictures.seconds_of(tmp_path, "tt0000001") == 3600
    with Image.open(tmp_path / "tt0000001.png") as image:
        assert image.size[0] == waveform_pictures.COLUMNS
        loud = (np.asarray(image.convert("RGBA"))[..., 3] > 0).sum(0) > 2
    assert list(np.flatnonzero(loud)) == [3000]  # the peak at half time


def test_each_clip_of_the_shown_shots_has_its_share_of_speech(tmp_path):
    store = tmp_path / "trailers_a_speech.zarr"
    stores.create(store, {"num_features": 1, "backbone": "silero/vad"})
    shares = np.array([[0], [1], [0.5], [0.29], [0], [0.99]], np.float32)
    stores.write(store, "tt0000001", shares, {})
    stores.write(store, "tt0000002", shares[:5], {})  # of other clips
    _, data, movies = write(tmp_path, speech=store)
    assert movies["tt0000001"]["spoken"] == "0z ia 0z" and data["clip"] == 1
    assert movies["tt0000002"]["spoken"] == movies["tt0000003"]["spoken"] == ""


def test_sheets_are_copied_where_hard_links_are_impossible(folders, monkeypatch):
    def refuse(*_):
        raise OSError("other file system")

    monkeypatch.setattr(os, "link", refuse)
    out, *_ = write(folders)
    copy = out / "sheets/tt0000001.jpg"
    first = copy.stat().st_ino
    assert copy.read_bytes() == (folders / "sheets/tt0000001.jpg").read_bytes()
    write(folders)
    assert copy.stat().st_ino == first


def test_a_sheet_of_other_shots_and_a_damaged_poster_are_not_used(folders):
    (folders / "posters/tt0000001.jpg").write_bytes(b"no picture")
    _, _, movies = write(folders, trailers().assign(shots="12"))
    assert {movie["cell"] for movie in movies.values()} == {0}
    assert movies["tt0000001"]["poster"] == 0 and movies["tt0000002"]["poster"] == 1


def test_the_page_needs_no_pictures(tmp_path):
    _, _, movies = write(tmp_path)
    assert {movie["cell"] for movie in movies.values()} == {0}


def test_the_same_tables_make_the_same_bytes(folders):
    def bytes_of(out):
        return {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}

    first = bytes_of(write(folders)[0])
    for path in first:
        path.unlink()
    assert bytes_of(write(folders)[0]) == first


def test_no_text_can_end_the_script(folders):
    out, _, movies = write(folders, trailers(title=HOSTILE, video_title=HOSTILE))
    assert movies["tt0000003"]["title"] == HOSTILE
    text = (out / "movies.js").read_text()
    assert "<" not in text and text.isascii()


def test_the_policy_allows_this_script_and_style_and_no_network():
    page = review.page()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
    for name in ("script", "style"):
        text = re.search(f"<{name}>(.*)</{name}>", page, re.DOTALL).group(1)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "http" not in policy and "unsafe" not in policy
    assert "[[" not in page.replace("[[mid", "").split("<script")[0]


def test_a_sheet_with_fewer_cells_than_shots_has_the_starts_of_its_cells(folders):
    clips = pd.DataFrame({"mid": "tt0000001", "shot": range(2500), "start": np.arange(2500) * 0.5})
    ((mid, text),) = review._shot_starts(clips)
    starts = np.cumsum([int(step, 36) for step in text.split()]) / 10
    assert list(starts * 2) == contact_sheets.shown(2500)


def test_every_template_counts_in_code_versions():
    files = {f"templates/{path.name}" for path in review.TEMPLATES.iterdir()}
    assert files == set(review.PACKAGE_FILES)
