"""The section of the report on what the way to split does to the figures.

Reads a table. Must not know how it was measured.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from trailers12k.evaluation.split_effect import COLUMNS, Effect, effect_of
from trailers12k.report.grid import Cell, Grid


def of(table: pd.DataFrame | None) -> dict[str, Any]:
    """`effect`: sentences and grid, by name; None without split_effect.csv."""
    if table is None:
        return {"effect": None, "effect_words": ()}
    texts = table.astype(object).where(table.notna(), "")
    effect = effect_of([dict(zip(COLUMNS, map(str, row), strict=True)) for row in _rows(texts)])
    return {"effect": _grid(effect), "effect_words": effect.sentences}


def _rows(table: pd.DataFrame) -> Sequence[Sequence[object]]:
    return table[list(COLUMNS)].to_numpy().tolist()


def _grid(effect: Effect) -> Grid:
    rows: list[list[str | Cell]] = [
        [Cell(name, f"{classifier}, {mode}"), *others]
        for name, classifier, mode, *others in effect.rows
    ]
    heads = ["Stores of", *effect.heads[3:]]
    caption = (
        "Baselines on these splits and on standard ones, in %: the mean over the splits ± one "
        "standard deviation; in brackets the difference from standard splits."
    )
    return Grid(caption, heads, rows, frozenset(range(1, len(heads))))
