"""The container format of a video file, by its content.

Reads the head of a file. Must not know where the file is from, or what it is called.
"""

import re
from pathlib import Path

import av

SUFFIXES = {
    "mov": ".mp4",
    "mpegts": ".ts",
    "mpeg": ".mpg",
    "mpegvideo": ".mpg",
    "asf": ".wmv",
    "ogg": ".ogv",
}
"""FFmpeg's first name of a format -> the ending of its files, where it is not the name itself. All
files of the MP4 family (MOV, M4V, 3GP, F4V) are `.mp4`."""

HEAD = 64
"""Bytes in which a Matroska file states whether it is WebM."""


def suffix_of(path: str | Path) -> str:
    """The ending for a video that `probe` accepts: `.mp4`, `.webm`, `.mkv`, `.ts`, `.avi`, ..."""
    with av.open(str(path), metadata_errors="replace") as container:
        name = container.format.name.split(",")[0]
    if name == "matroska":
        with Path(path).open("rb") as file:
            return ".webm" if b"webm" in file.read(HEAD) else ".mkv"
    return SUFFIXES.get(name, f".{name}" if re.fullmatch("[a-z0-9]{1,12}", name) else ".video")
