"""Judges a file of weights before a network is built from it: its size, its tensors, their numbers.

Reads files of weights. Must not know networks, nor where a file came from; runs no code that a file
contains.
"""

import pickletools
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import torch
from safetensors import safe_open
from torch import Tensor

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

PICKLE_BYTES = 10_000_000
"""Of the names and shapes of the tensors of a checkpoint, of 100 to 400 bytes for each tensor."""
OLD_PICKLES = 5
"""The older format is that many pickles, and then numbers."""
PICKLED = re.compile(
    r"collections (OrderedDict|Counter)|torch ((?!Untyped)\w+Storage|device|\w*int\d+)"
    r"|torch \w*float\w*"
    r"|torch\._utils _rebuild_(tensor|tensor_v2|parameter|sparse_tensor)"
    r"|torch\.nn\.parameter Parameter|torch\.serialization _get_layout",
    re.ASCII,
)
"""What a checkpoint may name. Of what else PyTorch allows, bytearray(10**10) takes 10 GB."""

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
    is_zip = zipfile.is_zipfile(path)
    if is_zip:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > size:
                raise ValueError(f"it unpacks to {unpacked} bytes; PyTorch compresses nothing")
            for member in archive.infolist():
                if member.filename.endswith(".pkl"):
                    with archive.open(member) as file:
                        _check_pickles(file, 1)
    else:
        with path.open("rb") as file:
            _check_pickles(file, OLD_PICKLES)
    content = torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    yield from _nested("", content, MOST_DEPTH, {})


def _check_pickles(file: IO[bytes], number: int) -> None:
    """Raise ValueError for pickles that are long or name other things than tensors.

    PyTorch's reader takes no name from anything but GLOBAL.
    """
    for _ in range(number):
        for code, argument, place in pickletools.genops(file):
            if place is not None and place > PICKLE_BYTES:
                raise ValueError(f"more than {PICKLE_BYTES} bytes of names and shapes")
            if code.name == "GLOBAL" and not PICKLED.fullmatch(str(argument)):
                raise ValueError(f"it names {quoted(argument)}, which is no part of a tensor")


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
