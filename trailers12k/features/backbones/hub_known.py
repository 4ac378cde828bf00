"""Models of sound of the hub that `trailers12k backbones` lists; others of their kinds work too.

Reads and writes nothing. Must not import torch. Written down by hand from the models' own pages,
since a list is no reason to ask a network.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class KnownModel:
    """A model of the hub. kind: `model_type` in its configuration. features: length of a vector.

    license: as its page states it; empty where none is stated.
    """

    kind: str
    features: int
    license: str


KNOWN = {
    "hf/MIT/ast-finetuned-audioset-10-10-0.4593": KnownModel(
        "audio-spectrogram-transformer", 768, "bsd-3-clause"
    ),
    "hf/laion/clap-htsat-fused": KnownModel("clap", 512, "apache-2.0"),
    "hf/laion/clap-htsat-unfused": KnownModel("clap", 512, "apache-2.0"),
    "hf/laion/larger_clap_general": KnownModel("clap", 512, "apache-2.0"),
    "hf/laion/larger_clap_music_and_speech": KnownModel("clap", 512, "apache-2.0"),
    "hf/openai/whisper-tiny": KnownModel("whisper", 384, "apache-2.0"),
    "hf/openai/whisper-base": KnownModel("whisper", 512, "apache-2.0"),
    "hf/openai/whisper-small": KnownModel("whisper", 768, "apache-2.0"),
    "hf/openai/whisper-large-v3": KnownModel("whisper", 1280, "apache-2.0"),
    "hf/facebook/wav2vec2-base-960h": KnownModel("wav2vec2", 768, "apache-2.0"),
    "hf/facebook/wav2vec2-large-960h": KnownModel("wav2vec2", 1024, "apache-2.0"),
    "hf/facebook/hubert-base-ls960": KnownModel("hubert", 768, "apache-2.0"),
    "hf/facebook/hubert-large-ls960-ft": KnownModel("hubert", 1024, "apache-2.0"),
    "hf/microsoft/wavlm-base-plus": KnownModel("wavlm", 768, ""),
}
"""The name of a model, without its revision -> its entry."""


def known(model: str) -> KnownModel | None:
    """What is known of a model, whatever its revision; None for others."""
    return KNOWN.get(model.partition("@")[0])
