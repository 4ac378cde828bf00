"""The table of trailers combines movies and ledgers."""

from trailers12k.common.files import write_csv
from trailers12k.common.movie import Movie
from trailers12k.jobs import ledger
from trailers12k.movies.movie_table import write_movies
from trailers12k.report import losses
from trailers12k.review import trailer_table

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
    first, second = trailer_table.trailer_rows(listed, lost, downloaded, cut)
    assert list(first)[:7] == trailer_table.TRAILERS[:7] and {*first} == {*trailer_table.TRAILERS}
    assert (first["trailer"], first["video_title"]) == ("other", "On the site")
    assert (first["duration"], first["shots"], first["black"]) == ("61.5", "7", "0.125")
    # Columns that no ledger fills are empty.
    assert first["still"] == first["frozen"] == ""
    assert (second["status"], second["stage"], second["reason"]) == (
        "failed",
        "trailers",
        "private",
    )
    assert second["duration"] == second["trailer"] == "" and second["genres"] == "crime|drama"


def test_a_failed_poster_does_not_lose_a_trailer(tmp_path):
    write_movies(tmp_path / "movies.csv", movies("crime", "crime", "crime"))
    rows = [
        {"mid": mid, "stage": stage, "status": "ok"} for mid in MIDS[:3] for stage in losses.MADE
    ]
    for mid, store, status in (
        (MIDS[0], "posters_i_swin", "failed"),
        (MIDS[1], "covers", "failed"),
        (MIDS[2], "posters_of_frames", "failed"),
    ):
        for name in ("posters_i_swin", "covers", "posters_of_frames"):
            state = {"status": status, "reason": "x"} if name == store else {"status": "ok"}
            rows.append({"mid": mid, "stage": name} | state)
    write_csv(tmp_path / "ledger.csv", ["mid", "stage", *ledger.COLUMNS[1:]], rows)
    stores = {"posters_i_swin": "posters", "covers": "posters", "posters_of_frames": "frames"}
    files = trailer_table.TrailerFiles(
        tmp_path / "movies.csv", tmp_path / "ledger.csv", downloaded=[], cut=[], stores=stores
    )
    rows = trailer_table.list_trailers(tmp_path / "trailers.csv", files)
    # The input of a store decides, not its name.
    states = [(row["status"], row["stage"]) for row in rows]
    assert states == [("ok", ""), ("ok", ""), ("failed", "posters_of_frames")]
