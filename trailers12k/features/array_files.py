"""The files of one zarr array (format 2), read without trust: of any writer, with bounded memory.

Reads .zarray and chunks. Must not know stores, movies or videos. zarr itself reads a short chunk
past its end, takes a missing one for zeros, and runs any codec that a file names.
"""

import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from trailers12k.common.bounded_files import parse_json, quoted, read_bytes
from trailers12k.features.chunk_codecs import (
    COMPRESSORS,
    FILTERS,
    MOST_FILTERS,
    check_filter,
    decompressed,
    unfiltered,
)

MAX_BYTES = 1 << 27
"""Most bytes of an array, and of one of its chunks: 16,000 clips of 2048 float32 features."""
MAX_FILTERED = MAX_BYTES // 8
"""As `MAX_BYTES`, for an array with filters, which may take eight bytes for each number."""
MAX_CHUNKS = 10_000
MAX_PADDING = 4, 1 << 24
"""Most bytes of all chunks together: this many times those of the array, and this many more."""
MAX_METADATA = 1 << 16
"""Most bytes of .zarray, which usually has 500."""
DEPTH = 10
"""Most levels of its JSON; a filter's options are on the third."""
SPARE_BYTES = 1 << 16
"""Bytes by which a compressed chunk may exceed an uncompressed one."""
CHUNK = re.compile(r"\d+([./]\d+)*", re.ASCII)


@dataclass(frozen=True)
class Metadata:
    """What .zarray says."""

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: np.dtype
    compressor: Mapping[str, Any] | None
    filters: tuple[Mapping[str, Any], ...]
    order: str
    separator: str

    @property
    def is_plain(self) -> bool:
        """Whether the array is (rows, features) float32 in the form that every reader knows."""
        return (
            len(self.shape) == 2
            and self.dtype == np.dtype("<f4")
            and (self.order, self.separator, self.filters) == ("C", ".", ())
        )

    @property
    def bytes(self) -> int:
        """The number of bytes of all values."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def grid(self) -> tuple[int, ...]:
        """The number of chunks in each dimension."""
        return tuple(-(-size // self.chunks[axis]) for axis, size in enumerate(self.shape))

    def chunk_names(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """The file of every chunk, and the place of its first value."""
        for places in product(*map(range, self.grid)):
            start = tuple(np.multiply(places, self.chunks).tolist())
            yield self.separator.join(map(str, places)), start


def parse(text: str | bytes) -> Metadata:
    """The content of a .zarray: one or two dimensions of floats, of 16 to 64 bits.

    Raises ValueError, in words for users, for anything else and for unusual codecs and sizes.
    """
    try:
        raw = parse_json(text, ".zarray", DEPTH, not_finite=True)
        zarr_format, shape, chunks = raw.get("zarr_format", 2), raw["shape"], raw["chunks"]
        codecs = raw.get("compressor"), *(raw.get("filters") or ())
        names = [None if codec is None else str(codec["id"]) for codec in codecs]
        dtype, order = np.dtype(raw["dtype"]), raw.get("order", "C")
        for codec in codecs[1:]:
            check_filter(codec)
    except Exception as error:  # any JSON, and any text as a type
        words = " ".join(f"{type(error).__name__} {error}".split())[:200]
        raise ValueError(f".zarray cannot be read: {words}") from error
    if zarr_format != 2:
        raise ValueError(f"zarr format {quoted(zarr_format)}, not 2")
    if dtype.kind != "f" or dtype.itemsize > 8:
        raise ValueError(f"values of type {quoted(raw['dtype'])}, not floats of 16, 32 or 64 bits")
    sizes = [*shape, *chunks] if isinstance(shape, list) and isinstance(chunks, list) else []
    is_shape = len(sizes) in (2, 4) and len(shape) == len(chunks)
    if not is_shape or any(type(size) is not int or size < 1 for size in sizes):
        raise ValueError(f"shape {quoted(shape)} in chunks {quoted(chunks)}, not (rows, features)")
    stated = f"shape {quoted(shape)} in chunks {quoted(chunks)}"
    most = MAX_FILTERED if len(names) > 1 else MAX_BYTES
    if max(math.prod(shape), math.prod(chunks)) * dtype.itemsize > most:
        raise ValueError(f"{stated}, far more than a trailer's features")
    is_allowed = names[0] in (None, *COMPRESSORS) and FILTERS.issuperset(names[1:])
    if not is_allowed or len(names) > 1 + MOST_FILTERS:
        raise ValueError(f"compressed by {quoted(names)}, of which not all are allowed")
    if order not in ("C", "F"):
        raise ValueError(f"order {quoted(order)}")
    separator = raw.get("dimension_separator", ".")
    if separator not in (".", "/"):
        raise ValueError(f"dimension_separator {quoted(separator)}")
    meta = Metadata(
        tuple(shape), tuple(chunks), dtype, codecs[0], tuple(codecs[1:]), order, separator
    )
    if math.prod(meta.grid) > MAX_CHUNKS:
        raise ValueError(f"{stated}, which are too many")
    padded = math.prod(meta.grid) * math.prod(chunks) * dtype.itemsize
    if padded > MAX_PADDING[0] * meta.bytes + MAX_PADDING[1]:
        raise ValueError(f"{stated}, which are far larger than the array")
    return meta


def read(folder: Path) -> np.ndarray:
    """The values of the array in a folder, in the array's own type.

    Raises ValueError for what `parse` refuses, and for a chunk that is missing, damaged, shorter
    or longer than the array says, or outside its shape.
    """
    meta = read_metadata(folder)
    wanted = dict(meta.chunk_names())
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and CHUNK.fullmatch(name) and name not in wanted:
            raise ValueError(f"its chunk {name} is outside its shape {list(meta.shape)}")
    values = np.empty(meta.shape, meta.dtype)
    for name, start in wanted.items():
        try:
            chunk = _read_chunk(folder / name, meta)
        except FileNotFoundError:
            whole = "its chunk is missing" if len(wanted) == 1 else f"its chunk {name} is missing"
            raise ValueError(whole) from None
        except Exception as error:  # a codec may raise anything
            words = " ".join(str(error).split())[:200] or type(error).__name__
            raise ValueError(f"cannot be read: chunk {name}: {words}") from error
        end = np.add(start, meta.chunks).tolist()
        part = values[tuple(map(slice, start, end))]
        part[...] = chunk[tuple(map(slice, part.shape))]
    return values


def read_metadata(folder: Path) -> Metadata:
    """The metadata of the array in a folder. Raises ValueError as `parse`, and without .zarray."""
    try:
        path = folder / ".zarray"
        if not os.path.lexists(path):
            raise ValueError("no .zarray")
        return parse(read_bytes(path, MAX_METADATA))
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error


def _read_chunk(path: Path, meta: Metadata) -> np.ndarray:
    """One chunk, (chunks). Raises an error of any type for a damaged one."""
    most = _most_bytes(meta)
    if (size := path.stat().st_size) > most:
        raise ValueError(f"{size} bytes for {math.prod(meta.chunks) * meta.dtype.itemsize}")
    return decoded(read_bytes(path, most), meta)


def decoded(data: Any, meta: Metadata) -> np.ndarray:
    """The values of a chunk, (chunks), from its bytes. Raises an error of any type."""
    expected, most = math.prod(meta.chunks) * meta.dtype.itemsize, _most_bytes(meta)
    if meta.compressor:
        data = decompressed(meta.compressor, data, most)
    for codec in reversed(meta.filters):
        data = unfiltered(codec, data, most)
    flat = np.asarray(data).reshape(-1).view(np.uint8)
    if flat.nbytes != expected:
        raise ValueError(f"{flat.nbytes} bytes of values, not {expected}")
    return flat.view(meta.dtype).reshape(meta.chunks, order=meta.order)  # type: ignore[call-overload]


def _most_bytes(meta: Metadata) -> int:
    """Most bytes of a chunk, packed or not. Filters may take eight bytes for each number."""
    numbers = math.prod(meta.chunks)
    return (8 if meta.filters else meta.dtype.itemsize) * numbers + SPARE_BYTES
