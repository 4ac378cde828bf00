"""Pretrained weights from a file into a network; a file that holds other things is refused.

Reads files of weights. Must not know where a file came from; runs no code that a file contains.
"""

import pickle  # nosec B403  # for the name of its error; torch.load reads weights only
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from trailers12k.common.errors import UserError
from trailers12k.common.files import sha256_of
from trailers12k.features.backbones.spec import Weights

LOADING = (
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    SafetensorError,
    pickle.UnpicklingError,
)
"""What a file that holds no weights, or another model's, may raise."""


def load_state(
    module: nn.Module,
    weights: Weights,
    unwrap: Callable[[Mapping], Mapping[str, Tensor]] = lambda checkpoint: checkpoint,
) -> None:
    """Load a PyTorch file into a network, as tensors only.

    unwrap: returns the tensors of the object that the file holds. Raises `UserError` when they do
    not fit this network.
    """
    try:
        checkpoint = torch.load(weights.file, map_location="cpu", weights_only=True)
        module.load_state_dict(unwrap(checkpoint))
    except LOADING as error:
        raise refused(weights, error) from error


def refused(weights: Weights, error: BaseException | None) -> UserError:
    """The error for a file that does not hold a model's weights, in one line."""
    reason = " ".join(str(error).split())[:200]
    return UserError(
        f"backbone {weights.model}: {weights.file} does not hold its weights: {reason}; name or "
        "fetch the right file"
    )


def checked(weights: Weights) -> Weights:
    """The same weights, their file hashed again. Raises `UserError` when it is gone or changed."""
    file = Path(weights.file)
    if not file.is_file() or sha256_of(file) != weights.sha256:
        raise UserError(
            f"backbone {weights.model}: {file} is gone or changed; fetch it again with "
            "snakemake weights --forcerun fetch_weights"
        )
    return weights
