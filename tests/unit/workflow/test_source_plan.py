from pathlib import Path

import pytest

from trailers12k.common.errors import UserError
from trailers12k.workflow.movie_list import MovieList
from trailers12k.workflow.source_plan import SourcePlan, source_settings

from .conftest import Wildcards


def plan_of(settings_of, *movies, **keys) -> SourcePlan:
    return SourcePlan(settings_of(movies=list(movies), **keys))


def test_remote_files_are_fetched_into_the_build_folder(settings_of):
    plan = plan_of(settings_of, "trailers12k", "movies.csv")
    path, url = plan.files["trailers12k"]["metadata"]
    assert path == "build/sources/files/metadata.tar.gz" and url.startswith("https://")
    assert plan.url(Wildcards(file="metadata.tar.gz")) == url
    assert plan.inputs(Wildcards()) == [path, "movies.csv"]


def test_local_files_are_read_where_they_are(settings_of):
    sources = {"imdb": {"files": "downloads/"}}
    plan = plan_of(settings_of, "imdb", sources=sources)
    assert plan.files["imdb"]["title.basics.tsv.gz"] == ("downloads/title.basics.tsv.gz", "")
    settings = source_settings(settings_of(movies="imdb", sources=sources))
    assert settings["imdb"]["files"] == {
        name: Path("downloads") / name for name in ("title.basics.tsv.gz", "title.ratings.tsv.gz")
    }


def test_queried_and_published_sources_have_ledgers(settings_of):
    plan = plan_of(settings_of, "imdb", "movies.csv", "tmdb")
    assert plan.queried == ["tmdb"] and plan.recorded == ["imdb", "tmdb"]
    assert plan.ledgers == ["build/ledger/imdb/all.csv", "build/ledger/tmdb/all.csv"]
    plan = plan_of(settings_of, "movies.csv", "tmdb", "search")
    assert plan.queried == ["tmdb", "search"] and plan.tables == ["movies.csv"]
    assert plan.ledgers == ["build/ledger/tmdb/all.csv", "build/ledger/search/all.csv"]
    assert plan.families == ["search", "table", "tmdb"]


@pytest.mark.parametrize(
    ("movies", "keys", "words"),
    [
        (["movies.csv"], {}, []),
        (["movies.csv", "tmdb"], {}, ["TMDB"]),
        (["movies.csv"], {"splits": "published"}, ["Features, labels and splits"]),
    ],
)
def test_used_sources_are_credited(settings_of, movies, keys, words):
    credits = plan_of(settings_of, *movies, **keys).credits
    assert len(credits) == len(words)
    assert all(word in credit for word, credit in zip(words, credits, strict=True))


def test_a_collection_depends_on_the_settings_of_its_own_sources(settings_of):
    def collected(**sources):
        settings = settings_of(movies=["movies.csv", "search"], sources=sources)
        return SourcePlan(settings).collection_settings(MovieList(settings).decisions)

    first = collected()
    assert set(first["settings"]) == {"search"} and first["retry_rounds"] == {"search": 0}
    assert collected(imdb={"votes": 5}) == first
    assert collected(search={"candidates": 3}) != first


def test_files_of_the_authors_record(settings_of):
    plan = plan_of(settings_of, "movies.csv", published={"files": "record/", "md5": MD5})
    assert plan.published_labels(Wildcards()) == {"address": "record/mtgc.csv", "md5": "0" * 32}
    store = plan.published_store(Wildcards(store="posters_i_swin"))
    assert store == {"address": "record/posters_i_swin.zarr.tar.gz", "md5": None}
    assert plan.published_table == []
    assert plan_of(settings_of, "movies.csv", splits="published").published_table


def test_the_users_tables_of_splits(settings_of, folder):
    (folder / "earlier.csv").touch()
    plan = plan_of(settings_of, "movies.csv", splits={"extend": "earlier.csv"})
    assert plan.split_table("extend") == ["earlier.csv"] and plan.split_table("groups") == []
    assert plan_of(settings_of, "movies.csv", splits="published").split_table("extend") == []


MD5 = {"mtgc.csv": "0" * 32, "posters_i_swin.zarr.tar.gz": None}


def test_faults_of_tables_that_jobs_read_are_found_before_any_job(settings_of):
    """Of the splits and of the choices; other tables need no job."""
    groups, earlier, choices = Path("groups.csv"), Path("old.csv"), Path("choices.csv")
    earlier.write_text("\ufeffmid,split0,split1,split2\ntt0000001,0,1,2\n", encoding="utf-8")
    groups.write_text("\ufeffmid,group\ntt0000001,a\n", encoding="utf-8")
    plan = plan_of(
        settings_of,
        *("movies.csv", "search"),
        splits={"groups": str(groups), "extend": str(earlier)},
        sources={"search": {"choices": str(choices)}},
    )
    plan.check_tables()
    for path, line, message in [
        (groups, "tt0000001,b\n", "groups.csv, line 3: tt0000001 is in line 2 already"),
        (earlier, "tt0000002,0,1,3\n", "old.csv, line 3: split2 is '3'; allowed: 0, 1, 2"),
        (choices, "mid;correction\n", "choices.csv, line 1: .* semicolons"),
    ]:
        text = path.read_bytes() if path.exists() else b""
        path.write_bytes(text + line.encode())
        with pytest.raises(UserError, match=message):
            plan.check_tables()
        path.write_bytes(text)
        if not text:
            path.unlink()


def test_a_table_with_braces_in_its_path_is_refused(settings_of):
    Path("movies.csv").rename("my {x}.csv")
    with pytest.raises(UserError, match="'my {x}.csv': Snakemake takes braces for wildcards"):
        plan_of(settings_of, "my {x}.csv").check_tables()
