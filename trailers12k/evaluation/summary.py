"""From predictions to the results table: scores, means over splits, the paper's beside them.

Reads mtgc.csv and predictions; writes results/transfer/ and results/summary.*, metrics.json. Must
not know models or stores.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from trailers12k.common.files import write_csv, write_json, write_text
from trailers12k.common.movie import GENRES
from trailers12k.common.seeds import seed_for
from trailers12k.evaluation import metrics
from trailers12k.evaluation.metrics import FIGURES
from trailers12k.features.backbones.names import is_untrained
from trailers12k.jobs.context import UserError

log = logging.getLogger(__name__)

CHANCE = "chance"
CONSTANT = "constant prediction"
AS_PUBLISHED = "as published"

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

ENDS = ("_minus_paper", "_within")

COLUMNS = ["run", "split", "epoch", *FIGURES, *GENRES, "movies", "of", "weights", "pretrained"]
"""movies: that were scored. of: the subset's, those without features too. pretrained: true, false
where a store of the run has random weights, empty where it is not recorded."""

EXPLANATIONS = f"""\
Mean ± sample standard deviation over the splits, in %. µAP: over all pairs of movie and genre; mAP:
mean over genres; wAP: the same, weighted by positives; sAP: mean over movies. Each is the
trapezoidal area under a precision-recall curve, as in the paper.

`{CHANCE}` predicts each genre's share in the training subset for every movie, ties between movies
broken at random (mean of 200 orders): what a model scores that saw nothing. `{CONSTANT}` is the
same with ties scored as one threshold; it flatters mAP and wAP, since the trapezoid under a
constant score is (1 + share) / 2.

Behind a figure of the paper stands ours minus it, and whether that is at most the two standard
deviations together (=) or more (≠).
"""


OPTIONS = """\
In brackets: minus the published way. masked: the padding of the last window is not looked at;
whole: a trailer is one sequence; weighted: a window counts by the clips in it; sklearn:
scikit-learn's average precision, which has steps, in place of the trapezoid.
"""


def read_labels(mtgc: str | Path) -> pd.DataFrame:
    """mtgc.csv, indexed by mid."""
    return pd.read_csv(mtgc, index_col="mid")


def score_runs(
    mtgc: pd.DataFrame,
    runs: Iterable[tuple[str, int, str, bool | None, Path]],
    subset: int,
    seed: int,
    present: Mapping[str, set[str]],
) -> list[dict]:
    """Rows of transfer/val.csv or tst.csv: the two chance rows and one per run and split.

    runs: (run, split, words on its weights, whether they are pretrained, its folder).
    subset: 1 validation, 2 test. present: run -> the movies that are in all its stores.

    Raises `UserError`, naming them, when the movies predicted are not those of the subset that are
    present.
    """
    name = {1: "val", 2: "tst"}[subset]
    rows = []
    runs = list(runs)
    for split in sorted({split for _, split, *_ in runs}):
        column = mtgc[f"split{split}"]
        train, labels = (mtgc.loc[column == k, list(GENRES)].to_numpy() for k in (0, subset))
        draw = seed_for(seed, CHANCE, split)
        for run, figures in (
            (CHANCE, metrics.chance(train, labels, seed=draw)),
            (CONSTANT, metrics.constant(train, labels)),
        ):
            row = {"run": run, "split": split, "epoch": 0, "movies": len(labels)}
            rows.append(row | {"of": len(labels)} | figures)
    for run, split, weights, pretrained, folder in runs:
        predictions = pd.read_csv(folder / f"{name}.csv", index_col="mid")
        in_subset = mtgc.index[mtgc[f"split{split}"] == subset]
        _check_movies(folder / f"{name}.csv", predictions.index, present[run] & {*in_subset})
        labels = mtgc.loc[predictions.index, list(GENRES)].to_numpy()
        figures = metrics.scores(labels, predictions[list(GENRES)].to_numpy())
        epoch = json.loads((folder / "run.json").read_text())["best_epoch"]
        row = {"run": run, "split": split, "epoch": epoch, "movies": len(labels)}
        row["of"] = len(in_subset)
        row["pretrained"] = {True: "true", False: "false", None: ""}[pretrained]
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


def score_options(
    mtgc: pd.DataFrame, runs: Iterable[tuple[str, int, Path]], also: Sequence[str]
) -> list[dict]:
    """Rows of transfer/options.csv: of every run and split one as published, and one an option.

    runs: (run, split, its folder). also: of the configuration's `evaluation.also`.
    """
    rows = []
    for run, split, folder in runs:
        for option in (AS_PUBLISHED, *also):
            name = "tst" if option in (AS_PUBLISHED, "sklearn") else f"tst_{option}"
            predictions = pd.read_csv(folder / f"{name}.csv", index_col="mid")
            labels = mtgc.loc[predictions.index, list(GENRES)].to_numpy()
            score = metrics.step_scores if option == "sklearn" else metrics.scores
            figures = score(labels, predictions[list(GENRES)].to_numpy())
            row = {"run": run, "split": split, "option": option}
            of = int((mtgc[f"split{split}"] == 2).sum())
            rows.append(row | figures | {"movies": len(labels), "of": of})
    return rows


def _check_movies(path: Path, scored: Iterable[str], expected: set[str]) -> None:
    counts = Counter(scored)
    wrong = {
        "not predicted": sorted(expected - counts.keys()),
        "predicted, but not expected": sorted(counts.keys() - expected),
        "twice": sorted(mid for mid, count in counts.items() if count > 1),
    }
    told = [f"{what}: {', '.join(mids[:20])}" for what, mids in wrong.items() if mids]
    if told:
        raise UserError(
            f"{path} has {counts.total()} movies, {len(expected)} are expected; {'; '.join(told)}. "
            "Train this run again: delete its folder"
        )


def write_scores(path: str | Path, rows: Sequence[Mapping]) -> None:
    """Write a table of `score_runs`: `run,split,epoch,uap,map,wap,sap`, genres, movies, weights."""
    rounded = [
        {k: f"{v:.6f}" if isinstance(v, float) else v for k, v in row.items()} for row in rows
    ]
    write_csv(path, list(rows[0]) if "option" in rows[0] else COLUMNS, rounded)


def summarize(tst: pd.DataFrame) -> pd.DataFrame:
    """One row a run, in the table's order: mean and sample standard deviation over splits, in %."""
    columns = [*FIGURES, *GENRES]
    groups = tst.groupby("run", sort=False)
    mean = groups[columns].mean() * 100
    deviation = groups[columns].std(ddof=1) * 100
    table = pd.concat([mean, deviation.add_suffix("_sd")], axis=1).round(2)
    table.insert(0, "weights", groups["weights"].first().fillna(""))
    pretrained = groups["pretrained"].first()
    table.insert(1, "pretrained", pretrained.map(lambda cell: str(cell).lower(), "ignore"))
    table.insert(2, "splits", groups["split"].nunique())
    table.insert(3, "movies", groups["movies"].sum())
    table.insert(4, "of", groups["of"].sum())
    return table


def beside_paper(table: pd.DataFrame, runs: Mapping[str, Mapping]) -> pd.DataFrame:
    """For each figure that the paper has: its mean `paper_X` and deviation `paper_X_sd`, ours minus
    it `X_minus_paper`, and `X_within`: whether that is at most both deviations together."""
    rows = {}
    for run in table.index:
        row = rows[run] = {}
        for name, told in zip(FIGURES, _paper(runs.get(run, {})), strict=False):
            mean, deviation = map(float, told.split("±"))
            off = table.loc[run, name] - mean
            row |= {f"paper_{name}": mean, f"paper_{name}_sd": deviation}
            row[f"{name}_minus_paper"] = round(off, 2)
            row[f"{name}_within"] = abs(off) <= table.loc[run, f"{name}_sd"] + deviation
    return pd.DataFrame.from_dict(rows, orient="index")


def _paper(spec: Mapping) -> list[str]:
    """The paper's figures of a run with these stores; none for a control."""
    if spec.get("shuffle_labels") or "poster" in spec or spec.get("fusion") == "early":
        return []
    return PAPER.get((spec.get("image"), spec.get("video")), "").split()


def markdown(
    summary: pd.DataFrame,
    runs: Mapping[str, Mapping],
    notes: Sequence[str],
    tst: pd.DataFrame,
    options: pd.DataFrame | None = None,
) -> str:
    """The results table for a person: this run's figures, and the paper's where it has them.

    options: rows of transfer/options.csv, for a second table.
    """
    names = ["µAP", "mAP", "wAP", "sAP"]
    compared = beside_paper(summary, runs)
    some_missing = (summary["movies"] < summary["of"]).any()
    head = ["run", *names, *(f"paper's {name}" for name in names), "backbone weights"]
    head += ["test movies"] if some_missing else []
    rows = []
    for run, row in summary.iterrows():
        ours = [f"{row[name]:.2f}±{row[name + '_sd']:.2f}" for name in FIGURES]
        paper = [""] * len(FIGURES)
        for place, told in enumerate(_paper(runs.get(run, {}))):
            off, within = compared.loc[run, [f"{FIGURES[place]}{end}" for end in ENDS]]
            paper[place] = f"{told} ({off:+.2f} {'=' if within else '≠'})"
        rows.append([run, *ours, *paper, row["weights"] or "none"])
        if some_missing:
            rows[-1].append(f"{row['movies']} of {row['of']}")
    untrained = sorted({r for r, row in summary.iterrows() if is_untrained(row["pretrained"])})
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
    beside = "" if options is None else _options(options)
    return f"# Results\n\n{warning}{_grid(head, rows)}\n{EXPLANATIONS}\n{told}{beside}"


def _options(options: pd.DataFrame) -> str:
    """The table of other ways to evaluate: each with its difference from the published one."""
    columns = list(FIGURES)
    means = options.groupby(["run", "option"], sort=False)[columns].mean() * 100
    deviations = options.groupby(["run", "option"], sort=False)[columns].std(ddof=1) * 100
    counts = options.groupby(["run", "option"], sort=False)[["movies", "of"]].sum()
    some_missing = (counts["movies"] < counts["of"]).any()
    head = ["run", "option", "µAP", "mAP", "wAP", "sAP"]
    head += ["test movies"] if some_missing else []
    rows = []
    for run, option in means.index:
        row = [run, option]
        for name in FIGURES:
            value = means.loc[(run, option), name]
            told = f"{value:.2f}±{deviations.loc[(run, option), name]:.2f}"
            off = value - means.loc[(run, AS_PUBLISHED), name]
            row.append(told if option == AS_PUBLISHED else f"{told} ({off:+.2f})")
        if some_missing:
            row.append("{movies} of {of}".format(**counts.loc[(run, option)]))
        rows.append(row)
    table = _grid(head, rows)
    return f"\n## The same trainings, evaluated otherwise\n\n{OPTIONS}\n{table}"


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
    options: pd.DataFrame | None = None,
) -> None:
    """Write summary.csv, summary.md and metrics.json into `folder`.

    notes: lines below the table: what became of the movies, and credits. options: see `markdown`.
    """
    folder = Path(folder)
    summary = summarize(tst)
    whole = summary.join(beside_paper(summary, runs))
    write_text(folder / "summary.csv", whole.to_csv(lineterminator="\n"))
    write_text(folder / "summary.md", markdown(summary, runs, notes, tst, options))
    figures = {
        run: {name: float(row[name]) for name in FIGURES} | {"weights": row["weights"] or "none"}
        for run, row in summary.iterrows()
    }
    write_json(folder / "metrics.json", figures)
