"""The parameters of encoders without their classifiers, by architecture.

Reads parameter_counts.csv, which `python -m trailers12k.features.backbones.counting` writes. Must
not import torch: the job of the leaderboard counts nothing.
"""

from collections.abc import Collection
from functools import cache
from pathlib import Path

from trailers12k.common.files import read_csv

TABLE = Path(__file__).with_name("parameter_counts.csv")
"""`architecture,parameters`. Models of the hub are not listed: only their configuration, which
travels with the weights, says how large one is. Stores of those that see record it."""

STATISTICS = "logmel"
"""Models of this name have no network."""


def parameters_of(model: str) -> int | None:
    """The parameters of a model of the configuration; None where the table has none."""
    if model.startswith(f"{STATISTICS}/"):
        return 0
    counts = _counts()
    # The name of a model without that of its weights; "shufflenet3d/1.0x" has a dot of its own.
    return counts.get(model, counts.get(model.partition(".")[0]))


def architectures() -> Collection[str]:
    """The names of the table, such as "timm/resnet50"."""
    return _counts().keys()


@cache
def _counts() -> dict[str, int]:
    rows = read_csv(TABLE, ["architecture", "parameters"], counts=["parameters"])
    return {row["architecture"]: int(row["parameters"]) for row in rows}
