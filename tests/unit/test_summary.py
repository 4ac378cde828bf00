import json

import numpy as np
import pandas as pd
import pytest

from trailers12k import figures, summary
from trailers12k.movies import GENRES

IMAGE = "trailers_i_resnet_fpc24"
RUNS = {"ResNet": {"image": IMAGE}, "mine": {"image": "other"}}


@pytest.fixture
def scored(tmp_path):
    """tst.csv of two runs on 100 movies: one that knows the labels, one that guesses."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, (100, 10))
    mids = [f"tt{i:07d}" for i in range(100)]
    mtgc = pd.DataFrame(labels, index=pd.Index(mids, name="mid"), columns=list(GENRES))
    for split in range(3):
        mtgc[f"split{split}"] = random.permutation(np.repeat([0, 1, 2], [70, 10, 20]))
    runs = []
    for run, knows in (("ResNet", 1.0), ("mine", 0.0)):
        for split in range(3):
            folder = tmp_path / run / f"split{split}"
            folder.mkdir(parents=True)
            test = mtgc[mtgc[f"split{split}"] == 2]
            guess = knows * test[list(GENRES)] + random.random((len(test), 10)) * 0.5
            guess.to_csv(folder / "tst.csv")
            (folder / "run.json").write_text(json.dumps({"best_epoch": 7}))
            runs.append((run, split, "untrained (random, seed 1)", folder))
    rows = summary.score_runs(mtgc, runs, subset=2, seed=0)
    summary.write_scores(tmp_path / "tst.csv", rows)
    return pd.read_csv(tmp_path / "tst.csv")


def test_scores_have_a_row_per_run_and_split_and_chance(scored):
    assert list(scored.columns) == summary.COLUMNS
    assert scored.groupby("run").split.nunique().to_dict() == {
        "ResNet": 3,
        "mine": 3,
        summary.CHANCE: 3,
        summary.CONSTANT: 3,
    }
    mean = scored.groupby("run").uap.mean()
    assert mean["ResNet"] == 1
    assert mean["mine"] == pytest.approx(mean[summary.CHANCE], abs=0.08)


def test_the_table_has_mean_and_sample_deviation_beside_the_papers(scored, tmp_path):
    summary.write_summary(tmp_path, scored, RUNS, ["trailers: 100 ok"])
    table = pd.read_csv(tmp_path / "summary.csv", index_col="run")
    assert table.loc["mine", "uap"] == pytest.approx(
        np.mean(scored[scored.run == "mine"].uap * 100), abs=0.01
    )
    assert table.loc["mine", "uap_sd"] == pytest.approx(
        np.std(scored[scored.run == "mine"].uap * 100, ddof=1), abs=0.01
    )
    text = (tmp_path / "summary.md").read_text()
    row = next(line for line in text.splitlines() if line.startswith("| ResNet"))
    assert "100.00±0.00" in row and "70.92±3.49" in row and "untrained" in row
    assert "Untrained weights" in text and "trailers: 100 ok" in text
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["ResNet"]["uap"] == 100 and "untrained" in metrics["ResNet"]["weights"]


def test_a_control_stands_beside_no_figure_of_the_paper(scored, tmp_path):
    runs = {"ResNet": {"image": IMAGE, "shuffle_labels": True}}
    summary.write_summary(tmp_path, scored, runs, [])
    assert "70.92" not in (tmp_path / "summary.md").read_text()


def test_the_picture_is_the_same_each_time(scored, tmp_path):
    summary.write_summary(tmp_path, scored, RUNS, [])
    table = pd.read_csv(tmp_path / "summary.csv")
    for name in ("a.png", "b.png"):
        figures.plot_results(table, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
