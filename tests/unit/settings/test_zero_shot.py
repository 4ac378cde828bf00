"""Runs without training, and the texts that they ask, are checked before anything runs."""

from pathlib import Path

import pytest
import yaml

from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import GENRES
from trailers12k.settings import load
from trailers12k.settings.zero_shot import PHRASES, PICTURES, SOUND

ROOT = Path(__file__).parents[3]
CLAP = {"model": "hf/laion/clap-htsat-unfused", "input": "audio"}
CLIP = {"model": "hf/openai/clip-vit-base-patch32", "input": "frames"}
MEL = {"model": "logmel/64", "input": "audio"}
STORES = {"clap": CLAP, "clip": CLIP, "mel": MEL}
TRAINED = {"mel": {"audio": "mel"}}
ASKED = {"audio": "clap", "zero_shot": True}


def loaded(asked=ASKED, movies="sample", **keys):
    runs = TRAINED | ({"asked": asked} if asked else {})
    return load({"movies": movies, "backbones": STORES, "runs": runs} | keys)


def test_the_default_configuration_names_the_default_texts():
    texts = yaml.safe_load((ROOT / "config.yaml").read_text())["zero_shot"]
    assert texts["prompts"] == {genre: [*each] for genre, each in PHRASES.items()}
    assert texts["templates"] == [*PICTURES] and texts["sound_templates"] == [*SOUND]


def test_a_run_without_training_is_no_trained_run():
    settings = loaded()
    assert [*settings.trained_runs] == ["mel"] and [*settings.runs] == ["mel", "asked"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (ASKED | {"image": "clip"}, "image and audio are not allowed with zero_shot"),
        (ASKED | {"shuffle_labels": True}, "shuffle_labels: true is not allowed with zero_shot"),
        (ASKED | {"fusion": "early"}, "fusion: early is not allowed"),
        (ASKED | {"audio": "mel"}, "audio: logmel/64 reads no texts"),
    ],
)
def test_a_run_that_cannot_ask_is_refused(asked, said):
    with pytest.raises(UserError, match=said) as error:
        loaded(asked)
    assert "runs.asked" in str(error.value)


def test_a_run_must_train():
    with pytest.raises(UserError, match="runs: all of them have zero_shot"):
        loaded(runs={"asked": ASKED})


PROMPTS = {genre: ["x"] for genre in GENRES}


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"templates": ["a movie"]}, r"templates.0: 'a movie' .* contain {genre} once"),
        ({"templates": ["{genre} {genre}"]}, "templates.0: .*contain {genre} once"),
        ({"templates": ["{genre} {x}"]}, "templates.0: .*no other braces"),
        ({"templates": ["{genre}" + "x" * 200]}, "templates.0: .*up to 200"),
        ({"templates": ["{genre}\n"]}, "templates.0"),
        ({"templates": []}, "templates: "),
        ({"templates": ["{genre}"] * 2}, "templates: .*without repetitions"),
        ({"sound_templates": [f"{n} {{genre}}" for n in range(31)]}, "sound_templates: "),
        ({"prompts": PROMPTS | {"western": ["x"]}}, "prompts: 'western' is not a genre"),
        ({"prompts": {"drama": ["x"]}}, "prompts: action, .* is missing; required: all ten"),
        ({"prompts": PROMPTS | {"drama": ["x" * 101]}}, "prompts.drama.0: .*1 to 100"),
        ({"prompts": PROMPTS | {"drama": ["{genre}"]}}, "prompts.drama.0: .*without braces"),
        ({"prompts": PROMPTS | {"drama": []}}, "prompts.drama: "),
        ({"prompts": PROMPTS | {"drama": [1]}}, "prompts.drama.0: "),
        *(
            ({"prompts": PROMPTS | {"drama": [blank]}}, "prompts.drama.0: .*not all blank")
            for blank in (" ", "\u200b", "a\u202eb", "a\u2028b", "\ufe0f ")
        ),
        ({"templates": ["\u202e{genre}"]}, "templates.0: .*printable characters"),
        ({"sound_templates": ["{genre}\u2028"]}, "sound_templates.0: .*printable characters"),
    ],
)
def test_strange_texts_are_refused_in_one_line(texts, said):
    with pytest.raises(UserError, match=said) as error:
        loaded(zero_shot=texts)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400
