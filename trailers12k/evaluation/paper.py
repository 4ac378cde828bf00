"""The paper's results table, and our results beside it.

Reads and writes nothing. Must not know how results were made.
"""

from collections.abc import Mapping

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
"""Table 6 of the paper (Montalvo-Lezama et al., Information Processing & Management 2023), in the
order of `METRICS`, by the stores of the image and the video stream."""

ENDS = ("_minus_paper", "_within")


def beside_paper(table: pd.DataFrame, runs: Mapping[str, Mapping]) -> pd.DataFrame:
    """For each figure that the paper has: its mean `paper_X` and deviation `paper_X_sd`, ours minus
    it `X_minus_paper`, and `X_within`: whether that is at most both deviations together."""
    rows = {}
    for run in table.index:
        row = rows[run] = {}
        for name, told in zip(METRICS, _paper(runs.get(run, {})), strict=False):
            mean, deviation = map(float, told.split("±"))
            off = table.loc[run, name] - mean
            row |= {f"paper_{name}": mean, f"paper_{name}_sd": deviation}
            row[f"{name}_minus_paper"] = round(off, 2)
            row[f"{name}_within"] = abs(off) <= table.loc[run, f"{name}_sd"] + deviation
    return pd.DataFrame.from_dict(rows, orient="index")


def _paper(spec: Mapping) -> list[str]:
    """The paper's figures of a run with these stores; none for a control."""
    if spec.get("shuffle_labels") or "poster" in spec or spec.get("fusion") == "early":
        return []
    return PAPER.get((spec.get("image"), spec.get("video")), "").split()
