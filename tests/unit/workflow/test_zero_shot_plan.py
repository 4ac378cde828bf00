"""What runs without training read, and what no other rule asks of them."""

import re

import pytest

from trailers12k.common.errors import UserError
from trailers12k.settings.zero_shot import PICTURES, SOUND
from trailers12k.versions.dvc_pipeline import plots_of, stages_of
from trailers12k.workflow.feature_plan import FeaturePlan
from trailers12k.workflow.targets import default_files
from trailers12k.workflow.zero_shot_plan import ZeroShotPlan, names_pattern

from .conftest import Wildcards

CLIP, CLAP = "hf/openai/clip-vit-base-patch32", "hf/laion/clap-htsat-unfused"
STORES = {
    "mel": {"model": "logmel/64", "input": "audio"},
    "clip": {"model": CLIP, "input": "frames"},
    "clap": {"model": CLAP, "input": "audio", "weights": "random"},
}
RUNS = {
    "mel": {"audio": "mel"},
    "seen": {"image": "clip", "zero_shot": True},
    "heard": {"audio": "clap", "zero_shot": True},
}


@pytest.fixture
def settings(settings_of):
    return settings_of(backbones=STORES, runs=RUNS, weights="pretrained")


@pytest.fixture
def plan(settings):
    return ZeroShotPlan(settings, FeaturePlan(settings))


def test_pretrained_texts_need_the_weights_and_a_tokenizer(plan):
    seen, heard = (plan.inputs(Wildcards(run=run)) for run in ("seen", "heard"))
    key = "hf.openai.clip-vit-base-patch32"
    assert seen["weights"] == [f"build/weights/{key}.json"]
    assert seen["tokenizer"] == plan.tokenizers == [f"build/tokenizers/{key}.json"]
    assert seen["manifest"] == "data/clip.csv"
    assert heard["weights"] == heard["tokenizer"] == []


def test_texts_follow_what_the_run_sees_or_hears(plan):
    assert plan.prompts(Wildcards(run="seen"))["templates"] == [*PICTURES]
    assert plan.prompts(Wildcards(run="heard"))["templates"] == [*SOUND]
    assert plan.network(Wildcards(run="heard"))["model"] == CLAP


def test_the_default_target_asks_for_predictions_and_records_but_no_training(settings):
    files = default_files(settings)
    for run in ("seen", "heard"):
        own = {file for file in files if f"results/runs/{run}/" in file}
        names = {f"split{n}/{name}.csv" for n in range(3) for name in ("val", "tst")}
        assert own == {f"results/runs/{run}/{name}" for name in {*names, "zero_shot.json"}}
    packed = {file for file in files if file.startswith("build/packed/")}
    assert packed == {"build/packed/mel.csv"}


def test_versions_hold_the_folder_of_a_run_and_plot_only_what_has_curves(
    settings, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("movies: sample\n")
    outs = [path for each in stages_of(settings)["evaluation"]["outs"] for path in each]
    assert {"results/runs/mel", "results/runs/seen", "results/runs/heard"} <= {*outs}
    titles = {title for plot in plots_of(settings) for title in plot}
    assert "learning of mel" in titles and "learning of seen" not in titles


@pytest.mark.parametrize(
    ("model", "input_", "said"),
    [
        ("hf/openai/whisper-tiny", "audio", "has no text network"),
        ("hf/facebook/vjepa2-vitl-fpc64-256", "clips", "has no text network"),
    ],
)
def test_a_known_model_without_texts_is_refused(settings_of, model, input_, said):
    stream = {"audio": "audio", "clips": "video"}[input_]
    settings = settings_of(
        backbones=STORES | {"own": {"model": model, "input": input_}},
        runs=RUNS | {"own": {stream: "own", "zero_shot": True}},
    )
    with pytest.raises(UserError, match=f"runs.own.{stream}: {model} {said}"):
        ZeroShotPlan(settings, FeaturePlan(settings))


def test_an_unknown_model_is_judged_by_its_files(settings_of):
    stores = STORES | {"own": {"model": "hf/a/b", "input": "frames"}}
    runs = RUNS | {"own": {"image": "own", "zero_shot": True}}
    settings = settings_of(backbones=stores, runs=runs, weights="pretrained")
    assert ZeroShotPlan(settings, FeaturePlan(settings)).runs == ["seen", "heard", "own"]
    settings = settings_of(backbones=stores, runs=runs, weights="random")
    with pytest.raises(UserError, match="runs.own.image: hf/a/b has random weights and no known"):
        ZeroShotPlan(settings, FeaturePlan(settings))


def test_no_name_fits_the_pattern_of_none():
    assert not re.fullmatch(names_pattern([]), "") and not re.match(names_pattern({}), "any")
    assert re.fullmatch(names_pattern(["R2+1D"]), "R2+1D")
