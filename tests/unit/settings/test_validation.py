import copy
from pathlib import Path

import pytest
import yaml

from trailers12k.common.errors import UserError
from trailers12k.settings.validation import check

ROOT = Path(__file__).parents[3]
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())


def changed(path, value):
    """The default configuration with one value changed."""
    config = copy.deepcopy(DEFAULT)
    *above, key = path.split("/")
    at = config
    for name in above:
        at = at[name]
    at[key] = value
    return config


def merged(low, high):
    """As Snakemake lays a --configfile over the default."""
    both = {
        k: merged(low[k], v) if isinstance(v, dict) and k in low else v for k, v in high.items()
    }
    return low | both


@pytest.mark.parametrize("preset", sorted((ROOT / "presets").glob("*.yaml")), ids=lambda p: p.stem)
def test_presets_are_valid(preset):
    config = check(merged(DEFAULT, yaml.safe_load(preset.read_text())))
    assert "trailers_i_efficientnet_fpc24" not in config["backbones"]


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("typo", 1, "typo: unknown key (value 1); allowed: backbones, clips"),
        (
            "training/larning_rate",
            1,
            "training.larning_rate: unknown key (value 1); allowed in",
        ),
        ("seed", "many", "seed: 'many' is of the wrong type; allowed: integer at least 0"),
        ("shards", 0, "shards: 0 is not allowed; allowed: at least 1"),
        ("weights", "best", "weights: 'best' is not allowed; allowed: random, pretrained"),
        ("training/lr", "1e-4", "training.lr: '1e-4' is of the wrong type; allowed: number more"),
        ("splits/test", 0.25, "splits.test: 0.25 is not allowed; allowed: 0.1, 0.2"),
        ("splits/test", 0.3, "splits: training 0.7 + validation 0.1 + test 0.3 is 1.1; allowed"),
        ("image_frames", 25, "image_frames: 25 is more than a clip has; allowed: 1 to 24"),
        ("runs/x", {"image": "none"}, "runs.x.image: 'none' is not such a store; allowed: "),
        ("runs/x", {"image": "trailers_k_r2plus1d_fps24_fpc24"}, "is not such a store"),
        ("runs/x", {"shuffle_labels": True}, "runs.x: names no store; allowed: image, video"),
        ("runs/..", {"image": "posters_i_swin"}, "the name '..' is not allowed"),
        ("backbones/a", {"model": "timm/x"}, "backbones.a: input is missing; required: model"),
        (
            "backbones/a",
            {"model": "../x", "input": "frames", "batch": 1},
            "backbones.a.model: '../x' is not allowed; allowed: ",
        ),
        ("runs/2024", {"image": "posters_i_swin"}, "runs.2024.image: 'posters_i_swin' is not such"),
        ("runs/chance", {"image": "x"}, "runs.chance: this name is taken; allowed: others than"),
        ("backbones/clips", {"model": "timm/x"}, "backbones.clips: this name is taken; allowed"),
        ("backbones/curation", {"model": "timm/x"}, "backbones.curation: this name is taken"),
        ("curation", "mine.txt", "curation: 'mine.txt' is not allowed; allowed: "),
        ("movies", 3, "movies: 3 is of the wrong type; allowed: string, array"),
        ("movies", ["a.csv", "a.csv"], "names a source twice; allowed: each once"),
        ("movies", ["sample", "tmdb"], "sample stands alone"),
        ("movies", ["tmdb", "a.csv"], "movies: tmdb only fills gaps; allowed first: sample"),
        ("retry", "removde", "retry: 'removde' is not allowed; allowed: all, none, or reasons"),
        ("downloads/pause", {"h": [5, 1]}, "pause.h: [5, 1] is not allowed; allowed: the least"),
        ("trailers/cookies", "none.txt", "trailers.cookies: none.txt does not exist; allowed: a"),
        ("sources/tmdb/api", "file:///x", "sources.tmdb.api: 'file:///x' is not allowed; allowed:"),
        ("sources/search/address", "ytsearch5:x", "sources.search.address: 'ytsearch5:x' is not"),
        ("splits", "mine", "splits: 'mine' is not allowed; allowed: ^published$"),
        ("movies", ["published", "a.csv"], "movies: published stands alone"),
        (
            "movies",
            "published",
            "EfficientNet-Lite0.image: trailers_i_efficientnet_fpc24 is not in",
        ),
        ("published/md5", {"mtgc.csv": "x"}, "published.md5.mtgc.csv: 'x' is not allowed"),
        ("published/md5", {"../x": None, "mtgc.csv": None}, "the name '../x' is not allowed"),
        ("evaluation/also", ["mask"], "evaluation.also.0: 'mask' is not allowed; allowed: masked"),
        (
            "from",
            1.1,
            "from: 1.1 was read as a number, maybe not as you wrote it; allowed: tags/NAME",
        ),
        ("to", ["v1"], "to: ['v1'] is of the wrong type; allowed: string, integer, null"),
        ("trailer", 3, "trailer: 3 is of the wrong type; allowed: string"),
        (
            "runs/x",
            {"image": "trailers_i_resnet_fpc24", "fusion": "early"},
            "runs.x.fusion: early is not allowed; one stream only",
        ),
        ("runs/x", {"poster": "trailers_i_resnet_fpc24"}, "allowed: posters_i_swin"),
        ("runs", {}, "runs: {} is not allowed; allowed: entries: at least 1"),
    ],
)
def test_a_fault_is_told_in_one_line_with_key_value_and_what_is_allowed(path, value, told):
    with pytest.raises(UserError) as error:
        check(changed(path, value))
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_a_name_that_is_a_number_is_told():
    config = copy.deepcopy(DEFAULT)
    config["runs"][2024] = {"image": "trailers_i_resnet_fpc24"}
    with pytest.raises(UserError, match="runs: the name 2024 is no text; put it in quotes"):
        check(config)


def test_a_missing_section_is_told():
    config = copy.deepcopy(DEFAULT)
    del config["clips"]
    with pytest.raises(UserError, match="clips is missing"):
        check(config)


def test_null_drops_a_store_and_a_run_that_needs_it_is_told():
    config = changed("backbones/trailers_i_efficientnet_fpc24", None)
    with pytest.raises(UserError, match="EfficientNet-Lite0.image"):
        check(config)
    config["runs"]["EfficientNet-Lite0"] = config["runs"]["control"] = None
    assert "control" not in check(config)["runs"]


@pytest.mark.parametrize("tag", ["v1", "2026-11-24", 2026, 20261124, None, ""])
def test_a_version_may_look_like_a_number_or_a_date(tag):
    read = yaml.safe_load(f"from: {tag}")["from"] if tag else tag
    told = check(changed("from", read))["from"]
    assert told == tag


def test_every_key_of_the_default_is_commented():
    lines = (ROOT / "config.yaml").read_text().splitlines()
    for number, line in enumerate(lines):
        key = line.split(":")[0]
        if line and line[0].isalpha():
            # A section's keys, or the lines above, carry the comment.
            below = lines[number + 1].strip() if number + 1 < len(lines) else ""
            assert lines[number - 1].startswith("#") or below.startswith("#"), key
