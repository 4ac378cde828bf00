from pathlib import Path

import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.movie import shard_of
from trailers12k.movies.movie_table import read_movies, write_movies
from trailers12k.workflow.movie_list import COLLECTED, MovieList

from .conftest import MIDS, Wildcards


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


def test_published_features_have_no_movies(settings_of):
    movies = MovieList(
        settings_of(movies="published", runs={"resnet": {"image": "trailers_i_resnet_fpc24"}})
    )
    assert movies.movies == [] and not movies.must_collect
