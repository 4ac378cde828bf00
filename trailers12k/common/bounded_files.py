"""Reads foreign files and data within bounds: their kind, size, nesting, and quoted length.

Reads the files that its callers name; writes nothing. Must not know what the files contain.
"""

import errno
import io
import json
import math
import os
import re
import stat
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from trailers12k.common.errors import UserError

QUOTED = 120
"""Most characters of foreign text in a message."""

DEPTH = 50
"""Most levels of nesting of a JSON text. Those of all known services have fewer than 10."""

VALUES = 5_000_000
"""Most values of a JSON text, which take at most 80 bytes of memory each beside their text. The
records of 12,000 movies have about 500,000."""

MEMBERS = 200_000
"""Most members of a gzip stream. Programs that compress in parallel write one per 64 kB or more;
empty ones would take hours."""

SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
"""In a text of JSON that may have half a pair of code units."""

SMALL = 1 << 26
"""Most bytes of a small file of our own. Those of 12,000 movies have at most a few million."""

BLOCK = 1 << 16


class DamagedFile(UserError):
    """A file that its format's own checks refuse. why: in words, without the file's name."""

    def __init__(self, where: str, why: str):
        super().__init__(f"{where}: truncated or damaged ({why})")
        self.why = why


class UnreadableFile(UserError):
    """A file that the system does not let this process read. Its content may be sound."""

    def __init__(self, where: str, error: OSError):
        remedy = "; change its permissions" if isinstance(error, PermissionError) else ""
        super().__init__(f"{where} cannot be read ({error.strerror}){remedy}")


def quoted(value: object, most: int = QUOTED) -> str:
    """A foreign text in quotes, or the `repr` of another value: one line of `most` characters."""
    if isinstance(value, int) and value.bit_length() > 4 * most:
        return f"a number of about {int(value.bit_length() * math.log10(2)) + 1} digits"
    if isinstance(value, dict | list | tuple | set | frozenset):
        shown = _quoted_container(value, most)
    else:
        shown = repr(value[: most + 1] if isinstance(value, str | bytes) else value)
    if len(shown) <= most:
        return shown
    end = shown[0] if isinstance(value, str) else ""
    return shown[: most - 1 - len(end)] + "…" + end


def _quoted_container(value: Any, most: int, depth: int = 4) -> str:
    """The start of the `repr` of a container. YAML's aliases can nest one 10^9 times."""
    name = type(value).__name__
    first, last = {"list": ("[", "]"), "tuple": ("(", ")")}.get(name, ("{", "}"))
    shown = first
    for count, item in enumerate(value):
        if count:
            shown += ", "
        if len(shown) > most or not depth:
            return shown + "…"
        for each in (item, value[item]) if isinstance(value, dict) else (item,):
            nested = isinstance(each, dict | list | tuple | set | frozenset)
            text = _quoted_container(each, most, depth - 1) if nested else quoted(each, most)
            shown += text if each is item else f": {text}"
    return shown + ("," if name == "tuple" and len(value) == 1 else "") + last


def shown_key(key: str) -> str:
    """A key of foreign data in one line of at most `QUOTED` characters, of which the start is kept.

    Without quotes, unless it is long or has characters that cannot be printed.
    """
    return key if len(key) <= QUOTED and key.isprintable() else quoted(key)


def shown_path(path: str | Path) -> str:
    """A path in one line of at most `QUOTED` characters, of which the end is kept."""
    text = str(path)
    shown = text if text.isprintable() and text else repr(text)
    return shown if len(shown) <= QUOTED else "…" + shown[1 - QUOTED :]


def kind_fault(mode: int) -> str:
    """Why a file with the mode of a `stat` is none to read, in words; empty if it is one."""
    if stat.S_ISDIR(mode):
        return "is a folder"
    return "" if stat.S_ISREG(mode) else "is a device, a pipe or a socket"


def is_absent(path: str | Path) -> bool:
    """Whether there is nothing of this name. A link that leads to itself is something."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def kind_fault_of(path: str | Path) -> str:
    """Why a path is no file, in words; empty for a file. Opens nothing."""
    try:
        return kind_fault(os.stat(path).st_mode)
    except (OSError, ValueError) as error:
        return f"cannot be read ({getattr(error, 'strerror', None) or error})"


def opened(path: str | Path, most_bytes: int, key: str = "") -> BinaryIO:
    """A file opened for reading bytes. Raises `UserError`, also when more than `most_bytes` come.

    Nothing but a regular file is opened: a pipe would wait for a writer, a device never ends.
    key: of the configuration that holds the bound, for the message.
    """
    where = shown_path(path)
    try:
        # Opening can already act on a device, or wait; and the path may lead elsewhere afterwards.
        if fault := kind_fault(os.stat(path).st_mode):
            raise UserError(f"{where} {fault}; allowed: a file")
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        file = os.fdopen(number, "rb", buffering=0)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{where} does not exist; allowed: a file") from None
    except (OSError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        if isinstance(error, PermissionError):
            raise UnreadableFile(where, error) from None
        words = getattr(error, "strerror", None) or error
        raise UserError(f"{where} cannot be read ({words}); allowed: a file") from None
    found = os.fstat(number)
    if fault := kind_fault(found.st_mode):
        file.close()
        raise UserError(f"{where} {fault}; allowed: a file")
    if found.st_size > most_bytes:
        file.close()
        raise _too_large(where, f"has {_size(found.st_size)}", most_bytes, key)
    return io.BufferedReader(_Bounded(file, where, most_bytes, key), BLOCK)


def read_bytes(path: str | Path, most_bytes: int, key: str = "") -> bytes:
    """The content of a file of at most `most_bytes`; see `opened`. Raises `UserError`."""
    with opened(path, most_bytes, key) as file:
        return file.read()


def read_small(path: str | os.PathLike[str]) -> bytes:
    """The content of a small file of our own, for readers to which any `OSError` means "none".

    Raises OSError, also for a folder, a pipe, a device and more than `SMALL` bytes.
    """
    if fault := kind_fault(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, fault, os.fspath(path))
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        data = file.read(SMALL + 1)
    if len(data) > SMALL:
        raise OSError(errno.EFBIG, f"has more than {_size(SMALL)}", os.fspath(path))
    return data


def unpacked(
    source: bytes | BinaryIO, most_bytes: int, where: str | Path, key: str = ""
) -> BinaryIO:
    """The unpacked content of a gzip stream, as a file. Its reads raise `UserError`.

    Nothing is unpacked before it is read. where: the file's name, for messages. Closes `source`.
    """
    where = shown_path(where)
    file = _Gzip(io.BytesIO(source) if isinstance(source, bytes) else source, where)
    return io.BufferedReader(_Bounded(file, where, most_bytes, key, "unpacks to"), BLOCK)


class _Bounded(io.RawIOBase):
    """A raw file whose reads raise `UserError` beyond a number of bytes."""

    def __init__(self, file: io.RawIOBase, where: str, most: int, key: str, verb: str = "has"):
        self._file, self._where, self._most, self._key, self._verb = file, where, most, key, verb
        self._count = 0
        self.name = where

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            number = self._file.readinto(buffer) or 0
        except OSError as error:
            raise UnreadableFile(self._where, error) from None
        self._count += number
        if self._count > self._most:
            what = f"{self._verb} more than {_size(self._most)}"
            raise _too_large(self._where, what, self._most, self._key)
        return number

    def close(self) -> None:
        self._file.close()
        super().close()


class _Gzip(io.RawIOBase):
    """The unpacked bytes of a gzip stream of one or more members."""

    def __init__(self, file: BinaryIO, where: str):
        self._file, self._where = file, where
        self._packed = b""
        self._members = 0
        self._member = self._begin()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            self._packed = self._packed or self._file.read(BLOCK)
            is_last = not self._packed
            if self._member.eof:
                # Programs that write to tapes pad with zeros.
                self._packed = self._packed.lstrip(b"\0")
                if self._packed:
                    self._member = self._begin()
                elif is_last:
                    return 0
                else:
                    continue
            data = self._unpack(len(buffer))
            if data:
                buffer[: len(data)] = data
                return len(data)
            if is_last and not self._member.eof:
                raise DamagedFile(self._where, "the gzip stream has no end")

    def _begin(self) -> Any:
        self._members += 1
        if self._members > MEMBERS:
            raise UserError(
                f"{self._where} is a gzip stream of more than {MEMBERS:,} members; allowed: fewer; "
                "compress it again"
            )
        return zlib.decompressobj(wbits=31)

    def _unpack(self, most: int) -> bytes:
        try:
            data: bytes = self._member.decompress(self._packed, most)
        except zlib.error as error:
            why = str(error).rpartition(": ")[2]
            raise DamagedFile(self._where, f"no gzip stream: {why}") from None
        self._packed = self._member.unused_data or self._member.unconsumed_tail
        return data

    def close(self) -> None:
        self._file.close()
        super().close()


def _too_large(where: str, what: str, most_bytes: int, key: str) -> UserError:
    more = f" ({key} in the configuration)" if key else ""
    return UserError(f"{where} {what}; allowed: at most {_size(most_bytes)}{more}")


def _size(number: int) -> str:
    """A number of bytes in words, such as "64 MB"."""
    return f"{number:,} bytes" if number < 10**5 else f"{number / 1e6:,.4g} MB"


def parse_json(
    data: bytes | str,
    where: str | Path,
    most_depth: int = DEPTH,
    most_values: int = VALUES,
    not_finite: bool = False,
) -> Any:
    """The value of a JSON text in UTF-8; of a key that is there twice, the last value.

    Half a pair of code units, which no file in UTF-8 can hold, becomes a replacement character.

    Refuses more than `most_depth` levels and more than about `most_values` values, which take many
    times the memory of their text, and, unless `not_finite`, NaN and infinity.
    Raises `UserError`, which begins with `where`.
    """
    where = shown_path(where)
    commas = (",", "[", "{") if isinstance(data, str) else (b",", b"[", b"{")
    if sum(map(data.count, commas)) > most_values:  # type: ignore[arg-type]
        raise UserError(f"{where} has too many values; allowed: at most {most_values:,}")
    try:
        # Python's own detection of UTF-16 and UTF-32 accepts what no other reader does.
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        value = json.loads(
            text,
            parse_float=float if not_finite else _finite,
            parse_constant=None if not_finite else _refused,
        )
        is_deep = _is_deeper(value, most_depth)
        if not is_deep and SURROGATE.search(text):
            value = _whole_characters(value)
    except RecursionError:
        is_deep = True
    except UnicodeDecodeError as error:
        raise UserError(f"{where} is not JSON: byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise UserError(f"{where}, {place}: not JSON ({error.msg})") from None
    except ValueError as error:
        raise UserError(f"{where} is not JSON: {str(error)[:QUOTED]}") from None
    if is_deep:
        raise UserError(f"{where} is nested too deeply; allowed: at most {most_depth} levels")
    return value


def _whole_characters(value: Any) -> Any:
    """A value of JSON whose texts have a replacement character for each half of a pair."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole_characters(each) for each in value]
    if isinstance(value, dict):
        return {_whole_characters(name): _whole_characters(each) for name, each in value.items()}
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{quoted(text)} is too large")
    return number


def _refused(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _is_deeper(value: object, most: int) -> bool:
    """Whether containers of JSON are nested in more than `most` levels."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(most):
        inner = (each.values() if isinstance(each, dict) else each for each in level)
        level = [each for many in inner for each in many if isinstance(each, dict | list)]
        if not level:
            return False
    return bool(level)
