"""Removes the paths of this machine from what is published, down to the names of the files.

Reads and writes nothing. Must not know where the texts come from.
"""

import re
from collections.abc import Mapping
from typing import Any

from trailers12k.publish.addresses import cleaned

ADDRESS = re.compile(
    r"(?<![\w+.-])(?!file:)[A-Za-z][\w+.-]+://[^\s<>\"'`|]*[^\s<>\"'`|.,;:!?)\]}]", re.IGNORECASE
)
"""An address within a text, without the full stop or bracket after it."""
ROOT = (
    r"(?:(?<![\w./\\~])|(?<=-[A-Za-z]))(?:file:/*|~[\w.-]*)?"
    r"/+(?:home|Users|root|tmp|mnt|media|scratch|var|opt|srv|Volumes|nas|export|gpfs|lustre)/+"
)
"""Folders at the root of a machine where people keep files, also behind an option's letter."""
SHARE = r"(?<!\\)\\\\(?:\\\\)?(?=[\w.$-]+\\)"
"""In JSON, each backslash is two."""
LOCAL = re.compile(
    rf"(?:{ROOT}|file:/+|(?<![\w./\\~])~/+|{SHARE}"
    r"|[A-Za-z]:[/\\]+(?:Users|home|Documents and Settings)[/\\]+"
    r"|%(?:HOME|HOMEPATH|USERPROFILE|\w*APPDATA|TE?MP)%[/\\]+"
    r"|\$(?:env:)?\{?(?:HOME|USERPROFILE|TMPDIR|SCRATCH|WORK)\}?[/\\]+)[^\s<>\"'|]+"
)
"""What is surely a path of somebody's machine. All of these are removed."""
NAME = r"[^\s/\\'\"<>|;,]+"
PATH = re.compile(
    rf"(?:{ROOT}|{SHARE}"
    r"|[A-Za-z]:\\+|(?<![A-Za-z])[A-Za-z]:/(?!/)"
    r"|%[A-Za-z]\w*%[/\\]+|\$(?:env:)?\{?[A-Za-z_]\w*\}?[/\\]+"
    r"|(?<![\w./~\\<-])(?:file:/*|(?:~[\w.-]*|\.{1,2})?/))"
    # Names of folders may have spaces, as far as a separator follows.
    rf"(?:{NAME}(?: {NAME}){{0,3}}[/\\]+)*(?P<name>{NAME})[/\\]*"
)
"""A path that is absolute, starts in a home, in a folder `.` or `..`, on a drive or share, or
with a variable, within a longer text."""
WHOLE = re.compile(
    r"(?:file:|~[\w.-]*/|\.{1,2}/|/|[A-Za-z]:[/\\]|\\\\|%\w+%[/\\]|\$\{?\w+\}?[/\\])[^\r\n]*"
)
"""A text that is such a path and nothing else; its names may have spaces."""
PRIVATE_KEYS = ("cookies",)
"""Keys whose values are not published, whatever they hold."""


def without_paths(value: Any) -> Any:
    """A value of JSON in which the file's name replaces each path of this machine.

    Addresses with a host, and names such as `timm/resnet50`, stay, but without passwords and
    tokens. The values of `PRIVATE_KEYS` become None.
    """
    if isinstance(value, str):
        return _without_paths(value)
    if isinstance(value, Mapping):
        return {
            _without_paths(str(key)): None if key in PRIVATE_KEYS else without_paths(each)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [without_paths(each) for each in value]
    return value


def file_name(path: str) -> str:
    """The name of a file, of a path with any separator."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]


def _without_paths(text: str) -> str:
    if WHOLE.fullmatch(text):
        return file_name(text.removeprefix("file:"))
    clean, end = [], 0
    for found in ADDRESS.finditer(text):
        clean += [_names(text[end : found.start()]), cleaned(found[0])]
        end = found.end()
    return "".join([*clean, _names(text[end:])])


def _names(text: str) -> str:
    return PATH.sub(lambda found: found["name"], text)
