"""Models of sound of the hub, `hf/OWNER/NAME`: AST, CLAP, Whisper, wav2vec 2, HuBERT, WavLM.

Reads files of weights and of configurations. Must not know how they were fetched. What is computed
is the library's own: its feature extractors and its networks.
"""

import inspect
import math
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trailers12k.common.bounded_files import quoted
from trailers12k.common.errors import UserError
from trailers12k.features.backbones import hub, hub_nets
from trailers12k.features.backbones.common import describe_random, random_weights
from trailers12k.features.backbones.devices import Device
from trailers12k.features.backbones.hub_kinds import KINDS, MOST_POSITIONS, MOST_SAMPLES, Kind
from trailers12k.features.backbones.hub_known import KNOWN, known
from trailers12k.features.backbones.sound import SoundNet
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.features.backbones.spec import Weights

BOUNDS = {
    "sampling_rate": (4_000, 192_000),
    "feature_size": (1, 512),
    "num_mel_bins": (1, 512),
    "max_length": (2, 6_000),
    "max_length_s": (1, 60),
    "chunk_length": (1, 60),
    "n_fft": (16, 16_384),
    "fft_window_size": (16, 16_384),
    "hop_length": (16, 16_384),
}
"""Whole numbers of a feature extractor -> the least and the most."""
OWN = ("dither", "padding_side")
"""Arguments of a feature extractor that stay the library's: noise, and silence before a clip."""


def build(spec: SoundSpec, seed: int, weights: Weights | None, device: Device) -> SoundNet:
    """The model "hf/OWNER/NAME[@REVISION]"; see `sound.load`.

    Random weights are those of a small network of the model's kind. Raises `UserError`.
    """
    model = spec.model
    hub.parse_name(model)
    library = hub_nets.library(model)
    if spec.weights == "random":
        name = _known_kind(model)
        values, processing = dict(KINDS[name].small), dict(KINDS[name].small_processor)
    elif spec.weights == "pretrained" and isinstance(weights, hub.HubWeights):
        hub.check_beside(weights)
        values = hub_nets.read_values(weights, hub.CONFIG)
        processing = hub_nets.read_values(weights, hub.PROCESSOR)
        name = str(values.get("model_type"))
    else:
        raise UserError(f"backbone {model}: weights must be random or pretrained")
    if name not in KINDS:
        raise UserError(
            f"backbone {model}: its model_type is {quoted(name)}, not one that gives features of "
            f"sound: {', '.join(KINDS)}"
        )
    kind = KINDS[name]
    config = kind.narrow(hub_nets.config_of(getattr(library, kind.config), values, model))
    extractor = _extractor(getattr(library, kind.extractor), processing, model)
    _check_size(kind, config, extractor, model)
    network = attrgetter(kind.network)(library)
    if isinstance(weights, hub.HubWeights):
        module, record = hub_nets.load_network(network, config, weights, kind.prefixes), weights
        attributes = record.attributes
    else:
        module = random_weights(lambda: network(config), model, seed).eval()
        attributes = describe_random(module, seed)
    heard = _Hearing(model, kind, config, extractor, module.to(device.torch), device)
    processor = dict(sorted(_shown(extractor).items()))
    return SoundNet(
        heard.compute,
        num_features=kind.features(config),
        rate=extractor.sampling_rate,
        preprocessing=f"{kind.extractor} of transformers; longer than "
        f"{heard.most / extractor.sampling_rate:g} s: the mean of equal pieces",
        attributes=attributes
        | {"network": kind.network.rpartition(".")[2], "pooling": kind.pooling}
        | {"processor": processor},
        libraries=("transformers",),
    )


def _known_kind(model: str) -> str:
    """The kind of a model whose configuration is not read. Raises `UserError`."""
    if found := known(model):
        return found.kind
    raise UserError(
        f"backbone {model}: weights: random needs a model whose kind is known without its "
        f"configuration: {', '.join(KNOWN)}"
    )


def _check_size(kind: Kind, config: Any, extractor: Any, model: str) -> None:
    """Raise `UserError` for a network that takes memory without bound, or no sound at all."""
    try:
        positions, least = kind.positions(config, extractor), kind.least(config)
        samples, numbers = kind.most(extractor), kind.numbers(config, extractor)
    except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
        raise UserError(
            f"backbone {model}: its files do not fit one another: {_line(error)}"
        ) from error
    if not 0 < positions <= MOST_POSITIONS or not 0 < least <= samples:
        raise UserError(
            f"backbone {model}: its files do not fit one another: {positions} positions, of at "
            f"least {least} samples"
        )
    if samples > MOST_SAMPLES or numbers > kind.most_numbers:
        raise UserError(
            f"backbone {model}: its files claim too much memory: {samples} samples and {numbers} "
            f"numbers at once; at most {MOST_SAMPLES} and {kind.most_numbers}"
        )


def _extractor(kind: Any, values: dict[str, Any], model: str) -> Any:
    """A feature extractor of the library with a repository's values. Raises `UserError`."""
    named = values.get("feature_extractor_type", kind.__name__)
    if named != kind.__name__:
        raise UserError(
            f"backbone {model}: {hub.PROCESSOR} is of a {quoted(named)}, not of a {kind.__name__}"
        )
    arguments = inspect.signature(kind).parameters
    own = set(arguments) - {*OWN, "kwargs"}
    wanted = {name: value for name, value in values.items() if name in own}
    for name, value in wanted.items():
        low, high = BOUNDS.get(name, (-math.inf, math.inf))
        if name in BOUNDS and not (isinstance(value, int) and low <= value <= high):
            raise UserError(
                f"backbone {model}: {hub.PROCESSOR}: {name} is {quoted(value)}; allowed: a whole "
                f"number from {low} to {high}"
            )
        if not _is_like(value, arguments[name].default):
            raise UserError(f"backbone {model}: {hub.PROCESSOR}: {name} is {quoted(value)}")
    # The library states no errors, and a hostile file may raise any.
    try:
        return kind(**wanted)
    except Exception as error:
        raise UserError(f"backbone {model}: {hub.PROCESSOR}: {_line(error)}") from error


def _is_like(value: object, default: object) -> bool:
    """Whether a value has the type of the library's default: a finite number, yes or no, a text."""
    if isinstance(default, bool | str):
        return type(value) is type(default)
    if value is None:
        return default is None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)


def _shown(extractor: Any) -> dict[str, Any]:
    """The plain values of a feature extractor, which a store records."""
    return {
        name: value
        for name, value in vars(extractor).items()
        if isinstance(value, str | int | float | None) and not name.startswith("_")
    }


class _Hearing:
    """A network with its feature extractor: windows of samples to features.

    most: samples that are heard at once.
    """

    def __init__(
        self, model: str, kind: Kind, config: Any, extractor: Any, module: nn.Module, device: Device
    ):
        self._model, self._kind, self._extractor = model, kind, extractor
        self._module, self._device = module, device
        self.most: int = kind.most(extractor)
        self._least: int = kind.least(config)

    def compute(self, windows: Sequence[np.ndarray]) -> Tensor:
        """Windows, each float32 (samples,) -> float32 (N, features), on the device.

        A window that is too short is followed by silence. One that is too long is cut into equal
        pieces, whose features are averaged. Raises `UserError`.
        """
        pieces = [self._pieces(window) for window in windows]
        flat = [piece for several in pieces for piece in several]
        features = self._of_pieces(flat, max(1, len(windows)))
        parts = features.split([len(several) for several in pieces])
        return torch.stack([part.mean(0) for part in parts])

    def _pieces(self, window: np.ndarray) -> list[np.ndarray]:
        """A window as pieces of a length that the network can hear."""
        if len(window) < self._least:
            window = np.pad(window, (0, self._least - len(window)))
        return np.array_split(window, math.ceil(len(window) / self.most))

    def _of_pieces(self, pieces: Sequence[np.ndarray], batch: int) -> Tensor:
        """float32 (pieces, features), in their order. batch: pieces in one pass."""
        order = range(len(pieces))
        if self._kind.needs_equal_lengths:
            order = sorted(order, key=lambda n: len(pieces[n]))  # type: ignore[assignment]
        found: dict[int, Tensor] = {}
        together: list[int] = []
        for place, number in enumerate(order):
            together.append(number)
            following = order[place + 1] if place + 1 < len(order) else None
            ends = following is None or (
                self._kind.needs_equal_lengths and len(pieces[following]) != len(pieces[number])
            )
            if ends or len(together) == batch:
                found |= dict(zip(together, self._pass([pieces[n] for n in together]), strict=True))
                together = []
        return torch.stack([found[n] for n in range(len(pieces))])

    def _pass(self, pieces: list[np.ndarray]) -> Tensor:
        """One forward pass: float32 (pieces, features)."""
        inputs = self._kind.inputs(self._extractor, pieces)
        on_device = {name: self._device.put(value) for name, value in inputs.items()}
        try:
            output = self._module(**on_device)
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, ValueError, IndexError) as error:
            raise UserError(
                f"backbone {self._model}: its files do not fit one another: {_line(error)}"
            ) from error
        return self._kind.pooled(output, [len(piece) for piece in pieces], self._extractor)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
