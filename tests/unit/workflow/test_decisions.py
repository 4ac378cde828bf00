"""People's decisions in the list of movies and in the params of rules."""

from pathlib import Path

import pytest
import yaml

from trailers12k.common.errors import UserError
from trailers12k.movies import curation, movie_table
from trailers12k.movies.sources import collection, records
from trailers12k.settings import load
from trailers12k.workflow.movie_list import MovieList
from trailers12k.workflow.source_plan import SourcePlan

ROOT = Path(__file__).parents[3]
HEAD = ",".join(curation.COLUMNS) + "\n"
MID, OTHER = "tt0000001", "tt0000002"
ID, OTHER_ID = "6FeyhlLZYrg", "abcdefghijk"
SHA = "0123456789abcdef" * 4


def table(tmp_path, number=12, name="movies.csv"):
    mids = [f"tt{n:07}" for n in range(1, number + 1)]
    rows = [f"{mid},Movie {mid},2001,drama,{ID},,,https://h/{mid}.mp4" for mid in mids]
    head = "mid,title,year,genres,youtube_id,trailer_url,poster_url,other_trailers"
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def settings_of(**keys):
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    return load(config | keys)


def movies_of(**keys):
    return MovieList(settings_of(**keys))


def collection_settings(**keys):
    """The param of collect_movies."""
    settings = settings_of(**keys)
    return SourcePlan(settings).collection_settings(MovieList(settings).decisions)


def decide(path, *rows):
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows))


def test_movies_leave_and_trailers_are_replaced(tmp_path):
    path = table(tmp_path)
    before = movies_of(movies=str(path))
    assert before.curation is None and before.decided == []
    decide(
        tmp_path / "curation.csv",
        f"{MID},reject,,,,=A fan's edit,Ada,2026-11-25",
        f"{OTHER},wrong_trailer,{ID},{OTHER_ID},,,,",
        f"tt0000003,wrong_trailer,{ID}|https://h/tt0000003.mp4,,,,,",
        f"tt0000004,accept,,,{SHA},fine,Ada,",
        "tt7777777,reject,,,,,,",
    )
    listed = movies_of(movies=str(path))
    assert listed.curation == str(tmp_path / "curation.csv")
    movies = {movie.mid: movie for movie in listed.movies}
    assert movies.keys() == {movie.mid for movie in before.movies} - {MID}
    assert (movies[OTHER].youtube_id, movies[OTHER].other_trailers) == (
        OTHER_ID,
        ("https://h/tt0000002.mp4",),
    )
    assert movies["tt0000003"].trailer_addresses == ()
    origins = {record.mid: record.origin for record in listed.records}
    assert origins[OTHER]["trailers"] == "curation" and "trailers" not in origins["tt0000003"]
    assert origins["tt0000004"]["trailers"] == "movies"
    # Without the decision about a movie of no source.
    assert [decision.mid for decision, _ in listed.decided] == [
        MID,
        OTHER,
        "tt0000003",
        "tt0000004",
    ]
    assert listed.decided[0][1] == f"Movie {MID}"
    words = "1 decision concerns no movie of the collection: tt7777777"
    assert listed.unused_decisions == f"{path.parent / 'curation.csv'}: {words}"
    assert curation.rejections(listed.decided) == [
        {"mid": MID, "status": "skipped", "reason": "rejected", "detail": "=A fan's edit"}
    ]


def test_decisions_about_no_movie_are_counted_and_the_first_named(tmp_path):
    path = table(tmp_path)
    assert movies_of(movies=str(path)).unused_decisions == ""
    decide(tmp_path / "curation.csv", *(f"tt1{n:06},accept,,,,,," for n in range(30)))
    said = movies_of(movies=str(path)).unused_decisions
    assert ": 30 decisions concern no movie of the collection: tt1000000, tt1000001, " in said
    assert said.endswith(", tt1000009, ...")


def params_of(**keys):
    """The params of rules that depend on decisions."""
    movies = movies_of(**keys)
    return {
        "trailers": movies.rows("mid", "trailer_addresses"),
        "splits": movies.rows("mid", "genres"),
        "collected": collection_settings(**keys)["decisions"],
        "ledger": movies.rejection_rows(None),
        "metadata": movies.decision_rows(None),
    }


@pytest.mark.parametrize(
    ("row", "changed"),
    [
        (f"{MID},accept,,,,,,", {"metadata"}),
        (f"{MID},unsure,,,,a note,,", {"metadata"}),
        (f"{MID},reject,,,,,,", {"trailers", "splits", "collected", "ledger", "metadata"}),
        (f"{MID},wrong_trailer,,,,,,", {"trailers", "collected", "metadata"}),
        # No other job runs: where collecting is a job, its products stay the same.
        ("tt7777777,reject,,,,,,", {"collected"}),
    ],
)
def test_a_decision_changes_the_params_of_the_affected_rules_only(tmp_path, row, changed):
    path = table(tmp_path)
    before = params_of(movies=str(path))
    decide(tmp_path / "curation.csv", row)
    after = params_of(movies=str(path))
    assert {name for name in before if before[name] != after[name]} == changed
    (tmp_path / "curation.csv").unlink()
    assert params_of(movies=str(path)) == before


def test_the_file_is_beside_the_first_table_or_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table(tmp_path, name="mine/movies.csv")
    Path("curation.csv").write_text(HEAD)
    assert movies_of().curation == "curation.csv"
    assert movies_of(movies="mine/movies.csv").curation is None
    Path("mine/curation.csv").write_text(HEAD)
    assert movies_of(movies=["trailers12k", "mine/movies.csv"]).curation == "mine/curation.csv"
    assert movies_of(movies=["trailers12k", "search"]).curation == "curation.csv"
    assert movies_of(movies="mine/movies.csv", curation=None).curation is None
    assert movies_of(curation="other.csv").curation is None
    assert curation.existing_file("curation.csv", ["published"]) is None
    with pytest.raises(UserError, match="curation: data/curation.csv is a product of the workflow"):
        movies_of(curation="data/curation.csv")


def test_an_invalid_file_is_reported_before_any_job(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("curation.csv").write_text("mid,decision\ntt1,accept\n")
    for movies in ("sample", ["trailers12k", "search"]):
        with pytest.raises(UserError, match="^curation.csv, line 2: mid: 'tt1' is not allowed"):
            movies_of(movies=movies)


def test_too_many_rejections_are_refused(tmp_path):
    path = table(tmp_path, 10)
    decide(tmp_path / "curation.csv", f"{MID},reject,,,,,,")
    with pytest.raises(UserError, match="has 9 movies, without those that .*curation.csv rejects;"):
        movies_of(movies=str(path))


def test_a_collection_records_rejected_movies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table(tmp_path, 11)
    first = collection_settings(movies=["movies.csv", "search"])
    decide(tmp_path / "curation.csv", f"{MID},reject,,,,,,", f"{OTHER},accept,,,,,,")
    listed = movies_of(movies=["movies.csv", "search"])
    assert collection_settings(movies=["movies.csv", "search"]) != first
    found = collection.collect(["movies.csv"], {}, listed.decisions)
    records.write_records("build/sources/records.json", found.records)
    movie_table.write_movies("build/sources/movies.csv", map(records.movie_of, found.records))
    # A collection from before the decisions.
    assert [decision.mid for decision, _ in listed.decided] == [OTHER]
    records.write_records("build/sources/rejected.json", found.rejected)
    listed = movies_of(movies=["movies.csv", "search"])
    assert [(d.mid, title) for d, title in listed.decided] == [
        (MID, f"Movie {MID}"),
        (OTHER, f"Movie {OTHER}"),
    ]


def test_nine_movies_are_too_few_for_the_workflow(tmp_path):
    rows = [f"tt000000{i},A,1990,drama\n" for i in range(9)]
    (tmp_path / "movies.csv").write_text("mid,title,year,genres\n" + "".join(rows))
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    with pytest.raises(UserError, match="9 movies; allowed: at least 10"):
        MovieList(load(config | {"movies": str(tmp_path / "movies.csv")}))
