"""Models of pictures of the hub, `hf/OWNER/NAME`.

CLIP and SigLIP see images; V-JEPA 2, VideoMAE, TimeSformer and X-CLIP see clips.

Reads files of weights and of configurations. Must not know how they were fetched. What is computed
is the library's own: its networks, and what its processors do.
"""

from operator import attrgetter
from typing import Any, Self

from torch import Tensor, nn

from trailers12k.common.bounded_files import quoted
from trailers12k.common.errors import UserError
from trailers12k.features.backbones import hub, hub_files, hub_nets
from trailers12k.features.backbones.common import Net, describe_random, random_weights, scale
from trailers12k.features.backbones.hub_faults import fitting
from trailers12k.features.backbones.hub_frames import Frames
from trailers12k.features.backbones.hub_processor import Processing, processing_of
from trailers12k.features.backbones.hub_spec import HubSpec
from trailers12k.features.backbones.hub_vision_kinds import (
    KINDS,
    MOST_FRAMES,
    MOST_NUMBERS,
    MOST_POSITIONS,
    MOST_SIDE,
    Shape,
    VisionKind,
)
from trailers12k.features.backbones.hub_vision_known import KNOWN, known
from trailers12k.features.backbones.spec import BackboneSpec, Weights


def build(spec: BackboneSpec, seed: int, weights: Weights | None) -> Net:
    """The model "hf/OWNER/NAME[@REVISION]"; see `loading.load`.

    Random weights are those of a small network of the model's kind. Raises `UserError`.
    """
    model = spec.model
    hub.parse_name(model)
    library = hub_nets.library(model)
    if spec.size:
        raise UserError(f"backbone {model}: size is not allowed for a model of the hub")
    kind, values, processing = _described(library, spec, weights)
    config = _narrow(kind, hub_nets.config_of(getattr(library, kind.config), values, model), model)
    shape = _checked_shape(kind, config, processing, model)
    network = attrgetter(kind.network(config))(library)
    if isinstance(weights, hub.HubWeights):
        own = hub_nets.load_network(network, config, weights, kind.prefixes)
        attributes = weights.attributes
    else:
        own = random_weights(lambda: network(config), model, seed).eval()
        attributes = describe_random(own, seed)

    frames = Frames(shape.frames, found.rate if (found := known(model)) else None)
    fps, fpc = (spec.fps, spec.fpc) if isinstance(spec, HubSpec) else (0.0, 0)

    def normalize(pixels: Tensor) -> Tensor:
        if shape.frames:
            pixels = frames.of(pixels, fps)
        return scale(pixels, processing.mean, processing.std)

    described = processing.described
    return Net(
        module=_Seeing(own, kind),
        num_features=kind.features(config),
        video=bool(shape.frames),
        transform=processing.transform,
        normalize=normalize,
        preprocessing=" ".join(f"{name}={value}" for name, value in described.items()),
        side=min(processing.transform.size),
        attributes=attributes
        | {"network": network.__name__, "pooling": kind.pooling(config), "processor": described}
        | {"transformers": library.__version__}
        | {"parameters": _count(own, kind)}
        | (frames.described(fps, fpc) if shape.frames else {}),
    )


def _count(network: nn.Module, kind: VisionKind) -> int:
    """The parameters that have a share in the features."""
    return sum(
        each.numel()
        for name, each in network.named_parameters()
        if name.partition(".")[0] not in kind.idle
    )


class _Seeing(nn.Module):
    """A network with the pooling of its kind."""

    def __init__(self, network: nn.Module, kind: VisionKind):
        super().__init__()
        self.network, self._seen = network, kind.seen
        # VideoMAE keeps its positions outside, and would copy them to a GPU in every pass.
        for part in network.modules():
            for name, value in list(vars(part).items()):
                if isinstance(value, Tensor):
                    delattr(part, name)
                    part.register_buffer(name, value, persistent=False)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """As of any module, without a layout: that of clips does not fit tensors of images."""
        kwargs.pop("memory_format", None)
        return super().to(*args, **kwargs)

    def forward(self, pictures: Tensor) -> Tensor:
        """float32 (N, 3, H, W), or (N, T, 3, H, W), to (N, features)."""
        return self._seen(self.network, pictures)


def _described(
    library: Any, spec: BackboneSpec, weights: Weights | None
) -> tuple[VisionKind, dict[str, Any], Processing]:
    """The kind of a model, its configuration, and its processing. Raises `UserError`."""
    model = spec.model
    if spec.weights == "random":
        if (found := known(model)) is None:
            raise UserError(
                f"backbone {model}: weights: random needs a model whose kind is known without its "
                f"configuration: {', '.join(KNOWN)}"
            )
        kind = KINDS[found.kind]
        values, of_pictures, file = dict(kind.small), dict(kind.small_processor), hub.PROCESSOR
    elif spec.weights == "pretrained" and isinstance(weights, hub.HubWeights):
        hub.check_beside(weights)
        values = hub_nets.read_values(weights, hub.CONFIG)
        if (name := str(values.get("model_type"))) not in KINDS:
            raise UserError(
                f"backbone {model}: its model_type is {quoted(name)}, not one that gives features "
                f"of pictures: {', '.join(KINDS)}"
            )
        kind = KINDS[name]
        file = hub_files.processor_of(weights)
        of_pictures = hub_nets.read_values(weights, file)
    else:
        raise UserError(f"backbone {model}: weights must be random or pretrained")
    return kind, values, processing_of(library, kind.processors, of_pictures, model, file)


def _narrow(kind: VisionKind, config: Any, model: str) -> Any:
    # As in `hub_nets.config_of`: the library checks a value as it is set, with errors of its own.
    with fitting(model):
        return kind.narrow(config)


def _checked_shape(kind: VisionKind, config: Any, processing: Processing, model: str) -> Shape:
    """What the network sees at once. Raises `UserError` where that takes memory without bound, and
    where the processor makes another size."""
    shape = kind.shape(config)
    numbers = (shape.side, shape.patch, shape.frames, shape.tubelet)
    if not all(type(number) is int for number in numbers) or not (
        1 <= shape.patch <= shape.side <= MOST_SIDE
        and 1 <= shape.tubelet <= max(1, shape.frames) <= MOST_FRAMES
        and shape.frames % shape.tubelet == 0
    ):
        raise UserError(f"backbone {model}: {hub.CONFIG} claims too much memory, or none: {shape}")
    positions = (shape.side // shape.patch) ** 2 * max(1, shape.frames // shape.tubelet)
    if positions > MOST_POSITIONS:
        raise UserError(
            f"backbone {model}: its files claim too much memory: {positions} positions; at most "
            f"{MOST_POSITIONS}"
        )
    width = config.hidden_size
    if type(width) is not int or positions * width > MOST_NUMBERS:
        raise UserError(
            f"backbone {model}: its files claim too much memory: {positions} positions of "
            f"{quoted(width)} numbers; at most {MOST_NUMBERS} in all"
        )
    if processing.transform.crop != (shape.side, shape.side):
        raise UserError(
            f"backbone {model}: its files do not fit one another: pictures of "
            f"{processing.transform.crop}, and a network for {(shape.side, shape.side)}"
        )
    return shape
