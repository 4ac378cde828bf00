"""The paper's results table, and the differences of our results from it.

Reads and writes nothing. Must not know how results were made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from trailers12k.common.vocabulary import METRICS

PAPER = {
    ("trailers_i_shufflenet_fpc24", None): "71.69±0.44 66.47±0.73 70.51±0.50 76.60±0.77",
    (None, "trailers_k_shufflenet_fps24_fpc24"): "63.43±1.54 58.18±1.50 63.59±1.46 69.49±1.58",
    (
        "trailers_i_shufflenet_fpc24",
        "trailers_k_shufflenet_fps24_fpc24",
    ): "72.11±0.56 67.08±0.37 71.42±0.41 76.66±0.73",
    ("trailers_i_resnet_fpc24", None): "70.92±3.49 66.16±2.45 70.23±2.11 75.85±3.05",
    (None, "trailers_k_r2plus1d_fps24_fpc24"): "71.76±2.72 66.09±2.44 70.81±2.21 76.33±2.02",
    (
        "trailers_i_resnet_fpc24",
        "trailers_k_r2plus1d_fps24_fpc24",
    ): "73.28±0.66 68.03±0.63 72.14±0.72 77.76±0.44",
    ("trailers_i_swin_fpc24", None): "72.96±4.17 67.68±2.63 71.70±2.44 77.77±4.08",
    (None, "trailers_ik_swin_fps24_fpc24"): "75.71±2.43 70.44±2.10 74.30±2.11 80.19±2.61",
}
"""Table 6 of the paper (Montalvo-Lezama et al., Information Processing & Management 2023): by the
stores of the image and the video stream, mean and deviation in %, in the order of `METRICS`."""


@dataclass(frozen=True)
class RunStreams:
    """The stores of a run and how it uses them, as the configuration's section `runs` says."""

    image: str | None = None
    video: str | None = None
    poster: str | None = None
    audio: str | None = None
    fusion: str = "late"
    shuffle_labels: bool = False


class PaperScore(NamedTuple):
    """A metric in the paper: mean and standard deviation over the splits, in %."""

    mean: float
    deviation: float

    def __str__(self) -> str:
        return f"{self.mean:.2f}±{self.deviation:.2f}"


def paper_scores(run: RunStreams | None) -> dict[str, PaperScore]:
    """Metric -> the paper's score for a run with these streams; empty when the paper has none.

    The paper has no run with shuffled labels, posters, sound or early fusion.
    """
    if run is None or run.shuffle_labels or run.poster or run.audio or run.fusion != "late":
        return {}
    cells = PAPER.get((run.image, run.video), "").split()
    pairs = (cell.split("±") for cell in cells)
    return {
        metric: PaperScore(float(mean), float(deviation))
        for metric, (mean, deviation) in zip(METRICS, pairs, strict=False)
    }


def compare_with_paper(table: pd.DataFrame, runs: Mapping[str, RunStreams]) -> pd.DataFrame:
    """The paper's scores and our differences, one row per run of `table` (`summary.summarize`).

    Columns for each metric M that the paper has: `paper_M`, `paper_M_sd`, `M_minus_paper` (ours
    minus the paper's mean), and `M_within`: whether the absolute difference is at most the sum of
    both standard deviations. All in %.
    """
    rows = {}
    for run in table.index:
        row: dict[str, float | bool] = {}
        for metric, score in paper_scores(runs.get(run)).items():
            difference = table.loc[run, metric] - score.mean
            row[f"paper_{metric}"] = score.mean
            row[f"paper_{metric}_sd"] = score.deviation
            row[f"{metric}_minus_paper"] = round(difference, 2)
            allowed = table.loc[run, f"{metric}_sd"] + score.deviation
            row[f"{metric}_within"] = abs(difference) <= allowed
        rows[run] = row
    return pd.DataFrame.from_dict(rows, orient="index")
