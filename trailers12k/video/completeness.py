"""How many bytes a video file lacks, by the sizes that its container states.

Reads the headers of a file, not its packets. Must not know what the streams are.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

log = logging.getLogger(__name__)

UNFINISHED = (0, 0xFFFFFFFF)
"""Sizes in AVI files whose recording was not finished."""

ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
INDEX = "moov"
"""The box of an MP4 file that lists the tracks."""

MOVI, DATA_OBJECT = "movi", "data object"
"""The parts of AVI and ASF files that hold all packets."""

MP4_BOXES = (b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"wide", b"free", b"skip", b"uuid")
"""Boxes with which files begin."""

EBML, SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"

FLV_TAGS = (8, 9, 18)
"""Sound, picture, data."""

SYNC = 0x47
"""The first byte of a packet of a transport stream; Blu-rays put four bytes before it."""

MOST_READS = 5_000_000
"""More take more than some seconds: no video has as many parts, but a hostile file may."""

OGG_PAGE = 65_307
"""Bytes of the longest page."""


class Missing(NamedTuple):
    """What a file lacks.

    bytes: their number. part: which part of the file is incomplete.
    media: whether this part holds nothing but packets; if not, these may all be present.
    """

    bytes: int
    part: str
    media: bool = True


def missing(path: Path) -> Missing | None:
    """What a file lacks at its end; None if nothing, or if the container does not state sizes."""
    lack = _stated(path)
    return lack if lack and lack.bytes > 0 else None


def has_all_packets(path: Path) -> bool:
    """Whether an AVI or ASF file states the size of all its packets, and has these bytes."""
    lack = _stated(path)
    return lack is not None and lack.bytes <= 0 and lack.part in (MOVI, DATA_OBJECT)


def _stated(path: Path) -> Missing | None:
    """What a file lacks, by a number of bytes that is not positive if it lacks nothing."""
    with path.open("rb") as file:
        data = _Bytes(file)
        try:
            for is_format, check in CHECKS:
                if is_format(data):
                    return check(data)
        except _TooManyParts:
            log.info("%s has more than %d parts; their sizes are not checked", path, MOST_READS)
    return None


class _TooManyParts(Exception):
    pass


class _Bytes:
    """The bytes of a file, read where they are used; those beyond its end are absent."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        self._reads = 0

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        first = part.start or 0
        self._reads += 1
        if self._reads > MOST_READS:
            raise _TooManyParts
        if first >= self._size:
            return b""
        self._file.seek(first)
        return self._file.read(part.stop - first)

    def number(self, at: int, size: int, order: Literal["big", "little"] = "big") -> int:
        """An unsigned number; 0 beyond the end."""
        return int.from_bytes(self[at : at + size], order)


def _mp4(data: _Bytes) -> Missing | None:
    at = 0
    while at + 8 <= len(data):
        size, kind = data.number(at, 4), data[at + 4 : at + 8]
        if size == 1:
            size = data.number(at + 8, 8)
        if size < 8:  # 0: up to the end of the file
            return None
        if at + size > len(data) and kind in (b"mdat", b"moof", b"moov"):
            return Missing(at + size - len(data), kind.decode())
        at += size
    return None


def _matroska(data: _Bytes) -> Missing | None:
    at = 0
    while at < len(data):
        name = 9 - data.number(at, 1).bit_length()
        length = 9 - data.number(at + name, 1).bit_length()
        if name > 4 or length > 8:
            return None
        unknown = (1 << 7 * length) - 1
        size = data.number(at + name, length) & unknown
        is_segment = data[at : at + name] == SEGMENT
        at += name + length
        if size != unknown:  # in a live recording the parts follow one by one
            at += size
            if is_segment:
                break
    return Missing(at - len(data), "segment", media=False)


def _avi(data: _Bytes) -> Missing | None:
    at, lack = 0, None
    while data[at : at + 4] == b"RIFF":
        riff = at + 8 + data.number(at + 4, 4, "little")
        at += 12
        while at + 8 <= min(riff, len(data)):
            size = data.number(at + 4, 4, "little")
            if data[at + 8 : at + 12] == b"movi":
                if size in UNFINISHED:
                    return None
                lack = Missing(at + 8 + size - len(data), MOVI)
                if lack.bytes > 0:
                    return lack
            at += 8 + size + size % 2
        at = riff
    return lack


def _asf(data: _Bytes) -> Missing | None:
    at = data.number(16, 8, "little")
    size = data.number(at + 16, 8, "little") if data[at : at + 16] == ASF_DATA else 0
    return Missing(at + size - len(data), DATA_OBJECT) if size else None


def _flv(data: _Bytes) -> Missing | None:
    at = data.number(5, 4) + 4
    while at + 11 <= len(data):
        if data.number(at, 1) & 0x1F not in FLV_TAGS:
            return None
        at += 11 + data.number(at + 1, 3) + 4
    # Some programs leave out the four bytes that follow the last tag.
    return Missing(at - 4 - len(data), "last tag", media=False)


def _ogg(data: _Bytes) -> Missing | None:
    start = max(0, len(data) - OGG_PAGE)
    at = start + data[start : len(data)].rfind(b"OggS")
    table = data[at + 27 : at + 27 + data.number(at + 26, 1)]
    return Missing(at + 27 + len(table) + sum(table) - len(data), "last page")


def _mpeg_ps(data: _Bytes) -> Missing | None:
    at = 0
    while data[at : at + 3] == b"\0\0\1" and at + 14 <= len(data):
        kind = data.number(at + 3, 1)
        if kind == 0xB9:  # the end
            return None
        if kind == 0xBA:
            at += 14 + (data.number(at + 13, 1) & 7) if data.number(at + 4, 1) & 0x40 else 12
        else:
            at += 6 + data.number(at + 4, 2)
    return Missing(at - len(data), "last packet")


def _transport_stream(data: _Bytes) -> Missing | None:
    size = 188 if _repeats(data, 0, 188) else 192
    rest = len(data) % size
    if rest and data.number(len(data) - rest + size - 188, 1) == SYNC:
        return Missing(size - rest, "last packet")
    return None


def _repeats(data: _Bytes, first: int, size: int) -> bool:
    return all(data.number(first + n * size, 1) == SYNC for n in range(3))


CHECKS: tuple[tuple[Callable[[_Bytes], bool], Callable[[_Bytes], Missing | None]], ...] = (
    (lambda data: data[4:8] in MP4_BOXES, _mp4),
    (lambda data: data[:4] == EBML, _matroska),
    (lambda data: data[:4] == b"RIFF" and data[8:12] == b"AVI ", _avi),
    (lambda data: data[:16] == ASF_HEADER, _asf),
    (lambda data: data[:3] == b"FLV", _flv),
    (lambda data: data[:4] == b"OggS", _ogg),
    (lambda data: data[:4] == b"\0\0\1\xba", _mpeg_ps),
    (lambda data: _repeats(data, 0, 188) or _repeats(data, 4, 192), _transport_stream),
)
