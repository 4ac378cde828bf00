"""Text networks of the hub, `hf/OWNER/NAME`: CLIP, SigLIP and CLAP turn a text into a vector of the
space of their features.

Reads files of weights, of configurations and of tokenizers. Must not know genres, nor how files
were fetched. What is computed is the library's own networks.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor, nn

from trailers12k.common.bounded_files import quoted
from trailers12k.common.errors import UserError
from trailers12k.features.backbones import hub, hub_nets, hub_tokenizer
from trailers12k.features.backbones.common import describe_random, random_weights
from trailers12k.features.backbones.hub_faults import fitting
from trailers12k.features.backbones.hub_text_kinds import MOST_POSITIONS, TEXT_KINDS, TextKind
from trailers12k.features.backbones.hub_text_known import TOKENIZER, kind_of
from trailers12k.features.backbones.hub_tokenizer import ByteTokenizer, Tokenizer
from trailers12k.features.backbones.spec import Weights
from trailers12k.features.backbones.weights import checked, refused

BATCH = 64
"""Most texts of one pass."""


@dataclass(frozen=True)
class TextTower:
    """A text network with its tokenizer. attributes: what is recorded of both, as JSON values."""

    model: str
    kind: TextKind
    network: nn.Module
    tokenizer: Tokenizer
    attributes: Mapping[str, object]

    @torch.inference_mode()
    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (N, features), as the model's own `get_text_features` gives them.

        Texts of equal length share a pass, so that none is padded, unless the kind is. Raises
        `UserError` for a text that is too long, and for a tokenizer of another vocabulary.
        """
        rows = [self._tokens(text) for text in texts]
        found: dict[int, Tensor] = {}
        for length in sorted({*map(len, rows)}):
            alike = [n for n, row in enumerate(rows) if len(row) == length]
            for first in range(0, len(alike), BATCH):
                part = alike[first : first + BATCH]
                output = self.network(input_ids=torch.tensor([rows[n] for n in part]))
                found |= dict(zip(part, self.kind.embedded(output).float(), strict=True))
        vectors: np.ndarray = torch.stack([found[n] for n in range(len(rows))]).numpy()
        if not np.isfinite(vectors).all():
            raise UserError(f"backbone {self.model}: embeddings of texts are not finite")
        return vectors

    def _tokens(self, text: str) -> list[int]:
        config: Any = self.network.config
        tokens, most = self.tokenizer.tokens(text), self.kind.positions(config)
        if not 0 < len(tokens) <= most:
            raise UserError(
                f"zero_shot: {quoted(text)} has {len(tokens)} tokens; {self.model} reads at most "
                f"{most}; shorten the template or the phrase"
            )
        if not self.kind.is_ended(config, tokens):
            raise UserError(
                f"backbone {self.model}: its files do not fit one another: {TOKENIZER} ends texts "
                "without the token that the network reads them by (eos_token_id)"
            )
        if self.kind.is_padded and not isinstance(self.tokenizer, ByteTokenizer):
            token, side = self.tokenizer.padding
            fill = [token] * (most - len(tokens))
            tokens = [*fill, *tokens] if side == "left" else [*tokens, *fill]
        if not 0 <= min(tokens) <= max(tokens) < config.vocab_size:
            raise UserError(
                f"backbone {self.model}: its files do not fit one another: {TOKENS} of other "
                "numbers than the network's"
            )
        return tokens


TOKENS = f"{TOKENIZER} has tokens"


def load(
    model: str,
    seed: int,
    weights: Weights | None = None,
    tokenizer: Mapping[str, str] | None = None,
) -> TextTower:
    """The text network of "hf/OWNER/NAME[@REVISION]".

    weights: the pretrained ones, of the whole model. tokenizer: the sha256 of its files beside
    them, see `hub_tokenizer.hashes_of`. Without weights: a small network of the model's kind with
    random ones, drawn from the seed, that reads bytes.

    Raises `UserError` for a model without a text network, and for damaged files.
    """
    library = hub_nets.library(model)
    if weights is None:
        name = kind_of(model)
        values: Mapping[str, Any] = TEXT_KINDS[name].small if name in TEXT_KINDS else {}
    else:
        if not isinstance(weights, hub.HubWeights) or tokenizer is None:
            raise UserError(f"backbone {model}: it has no tokenizer; see zero_shot")
        checked(weights)
        hub.check_beside(weights)
        values = hub_nets.read_values(weights, hub.CONFIG)
        name = str(values.get("model_type"))
    if name not in TEXT_KINDS:
        raise UserError(
            f"backbone {model}: its kind, {quoted(name)}, has no text network of the same space; "
            f"zero_shot needs one of {', '.join(TEXT_KINDS)}"
        )
    kind = TEXT_KINDS[name]
    config = _narrow(kind, hub_nets.config_of(getattr(library, kind.config), values, model), model)
    network = getattr(library, kind.network)
    described: dict[str, object] = {
        "model": model,
        "network": kind.network,
        "transformers": library.__version__,
    }
    if weights is None:
        own = random_weights(lambda: network(config), f"{model} text", seed).eval()
        described |= describe_random(own, seed) | {"tokenizer": "UTF-8 bytes"}
        return TextTower(model, kind, own, ByteTokenizer(), described)
    assert tokenizer is not None  # nosec B101  # for mypy
    folder = Path(weights.file).parent
    reads = hub_tokenizer.read_tokenizer(folder, tokenizer, model, name)
    own = hub_nets.load_network(network, config, weights, kind.prefixes)
    described |= weights.attributes | {"tokenizer": dict(tokenizer)} | _scales(kind, weights)
    return TextTower(model, kind, own, reads, described)


def _narrow(kind: TextKind, config: Any, model: str) -> Any:
    """The text network's configuration, bounded. Raises `UserError`."""
    # As in `hub_nets.config_of`: the library checks a value as it is set, with errors of its own.
    with fitting(model):
        narrow = kind.narrow(config)
        positions = kind.positions(narrow)
    if type(positions) is not int or not 1 <= positions <= MOST_POSITIONS:
        raise UserError(
            f"backbone {model}: {hub.CONFIG} claims texts of {quoted(positions)} tokens; at most "
            f"{MOST_POSITIONS}"
        )
    return narrow


def _scales(kind: TextKind, weights: Weights) -> dict[str, float]:
    """The model's own scale and bias of cosines, which no score here depends on."""
    found = {}
    names = {"logit_scale": kind.scale, "logit_bias": kind.bias}
    try:
        with safe_open(weights.file, "pt") as file:
            present = {*file.keys()}
            for name, tensor in names.items():
                if tensor in present:
                    value = float(file.get_tensor(tensor).reshape(()))
                    found[name] = math.exp(value) if name == "logit_scale" else value
    except (ArithmeticError, OSError, RuntimeError, ValueError) as error:
        raise refused(weights, error) from error
    return found
