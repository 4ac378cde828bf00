"""The chapter on the leaderboard: what each row of the results is made with, and what it costs.

Reads the rows of leaderboard.csv. Must not know HTML, charts or files.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from trailers12k.common.vocabulary import METRIC_NAMES, METRICS
from trailers12k.evaluation.differences import interval_of
from trailers12k.evaluation.rows import CLASSIFIERS
from trailers12k.evaluation.scores import is_untrained
from trailers12k.report.grid import Cell, Grid
from trailers12k.report.numbers import count

CAPTION = (
    "What each row is made with. Seconds are what its features took for a movie: its own networks, "
    "and an equal part of the decoding that several stores share. results/leaderboard.csv has the "
    "streams, versions and hashes too."
)


def leaderboard_grid(table: pd.DataFrame) -> Grid:
    """The rows of leaderboard.csv but chance, which is made with nothing."""
    rows: list[list[str | Cell]] = []
    for row in table.astype(object).fillna("").to_dict("records"):
        if not row["classifier"]:
            continue
        encoders = ", ".join(str(row["encoders"]).split("|"))
        license = ", ".join(str(row["weights_license"]).split("|"))
        restricted = str(row["non_commercial"]).lower() == "true"
        details = f"licence: {license}" + ("; not for commercial use" if restricted else "")
        if is_untrained(row["pretrained"]):
            details = "untrained (random) weights"
        rows.append(
            [
                Cell(str(row["row"]), _classifier(row)),
                Cell(encoders or "computed by the authors", details if encoders else ""),
                f"{count(row['movies'])} of {count(row['of'])}",
                *(Cell(f"{float(row[name]):.2f}", _interval(row, name)) for name in METRICS),
                _millions(row["encoder_parameters"]),
                Cell(_seconds(row["seconds_per_movie"]), str(row["seconds_on"]).replace("|", ", ")),
            ]
        )
    scores = [*METRIC_NAMES.values()]
    heads = ["Row", "Encoders", "Test movies", *scores, "Parameters", "Seconds"]
    return Grid(CAPTION, heads, rows, frozenset(range(2, len(heads))))


def _classifier(row: Mapping[Any, Any]) -> str:
    """What turns features into genres, and how several streams are joined."""
    words = [CLASSIFIERS.get(row["classifier"], str(row["classifier"]))]
    words += [f"{row['fusion']} fusion"] if row["fusion"] else []
    words += ["shuffled labels"] if str(row["shuffled"]).lower() == "true" else []
    return ", ".join(words)


def _interval(row: Mapping[Any, Any], metric: str) -> str:
    """The ends of the interval of a score in %; empty where it has none."""
    row = {name: None if cell == "" else cell for name, cell in row.items()}
    ends = interval_of(row, metric)
    return f"{ends[0]:.2f} to {ends[1]:.2f}" if ends else ""


def _millions(value: object) -> str:
    """A number of parameters; empty where it is not known."""
    if value == "":
        return ""
    return f"{float(str(value)) / 1e6:.3g} M" if float(str(value)) else "none"


def _seconds(value: object) -> str:
    """Seconds a movie; empty where they are not recorded."""
    return f"{float(str(value)):.3g}" if value != "" else ""
