"""The preset `modern` runs to the end with random weights: one encoder of each kind.

`make modern` runs all of its rows.
"""

import csv

import pytest

from trailers12k.common.vocabulary import OK, SPLITS
from trailers12k.jobs.ledger import read_shard

from . import modern
from .conftest import TINY, Project

pytest.importorskip("transformers")
FUSION, ASKED = "DINOv3+Swin-3D-B+CLAP", "CLAP-zero-shot"
MORE = ("trailers_i_clip", "trailers_k_videomae")
"""Stores of kinds that these rows lack. Rows of them would cost ten seconds each."""
ELSEWHERE = {("timm", "posters"), ("logmel", "audio"), ("silero", "audio")}
"""Kinds that are left to `make modern`."""


def kinds(config: dict) -> set[tuple[str, str]]:
    """Families of models, and what they see or hear."""
    return {
        (each["model"].partition("/")[0], each["input"]) for each in config["backbones"].values()
    }


def test_an_encoder_of_each_kind_runs_to_the_end(tmp_path, sample):
    project = Project.copied(sample.folder, tmp_path / "project")
    today = modern.reduced([FUSION, ASKED], MORE)
    assert kinds(modern.reduced()) == kinds(today) | kinds(TINY) | ELSEWHERE
    project.config |= today | {"image_frames": 1}
    project.config["training"] |= {"epochs": 1}
    project.build()
    rows = modern.scored(project)
    assert {each for _, each in rows} == {"divita", "zero_shot", "linear", "knn"}
    assert {(FUSION, "divita"), (ASKED, "zero_shot")} <= rows.keys()
    assert all(splits == {*SPLITS} for splits in rows.values())
    with (project.folder / "results/leaderboard.csv").open(newline="") as file:
        board = {row["row"]: row for row in csv.DictReader(file)}
    assert {board[name]["pretrained"] for name in (FUSION, ASKED)} == {"false"}
    assert board[FUSION]["classifier_parameters"]
    assert FUSION in (project.folder / "results/report/index.html").read_text()
    for store in today["backbones"]:
        ledgers = sorted((project.folder / "build/ledger" / store).glob("*.csv"))
        found = [row["status"] for path in ledgers for row in read_shard(path)]
        assert found.count(OK) >= 5, (store, found)
