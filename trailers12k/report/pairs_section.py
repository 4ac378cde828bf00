"""The table of the report on which rows of the results differ.

Reads rows of comparisons.csv. Must not know how rows are compared, nor HTML.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from trailers12k.common.vocabulary import METRICS
from trailers12k.evaluation.differences import significant
from trailers12k.report.numbers import counted

HIGHER, LOWER, NOT_SHOWN, SAME = "+", "\u2212", "\u00b7", ""
"""Of a row's score, compared with that of a column's row; SAME: both are one row."""


@dataclass(frozen=True)
class PairRow:
    """A row of the results, and how its score compares with that of every row: `HIGHER`, ..."""

    name: str
    signs: Sequence[str]


def of(table: pd.DataFrame | None) -> dict[str, Any]:
    """`pairs` and `pair_words`, by name; no pairs without comparisons.csv, or where it is empty."""
    rows = [] if table is None or table.empty else pair_rows(table)
    return {"pairs": rows, "pair_words": pair_words(table) if rows else ""}


def pair_rows(comparisons: pd.DataFrame, metric: str = METRICS[0]) -> list[PairRow]:
    """The rows of comparisons.csv, in their order, each against all."""
    names = list(dict.fromkeys([*comparisons["run_a"], *comparisons["run_b"]]))
    found = significant(comparisons, metric)
    better = set(zip(found["run_a"], found["run_b"], strict=True))

    def sign(one: str, other: str) -> str:
        if one == other:
            return SAME
        if (one, other) in better:
            return HIGHER
        return LOWER if (other, one) in better else NOT_SHOWN

    return [PairRow(one, [sign(one, other) for other in names]) for one in names]


def pair_words(comparisons: pd.DataFrame, metric: str = METRICS[0]) -> str:
    """How many pairs of rows differ in a metric."""
    pairs = int((comparisons["metric"] == metric).sum())
    differ = len(significant(comparisons, metric))
    if pairs == 1:
        return f"The two rows {'differ' if differ else 'do not differ significantly'} in µAP."
    verb = "differs" if differ == 1 else "differ"
    return f"{differ if differ else 'None'} of {counted(pairs, 'pair')} {verb} in µAP."
