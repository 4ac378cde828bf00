"""Judges a file of weights before a network is built from it: its size, its tensors, their numbers.

Reads files of weights. Must not know networks, nor where a file came from; runs no code that a file
contains.
"""

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from trailers12k.common import pytorch_files
from trailers12k.common.bounded_files import quoted
from trailers12k.features.backbones.spec import Weights
from trailers12k.features.backbones.weights import LOADING, refused

MOST_BYTES = 20_000_000_000
"""Of a file; the largest networks of timm have 12 GB."""
HEADER_BYTES = 10_000_000
"""Of the list of tensors of a safetensors file, of 100 to 200 bytes for each tensor."""
SHARED = 2
"""Bytes of all tensors for each byte of their file, since layers may share one."""
MOST_DEPTH = 10
"""Of a checkpoint's mappings within mappings."""

NUMBERS = (".weight", ".bias", ".running_mean", ".running_var")
"""Ends of the names of tensors that must hold floats."""


def check(weights: Weights) -> None:
    """Raise `UserError` for a file that takes more memory than its size, or that holds other than
    finite numbers."""
    path = Path(weights.file)
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ValueError(f"{size} bytes; at most {MOST_BYTES}")
        total = 0
        for name, tensor in _tensors(path, size):
            total += _bytes(name, tensor, size)
            if total > SHARED * size:
                raise ValueError(f"its tensors claim more than {SHARED} times its {size} bytes")
            _check_numbers(name, tensor)
    except (
        *LOADING,
        zipfile.BadZipFile,
        NotImplementedError,
        MemoryError,
        RecursionError,
    ) as error:
        raise refused(weights, error) from error


def _tensors(path: Path, size: int) -> Iterator[tuple[str, Tensor]]:
    """The tensors of a file by their names. size: its bytes. Raises an error of many types."""
    if path.suffix == ".safetensors":
        with path.open("rb") as file:
            header = int.from_bytes(file.read(8), "little")
        if header > min(size, HEADER_BYTES):
            raise ValueError(f"its header claims {header} bytes")
        with safe_open(path, framework="pt") as content:
            for name in content.keys():  # noqa: SIM118  # no mapping
                yield name, content.get_tensor(name)
        return
    with path.open("rb") as file:
        is_archive = pytorch_files.check(file, size)
    content = torch.load(path, map_location="cpu", weights_only=True, mmap=is_archive)
    yield from _nested("", content, MOST_DEPTH, {})


def _nested(
    prefix: str, content: object, depth: int, done: dict[int, int]
) -> Iterator[tuple[str, Tensor]]:
    """The tensors in mappings of names. The numbered states of an optimizer do not count.

    done: mappings met before, by their id: the depth that was left, or more while it is read.
    """
    if not isinstance(content, Mapping):
        return
    met = done.get(id(content), 0)
    if not depth or met > MOST_DEPTH:
        raise ValueError(f"more than {MOST_DEPTH} mappings within one another")
    if met >= depth:
        return
    done[id(content)] = MOST_DEPTH + 1
    for name, value in content.items():
        if isinstance(name, str) and isinstance(value, Tensor):
            yield f"{prefix}{name}", value
        elif isinstance(name, str):
            yield from _nested(f"{prefix}{name}.", value, depth - 1, done)
    done[id(content)] = depth


def _bytes(name: str, tensor: Tensor, size: int) -> int:
    """The bytes that a tensor takes in a network. size: of the file. Raises ValueError."""
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
        raise ValueError(f"{quoted(name)} is no plain tensor")
    claimed = tensor.numel() * tensor.element_size()
    if claimed > size:
        raise ValueError(f"{quoted(name)} claims {claimed} bytes of a file of {size}")
    return claimed


def _check_numbers(name: str, tensor: Tensor) -> None:
    if tensor.is_floating_point():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{quoted(name)} holds NaN or infinity")
    elif tensor.is_complex() or name.endswith(NUMBERS):
        raise ValueError(f"{quoted(name)} holds {tensor.dtype}, not floats")
