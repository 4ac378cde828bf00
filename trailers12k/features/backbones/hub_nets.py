"""Networks of transformers with the weights of a repository of the hub, or with random ones.

Reads files of weights and of configurations. Must not know whether a network hears or sees; runs no
code of a repository and asks no network.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from trailers12k.common.errors import UserError
from trailers12k.features.backbones import hub
from trailers12k.features.backbones.spec import Weights
from trailers12k.features.backbones.weights import refused

UNUSED = {"masked_spec_embed"}
"""Tensors that only training uses, which some files lack."""


def library(model: str) -> ModuleType:
    """The package transformers. Raises `UserError` where it is missing."""
    try:
        import transformers
    except ImportError as error:
        raise UserError(
            f"backbone {model}: install transformers in the clone: "
            "pip install -c lock.txt -e '.[hf]'"
        ) from error
    return transformers


def config_of(kind: Any, values: Mapping[str, Any], model: str) -> Any:
    """A configuration of the library. kind: its class. Raises `UserError`."""
    # The library states no errors, and a hostile file may raise any.
    try:
        return kind.from_dict(dict(values))
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"backbone {model}: {hub.CONFIG} is none of its kind: {reason}") from error


def load_network(
    kind: Any, config: Any, weights: Weights, prefixes: Mapping[str, str]
) -> nn.Module:
    """The network of a configuration with the tensors of a file, float32. Raises `UserError`.

    kind: its class, a `PreTrainedModel`. prefixes: of names of tensors -> what the class calls it,
    tried in this order; other tensors are not read. Without, the library finds its own.

    A configuration that claims more numbers than the file holds is refused before memory is taken.
    """
    with _silent(weights.model):
        try:
            state = _renamed(load_file(weights.file), prefixes)
            held = sum(tensor.numel() for tensor in state.values())
            with torch.device("meta"):
                claimed = sum(each.numel() for each in kind(config).parameters())
            if claimed > held + config.hidden_size:  # those of `UNUSED`: one vector
                raise ValueError(f"{hub.CONFIG} claims {claimed} numbers; the file holds {held}")
            module, found = kind.from_pretrained(
                None, config=config, state_dict=state, dtype=torch.float32, output_loading_info=True
            )
        # As in `config_of`.
        except Exception as error:
            raise refused(weights, error) from error
    missing = sorted(
        {name for name in found["missing_keys"] if name.rpartition(".")[2] not in UNUSED}
        | {str(name) for name in found["mismatched_keys"]}
    )
    if missing:
        raise refused(weights, ValueError(f"{len(missing)} tensors are missing: {missing[0]}"))
    loaded: nn.Module = module.eval()
    return loaded


def _renamed(state: dict[str, Tensor], prefixes: Mapping[str, str]) -> dict[str, Tensor]:
    """The tensors whose names have one of the prefixes, under the names of the class."""
    if not prefixes:
        return state
    found = {}
    for name, tensor in state.items():
        for prefix, own in prefixes.items():
            if name.startswith(prefix):
                found[own + name.removeprefix(prefix)] = tensor
                break
    return found


@contextmanager
def _silent(model: str) -> Iterator[None]:
    """Without the library's bars and tables, which would fill a job's log."""
    logging = library(model).utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def read_values(weights: Weights, name: str) -> dict[str, Any]:
    """The values of the JSON file `name` beside weights. Raises `UserError`."""
    return hub.read_config(Path(weights.file).with_name(name), weights.model)
