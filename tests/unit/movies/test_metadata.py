import json

from trailers12k.common.movie import Movie
from trailers12k.jobs import ledger
from trailers12k.movies import metadata, movie_table
from trailers12k.movies.sources.records import Record

MOVIES = [
    Movie("tt0035423", 'Kate & "Leopold"', "2001", ("comedy", "romance"), "6FeyhlLZYrg"),
    Movie(
        *("tt12345678", "<b>É</b>", "", ("drama",), "", "https://h/t.mp4", "p.jpg"),
        ("https://h/u.mp4", "6FeyhlLZYrg"),
    ),
]


def test_movies_csv_is_read_as_it_was_written(tmp_path):
    movie_table.write_movies(tmp_path / "movies.csv", MOVIES)
    assert movie_table.read_movies(tmp_path / "movies.csv") == MOVIES


RECORDS = [
    Record(
        "tt0035423",
        "Kate & Leopold",
        "2001",
        ("comedy", "romance"),
        ({"id": "6FeyhlLZYrg", "dims": [1, 2, 3]}, {"id": "abcdefghijk", "mine": 1}),
        entry={"imdb": {"id": "0035423", "year": 2001, "plot": "P"}, "youtube": {"more": [1]}},
        origin={"title": "trailers12k"},
        poster_url="https://h/p.jpg",
    ),
    Record("tt12345678", "<b>É</b>", genres=("drama",), trailers=({"url": "https://h/t.mp4"},)),
    Record("tt12345679", "C", genres=("drama",)),
]


def test_metadata_has_the_published_structure_and_keeps_published_values(tmp_path):
    rows = [
        {"mid": "tt0035423", "status": "ok", "duration": "99.120", "height": "360", "width": "640"}
        | {"trailer": "1"},
        {"mid": "tt12345678", "status": "failed", "duration": "", "height": "", "width": ""},
    ]
    assert metadata.write_metadata(tmp_path / "metadata.json", RECORDS, rows) == 1
    entries = json.loads((tmp_path / "metadata.json").read_text())["trailers12k"]
    assert entries["1"]["imdb"] == {
        **{"id": "0035423", "year": 2001, "plot": "P"},
        **{"title": "Kate & Leopold", "genres": ["comedy", "romance"]},
        "poster_url": "https://h/p.jpg",
    }
    # Readers take the first trailer: the one that was really downloaded.
    assert entries["1"]["youtube"]["trailers"] == [
        {"id": "abcdefghijk", "mine": 1, "dims": [99.12, 360, 640]},
        {"id": "6FeyhlLZYrg", "dims": [1, 2, 3]},
    ]
    assert entries["1"]["youtube"]["more"] == [1]
    assert entries["1"]["sources"] == {"title": "trailers12k"}
    assert entries["2"]["imdb"]["title"] == "<b>É</b>"
    assert entries["2"]["youtube"]["trailers"] == [{"id": "", "url": "https://h/t.mp4"}]
    assert entries["3"]["youtube"]["trailers"] == [{"id": ""}]


def test_the_ledger_is_ordered_by_stage_then_mid(tmp_path):
    row = {"status": "ok", "attempts": 1}
    ledger.write_shard(tmp_path / "a", [{"mid": "tt0000002"} | row], ["file"])
    ledger.write_shard(
        tmp_path / "b",
        [{"mid": "tt0000001", "status": "failed", "reason": "truncated", "detail": "a, b"}],
        ["file"],
    )
    shards = [("trailers", tmp_path / "a"), ("clips", tmp_path / "a"), ("trailers", tmp_path / "b")]
    rows = ledger.merge(shards, tmp_path / "ledger.csv")
    assert [(r["stage"], r["mid"]) for r in rows] == [
        ("trailers", "tt0000001"),
        ("trailers", "tt0000002"),
        ("clips", "tt0000002"),
    ]
    assert (tmp_path / "ledger.csv").read_text().splitlines()[0] == (
        "mid,stage,status,reason,detail,attempts,bytes,sha256,tool"
    )
    assert ledger.count(rows) == "2 ok, 1 failed (truncated 1)"
