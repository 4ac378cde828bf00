"""The container format of a video file, by its content.

Reads the head of a file. Must not know where the file is from, or what it is called.
"""

import re
from pathlib import Path
from typing import Any

import av

from trailers12k.common.errors import Failure

SUFFIXES = {
    "mov": ".mp4",
    "mpegts": ".ts",
    "mpeg": ".mpg",
    "mpegvideo": ".mpg",
    "asf": ".wmv",
    "ogg": ".ogv",
    "yuv4mpegpipe": ".y4m",
}
"""FFmpeg's first name of a format -> the ending of its files, where it is not the name itself. All
files of the MP4 family (MOV, M4V, 3GP, F4V) are `.mp4`."""

PLAYLISTS = ("concat", "concatf", "dash", "hls", "imf")
"""Formats whose files name other files."""

TEXTS = ("adf", "bin", "idf", "tty", "xbin")
"""Formats of text that FFmpeg shows on a screen of its own. Any text can have such an ending."""

PICTURES = ("apng", "gif", "jpegxl_anim", "webp_anim")
"""Formats of pictures that may also be animated."""
PICTURE_BRANDS = ("avif", "avis", "heic", "heix", "heim", "heis", "hevc", "mif1", "msf1")
"""Brands of pictures and animations in the MP4 family, such as AVIF and HEIC."""

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


def check_format(container: Any) -> None:
    """Raise `Failure` (`not_video`) for an open file that is text or a list of files."""
    if container.format.name in PLAYLISTS:
        raise Failure("not_video", f"a list of other files ({container.format.name})")
    if container.format.name in TEXTS:
        raise Failure("not_video", f"text ({container.format.name})")


def is_picture_format(container: Any) -> bool:
    """Whether an open file is of a format of pictures: with one frame, it is a picture."""
    brand = container.metadata.get("major_brand", "").strip()
    return container.format.name in PICTURES or brand in PICTURE_BRANDS
