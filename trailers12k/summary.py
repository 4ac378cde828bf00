"""From predictions to the results table: scores, means over splits, the paper's beside them.

Reads mtgc.csv and predictions; writes results/transfer/ and results/summary.*, metrics.json. Must
not know models or stores.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from trailers12k import metrics
from trailers12k.backbones.names import UNTRAINED
from trailers12k.files import write_csv, write_json, write_text
from trailers12k.metrics import FIGURES
from trailers12k.movies import GENRES
from trailers12k.seeds import seed_for

log = logging.getLogger(__name__)

CHANCE = "chance"
CONSTANT = "constant prediction"

PAPER = {
    ("trailers_i_shufflenet_fpc24", None): "71.69±0.44 66.47±0.73 70.51±0.50 76.60±0.77",
    (None, "trailers_k_shufflenet_fps24_fpc24"): "63.43±1.54 58.18±1.50 63.59±1.46 69.49±1.58",
    (
        "trailers_i_shufflenet_fpc24",
        "trailers_k_shufflenet_fps24_fpc24",
    ): "72.11±0.56 67.08±0.37 71.42±0.41 76.66±0.73",
    ("trailers_i_resnet_fpc24", None): "70.92±3.49 66.16±2.45 70.23±2.11 75.85±3.05",
    (None, "trailers_k_r2plus1d_fps24_fpc24"): "71.76±2.72 66.09±2.44 70.81±2.21 76.33±2.02",
    (
        "trailers_i_resnet_fpc24",
        "trailers_k_r2plus1d_fps24_fpc24",
    ): "73.28±0.66 68.03±0.63 72.14±0.72 77.76±0.44",
    ("trailers_i_swin_fpc24", None): "72.96±4.17 67.68±2.63 71.70±2.44 77.77±4.08",
    (None, "trailers_ik_swin_fps24_fpc24"): "75.71±2.43 70.44±2.10 74.30±2.11 80.19±2.61",
}
"""Table 6 of the paper (Montalvo-Lezama et al., Information Processing & Management 2023), in the
order of `FIGURES`, by the stores of the image and the video stream."""

COLUMNS = ["run", "split", "epoch", *FIGURES, *GENRES, "movies", "weights"]

EXPLANATIONS = f"""\
Mean ± sample standard deviation over the splits, in %. µAP: over all pairs of movie and genre; mAP:
mean over genres; wAP: the same, weighted by positives; sAP: mean over movies. Each is the
trapezoidal area under a precision-recall curve, as in the paper.

`{CHANCE}` predicts each genre's share in the training subset for every movie, ties between movies
broken at random (mean of 200 orders): what a model scores that saw nothing. `{CONSTANT}` is the
same with ties scored as one threshold; it flatters mAP and wAP, since the trapezoid under a
constant score is (1 + share) / 2.
"""


def read_labels(mtgc: str | Path) -> pd.DataFrame:
    """mtgc.csv, indexed by mid."""
    return pd.read_csv(mtgc, index_col="mid")


def score_runs(
    mtgc: pd.DataFrame,
    runs: Iterable[tuple[str, int, str, Path]],
    subset: int,
    seed: int,
) -> list[dict]:
    """Rows of transfer/val.csv or tst.csv: the two chance rows and one per run and split.

    runs: (run, split, words on its weights, its folder). subset: 1 validation, 2 test.
    """
    name = {1: "val", 2: "tst"}[subset]
    rows = []
    runs = list(runs)
    for split in sorted({split for _, split, _, _ in runs}):
        column = mtgc[f"split{split}"]
        train, labels = (mtgc.loc[column == k, list(GENRES)].to_numpy() for k in (0, subset))
        draw = seed_for(seed, CHANCE, split)
        for run, figures in (
            (CHANCE, metrics.chance(train, labels, seed=draw)),
            (CONSTANT, metrics.constant(train, labels)),
        ):
            rows.append({"run": run, "split": split, "epoch": 0, "movies": len(labels)} | figures)
    for run, split, weights, folder in runs:
        predictions = pd.read_csv(folder / f"{name}.csv", index_col="mid")
        labels = mtgc.loc[predictions.index, list(GENRES)].to_numpy()
        figures = metrics.scores(labels, predictions[list(GENRES)].to_numpy())
        epoch = json.loads((folder / "run.json").read_text())["best_epoch"]
        row = {"run": run, "split": split, "epoch": epoch, "movies": len(labels)}
        rows.append(row | {"weights": weights} | figures)
        log.info(
            "%s split%d %s: %d movies, uAP %.4f, mAP %.4f, backbone weights: %s",
            run,
            split,
            name,
            len(labels),
            figures["uap"],
            figures["map"],
            weights,
        )
    return rows


def write_scores(path: str | Path, rows: Sequence[Mapping]) -> None:
    """Write a table of `score_runs`: `run,split,epoch,uap,map,wap,sap`, genres, movies, weights."""
    rounded = [
        {k: f"{v:.6f}" if isinstance(v, float) else v for k, v in row.items()} for row in rows
    ]
    write_csv(path, COLUMNS, rounded)


def summarize(tst: pd.DataFrame) -> pd.DataFrame:
    """One row a run, in the table's order: mean and sample standard deviation over splits, in %."""
    columns = [*FIGURES, *GENRES]
    groups = tst.groupby("run", sort=False)
    mean = groups[columns].mean() * 100
    deviation = groups[columns].std(ddof=1) * 100
    table = pd.concat([mean, deviation.add_suffix("_sd")], axis=1).round(2)
    table.insert(0, "weights", groups["weights"].first().fillna(""))
    table.insert(1, "splits", groups["split"].nunique())
    return table


def markdown(
    summary: pd.DataFrame, runs: Mapping[str, Mapping], notes: Sequence[str], tst: pd.DataFrame
) -> str:
    """The results table for a person: this run's figures, and the paper's where it has them."""
    names = ["µAP", "mAP", "wAP", "sAP"]
    head = ["run", *names, *(f"paper's {name}" for name in names), "backbone weights"]
    rows = []
    for run, row in summary.iterrows():
        spec = runs.get(run, {})
        paper = PAPER.get((spec.get("image"), spec.get("video")))
        if spec.get("shuffle_labels"):
            paper = None
        ours = [f"{row[name]:.2f}±{row[name + '_sd']:.2f}" for name in FIGURES]
        rows.append([run, *ours, *(paper.split() if paper else [""] * 4), row["weights"] or "none"])
    untrained = sorted({r for r, row in summary.iterrows() if UNTRAINED in row["weights"]})
    warning = ""
    if untrained:
        warning = (
            "**Untrained weights: these runs' backbones have random weights, and their figures say "
            f"nothing of the paper's.** {', '.join(untrained)}.\n\n"
        )
    sizes = tst[tst["weights"].notna()].groupby("run", sort=False)["movies"].agg(list)
    tested = sorted({tuple(movies) for movies in sizes})
    notes = [*notes, "Test movies per split: " + " or ".join(str(t)[1:-1] for t in tested) + "."]
    told = "".join(f"- {line}\n" for line in notes)
    return f"# Results\n\n{warning}{_grid(head, rows)}\n{EXPLANATIONS}\n{told}"


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that is readable as plain text too."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |\n"
        for line in lines
    )


def write_summary(
    folder: str | Path,
    tst: pd.DataFrame,
    runs: Mapping[str, Mapping],
    notes: Sequence[str],
) -> None:
    """Write summary.csv, summary.md and metrics.json into `folder`.

    notes: lines below the table: what became of the movies, and credits.
    """
    folder = Path(folder)
    summary = summarize(tst)
    write_text(folder / "summary.csv", summary.to_csv(lineterminator="\n"))
    write_text(folder / "summary.md", markdown(summary, runs, notes, tst))
    figures = {
        run: {name: float(row[name]) for name in FIGURES} | {"weights": row["weights"] or "none"}
        for run, row in summary.iterrows()
    }
    write_json(folder / "metrics.json", figures)
