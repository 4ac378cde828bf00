import copy
from pathlib import Path

import pytest
import yaml

from trailers12k.common.errors import UserError
from trailers12k.settings import load

ROOT = Path(__file__).parents[3]
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())

SWIN = "trailers_i_swin_fpc24"


def changed(path, value):
    """The default configuration with one value changed."""
    config = copy.deepcopy(DEFAULT)
    *above, key = path.split("/")
    at = config
    for name in above:
        at = at[name]
    at[key] = value
    return config


@pytest.mark.parametrize(
    ("preset", "keys"),
    [("trailers12k", {}), ("published", {"movies": "published", "splits": "published"})],
)
def test_a_preset_alone_gives_the_papers_values(preset, keys):
    config = yaml.safe_load((ROOT / "presets" / f"{preset}.yaml").read_text())
    assert load(config) == load(keys)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("typo", 1, "typo: unknown key (value 1); allowed: backbones, batch_across, clips"),
        (
            "shard",
            3,
            "shard: unknown key (value 3); did you mean shards? Allowed: backbones, batch_across",
        ),
        (
            "training/snipet",
            1,
            "training.snipet: unknown key (value 1); did you mean snippet? Allowed in training: ",
        ),
        ("training/larning_rate", 1, "training.larning_rate: unknown key (value 1); allowed in"),
        ("splits/typo", 1, "splits.typo: unknown key (value 1); allowed in splits: extend, groups"),
        ("training/[shares]", 1, "training.[shares]: unknown key (value 1); allowed in training: "),
        ("seed", "many", "seed: 'many' has the wrong type; allowed: an integer, at least 0"),
        ("seed", True, "seed: True has the wrong type; allowed: an integer, at least 0"),
        ("seed", 1.0, "seed: 1.0 has the wrong type; allowed: an integer, at least 0"),
        ("shards", 0, "shards: 0 is not allowed; allowed: an integer from 1 to 1000"),
        ("clips", None, "clips: None has the wrong type; allowed: a section"),
        ("weights", "best", "weights: 'best' is not allowed; allowed: random, pretrained"),
        ("training/lr", [1], "training.lr: [1] has the wrong type; allowed: a number, more than 0"),
        ("training/lr", "1e-4", "more than 0 (YAML reads 1e-4 as text; write 1.0e-4)"),
        ("clips/keep", float("nan"), "clips.keep: nan is not allowed; allowed: a number, more"),
        ("max_failure_rate", 2, "max_failure_rate: 2 is not allowed; allowed: a number from 0"),
        ("splits/test", 0.25, "splits.test: 0.25 is not allowed; allowed: 0.1, 0.2"),
        ("splits/test", 0.3, "splits: training 0.7 + validation 0.1 + test 0.3 is 1.1; allowed"),
        ("splits/extend", "no.csv", "splits.extend: no.csv does not exist; allowed:"),
        ("splits/extend", "/", "splits.extend: / is a folder; allowed: a file"),
        (
            "sources/search/choices",
            "./x/../data/choices.csv",
            "sources.search.choices: ./x/../data/choices.csv is in data/, whose files runs write",
        ),
        ("splits/groups", "no.csv", "splits.groups: no.csv does not exist; allowed:"),
        ("image_frames", 25, "image_frames: 25 exceeds the 24 frames of a clip (clips.fpc); all"),
        (
            "backbones/trailers_k_mvit",
            {"model": "torchvision/mvit_v2_s.KINETICS400_V1", "input": "clips"},
            "mvit_v2_s.KINETICS400_V1 takes clips of 16 frames, not 24 (clips.fpc); allowed: anot",
        ),
        (
            "backbones/posters_i_swin/image_frames",
            25,
            "backbones.posters_i_swin.image_frames: 25 exceeds the 24 frames",
        ),
        (
            "features/groups",
            "one",
            "features.groups: 'one' is not allowed; allowed: all, each, or a list of lists, such a",
        ),
        ("features/groups", ["a", "b"], "such as [[A, B], [C]]; write [[a, b]]"),
        ("features/groups", [[]], "features.groups: [[]] is not allowed"),
        ("features/groups", [["x"]], "features.groups: 'x' is not a store of trailers"),
        ("features/groups", [["posters_i_swin"]], "'posters_i_swin' is not a store of trailers"),
        ("features/groups", [[SWIN], [SWIN]], f"features.groups: {SWIN} is named twice"),
        ("features/groups", [[SWIN]], "is missing; required: every store of trailers"),
        *(
            (
                f"backbones/{SWIN}/batch",
                value,
                f"{SWIN}.batch: {value!r} is not allowed; allowed: an integer, at least 1, or auto",
            )
            for value in ("big", 0, None, 2.5, "8", "Auto")
        ),
        ("runs/x", {"image": "none"}, "runs.x.image: 'none' is not a store of frames in backbones"),
        ("runs/x", {"image": "trailers_k_r2plus1d_fps24_fpc24"}, "is not a store of frames"),
        ("runs/x", {"shuffle_labels": True}, "runs.x: names no store; allowed: image, video"),
        (
            "runs/x",
            {"images": "a"},
            "runs.x.images: unknown key (value 'a'); did you mean image? Allowed in runs.x: a",
        ),
        (
            "runs/..",
            {"image": "posters_i_swin"},
            "runs: the name '..' is not allowed; allowed: 1 to 60 le",
        ),
        ("backbones/a-b", {"model": "x"}, "backbones: the name 'a-b' is not allowed; allowed: "),
        ("backbones/a", {"model": "timm/x"}, "backbones.a: input is missing; required: model"),
        (
            "backbones/a",
            {"model": "../x", "input": "frames", "batch": 1},
            "backbones.a.model: '../x' is not allowed; allowed: torchvision/NAME.WEIGHTS, timm",
        ),
        (
            "backbones/a",
            {"modle": "timm/x", "input": "frames"},
            "backbones.a.modle: unknown key (value 'timm/x'); did you mean model? Allowed in back",
        ),
        ("runs/2024", {"image": "posters_i_swin"}, "runs.2024.image: 'posters_i_swin' is not a s"),
        ("runs/chance", {"image": "x"}, "runs.chance: this name is reserved; allowed: any except"),
        ("backbones/clips", {"model": "timm/x"}, "backbones.clips: this name is reserved; allowed"),
        ("backbones/sound", {"model": "timm/x"}, "backbones.sound: this name is reserved; allowed"),
        *(
            ("backbones/a", {"model": "logmel/64", "input": "audio"} | own, message)
            for own, message in (
                ({"input": "frames"}, "backbones.a.input: frames is not allowed for a model of so"),
                ({"model": "timm/x"}, "backbones.a.input: audio is not allowed for a model of pic"),
                ({"model": "logmel/7"}, "logmel/7 does not exist; allowed: logmel/BANDS with 8"),
                ({"model": "logmel/064"}, "logmel/064 does not exist; allowed: logmel/BANDS with"),
                ({"model": "hf/a/b@.."}, "hf/a/b@.. does not exist; allowed: hf/OWNER/NAME or"),
                ({"model": "logmel/mel"}, "backbones.a.model: logmel/mel does not exist; allow"),
                ({"model": "silero/v"}, "silero/v does not exist; allowed: silero/vad"),
                ({"model": "hf/name"}, "'hf/name' is not allowed; allowed: torchvision/NAME"),
                ({"model": "hf/a/b@../c"}, "'hf/a/b@../c' is not allowed; allowed: torchvision/"),
                ({"size": 64}, "backbones.a.size: not allowed for a store of audio; allowed: null"),
                ({"image_frames": 2}, "backbones.a.image_frames: not allowed for a store of audi"),
                ({"precision": "bf16"}, "backbones.a.precision: not allowed for a store of audio"),
                ({"weights": "pretrained"}, "'pretrained' is not allowed for logmel/64; allowed: "),
                ({"sha256": "0" * 64}, "is not allowed for logmel/64; allowed: null, since its w"),
                ({"context": -1}, "backbones.a.context: -1 is not allowed; allowed: a number fro"),
                ({"context": 31}, "backbones.a.context: 31 is not allowed; allowed: a number fro"),
                ({"context": float("nan")}, "backbones.a.context: nan is not allowed; allowed"),
            )
        ),
        (f"backbones/{SWIN}/context", 1, "context: not allowed for a store of other inputs than"),
        ("runs/x", {"audio": SWIN}, f"runs.x.audio: '{SWIN}' is not a store of audio in backbon"),
        ("trailers/refetch", "all", "trailers.refetch: 'all' is not allowed; allowed: no_sound"),
        ("backbones/curation", {"model": "timm/x"}, "backbones.curation: this name is reserved"),
        ("curation", "mine.txt", "curation: 'mine.txt' is not allowed; allowed: a path that ends"),
        ("movies", 3, "movies: 3 has the wrong type; allowed: 1 to 1,000 printable characters"),
        ("movies", "", "movies.0: '' is not allowed; allowed: 1 to 1,000 printable characters"),
        ("movies", [], "movies: [] is not allowed; allowed: 1 to 1,000 printable characters"),
        ("movies", ["a.csv", "a.csv"], "repeats a source; allowed: each source once"),
        ("movies", ["sample", "tmdb"], "sample cannot be combined with other sources; allowed: sa"),
        ("movies", ["tmdb", "a.csv"], "movies: tmdb only completes the movies of other sources"),
        ("retry", "removde", "retry: 'removde' is not allowed; allowed: all, none, or reasons"),
        (
            "downloads/pause",
            {"h": [5, 1]},
            "downloads.pause.h: [5, 1] is not allowed; allowed: the shortest pause, then the long",
        ),
        (
            "downloads/pause",
            {"h": [5]},
            "downloads.pause.h: [5] is not allowed; allowed: a li",
        ),
        ("sources/search/pause", [5, 1], "sources.search.pause: [5, 1] is not allowed; allowed:"),
        ("trailers/cookies", "none.txt", "trailers.cookies: none.txt does not exist"),
        (
            "sources/tmdb/api",
            "file:///x",
            "sources.tmdb.api: 'file:///x' is not allowed; allowed: a URL that begins with http",
        ),
        ("sources/search/address", "x", "sources.search.address: 'x' is not allowed; allowed: te"),
        ("sources/imdb/genres", ["drma"], "sources.imdb.genres.0: 'drma' is not allowed; allowed"),
        ("splits", "mine", "splits: 'mine' is not allowed; allowed: a section, or published"),
        ("movies", ["published", "a.csv"], "published cannot be combined with other sources"),
        (
            "movies",
            "published",
            "trailers_i_efficientnet_fpc24 is not among the published stores (published.md5); allo",
        ),
        ("published/md5", {"mtgc.csv": "x"}, "published.md5.mtgc.csv: 'x' is not allowed; allowed"),
        ("published/md5", {"../x": None, "mtgc.csv": None}, "the name '../x' is not allowed; all"),
        ("published/md5", {}, "published.md5: mtgc.csv is missing; required: mtgc.csv"),
        ("evaluation/also", ["mask"], "evaluation.also.0: 'mask' is not allowed; allowed: masked"),
        (
            "evaluation/also",
            ["whole", "whole"],
            "evaluation.also: ['whole', 'whole'] is not allowed; allowed: a list without repe",
        ),
        ("trailer", 3, "trailer: 3 has the wrong type; allowed: 1 to 1,000 printable characters"),
        ("device", "gpu", "device: 'gpu' is not allowed; allowed: auto, cpu, cuda, or cuda:N"),
        (
            "runs/x",
            {"image": "trailers_i_resnet_fpc24", "fusion": "early"},
            "runs.x.fusion: early is not allowed for a single stream",
        ),
        ("runs/x", {"poster": "trailers_i_resnet_fpc24"}, "allowed: posters_i_swin"),
        ("runs", {}, "runs: {} is not allowed; allowed: a section, at least 1 entry"),
    ],
)
def test_a_fault_is_one_line_with_key_value_and_what_is_allowed(path, value, message):
    with pytest.raises(UserError) as error:
        load(changed(path, value))
    assert message in str(error.value)
    assert str(error.value).startswith("config: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", ["a\nb", {"a\nb": 1}])
def test_line_breaks_of_the_configuration_do_not_break_the_line(value):
    with pytest.raises(UserError) as error:
        load({"training": value})
    assert "\n" not in str(error.value)


def test_a_long_value_is_shortened():
    with pytest.raises(UserError) as error:
        load({"seed": "9" * 1000})
    assert len(str(error.value)) < 200


@pytest.mark.parametrize("section", ["runs", "backbones"])
def test_a_name_that_yaml_reads_as_a_number_needs_quotes(section):
    config = copy.deepcopy(DEFAULT)
    config[section][2024] = {}
    with pytest.raises(UserError, match=f"{section}: the name 2024 is not text; put it in quotes"):
        load(config)


def test_a_key_that_yaml_reads_as_true_needs_quotes():
    with pytest.raises(UserError, match="the top level: the name True is not text"):
        load({True: 1})


def test_absent_sections_and_keys_take_the_papers_values():
    settings = load({"movies": "mine.csv", "clips": {"detector": "content"}})
    assert settings.movies == ("mine.csv",)
    assert settings.clips.detector == "content"
    assert settings.clips.fpc == 24
    assert settings.training == load({}).training


def test_null_drops_a_store_and_a_run_that_needs_it_is_refused():
    config = changed("backbones/trailers_i_efficientnet_fpc24", None)
    with pytest.raises(UserError, match="EfficientNet-Lite0.image"):
        load(config)
    for name, run in DEFAULT["runs"].items():
        if run.get("image") == "trailers_i_efficientnet_fpc24":
            config["runs"][name] = None
    assert "control" not in load(config).runs


def test_loading_does_not_change_the_configuration():
    config = copy.deepcopy(DEFAULT)
    config["backbones"]["dropped"] = None
    before = copy.deepcopy(config)
    load(config)
    assert config == before


def test_existing_files_are_accepted(tmp_path):
    file = tmp_path / "file.csv"
    file.touch()
    config = changed("trailers/cookies", str(file))
    config["splits"] |= {"extend": str(file), "groups": str(file)}
    assert load(config).trailers.cookies == str(file)


@pytest.mark.parametrize("retry", ["", "all", "none", "private", "private,too_large", "live"])
def test_retry_accepts_reasons(retry):
    assert load(changed("retry", retry)).retry == retry


def test_every_key_of_the_default_is_commented():
    lines = (ROOT / "config.yaml").read_text().splitlines()
    for number, line in enumerate(lines):
        key = line.split(":")[0]
        if line and line[0].isalpha():
            # A section's keys, or the lines above, carry the comment.
            below = lines[number + 1].strip() if number + 1 < len(lines) else ""
            assert lines[number - 1].startswith("#") or below.startswith("#"), key


def test_the_section_of_a_key_in_the_wrong_place_is_named():
    with pytest.raises(UserError, match="unknown key .*; it belongs below downloads; allowed here"):
        load({"private_addresses": True})
