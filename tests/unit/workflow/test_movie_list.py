import re
from pathlib import Path

import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.movie import shard_of
from trailers12k.movies.movie_table import read_movies, write_movies
from trailers12k.workflow.movie_list import COLLECTED, MovieList

from .conftest import HEAD, MIDS, Wildcards


@pytest.fixture
def table(settings_of) -> MovieList:
    return MovieList(settings_of(movies="movies.csv"))


def test_every_movie_is_in_the_shard_of_its_mid(table):
    assert [movie.mid for movie in table.movies] == MIDS
    assert list(table.shards) == ["000", "001"]
    for shard, movies in table.shards.items():
        assert {shard_of(movie.mid, 2) for movie in movies} == {shard}


def test_a_new_movie_changes_the_rows_of_its_shard_only(table, settings_of):
    with Path("movies.csv").open("a") as file:
        file.write("tt7654321,New,1991,comedy,\n")
    later = MovieList(settings_of(movies="movies.csv"))
    rows = later.rows_of("mid", "title")
    changed = {
        shard
        for shard in later.shards
        if rows(Wildcards(shard=shard)) != table.rows("mid", "title", shard=shard)
    }
    assert changed == {shard_of("tt7654321", 2)}
    assert rows(Wildcards()) == later.rows("mid", "title") != table.rows("mid", "title")


def test_rows_depend_on_the_named_fields_only(table, settings_of):
    text = Path("movies.csv").read_text()
    Path("movies.csv").write_text(text.replace("Movie tt0000001", "Another title"))
    later = MovieList(settings_of(movies="movies.csv"))
    assert later.rows("mid", "genres") == table.rows("mid", "genres")
    assert later.rows("mid", "title") != table.rows("mid", "title")


def test_a_job_refuses_movies_that_have_changed_since_it_was_planned(table, settings_of):
    planned = table.rows("mid", shard="000")
    assert table.listed(planned, "mid", shard="000") == table.shards["000"]
    with pytest.raises(UserError, match="the movie table has changed since this run began"):
        table.listed(planned, "mid", "title", shard="000")


def test_paths_per_shard_keep_the_wildcards_of_the_job(table):
    paths = table.per_shard("build/{store}/{shard}.csv")
    assert paths(Wildcards(store="s")) == ["build/s/000.csv", "build/s/001.csv"]


def test_by_year_movies_of_too_few_years_are_refused_while_the_run_is_planned(settings_of):
    text = Path("movies.csv").read_text()
    MovieList(settings_of(movies="movies.csv"))
    Path("movies.csv").write_text(re.sub(r",(19|20)\d\d,", ",2000,", text))
    MovieList(settings_of(movies="movies.csv"))
    with pytest.raises(UserError, match="splits: by_year: the movies are of 1 different year;"):
        MovieList(settings_of(movies="movies.csv", splits="by_year"))


def test_local_tables_are_inputs_and_need_no_collection(table):
    assert not table.must_collect
    assert table.tables(Wildcards()) == ["movies.csv"]


def test_nothing_depends_on_the_movies_before_they_are_collected(settings_of):
    class NotYet(Exception):
        pass

    def wait():
        raise NotYet

    movies = MovieList(settings_of(movies=["movies.csv", "search"]))
    assert movies.must_collect and movies.movies == []
    movies.wait = wait
    for function in (movies.tables, movies.per_shard("{shard}.csv")):
        with pytest.raises(NotYet):
            function(Wildcards())

    own = MovieList(settings_of(movies="movies.csv")).movies
    write_movies(COLLECTED, own)
    movies.wait = lambda: None
    assert movies.tables(Wildcards()) == [COLLECTED]
    assert movies.movies == read_movies(COLLECTED) == own
    assert movies.per_shard("{shard}.csv")(Wildcards()) == ["000.csv", "001.csv"]


def test_too_few_movies_are_refused(settings_of):
    lines = Path("movies.csv").read_text().splitlines(keepends=True)
    Path("movies.csv").write_text("".join(lines[:10]))
    with pytest.raises(UserError, match=r"movies.csv has 9 movies; allowed: at least 10"):
        MovieList(settings_of(movies="movies.csv"))


def listed_with(settings_of, row, *movies, **keys):
    """The movies of movies.csv and one more row."""
    with Path("movies.csv").open("a") as file:
        file.write(row + "\n")
    return MovieList(settings_of(movies=list(movies), **keys))


@pytest.mark.parametrize("sources", [["search"], ["imdb", "tmdb"], ["trailers12k", "search"]])
@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("tt0000099,A,1990,Drama,", "movies.csv, line 14: genres: 'Drama' is not allowed"),
        ("tt0000099,A,1990,drama,a.mp4", "movies.csv, line 14: trailer_url: .*local_files"),
        ("tt0000001,A,1990,drama,", "movies.csv, line 14: mid: 'tt0000001' is already in line 2"),
        ("tt99,A,1990,drama,", "movies.csv, line 14: mid: 'tt99' is not allowed"),
        ("tt0000099,A,90,drama,", "movies.csv, line 14: year: '90' is not allowed"),
    ],
)
def test_a_fault_of_a_table_is_found_though_other_sources_follow(
    settings_of, sources, row, message
):
    with pytest.raises(UserError, match=message) as error:
        listed_with(settings_of, row, "movies.csv", *sources).check_tables()
    assert "\n" not in str(error.value)
    with pytest.raises(UserError) as same:
        MovieList(settings_of(movies="movies.csv"))
    assert str(same.value) == str(error.value)


def test_what_no_later_source_can_complete_is_a_fault(settings_of):
    row = "tt0000099,A,1990,,"
    with pytest.raises(UserError, match="movies.csv, line 14: genres: '' is not allowed"):
        listed_with(settings_of, row, "movies.csv", "search").check_tables()
    MovieList(settings_of(movies=["movies.csv", "tmdb"])).check_tables()
    Path("curation.csv").write_text("mid,decision\ntt0000099,reject\n")
    MovieList(settings_of(movies=["movies.csv", "search"])).check_tables()
    Path("movies.csv").write_text(HEAD + f"{MIDS[0]},A,1990,drama,\n")
    for source in ("search", "tmdb"):
        with pytest.raises(UserError, match=f"movies.csv \\+ {source} has 1 movies, without"):
            MovieList(settings_of(movies=["movies.csv", source])).check_tables()
    MovieList(settings_of(movies=["movies.csv", "trailers12k"])).check_tables()


def test_a_missing_table_is_a_fault(settings_of):
    with pytest.raises(UserError, match="movies: mine.csv does not exist"):
        MovieList(settings_of(movies=["mine.csv", "search"])).check_tables()


def test_a_fault_of_the_decisions_is_found_though_other_sources_follow(settings_of):
    Path("curation.csv").write_text("mid,decision\ntt0000001,maybe\n")
    with pytest.raises(UserError, match="curation.csv, line 2: decision: 'maybe'"):
        MovieList(settings_of(movies=["movies.csv", "search"]))


def test_tables_are_read_once_for_both_checks(settings_of):
    keys = {"downloads": {"local_files": True}}
    Path("a.mp4").touch()
    movies = listed_with(
        settings_of, "tt0000099,A,1990,drama,a.mp4", "movies.csv", "search", **keys
    )
    movies.check_tables()
    Path("movies.csv").unlink()
    movies.check_local_files()


def test_published_features_have_no_movies(settings_of):
    movies = MovieList(
        settings_of(movies="published", runs={"resnet": {"image": "trailers_i_resnet_fpc24"}})
    )
    assert movies.movies == [] and not movies.must_collect
