"""What a finished run prints last: the results table, losses and where to look; or the prediction.

Reads results/, data/ledger.csv, and the open failures of downloads in build/. Must not know
Snakemake.
"""

import textwrap
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from trailers12k.common import product_records
from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, reading
from trailers12k.common.vocabulary import FAILED, PREDICTION_FILES, SKIPPED
from trailers12k.downloads import retries
from trailers12k.evaluation.absence import absence_sentences
from trailers12k.jobs.ledger import read_ledger
from trailers12k.movies.sources.odd_rows import REASON as ODD_ROW
from trailers12k.settings import Settings
from trailers12k.workflow.loss_sentences import loss_sentences
from trailers12k.workflow.prediction_request import PredictionRequest
from trailers12k.workflow.run_status import DOWNLOADS

SUMMARY = Path("results/summary.md")
SCORES = Path("results/transfer")
LEDGER = Path("data/ledger.csv")
REPORT = Path("results/report/index.html")
WIDTH = 100
"""Columns of a terminal that the table fits, where the names of runs are short."""
GAP = "  "
LEAST = 12
"""Characters that are always left of the weights."""
MANY = 0.1
"""Share of lost trailers from which on the review is the next step."""
LISTED = 3
"""Number of absent genres up to which they are listed; results/summary.md lists them all."""

Rows = Sequence[Mapping[str, str]]


def closing_words(
    targets: Collection[str], prediction: PredictionRequest | None, settings: Settings
) -> str:
    """The text for a run that made `targets`; empty if there is nothing to print.

    targets: as named on the command line; none for a whole run.
    """
    if prediction and "predict" in targets:
        return _read(Path(prediction.products[0]))  # none with --until
    if targets or not SUMMARY.exists():
        return ""
    try:
        with reading(SUMMARY):
            for path in (LEDGER, *(SCORES / file for file in PREDICTION_FILES.values())):
                product_records.check(path)
            rows = read_ledger(LEDGER) if LEDGER.exists() else []
            return _results(_read(SUMMARY), settings, rows)
    except UserError as error:
        return f"error: {error}\n"


def _read(path: Path) -> str:
    """A text that a job wrote; what is wrong with it instead; empty when it is missing."""
    if fault := product_records.fault_of(path):
        return f"error: {path} {fault}; {product_records.REPAIR}\n"
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _results(summary: str, settings: Settings, rows: Rows) -> str:
    lines = summary.split("\n## ")[0].splitlines()
    table = [line.split("|")[1:-1] for line in lines if line.startswith("|")]
    sentences = [
        *[line.split("**")[1] for line in lines if line.startswith("**")][:1],
        *_absences(),
        *loss_sentences(rows, settings.backbones),
        *_odd_rows(rows),
    ]
    # The run, four scores, perhaps the paper's four, the weights.
    meaning = "The results next to the paper's" if _has_paper(table) else "What these figures mean"
    places = {meaning: SUMMARY.as_posix()}
    if REPORT.exists():
        places["The report"] = REPORT.as_posix()
    if not settings.is_published:
        places["What became of each movie"] = LEDGER.as_posix()
        places["Every trailer's shots, to review"] = "trailers12k review"
    places |= _next_steps(settings, rows)
    width = max(map(len, places)) + 3
    return "".join(
        [
            f"\n{_compact(table)}\n\n",
            *(f"{sentence}\n" for sentence in sentences),
            *(f"{f'{what}:':<{width}}{where}\n" for what, where in places.items()),
        ]
    )


def _has_paper(table: Sequence[Sequence[str]]) -> bool:
    return any(len(cells) > 8 for cells in table)


def _compact(table: Sequence[Sequence[str]]) -> str:
    """The table without intervals and the paper's columns, in at most `WIDTH` columns if it fits.

    Descriptions of weights are shortened; results/summary.md has the whole ones.
    """
    weights = 9 if _has_paper(table) else 5
    rows = [
        [cells[0].strip(), *map(_mean, cells[1:5]), *(cell.strip() for cell in cells[weights:])]
        for cells in table
        if not set("".join(cells)) <= set("-: ")
    ]
    if not rows:
        return ""
    columns = len(rows[0])
    widths = [max(len(row[place]) for row in rows if place < len(row)) for place in range(columns)]
    if columns > 5:
        others = sum(widths) - widths[5] + len(GAP) * (columns - 1)
        widths[5] = min(widths[5], max(WIDTH - others, LEAST))
        for row in rows:
            row[5] = textwrap.shorten(row[5], widths[5], placeholder="...")
        rows[0][5] = "weights"
    rows.insert(1, ["-" * width for width in widths])
    cells = ((f"{c:<{width}}" for c, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(GAP.join(row).rstrip() for row in cells)


def _mean(cell: str) -> str:
    """A score without its interval."""
    return cell.partition("[")[0].strip()


def _odd_rows(rows: Rows) -> list[str]:
    """How many rows of files that users cannot correct were left out or used in part."""
    odd = sum(row["reason"] == ODD_ROW for row in rows)
    what = "row of published files was" if odd == 1 else "rows of published files were"
    return [f"{odd} {what} odd: {ODD_ROW} in {LEDGER}."] if odd else []


def _next_steps(settings: Settings, rows: Rows) -> dict[str, str]:
    """What may help next -> the command."""
    if settings.is_sample:
        return {"Next, your own movies": "trailers12k init DIR"}
    if settings.is_published:
        return {"Next, the genres of any trailer": "trailers12k predict FILE_OR_URL"}
    mids = {row["mid"] for row in rows}
    pause = settings.downloads.retry_pause
    due = [at for folder in DOWNLOADS.values() for at in retries.due_times(folder, pause, mids)]
    if due:
        what = "a failure" if len(due) == 1 else f"{len(due)} failures"
        return {f"Next, {what} again, {_when(min(due))}": "trailers12k run"}
    trailers = [row for row in rows if row["stage"] == "trailers" and row["status"] != SKIPPED]
    lost = sum(row["status"] == FAILED for row in trailers)
    if lost > MANY * len(trailers):
        return {"Next, other trailers for lost ones": "trailers12k review"}
    return {}


def _when(at: float) -> str:
    """A time of day, with the date unless it is soon."""
    now = time.time()
    if at <= now:
        return "now"
    far = at - now > 12 * 3600
    return time.strftime("from %Y-%m-%d %H:%M" if far else "from %H:%M", time.localtime(at))


def _absences() -> list[str]:
    """Which genres no movie of a subset has."""
    return [
        sentence
        for subset, file in reversed(PREDICTION_FILES.items())
        if (path := SCORES / file).exists()
        for sentence in absence_sentences(subset, read_csv(path, ("run", "split")), LISTED)
    ]
