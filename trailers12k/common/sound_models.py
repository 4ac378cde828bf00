"""The families of models that only hear, or that only see, and weights that leave no choice.

Reads and writes nothing. Must not import anything.
"""

SOUND_FAMILIES = ("logmel", "silero")
"""Prefixes of the names of models whose input can only be `audio`."""
HUB_FAMILY = "hf"
"""Prefix of the names of models of the hub, some of which hear while others see."""

SPEECH = "silero/vad"
"""The model of speech activity, whose feature is the share of a clip that is speech."""

FIXED_WEIGHTS = {"logmel": "none", "silero": "package"}
"""Family -> its `weights`, whatever the configuration says: log-mel statistics have none, and a pip
package has those of Silero VAD."""


BANDS = (8, 256)
"""Fewest and most mel bands of log-mel statistics."""


def hears_sound(model: str) -> bool | None:
    """Whether a model's input is `audio`; None where its name does not say."""
    family = model.partition("/")[0]
    return None if family == HUB_FAMILY else family in SOUND_FAMILIES


def fixed_weights(model: str) -> str | None:
    """The `weights` of a model that leaves no choice; None for other models."""
    return FIXED_WEIGHTS.get(model.partition("/")[0])


def name_fault(model: str) -> str:
    """What is wrong with the name of a model of sound; empty for one that may exist."""
    family, _, name = model.partition("/")
    # As texts: logmel/064 would be a second name of logmel/64.
    if family == "logmel" and name not in map(str, range(BANDS[0], BANDS[1] + 1)):
        return f"allowed: logmel/BANDS with {BANDS[0]} to {BANDS[1]} mel bands, such as logmel/64"
    if family == HUB_FAMILY and ".." in name:  # a path of this name would leave its folder
        return "allowed: hf/OWNER/NAME or hf/OWNER/NAME@REVISION, without two dots in a row"
    return f"allowed: {SPEECH}" if family == "silero" and model != SPEECH else ""
