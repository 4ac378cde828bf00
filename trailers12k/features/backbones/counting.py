"""Counts the parameters of encoders without their classifiers.

Run as a program, it writes parameter_counts.csv. Must not know which models a configuration names.

    python -m trailers12k.features.backbones.counting
"""

import csv
import io
from collections.abc import Iterable

from trailers12k.common.files import write_text
from trailers12k.features.backbones.listing import (
    AUDIO,
    architecture,
    list_models,
    without_classifier,
)
from trailers12k.features.backbones.parameter_counts import TABLE


def count(model: str) -> int:
    """The parameters of an architecture without its classifier."""
    layers, _ = without_classifier(model)
    return sum(each.numel() for each in layers.parameters())


def table(architectures: Iterable[str]) -> str:
    """`architecture,parameters` of architectures, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("architecture", "parameters"))
    writer.writerows((name, count(name)) for name in sorted(set(architectures)))
    return text.getvalue()


def main() -> None:
    """Writes the table, of all models that `trailers12k backbones` lists; takes some minutes."""
    named = (each.model for each in list_models() if each.input != AUDIO)
    write_text(TABLE, table(map(architecture, named)))


if __name__ == "__main__":
    main()
