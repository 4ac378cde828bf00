"""The facts of a publication agree with the files of its run, and hold nothing private."""

import json
from dataclasses import asdict
from datetime import UTC, date, datetime

import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.reason_words import REASONS
from trailers12k.jobs import runner
from trailers12k.publish import biases, collect, duplicates
from trailers12k.publish.facts import Subset
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


def counts(**changes):
    own = {"action": 2, "comedy": 5, "drama": 5, "horror": 2}
    pairs = {("action", "comedy"): 1, ("action", "drama"): 1, ("comedy", "drama"): 4,
             ("comedy", "horror"): 1}  # fmt: skip
    values = {"movies": 8, "labelled": 8, "trailers": 7, "genres": own, "pairs": pairs}
    return biases.Counts(
        **values | {"years": {1990: 4, 2000: 4}, "decided": 2, "is_online": False} | changes
    )


def test_ties_are_named_as_ties():
    off = {"action": 0.0, "comedy": 0.6, "drama": 0.6, "horror": 0.25}
    subsets = [Subset(f"split{number}", "test", 2, off) for number in range(3)]
    text = " ".join(biases.sentences(counts(), subsets))
    assert "most frequent are comedy and drama (62 % of the movies each)" in text
    assert "least frequent are action and horror (25 % of the movies each)" in text
    assert "comedy with drama (4 movies) and 3 pairs in 1 movie each" in text
    assert "50 % of them each from the 1990s and 2000s" in text
    assert "action among the test movies of split0" in text and "of split2" in text
    assert "over-represented" not in text and "about 2 movies of 8" in text
    many = dict.fromkeys("abcde", 1) | {"f": 2}
    text = biases.sentences(counts(genres=many, pairs={}), [])[0]
    assert "least frequent are a, b and 3 more" in text


def test_equal_trailers_are_counted_by_split():
    trailers = [{"mid": mid, "sha256": hash} for mid, hash in zip("abcd", "xxyx", strict=True)]
    labels = [
        {"mid": mid, "split0": "0", "split1": number, "split2": ""}
        for mid, number in zip("abcd", "0202", strict=True)
    ]
    (text,) = duplicates.sentences(trailers, labels)
    assert text.startswith("3 pairs of movies have the same trailer, byte for byte, such as a and")
    assert "0 in split0, 2 in split1 and 0 in split2" in text
    assert duplicates.sentences(trailers[2:], labels) == []


def test_decisions_about_rejected_movies_are_not_about_movies_of_the_dataset(run):
    path = run / "data/curation.csv"
    path.write_text("mid,decision\ntt0000001,accept\ntt0000009,reject\n")
    facts = collect.facts(settings(movies=["films.csv"]), run)
    assert facts.decisions == {"accept": 1, "reject": 1} and facts.decided == 1
    assert "A person has decided about 1 movie of 3." in facts.notes


def test_addresses_are_those_that_others_can_open(facts, run):
    assert facts.addresses == 0
    path = run / "data/movies.csv"
    text = path.read_text().replace("1999,drama,", "1999,drama,dQw4w9WgXcQ")
    path.write_text(text)
    assert collect.facts(settings(movies=["films.csv"]), run).addresses == 1
