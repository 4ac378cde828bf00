"""What `make` left in results/: run by .ci/run after it, and not by `make test`."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from trailers12k.classifier import prediction
from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import CHANCE
from trailers12k.evaluation.paper import PAPER
from trailers12k.features import store
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.features.sound_recipe import SoundRecipe
from trailers12k.movies.sources.sample import NO_SOUND, SHORT
from trailers12k.settings import load
from trailers12k.video.clips import Clip

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
METRICS = ("uap", "map", "wap", "sap")


@pytest.fixture(scope="module")
def summary():
    return pd.read_csv(ROOT / "results" / "summary.csv", index_col="run")


def test_most_runs_beat_chance_clearly_and_the_control_does_not(summary):
    runs = [run for run, spec in CONFIG["runs"].items() if not spec.get("shuffle_labels")]
    above = summary[list(METRICS)] - summary.loc[CHANCE, list(METRICS)]
    # Of the untrained backbones of moving pictures, some see little of a genre's look.
    clear = (above.loc[runs] > 20).all(axis=1)
    assert clear.sum() >= len(runs) - 2
    with_sound = [run for run in runs if "audio" in CONFIG["runs"][run]]
    assert len(with_sound) == 4 and clear[with_sound].all()
    assert (above.loc[["control", "control-sound"], ["uap", "map"]] < 15).all(axis=None)


def test_runs_with_sound_say_how_many_movies_they_had(summary):
    """Every movie with pictures but those of which the sample has no sound."""
    pictures = summary.loc["EfficientNet-Lite0"]
    splits = pd.read_csv(ROOT / "data" / "mtgc.csv", index_col="mid").filter(like="split")
    silent = int((splits.loc[[*NO_SOUND]] == 2).sum(axis=None))
    for run, spec in CONFIG["runs"].items():
        if "audio" in spec:
            assert tuple(summary.loc[run, ["movies", "of"]]) == (
                pictures["movies"] - silent,
                pictures["of"],
            )
    text = (ROOT / "results" / "summary.md").read_text()
    assert "- Runs with sound, without the movies that have none: " in text


def test_no_sound_is_a_reason_of_the_stores_of_sound_alone():
    ledger = pd.read_csv(ROOT / "data" / "ledger.csv", keep_default_na=False)
    lost = ledger[ledger["reason"] == "no_sound"]
    assert {"trailers_a_logmel", "trailers_a_speech"} <= {*lost["stage"]}
    for stage, rows in lost.groupby("stage"):
        assert stage == "sound" or stage.startswith("trailers_a_")
        assert {*rows["mid"]} == {*NO_SOUND}


def test_the_sample_has_the_eight_runs_of_the_paper_and_none_of_its_figures():
    text = (ROOT / "results" / "summary.md").read_text()
    for figures in PAPER.values():
        assert figures.split()[0] not in text
    assert "paper's" not in text
    streams = {(spec.get("image"), spec.get("video")) for spec in CONFIG["runs"].values()}
    assert streams >= set(PAPER) and len(PAPER) == 8


def test_the_configuration_stands_beside_the_results():
    written = yaml.safe_load((ROOT / "results" / "config.yaml").read_text())
    # What is to be tried again, and a trailer to be predicted, are no settings of the results.
    assert written == load(CONFIG).for_results()


def test_every_row_says_what_its_backbones_rest_on(summary):
    assert "ImageNet" in summary.loc["EfficientNet-Lite0", "weights"]
    assert "untrained" in summary.loc["ResNet-Fusion", "weights"]


def test_trailers_have_several_windows_and_the_reference_can_train():
    clips = pd.read_csv(ROOT / "data" / "clips.csv").groupby("mid").size()
    splits = pd.read_csv(ROOT / "data" / "mtgc.csv", index_col="mid").filter(like="split")
    snippet = CONFIG["training"]["snippet"]
    # The reference's trainer fails on a training trailer that is shorter than a snippet.
    assert list(clips[clips < snippet].index) == [SHORT]
    assert (splits.loc[SHORT] != 0).all()
    assert (clips > snippet).mean() > 0.6
    assert (clips % snippet > 0).mean() > 0.5


@pytest.mark.parametrize("run", ["EfficientNet-Log-mel", "EfficientNet-Log-mel-early"])
def test_a_prediction_with_sound_says_which_sounds_spoke(run):
    folder = ROOT / "results" / "runs" / run / "split0"
    evaluated = pd.read_csv(folder / "tst.csv", index_col="mid")
    mid = evaluated.index[0]
    rows = {
        stream: store.read(ROOT / "data" / f"{CONFIG['runs'][run][stream]}.zarr", mid)
        for stream in ("image", "audio")
    }
    chosen = prediction.ChosenRun(run, 0, 0.5, str(folder / "best.pt"), "")
    predicted = prediction.predict_trailer("it.mp4", chosen, "words", clips_of(mid), rows)
    np.testing.assert_allclose(predicted.probabilities, evaluated.loc[mid], atol=1e-5)
    assert np.abs(predicted.sounds).max() > 0.001
    assert prediction.SOUNDS_HEAD in predicted.table()


@pytest.mark.parametrize(("mid", "why"), NO_SOUND.items())
def test_a_trailer_without_sound_is_refused_by_a_run_that_hears(mid, why):
    trailer = prediction.FetchedTrailer(str(ROOT / "build" / "trailers" / f"{mid}.mp4"), "pyav", 4)
    recipe = SoundRecipe(SoundSpec("logmel/64", "none"), "", 0)
    with pytest.raises(UserError, match=rf"^the trailer has no sound, .* needs \({why}"):
        prediction.compute_features(trailer, clips_of(mid), None, recipe, "cpu")


def clips_of(mid):
    clips = pd.read_csv(ROOT / "data" / "clips.csv")
    rows = clips[clips["mid"] == mid].itertuples()
    return [Clip(row.clip, row.shot, row.start, row.end) for row in rows]
