"""The facts of a publication agree with the files of its run, and hold nothing private."""

import json
from dataclasses import asdict
from datetime import UTC, date, datetime

import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.reason_words import REASONS
from trailers12k.jobs import runner
from trailers12k.publish import collect
from trailers12k.publish.local_paths import without_paths
from trailers12k.settings import load

from . import examples


def settings(**changes):
    config = {
        "movies": ["/home/ada/films.csv", "imdb"],
        "backbones": {examples.STORE: {"model": "torchvision/swin3d_t", "input": "clips"}},
        "runs": {"Swin": {"video": examples.STORE}},
        "publish": {"creators": {"Lovelace, Ada": {"orcid": "0000-0002-1825-0097"}}},
    }
    return load(config | changes)


@pytest.fixture
def run(tmp_path, monkeypatch):
    (tmp_path / "films.csv").write_text("mid\n")
    monkeypatch.chdir(tmp_path)
    return examples.run(tmp_path)


@pytest.fixture
def facts(run):
    return collect.facts(settings(movies=["films.csv", "imdb"]), run)


def test_counts_are_those_of_the_tables(facts):
    assert (facts.movies, facts.labelled, facts.trailers, facts.complete) == (3, 3, 2, 2)
    assert (facts.clips, facts.seconds) == (4, 121)
    assert facts.years == {1990: 1, 2000: 1}
    assert facts.genres["drama"] == 3 and facts.pairs["comedy", "drama"] == 1
    assert facts.decisions == {"accept": 1}
    assert [(s.split, s.name, s.movies) for s in facts.subsets] == [
        *(("split0", name, 1) for name in ("training", "validation", "test"))
    ]
    assert facts.subsets[1].genres["comedy"] == 1
    assert facts.versions == {"torch": "2.14.1", "PyAV": "18.1.0"}
    assert facts.example == "tt0000001"


def test_losses_have_meanings_that_address_nobody(facts):
    assert [(loss.stage, loss.status, loss.movies) for loss in facts.losses] == [
        ("trailers", "failed", 1),
        (examples.STORE, "skipped", 1),
    ]
    assert "where the dataset was collected" in facts.losses[0].meaning
    assert facts.stores[0].lost == {"no_trailer": 1}
    words = " ".join(map(collect._meaning, REASONS))
    assert " you" not in words.lower() and "this machine" not in words


def test_nothing_private_is_in_the_facts(facts):
    text = json.dumps(asdict(facts) | {"pairs": []}, default=str)
    assert "/home" not in text and "cookies.txt" not in text
    assert facts.sources == ["films.csv", "imdb"]
    assert facts.stores[0].weights_source == "mine.pth"
    assert "Lovelace" not in text.replace("Lovelace, Ada", "") and "fine" not in text
    assert facts.credits == ["Information courtesy of IMDb (https://www.imdb.com). Used with "
                             "permission."]  # fmt: skip


def test_the_time_frame_is_that_of_the_records_not_of_the_files(run):
    folder = run / "build/trailers"
    folder.mkdir(parents=True)
    for mid, day in (("tt0000001", 3), ("tt0000002", 1), ("tt0000009", 9)):
        time = datetime(2026, 11, day, 23, 59, tzinfo=UTC).timestamp()
        runner._write_record(folder, runner.MovieRecord({"mid": mid, "status": "ok"}, time=time))
    (folder / "tt0000003.json").write_text("{")
    facts = collect.facts(settings(movies=["films.csv"]), run)
    assert (facts.began, facts.ended) == (date(2026, 11, 1), date(2026, 11, 3))


def test_without_records_the_time_is_unknown(facts):
    assert facts.began is None and facts.ended is None


@pytest.mark.parametrize("name", [*collect.NEEDED, f"data/{examples.STORE}.zarr/.zattrs"])
def test_an_unfinished_run_is_refused_in_one_line(run, name):
    (run / name).unlink()
    with pytest.raises(UserError, match=f"{name} is missing: .*; run: trailers12k run"):
        collect.facts(settings(movies=["films.csv"]), run)


def test_statements_are_empty_where_the_configuration_is():
    own = collect.statements(settings(movies="sample"))
    assert own.missing[:2] == ["title", "description"] and "creators" not in own.missing
    assert own.creators[0].orcid == "0000-0002-1825-0097" and own.creators[0].affiliation == ""


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("/home/ada/a b/film.mp4", "film.mp4"),
        ("file:///home/ada/film.mp4", "film.mp4"),
        ("~/weights/x.pth", "x.pth"),
        ("../x.pth", "x.pth"),
        ("C:\\Users\\Ada\\x.pth", "x.pth"),
        ("no file /home/ada/x.pth, tried twice", "no file x.pth, tried twice"),
        ("https://example.org/home/x.pth", "https://example.org/home/x.pth"),
        ("timm/resnet50.a1_in1k", "timm/resnet50.a1_in1k"),
        ("1/2 and 3 / 4", "1/2 and 3 / 4"),
    ],
)
def test_paths_become_names_of_files(text, public):
    assert without_paths({"a": [text]}) == {"a": [public]}


def test_cookies_are_never_published():
    assert without_paths({"trailers": {"cookies": "cookies.txt"}})["trailers"]["cookies"] is None
