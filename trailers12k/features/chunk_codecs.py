"""Decodes a chunk of an array into at most a stated number of bytes.

Reads and writes nothing. Must not know arrays or stores. The libraries themselves take whatever
size the header of a chunk claims, or grow until the chunk ends.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numcodecs
import numpy as np

COMPRESSORS = frozenset({"blosc", "bz2", "gzip", "lz4", "lzma", "zlib", "zstd"})
FILTERS = frozenset(
    {"adler32", "astype", "bitround", "crc32", "crc32c", "delta", "fixedscaleoffset"}
    | {"fletcher32", "quantize", "shuffle"}
)
"""The codecs that an array may name. Others, like pickle, run code of the file's writer."""
MOST_FILTERS = 4
TYPES = ("dtype", "astype", "encode_dtype", "decode_dtype")
"""Options of filters that name a type of numbers."""

LZMA_MEMORY = 1 << 27
"""Bytes for a dictionary; that of the highest preset has half of it."""
LZMA_FORMATS = (lzma.FORMAT_AUTO, lzma.FORMAT_XZ, lzma.FORMAT_ALONE)
"""Without a header, the array's metadata would choose the size of the dictionary."""

ZSTD, ZSTD_BLOCK = b"\x28\xb5\x2f\xfd", 1 << 17
ZSTD_DICTIONARY_BYTES = (0, 1, 2, 4)


def check_filter(config: Mapping[str, Any]) -> None:
    """Raise ValueError for a filter that turns a number into more than eight bytes."""
    for name in TYPES:
        if name not in config:
            continue
        dtype = np.dtype(config[name])
        if dtype.kind not in "biuf" or dtype.itemsize > 8:
            raise ValueError(f"its filter {config['id']} has the type {str(dtype)[:50]}")


def decompressed(config: Mapping[str, Any], data: bytes, most: int) -> Any:
    """The content of a compressed chunk, as a buffer of at most `most` bytes.

    config: the compressor in .zarray. Raises an error of any type for a damaged chunk.
    """
    name = config["id"]
    if name in STREAMS:
        return _unpacked(STREAMS[name], data, most)
    if name == "lzma":
        form = config.get("format", lzma.FORMAT_XZ)
        if form not in LZMA_FORMATS:
            raise ValueError("lzma data without a header")
        new = partial(lzma.LZMADecompressor, form, memlimit=LZMA_MEMORY)
        return _unpacked(new, data, most)
    if (size := SIZES[name](data)) > most:
        raise ValueError(f"it claims {size} bytes")
    return numcodecs.get_codec(dict(config)).decode(data)


def unfiltered(config: Mapping[str, Any], data: Any, most: int) -> Any:
    """A buffer before a filter was applied, of at most `most` bytes. Raises as `decompressed`."""
    values = numcodecs.get_codec(dict(config)).decode(data)
    if (size := memoryview(values).nbytes) > most:
        raise ValueError(f"its filter {config['id']} makes {size} bytes of it")
    return values


def _unpacked(new: Callable[[], Any], data: bytes, most: int) -> bytes:
    """The content of one stream after the other. new: makes the decompressor of one."""
    parts, left = [], most + 1
    while data:
        decompressor = new()
        parts.append(decompressor.decompress(data, left))
        left -= len(parts[-1])
        if left <= 0:
            raise ValueError(f"it unpacks to more than {most} bytes")
        if not decompressor.eof:
            raise ValueError("it ends early")
        data = decompressor.unused_data
    return b"".join(parts)


def _blosc_size(data: bytes) -> int:
    # blosc would read past the end.
    if len(data) < 16 or (stated := int.from_bytes(data[12:16], "little")) != len(data):
        of = f", and its header says {stated}" if len(data) >= 16 else ""
        raise ValueError(f"{len(data)} bytes{of}")
    return int.from_bytes(data[4:8], "little")


def _lz4_size(data: bytes) -> int:
    return int.from_bytes(data[:4], "little")


def _zstd_size(data: bytes) -> int:
    """The size of a frame's content, or the most that its blocks can hold (RFC 8878, 3.1.1)."""
    if data[:4] != ZSTD or len(data) < 5:
        raise ValueError("it is no zstd frame")
    descriptor = data[4]
    is_single = bool(descriptor & 0x20)
    at = 5 + (not is_single) + ZSTD_DICTIONARY_BYTES[descriptor & 3]
    size_bytes = (1 if is_single else 0, 2, 4, 8)[descriptor >> 6]
    if size_bytes:
        stated = int.from_bytes(data[at : at + size_bytes], "little")
        return stated + 256 if size_bytes == 2 else stated
    most, is_last = 0, False
    while not is_last:
        if at + 3 > len(data):
            raise ValueError("it ends early")
        header = int.from_bytes(data[at : at + 3], "little")
        is_last, kind, size = bool(header & 1), header >> 1 & 3, header >> 3
        # A block holds its bytes, one byte that repeats, or compressed bytes.
        most += size if kind < 2 else ZSTD_BLOCK
        at += 3 + (1 if kind == 1 else size)
    if at + 4 * bool(descriptor & 4) != len(data):
        raise ValueError("data follows its end")
    return most


STREAMS: Mapping[str, Callable[[], Any]] = {
    "zlib": zlib.decompressobj,
    "gzip": partial(zlib.decompressobj, 31),
    "bz2": bz2.BZ2Decompressor,
}
SIZES = {"blosc": _blosc_size, "lz4": _lz4_size, "zstd": _zstd_size}
"""Compressor -> the size of the content that a chunk claims."""
