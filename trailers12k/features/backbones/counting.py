"""Counts the parameters of encoders without their classifiers.

Run as a program, it writes parameter_counts.csv. Must not know which models a configuration names.

    python -m trailers12k.features.backbones.counting
"""

from trailers12k.common.files import write_text
from trailers12k.features.backbones.listing import SPEECH, architecture_table, without_classifier
from trailers12k.features.backbones.parameter_counts import TABLE
from trailers12k.features.backbones.silero import SpeechNet


def count(model: str) -> int:
    """The parameters of an architecture without its classifier."""
    layers, _ = without_classifier(model)
    return sum(each.numel() for each in layers.parameters())


def main() -> None:
    """Writes the table, of all models that `trailers12k backbones` lists; takes some minutes."""
    speech = sum(each.numel() for each in SpeechNet().parameters())
    write_text(TABLE, f"{architecture_table('parameters', count)}{SPEECH},{speech}\n")


if __name__ == "__main__":
    main()
