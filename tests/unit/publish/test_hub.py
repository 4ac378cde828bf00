"""The front matter of README.md; tests/sample has the hub's reader."""

from dataclasses import replace

import pytest
from huggingface_hub import DatasetCard

from trailers12k.publish.facts import Statements
from trailers12k.publish.texts import hub

from . import examples
from .test_croissant import HOSTILE

FILES = examples.files(
    *(f"features/{examples.STORE}/{name}-00000-of-00002.parquet" for name in ("train", "test")),
    *(f"features/{examples.POSTERS}/{name}-00000-of-00001.parquet" for name in ("unassigned",)),
    *("movies/train-00000-of-00001.parquet", "movies.csv.gz"),
)


def data_of(facts, files=FILES):
    """What the hub reads, with other dashes below."""
    text = f"{hub.front_matter(facts, files)}\n# Title\n\n---\n\n{HOSTILE}\n"
    return DatasetCard(text).data.to_dict()


def stated(**changes):
    return examples.facts(statements=replace(examples.STATED, **changes))


def test_each_store_is_a_configuration_with_the_subsets_that_have_files():
    found = data_of(examples.facts())
    assert found["configs"] == [
        {
            "config_name": examples.STORE,
            "default": True,
            "data_files": [
                {"split": name, "path": f"features/{examples.STORE}/{name}-*.parquet"}
                for name in ("train", "test")
            ],
        },
        {
            "config_name": examples.POSTERS,
            "data_files": [
                {
                    "split": "unassigned",
                    "path": f"features/{examples.POSTERS}/unassigned-*.parquet",
                }
            ],
        },
        {
            "config_name": "movies",
            "data_files": [{"split": "train", "path": "movies/train-*.parquet"}],
        },
    ]
    columns = found["dataset_info"][0]["features"]
    assert columns[-1] == {"name": "features", "list": "float32", "length": 4}
    assert found["size_categories"] == ["n<1K"]


def test_a_store_may_have_the_name_of_the_table():
    named = examples.facts(stores=[examples.store("movies")])
    files = examples.files("features/movies/train-0.parquet", "movies/train-0.parquet")
    found = data_of(named, files)
    assert [each["config_name"] for each in found["configs"]] == ["movies"]


@pytest.mark.parametrize(
    "licence, fields",
    [
        ("CC-BY-NC-SA-4.0", {"license": "cc-by-nc-sa-4.0"}),
        ("odbl-1.0", {"license": "odbl"}),
        (
            "NEW-1.0",
            {
                "license": "other",
                "license_name": "new-1.0",
                "license_link": "https://spdx.org/licenses/NEW-1.0",
            },
        ),
        (
            "https://a.org/b",
            {"license": "other", "license_name": "custom", "license_link": "https://a.org/b"},
        ),
        ("", {}),
    ],
)
def test_the_licence_is_the_hubs(licence, fields):
    found = data_of(stated(license=licence))
    assert {name: value for name, value in found.items() if "license" in name} == fields


@pytest.mark.parametrize(
    "rows, size",
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10**7, "10M<n<100M"), (10**9, "100M<n<1B")],
)
def test_the_size_is_that_of_the_largest_store(rows, size):
    found = data_of(examples.facts(stores=[examples.store(rows=rows)]))
    assert found["size_categories"] == [size]


def test_any_text_stays_a_text():
    for text in (HOSTILE, "no", "2026-01-01", "a --- b " * 40, "---", "- a: b", "ü 😀"):
        found = data_of(stated(title=text, keywords=(text, "x", text)))
        assert found["pretty_name"] == text
        assert found["tags"] == list(dict.fromkeys((text, "x")))


def test_nothing_stated_is_left_out():
    found = data_of(examples.facts(statements=Statements(keywords=())))
    assert not {"pretty_name", "license", "tags"} & found.keys()


def test_a_store_of_sound_is_for_the_classification_of_sound_too():
    video = ["video-classification"]
    assert data_of(examples.facts())["task_categories"] == video
    facts = examples.facts(stores=[examples.store(), examples.sound_store()])
    assert data_of(facts)["task_categories"] == [*video, "audio-classification"]
