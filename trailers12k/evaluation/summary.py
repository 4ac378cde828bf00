"""From predictions to the results table: scores, means over splits, the paper's beside them.

Reads mtgc.csv and predictions; writes results/transfer/ and results/summary.*, metrics.json. Must
not know models or stores.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from trailers12k.common.files import write_json, write_text
from trailers12k.common.vocabulary import AS_PUBLISHED, CHANCE, CONSTANT, GENRES, METRICS
from trailers12k.evaluation.paper import ENDS, _paper, beside_paper
from trailers12k.features.backbones.names import is_untrained

log = logging.getLogger(__name__)


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


def summarize(tst: pd.DataFrame) -> pd.DataFrame:
    """One row a run, in the table's order: mean and sample standard deviation over splits, in %."""
    columns = [*METRICS, *GENRES]
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
        ours = [f"{row[name]:.2f}±{row[name + '_sd']:.2f}" for name in METRICS]
        paper = [""] * len(METRICS)
        for place, told in enumerate(_paper(runs.get(run, {}))):
            off, within = compared.loc[run, [f"{METRICS[place]}{end}" for end in ENDS]]
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
    columns = list(METRICS)
    means = options.groupby(["run", "option"], sort=False)[columns].mean() * 100
    deviations = options.groupby(["run", "option"], sort=False)[columns].std(ddof=1) * 100
    counts = options.groupby(["run", "option"], sort=False)[["movies", "of"]].sum()
    some_missing = (counts["movies"] < counts["of"]).any()
    head = ["run", "option", "µAP", "mAP", "wAP", "sAP"]
    head += ["test movies"] if some_missing else []
    rows = []
    for run, option in means.index:
        row = [run, option]
        for name in METRICS:
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
        run: {name: float(row[name]) for name in METRICS} | {"weights": row["weights"] or "none"}
        for run, row in summary.iterrows()
    }
    write_json(folder / "metrics.json", figures)
