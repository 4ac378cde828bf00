"""What `make` left in results/: run by .ci/run after it, and not by `make test`."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from trailers12k.common.vocabulary import CHANCE
from trailers12k.evaluation.paper import PAPER
from trailers12k.movies.sources.sample import SHORT
from trailers12k.settings import load

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
METRICS = ("uap", "map", "wap", "sap")


@pytest.fixture(scope="module")
def summary():
    return pd.read_csv(ROOT / "results" / "summary.csv", index_col="run")


def test_most_runs_beat_chance_clearly_and_the_control_does_not(summary):
    runs = [run for run, spec in CONFIG["runs"].items() if not spec.get("shuffle_labels")]
    above = summary[list(METRICS)] - summary.loc[CHANCE, list(METRICS)]
    assert ((above.loc[runs] > 20).all(axis=1)).sum() >= len(runs) - 1
    assert (above.loc["control", ["uap", "map"]] < 15).all()


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
