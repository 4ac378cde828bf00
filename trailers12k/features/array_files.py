"""The files of one zarr array (format 2), read without trust: of any writer, with bounded memory.

Reads .zarray and chunks. Must not know stores, movies or videos. zarr itself reads a short chunk
past its end, takes a missing one for zeros, and runs any codec that a file names.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np

MAX_BYTES = 1 << 28
"""Most bytes of an array, and of one of its chunks: 16,000 clips of 2048 float64 features."""
MAX_CHUNKS = 10_000
SPARE_BYTES = 1 << 16
"""Bytes by which a compressed chunk may exceed an uncompressed one."""
COMPRESSORS = frozenset({"blosc", "bz2", "gzip", "lz4", "lzma", "zlib", "zstd"})
FILTERS = frozenset(
    {"adler32", "astype", "bitround", "crc32", "crc32c", "delta", "fixedscaleoffset"}
    | {"fletcher32", "quantize", "shuffle"}
)
"""The codecs that an array may name. Others, like pickle, run code of the file's writer."""
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
        raw = json.loads(text)
        zarr_format, shape, chunks = raw.get("zarr_format", 2), raw["shape"], raw["chunks"]
        codecs = raw.get("compressor"), *(raw.get("filters") or ())
        names = [None if codec is None else str(codec["id"]) for codec in codecs]
        dtype, order = np.dtype(raw["dtype"]), raw.get("order", "C")
    except Exception as error:  # any JSON, and any text as a type
        raise ValueError(f".zarray cannot be read: {type(error).__name__} {error}") from error
    if zarr_format != 2:
        raise ValueError(f"zarr format {zarr_format!r}, not 2")
    if dtype.kind != "f" or dtype.itemsize > 8:
        raise ValueError(f"values of type {raw['dtype']!r}, not floats of 16, 32 or 64 bits")
    sizes = [*shape, *chunks] if isinstance(shape, list) and isinstance(chunks, list) else []
    is_shape = len(sizes) in (2, 4) and len(shape) == len(chunks)
    if not is_shape or any(type(size) is not int or size < 1 for size in sizes):
        raise ValueError(f"shape {shape!r} in chunks {chunks!r}, not (rows, features)")
    if max(math.prod(shape), math.prod(chunks)) * dtype.itemsize > MAX_BYTES:
        raise ValueError(f"shape {shape} in chunks {chunks}, far more than a trailer's features")
    if names[0] not in (None, *COMPRESSORS) or not FILTERS.issuperset(names[1:]):
        raise ValueError(f"compressed by {names}, of which not all are allowed")
    if order not in ("C", "F"):
        raise ValueError(f"order {order!r}")
    separator = raw.get("dimension_separator", ".")
    if separator not in (".", "/"):
        raise ValueError(f"dimension_separator {separator!r}")
    meta = Metadata(
        tuple(shape), tuple(chunks), dtype, codecs[0], tuple(codecs[1:]), order, separator
    )
    if math.prod(meta.grid) > MAX_CHUNKS:
        raise ValueError(f"shape {shape} in chunks {chunks}, which are too many")
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
            raise ValueError(f"cannot be read: chunk {name}: {error}") from error
        end = np.add(start, meta.chunks).tolist()
        part = values[tuple(map(slice, start, end))]
        part[...] = chunk[tuple(map(slice, part.shape))]
    return values


def read_metadata(folder: Path) -> Metadata:
    """The metadata of the array in a folder. Raises ValueError as `parse`, and without .zarray."""
    try:
        return parse((folder / ".zarray").read_bytes())
    except FileNotFoundError:
        raise ValueError("no .zarray") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error


def _read_chunk(path: Path, meta: Metadata) -> np.ndarray:
    """One chunk, (chunks). Raises an error of any type for a damaged one."""
    expected = math.prod(meta.chunks) * meta.dtype.itemsize
    if (size := path.stat().st_size) > expected + SPARE_BYTES:
        raise ValueError(f"{size} bytes for {expected}")
    data: Any = path.read_bytes()
    if meta.compressor:
        if meta.compressor["id"] == "blosc":
            _check_blosc(data)
        data = numcodecs.get_codec(dict(meta.compressor)).decode(data)
    for codec in reversed(meta.filters):
        data = numcodecs.get_codec(dict(codec)).decode(data)
    flat = np.asarray(data).reshape(-1).view(np.uint8)
    if flat.nbytes != expected:
        raise ValueError(f"{flat.nbytes} bytes of values, not {expected}")
    return flat.view(meta.dtype).reshape(meta.chunks, order=meta.order)  # type: ignore[call-overload]


def _check_blosc(data: bytes) -> None:
    """Compare a chunk with the size in its header, past which blosc's decoder would read."""
    if len(data) < 16 or (stated := int.from_bytes(data[12:16], "little")) != len(data):
        of = f", and its header says {stated}" if len(data) >= 16 else ""
        raise ValueError(f"{len(data)} bytes{of}")
