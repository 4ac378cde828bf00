import json
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import ValidationError

from trailers12k.common import vocabulary
from trailers12k.common.errors import UserError
from trailers12k.settings import load, plain
from trailers12k.settings.fields import Genre, Input, Variant
from trailers12k.settings.schema import sections

ROOT = Path(__file__).parents[3]
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())
SECTIONS = dict(sections())


def walk(value):
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from walk(each)


def nested(path, value):
    """A configuration with `value` at a path of keys."""
    for key in reversed(path):
        value = {key: value}
    return value


def test_defaults_are_the_papers_values():
    settings = load({})
    assert (settings.clips.fps, settings.clips.fpc, settings.image_frames) == (24, 24, 24)
    assert (settings.weights, settings.movies) == ("pretrained", ("trailers12k",))
    assert settings.training.model_dump() == {
        "lr": 0.0001,
        "batch": 32,
        "snippet": 30,
        "epochs": 100,
        "patience": 20,
        "plateau_patience": 10,
    }
    assert settings.splits.model_dump(exclude={"tries", "extend", "groups"}) == {
        "training": 0.7,
        "validation": 0.1,
        "test": 0.2,
    }
    assert settings.evaluation.also == ()
    assert [len(run.streams) for run in settings.runs.values()] == [1, 1, 2, 1, 1, 2, 1, 1]
    inputs = [store.input for store in settings.backbones.values()]
    assert (len(inputs), inputs.count("posters")) == (7, 1)
    assert all(store.size is None for store in settings.backbones.values())


def test_stores_and_runs_of_the_paper_have_the_default_configurations_models():
    paper = load({})
    of_the_sample = {"trailers_i_efficientnet_fpc24", "trailers_a_logmel", "trailers_a_speech"}
    assert set(paper.backbones) == set(DEFAULT["backbones"]) - of_the_sample
    for name, store in paper.backbones.items():
        assert (store.model, store.batch) == (DEFAULT["backbones"][name]["model"], "auto")
    assert paper.published == load(DEFAULT).published


@pytest.mark.parametrize("path", SECTIONS, ids=".".join)
def test_every_model_and_every_key_is_described(path):
    assert SECTIONS[path].__doc__
    for key, field in SECTIONS[path].model_fields.items():
        assert field.description and field.description.endswith("."), key


@pytest.mark.parametrize("path", SECTIONS, ids=".".join)
def test_an_unknown_key_is_refused_at_every_level_and_the_keys_there_are_listed(path):
    with pytest.raises(UserError) as error:
        load(nested(path, {"typo": 1}))
    message = str(error.value)
    assert message.startswith(f"config: {'.'.join((*path, 'typo'))}: unknown key (value 1)")
    keys = {field.alias or name for name, field in SECTIONS[path].model_fields.items()}
    assert message.endswith(": " + ", ".join(sorted(keys)))


@pytest.mark.parametrize("path", SECTIONS, ids=".".join)
def test_models_are_frozen(path):
    model = SECTIONS[path].model_construct()
    with pytest.raises(ValidationError, match="frozen"):
        setattr(model, next(iter(SECTIONS[path].model_fields)), 1)


@pytest.mark.parametrize("config", [{}, DEFAULT], ids=["paper", "sample"])
def test_plain_values_load_to_the_same_settings(config):
    settings = load(config)
    assert load(plain(settings)) == settings
    assert json.loads(json.dumps(plain(settings))) == plain(settings)


@pytest.mark.parametrize("config", [{}, DEFAULT], ids=["paper", "sample"])
def test_plain_holds_only_values_that_snakemake_compares(config):
    types = {str, int, float, bool, type(None), list, dict}
    settings = load(config)
    assert {type(value) for value in walk(plain(settings))} <= types
    assert {type(value) for value in walk(settings.for_results())} <= types
    assert {type(value) for value in walk(plain(settings.clips))} <= types


def test_plain_keeps_the_values_of_the_default_configuration():
    settings = plain(load(DEFAULT))
    for section in ("backbones", "runs"):
        for name, entry in settings.pop(section).items():
            assert entry.items() >= DEFAULT[section][name].items()
    assert "po_token" not in settings["trailers"], "a secret, which the plain form leaves out"
    settings["trailers"]["po_token"] = None
    assert settings == {key: DEFAULT[key] for key in settings}


def test_sources_are_plain_as_configurations_name_them():
    assert plain(load({"movies": ["a.csv"]}))["movies"] == "a.csv"
    assert plain(load({"movies": ["a.csv", "tmdb"]}))["movies"] == ["a.csv", "tmdb"]


@pytest.mark.parametrize("value", [20, 20.0])
def test_a_whole_number_is_plain_in_one_way(value):
    seconds = plain(load({"downloads": {"timeout": value, "pause": {"h": [value, 30]}}}))
    downloads = seconds["downloads"]
    assert (repr(downloads["timeout"]), repr(downloads["pause"])) == ("20", "{'h': [20, 30]}")


def test_results_do_not_depend_on_requests():
    config = {"retry": "all", "trailer": "x.mp4"}
    assert load(config).for_results() == load({}).for_results()
    assert set(config) == set(vocabulary.REQUESTS)
    assert load(load({}).for_results() | config) == load(config)


def test_results_list_no_keys_of_stores_and_runs_that_are_null():
    settings = load(DEFAULT).for_results()
    assert settings["backbones"] == {
        name: {"batch": "auto"} | keys for name, keys in DEFAULT["backbones"].items()
    }
    assert settings["runs"]["ResNet"] == DEFAULT["runs"]["ResNet"] | {
        "fusion": "late",
        "shuffle_labels": False,
    }


@pytest.mark.parametrize(
    ("movies", "kind"),
    [
        ("sample", "sample"),
        (["published"], "published"),
        ("mine.csv", "own"),
        (["trailers12k", "tmdb"], "own"),
    ],
)
def test_the_kind_of_collection(movies, kind):
    settings = load({"movies": movies})
    assert settings.collection == kind
    assert (settings.is_sample, settings.is_published) == (kind == "sample", kind == "published")


def test_a_backbone_takes_the_common_values_unless_it_has_its_own():
    stores = {
        "frames": {"model": "timm/x", "input": "frames"},
        "own": {
            "model": "timm/x",
            "input": "frames",
            "weights": "package",
            "image_frames": 3,
            "precision": "bf16",
        },
        "of_clips": {"model": "timm/x", "input": "clips"},
    }
    config = {
        "backbones": stores,
        "runs": {"r": {"image": "own"}},
        "weights": "random",
        "image_frames": 2,
        "precision": "fp32",
    }
    settings = load(config)
    found = {
        name: (store.weights, store.image_frames, store.precision)
        for name in stores
        for store in [settings.backbone(name)]
    }
    assert found == {
        "frames": ("random", 2, "fp32"),
        "own": ("package", 3, "bf16"),
        "of_clips": ("random", None, "fp32"),
    }


def test_streams_of_a_run_are_in_the_order_of_the_vocabulary():
    runs = {
        "r": {
            "audio": "trailers_a_logmel",
            "poster": "posters_i_swin",
            "video": "trailers_ik_swin_fps24_fpc24",
            "image": "trailers_i_swin_fpc24",
        }
    }
    assert tuple(load(DEFAULT | {"runs": runs}).runs["r"].streams) == vocabulary.STREAMS


def test_a_stream_that_is_null_is_as_if_absent():
    runs = {"r": {"image": "trailers_i_swin_fpc24", "video": None}}
    assert load({"runs": runs}).runs["r"].streams == {"image": "trailers_i_swin_fpc24"}


def test_literals_are_the_words_of_the_vocabulary():
    assert get_args(Genre) == vocabulary.GENRES
    assert get_args(Variant) == vocabulary.EVALUATION_VARIANTS
    assert get_args(Input) == tuple(vocabulary.STREAM_INPUTS.values())
    assert tuple(vocabulary.STREAM_INPUTS) == vocabulary.STREAMS
    assert set(vocabulary.SUBSETS) <= set(SECTIONS["splits",].model_fields)
