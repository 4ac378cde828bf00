"""The kinds of models of transformers whose text network shares a space with their features.

Reads and writes nothing. Must not import transformers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

LOGIT_SCALE = "logit_scale"
MOST_POSITIONS = 10_000
"""Tokens of a text; known models have 514 or fewer."""
BYTES = 256
"""Tokens of `hub_tokenizer.ByteTokenizer` that are a byte; two more begin and end a text."""
BEGIN, END = BYTES, BYTES + 1
SMALL_POSITIONS = 1300
"""Of small networks: more than the bytes of the longest text of a configuration."""


@dataclass(frozen=True)
class TextKind:
    """What the text networks of one `model_type` have in common.

    config, network: names of classes of transformers.
    narrow: the text network's configuration within that of the model; it raises ValueError where
        the texts have no vector of the length of the features.
    prefixes: of the names of its tensors in a file, see `hub_nets.load_network`.
    embedded: output of the network -> (N, features).
    positions: most tokens of a text, by the narrow configuration.
    scale: name of the tensor with the logarithm of the model's logit scale. bias: of its bias.
    is_ended: whether tokens end with the one whose vector is the text's, by the narrow
        configuration.
    is_padded: whether texts are filled up to `positions`, since the network was trained so.
    small: values of a configuration of a small network, for random weights.
    """

    config: str
    network: str
    narrow: Callable[[Any], Any]
    prefixes: Mapping[str, str]
    embedded: Callable[[Any], Tensor]
    positions: Callable[[Any], int]
    scale: str = LOGIT_SCALE
    bias: str = ""
    is_ended: Callable[[Any, Sequence[int]], bool] = lambda config, tokens: True
    is_padded: bool = False
    small: Mapping[str, Any] = field(default_factory=dict)


def _clip_text(config: Any) -> Any:
    """The projection is as long as the whole model's configuration says."""
    config.text_config.projection_dim = config.projection_dim
    return config.text_config


def _clip_is_ended(config: Any, tokens: Sequence[int]) -> bool:
    """CLIP pools at the first token `eos_token_id`; where that is 2, a value of old files, at the
    first of the highest number. Without such a token it would pool at the first of all."""
    end = max(tokens) if config.eos_token_id == 2 else config.eos_token_id
    return end in tokens and tokens.index(end) == len(tokens) - 1


def _siglip_text(config: Any) -> Any:
    if config.text_config.projection_size != config.vision_config.hidden_size:
        raise ValueError("texts and pictures have vectors of different lengths")
    return config.text_config


def _roberta_positions(config: Any) -> int:
    """RoBERTa numbers positions from the number of its padding, plus one."""
    positions: int = config.max_position_embeddings - config.pad_token_id - 1
    return positions


SMALL_TEXT = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "vocab_size": BYTES + 3,
    "max_position_embeddings": SMALL_POSITIONS,
    "bos_token_id": BEGIN,
    "eos_token_id": END,
    "pad_token_id": END + 1,
}

TEXT_KINDS = {
    "clip": TextKind(
        config="CLIPConfig",
        network="CLIPTextModelWithProjection",
        narrow=_clip_text,
        prefixes={"text_model.": "text_model.", "text_projection.": "text_projection."},
        embedded=lambda output: output.text_embeds,
        positions=lambda config: config.max_position_embeddings,
        is_ended=_clip_is_ended,
        small={"projection_dim": 32, "text_config": SMALL_TEXT},
    ),
    "siglip": TextKind(
        config="SiglipConfig",
        network="SiglipTextModel",
        narrow=_siglip_text,
        prefixes={"text_model.": ""},
        embedded=lambda output: output.pooler_output,
        positions=lambda config: config.max_position_embeddings,
        bias="logit_bias",
        is_padded=True,
        small={
            "text_config": SMALL_TEXT | {"projection_size": 32},
            "vision_config": {"hidden_size": 32},
        },
    ),
    "clap": TextKind(
        config="ClapConfig",
        network="ClapTextModelWithProjection",
        narrow=lambda config: config.text_config,
        prefixes={"text_model.": "text_model.", "text_projection.": "text_projection."},
        embedded=lambda output: output.text_embeds,
        positions=_roberta_positions,
        scale="logit_scale_a",
        # RoBERTa keeps a vector for each position up to that of its padding too.
        small={
            "projection_dim": 32,
            "text_config": SMALL_TEXT
            | {"max_position_embeddings": SMALL_POSITIONS + END + 2, "projection_dim": 32},
        },
    ),
}
"""`model_type` of a configuration -> its kind. X-CLIP is none: its texts depend on the clip (Ni et
al., arXiv:2208.02816, section 3.3)."""
