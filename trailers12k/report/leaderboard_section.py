"""The chapter on the leaderboard: what each row of the results is made with, and what it costs.

Reads the rows of leaderboard.csv. Must not know HTML, charts or files.
"""

import pandas as pd

from trailers12k.evaluation.rows import CLASSIFIERS
from trailers12k.evaluation.scores import is_untrained
from trailers12k.report.grid import Cell, Grid
from trailers12k.report.numbers import count

CAPTION = (
    "What each row is made with. Seconds are what its features took for a movie: its own networks, "
    "and an equal part of the decoding that several stores share."
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
                Cell(str(row["row"]), CLASSIFIERS.get(row["classifier"], str(row["classifier"]))),
                Cell(encoders or "computed by the authors", details if encoders else ""),
                f"{count(row['movies'])} of {count(row['of'])}",
                _millions(row["encoder_parameters"]),
                Cell(_seconds(row["seconds_per_movie"]), str(row["seconds_on"]).replace("|", ", ")),
            ]
        )
    heads = ["Row", "Encoders", "Test movies", "Parameters", "Seconds"]
    return Grid(CAPTION, heads, rows, frozenset({2, 3, 4}))


def _millions(value: object) -> str:
    """A number of parameters; empty where it is not known."""
    if value == "":
        return ""
    return f"{float(str(value)) / 1e6:.3g} M" if float(str(value)) else "none"


def _seconds(value: object) -> str:
    """Seconds a movie; empty where they are not recorded."""
    return f"{float(str(value)):.3g}" if value != "" else ""
