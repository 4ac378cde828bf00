"""The results table: means over splits, compared with the paper's.

Reads scores; writes results/summary.csv, results/summary.md and results/metrics.json. Must not
know models or stores.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from trailers12k.common.files import write_json, write_text
from trailers12k.common.vocabulary import (
    AS_PUBLISHED,
    CHANCE,
    CONSTANT,
    GENRES,
    METRIC_NAMES,
    METRICS,
)
from trailers12k.evaluation.absence import EXPLANATION, absence_sentences, listed
from trailers12k.evaluation.differences import (
    INTERVALS,
    Compared,
    interval_columns,
    interval_text,
    tests_section,
    without_interval,
)
from trailers12k.evaluation.paper import PaperScore, RunStreams, compare_with_paper
from trailers12k.evaluation.same_tests import same_test_sentences
from trailers12k.evaluation.scores import is_untrained
from trailers12k.evaluation.split_effect import Effect

log = logging.getLogger(__name__)

EXPLANATIONS = f"""\
Mean ± sample standard deviation over the splits, in %. µAP: over all pairs of movie and genre; mAP:
mean over genres; wAP: mean over genres weighted by positives; sAP: mean over movies. Each is the
trapezoidal area under a precision-recall curve, as in the paper.

`{CHANCE}` predicts each genre's share in the training subset for every movie and breaks ties
between movies at random (mean of 200 orders): the score of a model without any information.
`{CONSTANT}` is the same with ties scored as one threshold; it inflates mAP and wAP, since the
trapezoid under a constant score is (1 + share) / 2.
"""

COMPARISON = """\
In brackets after the paper's score: ours minus the paper's, and whether the difference is at most
the sum of the two standard deviations (=) or more (≠).

"""

FEW = 500
"""Test movies of a split below which the results warn of too narrow intervals of mAP and wAP.

The smallest size that tests/bench/coverage.py measures at which the intervals of all figures hold
the truth in at least 93 % of its simulations.
"""
FEW_MOVIES = (
    f"With fewer than {FEW} test movies in a split, intervals of mAP and wAP are too narrow, "
    "and tests call pairs different too often."
)

NO_INTERVAL = "So few test movies that all resamples score alike, hence no interval: {runs}."

NOTHING_COMPARED = (
    "no run uses the stores and the fusion of a run of the paper, so none is compared with it; "
    "docs/configuration.md lists the paper's stores and runs"
)

COUNTS = f"""\
Test movies: those that were evaluated, of those in the test subsets of all splits. A movie without
features is not evaluated; `{CHANCE}` and `{CONSTANT}` count all movies.

"""

OPTIONS = """\
In brackets: the difference from the published evaluation. masked: padding of the last window is
ignored; whole: a trailer is one sequence; weighted: a window counts by its clips; sklearn:
scikit-learn's average precision, a step function, instead of the trapezoid; there a genre without
a movie counts 0 %.
"""

UNTRAINED_WARNING = (
    "**Untrained weights: the backbones of these runs have random weights, so their scores say "
    "nothing about the published models.** Runs: {runs}.\n\n"
)


@dataclass(frozen=True)
class Scores:
    """Rows of transfer/tst.csv, transfer/val.csv and, for a second table, transfer/options.csv.

    mtgc: rows of data/mtgc.csv, whose columns `split*` are compared; None compares none.
    hearing: the runs with sound, which leave movies without any out. effect: the comparison with
    standard splits, if the splits are others. compared: intervals and tests; None for none.
    """

    tst: pd.DataFrame
    val: pd.DataFrame
    options: pd.DataFrame | None = None
    mtgc: pd.DataFrame | None = None
    hearing: Sequence[str] = ()
    effect: Effect | None = None
    compared: Compared | None = None


def summarize(tst: pd.DataFrame) -> pd.DataFrame:
    """One row per run, in the order of tst.csv: mean and sample standard deviation in %.

    Columns: `weights`, `pretrained`, `splits`, `movies`, `of`, `classifier`, and for each metric
    and genre X the mean `X` and the deviation `X_sd`, rounded to two decimals.
    """
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
    table.insert(5, "classifier", groups["classifier"].first().fillna(""))
    return table


def markdown(
    summary: pd.DataFrame,
    runs: Mapping[str, RunStreams],
    notes: Sequence[str],
    scores: Scores,
) -> str:
    """The results as Markdown: our scores, and the paper's where it has them.

    summary: of `summarize`, with `interval_columns`. runs: that are compared with the paper's.
    notes: lines below the table.
    """
    tst = scores.tst
    sizes = tst[tst["weights"].notna()].groupby("run", sort=False)["movies"].agg(list)
    tested = sorted({tuple(movies) for movies in sizes})
    per_split = " or ".join(str(counts)[1:-1] for counts in tested)
    lines = [*notes, *_of_sound(summary, scores.hearing)]
    is_few = min((min(counts) for counts in tested), default=FEW) < FEW
    warning = FEW_MOVIES if scores.compared and is_few else ""
    lines += [warning] if warning else []
    if scores.compared and (single := without_interval(scores.compared)):
        lines.append(NO_INTERVAL.format(runs=listed(single)))
    lines.append(f"Test movies per split: {per_split}.")
    untrained = sorted({r for r, row in summary.iterrows() if is_untrained(row["pretrained"])})
    compared = compare_with_paper(summary, runs)
    if scores.mtgc is not None:
        columns = scores.mtgc.filter(regex=r"^split\d+$").to_numpy()
        lines += [f"{sentence.capitalize()}." for sentence in same_test_sentences(columns)]
    if runs and not len(compared.columns):
        lines.append(f"{NOTHING_COMPARED.capitalize()}.")
    return "".join(
        [
            "# Results\n\n",
            UNTRAINED_WARNING.format(runs=", ".join(untrained)) if untrained else "",
            _results_table(summary, compared),
            _absence_section(scores),
            f"\n{EXPLANATIONS}\n",
            INTERVALS if scores.compared else "",
            COMPARISON if len(compared.columns) else "",
            COUNTS if (summary["movies"] < summary["of"]).any() else "",
            *(f"- {line}\n" for line in lines),
            tests_section(scores.compared, warning) if scores.compared else "",
            "" if scores.options is None else _options_section(scores.options),
            "" if scores.effect is None else _effect_section(scores.effect),
        ]
    )


def write_summary(
    folder: str | Path, scores: Scores, runs: Mapping[str, RunStreams], notes: Sequence[str]
) -> None:
    """Write summary.csv, summary.md and metrics.json into `folder`.

    See `markdown` for the parameters. summary.csv has the columns of `summarize`,
    `interval_columns` and `compare_with_paper`; metrics.json holds, per run, the means of `METRICS`
    in %, their intervals where the run has predictions, and `weights`.
    """
    folder = Path(folder)
    summary = summarize(scores.tst)
    intervals = interval_columns(summary, scores.compared)
    summary = summary.join(intervals)
    compared = compare_with_paper(summary, runs)
    if runs and not len(compared.columns):
        log.warning("%s", NOTHING_COMPARED)
    whole = summary.join(compared)
    write_text(folder / "summary.csv", whole.to_csv(lineterminator="\n"))
    write_text(folder / "summary.md", markdown(summary, runs, notes, scores))
    means = {
        run: {name: float(row[name]) for name in METRICS}
        | intervals.loc[run].dropna().to_dict()
        | {"weights": row["weights"] or "none"}
        for run, row in summary.iterrows()
    }
    write_json(folder / "metrics.json", means)


def run_notes(runs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Lines on rows that are no ordinary training. runs: the section `runs`, by name."""
    asked = [name for name, run in runs.items() if run.get("zero_shot")]
    shuffled = [name for name, run in runs.items() if run.get("shuffle_labels")]
    lines = []
    if asked:
        records = f"results/runs/RUN/zero_shot.json has them ({', '.join(asked)})"
        lines.append(f"Genres without training, from texts about them: {records}.")
    if shuffled:
        names = ", ".join(shuffled)
        lines.append(f"Controls, trained on shuffled labels, should stay near chance: {names}.")
    return lines


def _of_sound(summary: pd.DataFrame, hearing: Sequence[str]) -> list[str]:
    """One line on how many test movies the runs with sound had; none without such runs."""
    sizes: dict[tuple[int, int], list[str]] = {}
    for run, row in summary.loc[summary.index.isin(hearing)].iterrows():
        sizes.setdefault((row["movies"], row["of"]), []).append(str(run))
    parts = [
        f"{movies} of {of} test movies ({', '.join(runs)})" for (movies, of), runs in sizes.items()
    ]
    return [f"Runs with sound, without the movies that have none: {'; '.join(parts)}."][
        : len(sizes)
    ]


def _absence_section(scores: Scores) -> str:
    """Which genres no movie of a subset has, and what that does to the table; else empty."""
    sentences = absences(scores.tst, scores.val)
    if not sentences:
        return ""
    return "".join([f"\n{EXPLANATION}\n\n", *(f"- {sentence}\n" for sentence in sentences)])


def absences(tst: pd.DataFrame, val: pd.DataFrame) -> list[str]:
    """Sentences about genres that no test movie or no validation movie has.

    tst, val: rows of transfer/tst.csv and val.csv.
    """
    return [
        sentence
        for subset, table in (("test", tst), ("validation", val))
        # pandas reads a column of empty cells as numbers.
        for sentence in absence_sentences(
            subset, table.astype(object).fillna("").astype(str).to_dict("records")
        )
    ]


def _results_table(summary: pd.DataFrame, compared: pd.DataFrame) -> str:
    """compared: of `compare_with_paper`; without columns the table has none of the paper."""
    has_paper = len(compared.columns) > 0
    some_missing = (summary["movies"] < summary["of"]).any()
    names = [*METRIC_NAMES.values()]
    head = ["run", *names, *(f"paper's {name}" for name in names if has_paper), "backbone weights"]
    head += ["test movies"] if some_missing else []
    rows = []
    for run, row in summary.iterrows():
        ours = [
            f"{row[name]:.2f}±{row[name + '_sd']:.2f}{interval_text(row, name)}" for name in METRICS
        ]
        paper = [_paper_cell(compared.loc[run], name) for name in METRICS if has_paper]
        rows.append([run, *ours, *paper, row["weights"] or "none"])
        if some_missing:
            rows[-1].append(f"{row['movies']} of {row['of']}")
    return _format_table(head, rows)


def _paper_cell(compared: pd.Series, metric: str) -> str:
    """The paper's score and our difference from it; empty where the paper has none."""
    mean = compared[f"paper_{metric}"]
    if pd.isna(mean):
        return ""
    score = PaperScore(mean, compared[f"paper_{metric}_sd"])
    sign = "=" if compared[f"{metric}_within"] else "≠"
    return f"{score} ({compared[f'{metric}_minus_paper']:+.2f} {sign})"


def _options_section(options: pd.DataFrame) -> str:
    """The evaluation variants, each with its difference from the published evaluation."""
    groups = options.groupby(["run", "option"], sort=False)
    means = groups[list(METRICS)].mean() * 100
    deviations = groups[list(METRICS)].std(ddof=1) * 100
    counts = groups[["movies", "of"]].sum()
    some_missing = (counts["movies"] < counts["of"]).any()
    head = ["run", "option", *METRIC_NAMES.values()]
    head += ["test movies"] if some_missing else []
    rows = []
    for run, option in means.index:
        row = [run, option]
        for name in METRICS:
            value = means.loc[(run, option), name]
            cell = f"{value:.2f}±{deviations.loc[(run, option), name]:.2f}"
            difference = value - means.loc[(run, AS_PUBLISHED), name]
            row.append(cell if option == AS_PUBLISHED else f"{cell} ({difference:+.2f})")
        if some_missing:
            row.append("{movies} of {of}".format(**counts.loc[(run, option)]))
        rows.append(row)
    return f"\n## Evaluation variants of the same runs\n\n{OPTIONS}\n{_format_table(head, rows)}"


def _effect_section(effect: Effect) -> str:
    """What the way to split does to the figures of baselines."""
    lines = "".join(f"- {sentence}\n" for sentence in effect.sentences)
    return f"\n## Effect of the splits\n\n{lines}\n{_format_table(effect.heads, effect.rows)}"


def _format_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |\n"
        for line in lines
    )
