"""Removes the paths of this machine from what is published, down to the names of the files.

Reads and writes nothing. Must not know where the texts come from.
"""

import re
from collections.abc import Mapping
from typing import Any

PATH = re.compile(
    r"(?<![\w.:/~\\-])(?:file:/*|(?:~[\w.-]*|\.{1,2})?/)(?:[^\s/'\"<>|;,]+/)*([^\s/'\"<>|;,]+)/?"
)
"""A path that is absolute, starts in a home or in a folder `.` or `..`, within a longer text."""
WHOLE = re.compile(r"(?:file:|~[\w.-]*/|\.{1,2}/|/|[A-Za-z]:\\)[^\r\n]*")
"""A text that is such a path and nothing else; its names may have spaces."""
PRIVATE_KEYS = ("cookies",)
"""Keys whose values are not published, whatever they hold."""


def without_paths(value: Any) -> Any:
    """A value of JSON in which the file's name replaces each path of this machine.

    Addresses with a host, and names such as `timm/resnet50`, stay. The values of `PRIVATE_KEYS`
    become None.
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
    return PATH.sub(lambda found: found[1], text)
