"""Addresses of trailers and posters that are files of this machine, and paths in tables.

Looks at files, reads and writes none. Must not know what a file contains.
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from trailers12k.common.youtube import is_youtube, video_id

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?=\S)")
"""The scheme of a URL. A title such as `Alien: Romulus.mp4` has none."""
WEB = ("http", "https")
WEB_STARTS = ("https://", "http://")
"""How nearly all addresses begin. Parsing each would slow down a dry run."""
LOCAL_HOSTS = ("", "localhost")

ABSENT = "absent"


@dataclass(frozen=True)
class LocalFile:
    """A file that a table names. where: the table and the line. column: of the table."""

    where: str
    mid: str
    column: str
    path: Path


def scheme_of(address: str) -> str:
    """The scheme of a URL, in lower case; empty for a path."""
    match = SCHEME.match(address)
    return match[1].lower() if match else ""


def local_path(address: str) -> Path | None:
    """The path for the address of a local file, a path or a `file:` URL; None for other URLs.

    A `file:` URL with a host other than this machine is none.
    """
    scheme = scheme_of(address)
    if scheme == "file":
        # Neither a query nor a fragment: `?` and `#` belong to the file's name.
        rest = address[len("file:") :]
        if rest.startswith("//"):
            host, slash, rest = rest[2:].partition("/")
            if host.lower() not in LOCAL_HOSTS:
                return None
            rest = slash + rest
        return Path(unquote(rest))
    return None if scheme or is_youtube(address) else Path(address)


def from_table(address: str, folder: str | Path) -> str:
    """An address in a table, where a relative path starts in the table's folder.

    Returns a path from the working directory for a local file, and other addresses unchanged.
    """
    if not address or address.startswith(WEB_STARTS):
        return address
    if video_id(address) or (path := local_path(address)) is None:
        return address
    joined = os.path.normpath(os.path.join(folder, path))
    if not path.is_absolute():
        # Below the working directory even for a table that was named by an absolute path, since a
        # collection may move.
        below = os.path.relpath(joined)
        joined = joined if below.startswith(os.pardir) else below
    return as_path(joined)


def for_table(address: str, folder: str | Path) -> str:
    """The inverse of `from_table`: an address as a table in `folder` names it."""
    if not address or video_id(address) or (path := local_path(address)) is None:
        return address
    return as_path(str(path) if path.is_absolute() else os.path.relpath(path, folder))


def as_path(path: str) -> str:
    """A path, with `./` before one that could be taken for a URL or the id of a video."""
    is_other = scheme_of(path) or is_youtube(path) or video_id(path)
    return f"./{path}" if is_other else path


def fault_of(path: Path) -> str:
    """Why a path is no file that can be read, in words; empty if it is one."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "does not exist"
    except (OSError, ValueError) as error:
        return f"cannot be read ({getattr(error, 'strerror', None) or error})"
    if stat.S_ISDIR(mode):
        return "is a folder"
    if not stat.S_ISREG(mode):
        return "is a device or a pipe"
    return "" if os.access(path, os.R_OK) else "cannot be read (permission denied)"


def is_same_file(path: str | Path, other: str | Path) -> bool:
    """Whether two paths lead to one existing file, also through links."""
    try:
        return os.path.samefile(path, other)
    except (OSError, ValueError):
        return False


def state_of(path: Path) -> str:
    """What changes with a file's content: its size, time of modification, and access to it."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return ABSENT
    is_readable = "" if os.access(path, os.R_OK) else " unreadable"
    return f"{found.st_size} {found.st_mtime_ns}{is_readable}"
