"""What a finished run prints last: the results table, or the prediction.

Reads results/summary.md and results/predictions/. Must not know Snakemake.
"""

from collections.abc import Collection
from pathlib import Path

from trailers12k.common.vocabulary import PUBLISHED, SAMPLE
from trailers12k.workflow.prediction_request import PredictionRequest

SUMMARY = Path("results/summary.md")


def closing_words(
    targets: Collection[str], prediction: PredictionRequest | None, collection: str
) -> str:
    """The text for a run that made `targets`; empty if there is nothing to print.

    targets: as named on the command line; none for a whole run. collection: its kind.
    """
    if prediction and "predict" in targets:
        return Path(prediction.products[0]).read_text(encoding="utf-8")
    if not targets and SUMMARY.exists():
        return _results(SUMMARY.read_text(encoding="utf-8"), collection)
    return ""


def _results(summary: str, collection: str) -> str:
    """The results table without the paper's columns, so that it fits a terminal, and where to look
    next."""
    lines = summary.split("\n## ")[0].splitlines()
    table = [line.split("|") for line in lines if line.startswith("|")]
    ours = "\n".join("|".join([*cells[:6], *cells[10:]]) for cells in table)
    warning = next(
        (line.split(". ")[0].rstrip(".") + "." for line in lines if line.startswith("**")), ""
    )
    text = f"\n{ours}\n\n{warning.replace('*', '')}\n"
    text += f"The results next to the paper's:      {SUMMARY}\n"
    if collection != PUBLISHED:
        text += "What became of each movie, and why:   data/ledger.csv\n"
    if collection == SAMPLE:
        text += "Your own movies instead of these:     trailers12k init DIR\n"
    return text
