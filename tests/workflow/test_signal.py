"""The numbers mean something: on the sample runs beat chance, on shuffled labels they do not."""

import pandas as pd
import pytest

from trailers12k.summary import CHANCE, CONSTANT

from .conftest import IMAGE, TINY, VIDEO, Project

PRETRAINED = "trailers_i_efficientnet_fpc24"
CONTROLS = ["control-1", "control-2"]


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    """The results table of the whole sample with the three cheapest backbones."""
    backbone = {"model": "timm/tf_efficientnet_lite0", "weights": "package"}
    config = TINY | {
        "sample": {"movies": 40},
        "training": {},
        "splits": {},
        "backbones": TINY["backbones"] | {PRETRAINED: backbone | {"input": "frames", "batch": 8}},
        "runs": {
            "image": {"image": IMAGE},
            "video": {"video": VIDEO},
            "fusion": {"image": IMAGE, "video": VIDEO},
            "pretrained": {"image": PRETRAINED},
        }
        | {name: {"image": PRETRAINED, "shuffle_labels": True} for name in CONTROLS},
    }
    project = Project(tmp_path_factory.mktemp("signal"), config)
    project.build()
    return pd.read_csv(project.folder / "results" / "summary.csv", index_col="run")


def test_every_run_beats_chance_clearly(summary):
    # 20 points are four times the standard deviation of chance over the splits.
    for run in ("image", "video", "fusion", "pretrained"):
        for figure in ("uap", "map", "wap", "sap"):
            assert summary.loc[run, figure] > summary.loc[CHANCE, figure] + 20, (run, figure)
        assert summary.loc[run, "uap"] > summary.loc[CONSTANT, "uap"] + 20


def test_runs_on_shuffled_labels_do_not(summary):
    mean = summary.loc[CONTROLS].mean(numeric_only=True)
    for figure in ("uap", "map", "wap", "sap"):
        assert abs(mean[figure] - summary.loc[CHANCE, figure]) < 12, figure


def test_the_row_of_the_pretrained_backbone_says_what_it_rests_on(summary):
    assert "ImageNet" in summary.loc["pretrained", "weights"]
    assert "untrained" in summary.loc["fusion", "weights"]
