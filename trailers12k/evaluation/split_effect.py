"""The comparison of splits in words and as a table, for summary.md and the report.

Reads split_effect.csv. Must not know how it was measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from trailers12k.common.files import read_csv
from trailers12k.common.vocabulary import METRIC_NAMES, METRICS
from trailers12k.evaluation.rows import CLASSIFIERS

STANDARD_MODE = "standard"
BY_YEAR = "by_year"
MODES = {
    STANDARD_MODE: "standard splits",
    BY_YEAR: "splits by year",
    "auto": "duplicates in one subset",
}
"""Value of the column `splits` -> its meaning."""
OF_METRICS = tuple(f"{name}{end}" for name in METRICS for end in ("", "_sd", "_difference"))
COLUMNS = ("row", "classifier", "splits", *OF_METRICS, "movies", "pairs", "apart")
"""Columns of split_effect.csv."""
NUMBERS = (*OF_METRICS, "movies", "pairs", "apart")
"""Those of them that are numbers."""

Row = Mapping[str, str]


@dataclass(frozen=True)
class Effect:
    """The findings.

    sentences: in words. rows: the table's cells, for each set of stores, classifier and kind of
    splits.
    """

    sentences: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def heads(self) -> list[str]:
        """The headings of `rows`."""
        return ["stores of", "classifier", "splits", *METRIC_NAMES.values(), "test movies"]


def read_effect(path: str | Path) -> Effect:
    """The comparison in split_effect.csv. Raises `UserError`."""
    key = ["row", "classifier", "splits"]
    return effect_of(read_csv(path, COLUMNS, numbers=NUMBERS, key=key))


def effect_of(rows: Sequence[Row]) -> Effect:
    """rows: of split_effect.csv."""
    return Effect(_sentences(rows), [_cells(row) for row in rows])


def _cells(row: Row) -> list[str]:
    scores, mode = [], row["splits"]
    for name in METRICS:
        difference = row[f"{name}_difference"]
        more = f" ({float(difference):+.2f})" if difference else ""
        # The splits by year are one.
        spread = "" if mode == BY_YEAR else f"±{float(row[f'{name}_sd']):.2f}"
        scores.append(f"{float(row[name]):.2f}{spread}{more}")
    return [
        row["row"],
        CLASSIFIERS.get(row["classifier"], row["classifier"]),
        MODES.get(mode, mode),
        *scores,
        f"{float(row['movies']):.0f}",
    ]


def _sentences(rows: Sequence[Row]) -> list[str]:
    standard = {
        (row["row"], row["classifier"]): row for row in rows if row["splits"] == STANDARD_MODE
    }
    others = [row for row in rows if row["splits"] != STANDARD_MODE]
    if not others or not standard:
        return ["No row has enough movies with features to compare splits."]
    first = next(iter(standard.values()))
    mode = others[0]["splits"]
    sentences = [
        "Measured with a linear probe and kNN on features that are pooled over clips, not with "
        "DIViTA. The test movies differ, and with them the difficulty."
    ]
    if mode == BY_YEAR:
        sentences.append("The three splits by year are the same, so that they have no deviation.")
    pairs = round(float(first["pairs"]))
    if pairs:
        own = "" if mode == "auto" else f"; {MODES[mode]} put {float(others[0]['apart']):g} there"
        sentences.append(
            f"Standard splits put {float(first['apart']):g} of {pairs} pairs of "
            f"duplicates into different subsets, as the mean over the splits{own}."
        )
    else:
        sentences.append("The review found no duplicates among the trailers.")
    both = [
        (standard[key], row)
        for row in others
        if (key := (row["row"], row["classifier"])) in standard
    ]
    for classifier in dict.fromkeys(row["classifier"] for _, row in both):
        pairs_of = [(one, other) for one, other in both if other["classifier"] == classifier]
        sentences.append(_differences(pairs_of))
    return sentences


def _differences(pairs: Sequence[tuple[Row, Row]]) -> str:
    """How much µAP the standard splits give a classifier more or less than the others.

    pairs: for each set of stores the row of the standard splits and the other one.
    """
    classifier = CLASSIFIERS.get(pairs[0][1]["classifier"], pairs[0][1]["classifier"])
    gains = [0 - float(row["uap_difference"]) for _, row in pairs]
    if not any(gains):
        return f"{classifier}: µAP is the same with both."
    limits = [float(standard["uap_sd"]) + float(row["uap_sd"]) for standard, row in pairs]
    larger = sum(abs(gain) > limit for gain, limit in zip(gains, limits, strict=True))
    more = sum(gain > 0 for gain in gains)
    by_year = pairs[0][1]["splits"] == BY_YEAR
    limit = "the standard deviation" if by_year else "the two standard deviations together"
    return (
        f"{classifier}: standard splits give more µAP for {more} of {len(pairs)} sets of stores, "
        f"by {median(gains):+.1f} points in the median ({min(gains):+.1f} to {max(gains):+.1f}); "
        f"the difference exceeds {limit} for {larger} of them."
    )
