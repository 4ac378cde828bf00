"""What the processors of transformers do with a picture: resize, crop, normalise.

Reads and writes nothing. Must not know networks, nor where a processor's values come from. Resizing
and cropping are those of their torchvision backend, `image_processing_backends.TorchvisionBackend`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2.functional import crop, pad, resize

from trailers12k.common.bounded_files import quoted
from trailers12k.common.errors import UserError
from trailers12k.features.backbones.transforms import COLUMNS, LONG, Resize, _resized

VALUES = (
    *("size", "crop_size", "resample", "image_mean", "image_std", "rescale_factor"),
    *("do_resize", "do_center_crop", "do_rescale", "do_normalize"),
)
"""The values of a processor that are read. Others change nothing about RGB frames."""
INTERPOLATIONS = {2: "bilinear", 3: "bicubic"}
"""`resample` as Pillow numbers it."""
VARIANTS = ("Fast", "Pil")
"""Ends of the names of classes that do the same."""
MOST_SIDE = 4096
"""Pixels of a side before the crop."""


@dataclass(frozen=True)
class HubResize(Resize):
    """As `Resize`, with the bytes of the processors of transformers: torchvision's kernel for bytes
    on the CPU, and the crop's place rounded down. A GPU's crops are within two levels."""

    @property
    def exactness(self) -> str:
        """See `Resize`."""
        return "as transformers on a CPU; on a GPU within two levels"

    def __call__(self, frames: Tensor) -> Tensor:
        """See `Resize`."""
        height, width = _resized(frames.shape[1], frames.shape[2], self.size)
        is_long = height * width >= LONG * self.crop[0] * self.crop[1]
        if frames.device.type == "cpu" and not is_long:
            return torch.cat([self._of_bytes(each, [height, width]) for each in frames.split(1)])
        more = [_more(side, own) for side, own in zip((height, width), self.crop, strict=True)]
        if not any(more):
            return super().__call__(frames)
        (rows, columns), (top, left) = self.crop, (each // 2 for each in more)
        larger = rows + more[0], columns + more[1]
        crops = Resize(self.size, larger, self.interpolation, self.antialias, self.like_pillow)(
            frames
        )
        return crops[:, top : top + rows, left : left + columns].contiguous()

    def _of_bytes(self, frame: Tensor, size: list[int]) -> Tensor:
        """The crop of one frame, uint8 (1, H, W, 3) -> (1, h, w, 3)."""
        mode = InterpolationMode(self.interpolation)
        whole = resize(frame.permute(0, 3, 1, 2), size, interpolation=mode, antialias=True)
        margins = [own - side for own, side in zip(self.crop, size, strict=True)]
        if max(margins) > 0:  # a border, wider after than before
            down, across = (max(0, each) for each in margins)
            border = [across // 2, down // 2, (across + 1) // 2, (down + 1) // 2]
            whole = pad(whole, border)
        top, left = (max(0, -each) // 2 for each in margins)
        return crop(whole, top, left, *self.crop).permute(0, 2, 3, 1).contiguous()


def _more(side: int, crop: int) -> int:
    """Rows or columns around a crop, so that the margin is even, which both round alike.

    Never so many that one remains beyond whole blocks: torch.kron refuses a single column.
    """
    odd = max(0, side - crop) % 2
    choices = (3, 5) if odd else (0, 2)
    return next(each for each in choices if (crop + each) % COLUMNS != 1)


@dataclass(frozen=True)
class Processing:
    """What is done with each picture. mean, std: of values from 0 to 1."""

    transform: HubResize
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def described(self) -> dict[str, object]:
        """The values, which a store records."""
        return {
            "size": list(self.transform.size),
            "crop_size": list(self.transform.crop),
            "interpolation": self.transform.interpolation,
            "image_mean": list(self.mean),
            "image_std": list(self.std),
        }


def processing_of(
    library: Any, allowed: tuple[str, ...], values: Mapping[str, Any], model: str, file: str
) -> Processing:
    """The processing that a repository's values describe. Raises `UserError`.

    library: transformers. allowed: classes of processors of the model's kind; the first where the
    values name none. file: the name of the values' file.
    """
    named = next(
        (
            values[key]
            for key in ("image_processor_type", "video_processor_type", "feature_extractor_type")
            if key in values
        ),
        allowed[0],
    )
    name = str(named).replace("FeatureExtractor", "ImageProcessor")
    for ending in VARIANTS:
        name = name.removesuffix(ending)
    if name not in allowed:
        raise UserError(
            f"backbone {model}: {file} is of a {quoted(named)}, not of a {' or '.join(allowed)}"
        )
    own = {key: value for key, value in values.items() if key in VALUES and value is not None}
    # The library states no errors, and a hostile file may raise any.
    try:
        return _processing(getattr(library, name)(**own))
    except Exception as error:
        raise UserError(
            f"backbone {model}: {file}: {' '.join(str(error).split())[:200]}"
        ) from error


def _processing(processor: Any) -> Processing:
    """The processing of a processor of the library. Raises ValueError, and any other error."""
    if not (processor.do_resize and processor.do_rescale):
        raise ValueError("it must resize and rescale (do_resize, do_rescale)")
    if not math.isclose(processor.rescale_factor, 1 / 255, rel_tol=1e-4):
        raise ValueError(f"rescale_factor is {quoted(processor.rescale_factor)}; allowed: 1/255")
    if int(processor.resample) not in INTERPOLATIONS:
        raise ValueError(f"resample is {quoted(processor.resample)}; allowed: 2, 3")
    size = processor.size
    if size.shortest_edge and not size.longest_edge:
        before: tuple[int, ...] = (_side(size.shortest_edge),)
    else:
        before = (_side(size.height), _side(size.width))
    after = (before[0], before[-1])
    if processor.do_center_crop:
        after = (_side(processor.crop_size.height), _side(processor.crop_size.width))
    elif len(before) == 1:
        raise ValueError("it neither crops nor resizes to a square (do_center_crop, size)")
    transform = HubResize(before, after, INTERPOLATIONS[int(processor.resample)], True, True)
    if not processor.do_normalize:
        return Processing(transform, (0.0,) * 3, (1.0,) * 3)
    mean, std = (_colours(each) for each in (processor.image_mean, processor.image_std))
    if min(std) <= 0:
        raise ValueError("image_std must be above 0")
    return Processing(transform, mean, std)


def _side(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_SIDE:
        raise ValueError(f"a side is {quoted(value)}; allowed: whole numbers to {MOST_SIDE}")
    return value


def _colours(values: Any) -> tuple[float, ...]:
    found = tuple(float(value) for value in values)
    if len(found) != 3 or not all(map(math.isfinite, found)):
        raise ValueError(f"{quoted(values)} are not three finite numbers")
    return found
