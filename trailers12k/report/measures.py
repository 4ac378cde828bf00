"""Years, genres, lengths and sound of a collection: quartiles and histograms.

Reads rows of trailers.csv. Must not know charts or files.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

MEASURES = {
    "year": "year of the movie",
    "genres": "genres of a movie",
    "duration": "seconds of a trailer",
    "shots": "shots of a trailer",
    "clips": "clips of a trailer",
    "loudness": "loudness of a trailer in LUFS",
    "silence": "share of a trailer that is silent",
    "speech": "share of a trailer that is speech",
}
"""Column of trailers.csv -> its meaning."""
SHARES = frozenset({"silence", "speech"})
"""The measures whose values are fractions of a whole."""
OF_SOUND = frozenset({"loudness"}) | SHARES
"""The measures that only trailers with sound have."""
FRACTIONAL = frozenset({"duration"}) | OF_SOUND
"""The measures whose values are not whole numbers."""

Rows = list[dict[str, object]]
"""Rows of a table: column -> cell."""


def measured(rows: Sequence[Mapping[str, str]]) -> dict[str, np.ndarray]:
    """The values of each of `MEASURES`, float64, from the rows of trailers.csv that have one."""
    values = {}
    for name in MEASURES:
        cells: list[object] = [row[name] for row in rows if row[name]]
        if name == "genres":
            cells = [str(cell).count("|") + 1 for cell in cells]
        numbers = pd.to_numeric(pd.Series(cells, dtype=object), errors="coerce").dropna()
        values[name] = numbers.to_numpy(dtype=float)
    return values


def measures(values: Mapping[str, np.ndarray]) -> Rows:
    """Rows of measures.csv: quartiles, extremes and mean of each measure."""
    rows: Rows = []
    for name, numbers in values.items():
        row = {"measure": name, "meaning": MEASURES[name], "movies": len(numbers)}
        if len(numbers):
            quantiles = np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1])
            names = ("least", "lower_quartile", "median", "upper_quartile", "most")
            row |= dict(zip(names, (f"{value:.10g}" for value in quantiles), strict=True))
            row["mean"] = f"{numbers.mean():.2f}"
        rows.append(row)
    return rows


def histograms(values: Mapping[str, np.ndarray], bins: int = 32) -> Rows:
    """Rows of histograms.csv: movies per bin of each measure; `from` is included, `to` is not.

    Bins have a round width. One wider bin at the end holds the outliers beyond the 99.5th
    percentile, which would otherwise squeeze all other values into a few bins.
    """
    rows: Rows = []
    for name, numbers in values.items():
        if not len(numbers):
            continue
        integers = name not in FRACTIONAL
        least, usual = numbers.min(), np.quantile(numbers, 0.995, method="higher")
        width = _round_width((usual - least) / bins, integers)
        if name in SHARES:
            width = min(0.1, max(0.01, width)) if usual > least else 0.01
        first = np.floor(least / width) * width
        number = int(np.floor((usual - first) / width)) + 1
        edges = first + width * np.arange(number + 1)
        places = np.minimum(((numbers - first) / width + 1e-9).astype(int), number)
        counts = np.bincount(places, minlength=number + 1)
        ends = [*edges[1:], numbers.max() + (1 if integers else 0)]
        for start, end, count in zip(edges, ends, counts, strict=True):
            if start < edges[-1] or count:
                row = {"measure": name, "from": f"{start:.10g}", "to": f"{end:.10g}"}
                rows.append(row | {"movies": int(count)})
    return rows


def _round_width(width: float, integers: bool) -> float:
    """The smallest of 1, 2, 5, 10, ..., 0.5, 0.2, ... that is at least `width`."""
    if width <= 0:
        return 1
    power = 10.0 ** np.floor(np.log10(width))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= width * 0.999)
    return max(1.0, step) if integers else step
