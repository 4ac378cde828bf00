import json
import re

import numpy as np
import pandas as pd
import pytest

from trailers12k.common.vocabulary import GENRES, METRICS
from trailers12k.evaluation import absence, summary
from trailers12k.evaluation.differences import COMPARISON_COLUMNS, Compared
from trailers12k.evaluation.paper import RunStreams, paper_scores
from trailers12k.evaluation.scores import is_untrained
from trailers12k.evaluation.summary import Scores
from trailers12k.report import drawing, run_charts
from trailers12k.workflow.measured import shipped

IMAGE = "trailers_i_resnet_fpc24"
RUNS = {"ResNet": RunStreams(image=IMAGE), "mine": RunStreams(image="other")}


def test_the_table_has_mean_and_sample_deviation_and_the_papers_scores(scored, tmp_path):
    summary.write_summary(tmp_path, Scores(scored, scored), RUNS, ["trailers: 100 ok"])
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


def test_few_test_movies_and_rows_without_an_interval_are_named(scored, tmp_path):
    intervals = pd.DataFrame(
        [("ResNet", "all", "uap", 0.7, 0.6, 0.8), ("mine", "all", "uap", 0.7, None, None)],
        columns=["run", "split", "metric", "estimate", "low", "high"],
    )
    compared = Compared(intervals, pd.DataFrame(columns=COMPARISON_COLUMNS))
    summary.write_summary(tmp_path, Scores(scored, scored, compared=compared), RUNS, [])
    text = (tmp_path / "summary.md").read_text()
    assert f"- {summary.FEW_MOVIES}\n" in text
    assert "score alike, hence no interval: mine.\n" in text
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["ResNet"]["uap_low"] == 60 and "uap_low" not in metrics["mine"]


def test_the_warning_ends_where_intervals_were_measured_to_hold():
    """See tests/bench/coverage.py."""
    figures = shipped("coverage").figures
    sizes = sorted({int(name.split("_")[0][4:]) for name in figures if re.match(r"held\d", name)})
    least = [min(figures[f"held{size}_{metric}"] for metric in METRICS) for size in sizes]
    assert sizes[0] < summary.FEW
    assert next(size for size, held in zip(sizes, least, strict=True) if held >= 93) == summary.FEW


def test_the_columns_of_the_summary(scored):
    table = summary.summarize(scored)
    assert list(table.columns[:5]) == ["weights", "pretrained", "splits", "movies", "of"]
    assert table.columns[5] == "classifier"
    assert list(table.columns[6:20]) == [*METRICS, *GENRES]
    assert list(table.columns[20:]) == [f"{name}_sd" for name in (*METRICS, *GENRES)]
    row = table.loc["ResNet"]
    assert tuple(row[["pretrained", "splits", "movies", "of"]]) == ("false", 3, 60, 60)
    assert row["weights"] == "untrained (random, seed 1)" and table.loc["chance", "weights"] == ""
    uap = scored[scored.run == "mine"].uap * 100
    assert table.loc["mine", "uap_sd"] == round(np.std(uap, ddof=1), 2)
    assert list(table.index) == list(dict.fromkeys(scored.run))


def test_differences_from_the_paper_are_judged_by_both_deviations(scored, tmp_path):
    mine = scored.copy()
    of_run = mine.run == "ResNet"
    mine.loc[of_run, "uap"] = [0.70, 0.72, 0.74]  # 72.00±2.00; the paper has 70.92±3.49
    mine.loc[of_run, "map"] = [0.58, 0.60, 0.62]  # 60.00±2.00; the paper has 66.16±2.45
    summary.write_summary(tmp_path, Scores(mine, mine), RUNS, [])
    row = pd.read_csv(tmp_path / "summary.csv", index_col="run").loc["ResNet"]
    assert (row.uap_minus_paper, row.uap_within) == (1.08, True)
    assert (row.map_minus_paper, row.map_within) == (-6.16, False)
    assert (row.paper_uap, row.paper_uap_sd) == (70.92, 3.49)
    text = (tmp_path / "summary.md").read_text()
    assert "70.92±3.49 (+1.08 =)" in text and "66.16±2.45 (-6.16 ≠)" in text
    assert " of " not in text.splitlines()[6] and "count all movies" not in text


def test_the_table_counts_missing_movies(scored, tmp_path):
    scored.loc[scored.run == "ResNet", "movies"] = 19
    summary.write_summary(tmp_path, Scores(scored, scored), RUNS, [])
    text = (tmp_path / "summary.md").read_text()
    assert "57 of 60" in text and "60 of 60" in text and "test movies" in text
    assert "`chance` and `constant prediction` count all movies" in text
    table = pd.read_csv(tmp_path / "summary.csv", index_col="run")
    assert tuple(table.loc["ResNet", ["movies", "of"]]) == (57, 60)


def test_the_runs_with_sound_say_how_many_movies_they_had(scored, tmp_path):
    scored.loc[scored.run == "ResNet", "movies"] = 19
    for hearing, line in (
        (["ResNet"], "57 of 60 test movies (ResNet)."),
        (["mine", "ResNet"], "57 of 60 test movies (ResNet); 60 of 60 test movies (mine)."),
    ):
        summary.write_summary(tmp_path, Scores(scored, scored, hearing=hearing), RUNS, [])
        text = (tmp_path / "summary.md").read_text()
        assert f"- Runs with sound, without the movies that have none: {line}\n" in text
    summary.write_summary(tmp_path, Scores(scored, scored), RUNS, [])
    assert "sound" not in (tmp_path / "summary.md").read_text()


def test_rows_that_are_no_ordinary_training_are_named():
    runs = {"a": {"image": "x"}, "control": {"image": "x", "shuffle_labels": True}}
    asked = {"zero": {"image": "x", "zero_shot": "hf/a/b"}}
    assert summary.run_notes({"a": runs["a"]}) == []
    (line,) = summary.run_notes(runs)
    assert line == "Controls, trained on shuffled labels, should stay near chance: control."
    first, second = summary.run_notes(asked | runs)
    assert "without training" in first and "(zero)" in first and second == line


def test_a_run_with_sound_is_not_compared_with_the_papers_of_its_pictures():
    with_sound = RunStreams(image=IMAGE, audio="trailers_a_logmel")
    assert paper_scores(RunStreams(image=IMAGE))
    assert paper_scores(with_sound) == {}


def test_without_runs_to_compare_there_is_no_word_of_the_paper(scored, tmp_path):
    summary.write_summary(tmp_path, Scores(scored, scored), {}, [])
    text = (tmp_path / "summary.md").read_text()
    assert "paper's" not in text and "ours minus" not in text
    assert not [name for name in pd.read_csv(tmp_path / "summary.csv") if "paper" in name]


def test_runs_of_which_the_paper_has_none_are_named_once(scored, tmp_path, caplog):
    sentence = "o run uses the stores and the fusion of a run of the paper"
    summary.write_summary(tmp_path, Scores(scored, scored), {"mine": RUNS["mine"]}, [])
    assert f"- N{sentence}" in (tmp_path / "summary.md").read_text()
    (record,) = caplog.records
    assert record.levelname == "WARNING" and f"n{sentence}" in record.getMessage()
    caplog.clear()
    for runs in (RUNS, {}):
        summary.write_summary(tmp_path, Scores(scored, scored), runs, [])
        assert sentence not in (tmp_path / "summary.md").read_text() and not caplog.records


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ([[0, 1, 2], [0, 1, 2], [1, 0, 2]], "Splits 0, 1 and 2 have"),
        ([[0, 1, 2], [2, 1, 0], [1, 0, 2]], "Splits 0 and 2 have"),
        ([[0, 1, 2], [2, 1, 0], [1, 2, 0]], None),
    ],
)
def test_splits_with_the_same_test_movies_are_named(scored, tmp_path, columns, named):
    mtgc = pd.DataFrame({"mid": ["a", "b", "c"], "action": 1})
    for number, column in enumerate(columns):
        mtgc[f"split{number}"] = column
    summary.write_summary(tmp_path, Scores(scored, scored, mtgc=mtgc), RUNS, [])
    text = (tmp_path / "summary.md").read_text()
    if named:
        assert f"- {named} the same test movies: the deviation over splits says nothing" in text
    else:
        assert "the same test movies" not in text


def test_genres_without_a_movie_are_named_for_each_split_and_subset(scored, tmp_path):
    tst, val = scored.assign(absent=""), scored.assign(absent="")
    tst.loc[tst.split < 2, "absent"] = "action|horror"
    val.loc[(val.split == 1) & (val.run == "mine"), "absent"] = "crime"
    summary.write_summary(tmp_path, Scores(tst, val), RUNS, [])
    text = (tmp_path / "summary.md").read_text()
    table, below = text.split(absence.EXPLANATION)
    assert "| mine" in table and "uap" not in below
    lines = [line for line in below.splitlines() if "here" in line]
    assert lines == [
        "- Test movies of splits 0 and 1: 2 of 10 genres have no movie here (action, horror) and "
        "count 50 % in mAP.",
        "- Validation movies of split 1 in mine: 1 of 10 genres has no movie here (crime) and "
        "counts 50 % in mAP.",
    ]
    summary.write_summary(tmp_path, Scores(scored, scored), RUNS, [])
    assert absence.EXPLANATION not in (tmp_path / "summary.md").read_text()


def test_a_control_is_not_compared_with_the_paper(scored, tmp_path):
    runs = {"ResNet": RunStreams(image=IMAGE, shuffle_labels=True)}
    summary.write_summary(tmp_path, Scores(scored, scored), runs, [])
    assert "70.92" not in (tmp_path / "summary.md").read_text()


@pytest.mark.parametrize("more", [{"poster": "posters_i_swin"}, {"fusion": "early"}])
def test_runs_with_posters_or_early_fusion_are_not_compared_with_the_paper(scored, tmp_path, more):
    summary.write_summary(
        tmp_path, Scores(scored, scored), {"ResNet": RunStreams(image=IMAGE, **more)}, []
    )
    assert "70.92" not in (tmp_path / "summary.md").read_text()


def test_variants_are_listed_with_their_difference_from_the_published_evaluation(
    scored, options, tmp_path
):
    summary.write_summary(tmp_path, Scores(scored, scored, options), RUNS, ["a note"])
    text = (tmp_path / "summary.md").read_text()
    table = text.split("## Evaluation variants of the same runs")[1]
    assert "a note" not in table and "78 of 80" in table
    line = next(line for line in table.splitlines() if "masked |" in line.replace("  ", ""))
    difference = 100 - 100 * options[options.option == "as published"]["uap"].mean()
    assert f"100.00±0.00 ({difference:+.2f})" in line
    assert "±" in next(line for line in table.splitlines() if "| sklearn" in line)


def test_the_chart_has_the_same_bytes_each_time(scored, tmp_path):
    summary.write_summary(tmp_path, Scores(scored, scored), RUNS, [])
    table = pd.read_csv(tmp_path / "summary.csv")
    for name in ("a", "b"):
        drawing.save(run_charts.results(table), tmp_path / name)
    for end in ("svg", "png"):
        assert (tmp_path / f"a.{end}").read_bytes() == (tmp_path / f"b.{end}").read_bytes()


def test_untrained_weights_are_recognised_by_the_column_not_by_name(scored, tmp_path):
    """`untrained_x.pth` may be a file of trained weights, and random weights may have any name."""
    mine = scored.run == "mine"
    scored.loc[mine, ["weights", "pretrained"]] = ["untrained_x.pth", True]
    scored.loc[scored.run == "ResNet", "weights"] = "drawn from the seed"
    summary.write_summary(tmp_path, Scores(scored, scored), RUNS, [])
    text = (tmp_path / "summary.md").read_text()
    warning = next(line for line in text.splitlines() if line.startswith("**Untrained weights"))
    assert warning.endswith("** Runs: ResNet.")
    table = pd.read_csv(tmp_path / "summary.csv", index_col="run")
    assert table["pretrained"].dropna().to_dict() == {"ResNet": False, "mine": True}
    drawing.save(run_charts.results(table.reset_index()), tmp_path / "results")
    kinds = {row["run"]: row["what"] for row in _rows(run_charts.results(table.reset_index()))}
    assert kinds == {"ResNet": run_charts.WEIGHTS[1], "mine": run_charts.WEIGHTS[0]}
    tst_kinds = run_charts.pretrained_of(scored)
    assert is_untrained(tst_kinds["ResNet"]) and not is_untrained(tst_kinds["mine"])


def _rows(chart):
    """The values that a chart draws, without the paper's."""
    rows = []

    def walk(node):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if key == "values" and isinstance(value, list):
                rows.extend(v for v in value if isinstance(v, dict) and "what" in v)
            elif isinstance(value, dict | list):
                walk(value)

    walk(chart.to_dict())
    return [row for row in rows if row["what"] != "the paper"]
