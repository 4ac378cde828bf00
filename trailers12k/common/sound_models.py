"""The families of models that hear sound, and the weights of those that leave no choice.

Reads and writes nothing. Must not import anything.
"""

SOUND_FAMILIES = ("logmel", "silero", "hf")
"""Prefixes of the names of models whose input is `audio`."""

SPEECH = "silero/vad"
"""The model of speech activity, whose feature is the share of a clip that is speech."""

FIXED_WEIGHTS = {"logmel": "none", "silero": "package"}
"""Family -> its `weights`, whatever the configuration says: log-mel statistics have none, and a pip
package has those of Silero VAD."""


def hears_sound(model: str) -> bool:
    """Whether a model's input is `audio`."""
    return model.partition("/")[0] in SOUND_FAMILIES


def fixed_weights(model: str) -> str | None:
    """The `weights` of a model that leaves no choice; None for other models."""
    return FIXED_WEIGHTS.get(model.partition("/")[0])
