"""How encoders pool, and the licence of the code that computes them, by the name of a model.

Reads pooling.csv, which `python -m trailers12k.features.backbones.pooling_rules` writes. Must not
import anything slow: the Snakefile imports this module.
"""

from functools import cache
from pathlib import Path
from typing import Any

from trailers12k.common.files import read_csv

TABLE = Path(__file__).with_name("pooling.csv")
"""`architecture,pooling` of the models of timm and torchvision, and of our own. Models of the hub
are not listed: their stores record the pooling when they are computed."""

ATTENTION = "attention pooling"
AVERAGE = "global average"
CLASS = "class token"
CLASS_AND_DISTILLATION = "mean of the class and distillation tokens"
CLASSES = "class tokens of its branches"
HIDDEN = "none: the last hidden layer"
NOT_POOLED = "not pooled"
"""Of a network whose features cannot be stored: they are one vector for each patch."""
PATCHES = "mean of patch tokens"

CODE_LICENSES = {
    "torchvision": "bsd-3-clause",
    "timm": "apache-2.0",
    "hf": "apache-2.0",
    "silero": "mit",
}
"""Family -> the licence of the library that computes its models: torchvision, timm, transformers,
silero-vad. Other families are this workflow's own code."""
OWN_CODE = "mit"


def pooling_of(model: str) -> str | None:
    """How the features of a model are pooled; None where the table does not say."""
    poolings = _poolings()
    # The name of a model without that of its weights; "shufflenet3d/1.0x" has a dot of its own.
    return poolings.get(model) or poolings.get(model.partition(".")[0])


def attributes(model: str) -> dict[str, Any]:
    """What a store records of its network beside what the job that computed it recorded."""
    found = {"code_license": CODE_LICENSES.get(model.partition("/")[0], OWN_CODE)}
    if pooling := pooling_of(model):
        found["pooling"] = pooling
    return found


@cache
def _poolings() -> dict[str, str]:
    rows = read_csv(TABLE, ["architecture", "pooling"], key=["architecture"])
    return {row["architecture"]: row["pooling"] for row in rows}
