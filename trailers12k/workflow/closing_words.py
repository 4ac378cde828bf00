"""What a finished run prints last: the results table, or the prediction.

Reads results/summary.md, results/transfer/, results/predictions/ and data/ledger.csv. Must not know
Snakemake.
"""

from collections.abc import Collection
from pathlib import Path

from trailers12k.common.files import read_csv
from trailers12k.common.vocabulary import PREDICTION_FILES, PUBLISHED, SAMPLE
from trailers12k.evaluation.absence import absence_sentences
from trailers12k.movies.sources.odd_rows import REASON as ODD_ROW
from trailers12k.workflow.prediction_request import PredictionRequest

SUMMARY = Path("results/summary.md")
SCORES = Path("results/transfer")


def closing_words(
    targets: Collection[str], prediction: PredictionRequest | None, collection: str
) -> str:
    """The text for a run that made `targets`; empty if there is nothing to print.

    targets: as named on the command line; none for a whole run. collection: its kind.
    """
    if prediction and "predict" in targets:
        table = Path(prediction.products[0])
        return table.read_text(encoding="utf-8") if table.exists() else ""  # with --until
    if not targets and SUMMARY.exists():
        return _results(SUMMARY.read_text(encoding="utf-8"), collection)
    return ""


def _results(summary: str, collection: str) -> str:
    """The results table without the paper's columns, so that it fits a terminal, and where to look
    next."""
    lines = summary.split("\n## ")[0].splitlines()
    table = [line.split("|") for line in lines if line.startswith("|")]
    # Outside the bars, the run, four scores, perhaps the paper's four, the weights, perhaps counts.
    has_paper = any(len(cells) > 10 for cells in table)
    weights = 10 if has_paper else 6
    ours = "\n".join("|".join([*cells[:6], *cells[weights:]]) for cells in table)
    warning = next(
        (line.split(". ")[0].rstrip(".") + "." for line in lines if line.startswith("**")), ""
    )
    sentences = [*filter(None, [warning.replace("*", "")]), *_absences()]
    text = f"\n{ours}\n\n" + "".join(f"{sentence}\n" for sentence in sentences)
    meaning = "The results next to the paper's:" if has_paper else "What these figures mean:"
    text += f"{meaning:<38}{SUMMARY}\n"
    if collection != PUBLISHED:
        text += "What became of each movie, and why:   data/ledger.csv\n"
    if odd := _odd_rows():
        text += f"Odd rows of published files:          {odd}, {ODD_ROW} in data/ledger.csv\n"
    if collection == SAMPLE:
        text += "Your own movies instead of these:     trailers12k init DIR\n"
    return text


def _odd_rows() -> int:
    """How many rows of files that users cannot correct were left out or used in part."""
    path = Path("data/ledger.csv")
    rows = read_csv(path) if path.exists() else []
    return sum(row["reason"] == ODD_ROW for row in rows)


def _absences() -> list[str]:
    """Which genres no movie of a subset has."""
    return [
        sentence
        for subset, file in reversed(PREDICTION_FILES.items())
        if (path := SCORES / file).exists()
        for sentence in absence_sentences(subset, read_csv(path))
    ]
