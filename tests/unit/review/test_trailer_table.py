"""The table of trailers combines movies and ledgers."""

import numpy as np
import pytest

from trailers12k.common.files import write_csv
from trailers12k.common.movie import Movie
from trailers12k.features import store as stores
from trailers12k.jobs import ledger
from trailers12k.movies.movie_table import write_movies
from trailers12k.report import losses
from trailers12k.review import trailer_table
from trailers12k.review.speech import speech_shares

MIDS = ["tt0000001", "tt0000002", "tt0000003"]


def movies(*genres):
    return [
        Movie(mid, f"title of {mid}", "1999", tuple(names.split("|")), youtube_id=f"id-{mid}")
        for mid, names in zip(MIDS, genres, strict=False)
    ]


def test_a_row_combines_the_ledgers_of_a_trailer():
    downloaded = [
        {"mid": MIDS[0], "status": "ok", "trailer": "1", "address": "x", "title": "On the site"}
        | {"duration": "61.5", "sha256": "ab"},
        {"mid": MIDS[1], "status": "failed", "duration": "9"},
    ]
    cut = [{"mid": MIDS[0], "status": "ok", "shots": "7", "clips": "9", "black": "0.125"}]
    listed = [Movie(MIDS[0], "A", "1", ("drama",), "id", "", "", ("other", "third"))]
    listed += movies("", "crime|drama")[1:]
    lost = {MIDS[1]: ("trailers", "failed", "private")}
    heard = [
        {"mid": MIDS[0], "status": "ok", "loudness": "-14.2", "silence": "0.031"},
        {"mid": MIDS[1], "status": "skipped", "reason": "no_trailer"},
    ]
    known = trailer_table.TrailerMeasures(downloaded, cut, heard, {MIDS[0]: 0.41251})
    first, second = trailer_table.trailer_rows(listed, lost, known)
    assert list(first)[:7] == trailer_table.TRAILERS[:7] and {*first} == {*trailer_table.TRAILERS}
    assert (first["trailer"], first["video_title"]) == ("other", "On the site")
    assert (first["duration"], first["shots"], first["black"]) == ("61.5", "7", "0.125")
    names = ("sound", "loudness", "silence", "speech")
    assert [first[name] for name in names] == ["ok", "-14.2", "0.031", "0.413"]
    assert [second[name] for name in names] == [""] * 4
    # Columns that no ledger fills are empty.
    assert first["still"] == first["frozen"] == ""
    assert (second["status"], second["stage"], second["reason"]) == (
        "failed",
        "trailers",
        "private",
    )
    assert second["duration"] == second["trailer"] == "" and second["genres"] == "crime|drama"


@pytest.mark.parametrize(
    "status, detail, sound",
    [
        ("skipped", "no_track: the file has no sound", "no_track"),
        ("skipped", "silent: nothing can be heard", "silent"),
        ("skipped", "video_only: downloaded without sound", "video_only"),
        ("failed", "damaged: none of 7 packets can be decoded", "damaged"),
        ("failed", "", "damaged"),
    ],
)
def test_the_reason_says_what_a_trailer_without_sound_lacks(status, detail, sound):
    row = {"mid": MIDS[0], "status": status, "reason": "no_sound", "detail": detail}
    known = trailer_table.TrailerMeasures(heard=[row | {"loudness": "", "silence": ""}])
    (made,) = trailer_table.trailer_rows(movies("drama"), {}, known)
    assert (made["sound"], made["loudness"], made["status"]) == (sound, "", "ok")


def test_speech_of_a_trailer_is_the_mean_of_its_clips_by_their_seconds(tmp_path):
    store = tmp_path / "trailers_a_speech.zarr"
    stores.create(store, {"num_features": 1, "backbone": "silero/vad"})
    stores.write(store, MIDS[0], np.array([[1.0], [0.0]], np.float32), {})
    stores.write(store, MIDS[1], np.array([[1.0]], np.float32), {})  # of other clips
    clips = [
        {"mid": mid, "clip": clip, "shot": 0, "start": start, "end": end}
        for mid in MIDS
        for clip, start, end in ((0, 0, 1.5), (1, 1.5, 2))
    ]
    write_csv(tmp_path / "clips.csv", ["mid", "clip", "shot", "start", "end"], clips)
    assert speech_shares(store, tmp_path / "clips.csv") == {MIDS[0]: 0.75}


def test_a_failed_poster_or_sound_does_not_lose_a_trailer(tmp_path):
    write_movies(tmp_path / "movies.csv", movies("crime", "crime", "crime"))
    rows = [
        {"mid": mid, "stage": stage, "status": "ok"} for mid in MIDS[:3] for stage in losses.MADE
    ]
    for mid, store, status in (
        (MIDS[0], "posters_i_swin", "failed"),
        (MIDS[1], "covers", "failed"),
        (MIDS[2], "posters_of_frames", "failed"),
    ):
        # Of sound there is none for any of them.
        rows.append({"mid": mid, "stage": "sounds", "status": "skipped", "reason": "no_sound"})
        for name in ("posters_i_swin", "covers", "posters_of_frames"):
            state = {"status": status, "reason": "x"} if name == store else {"status": "ok"}
            rows.append({"mid": mid, "stage": name} | state)
    write_csv(tmp_path / "ledger.csv", ["mid", "stage", *ledger.COLUMNS[1:]], rows)
    inputs = {"posters_i_swin": "posters", "covers": "posters", "posters_of_frames": "frames"}
    inputs |= {"sounds": "audio"}
    files = trailer_table.TrailerFiles(
        tmp_path / "movies.csv", tmp_path / "ledger.csv", downloaded=[], cut=[], stores=inputs
    )
    rows = trailer_table.list_trailers(tmp_path / "trailers.csv", files)
    # The input of a store decides, not its name.
    states = [(row["status"], row["stage"]) for row in rows]
    assert states == [("ok", ""), ("ok", ""), ("failed", "posters_of_frames")]
