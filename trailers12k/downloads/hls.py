"""HLS playlists: whether a stream is live, and its parts between discontinuities.

Reads and writes nothing. Must not know how segments are downloaded.
"""

import re

from trailers12k.common.errors import Failure

VOD = re.compile(r"^#EXT-X-PLAYLIST-TYPE:\s*VOD\b", re.MULTILINE)
LONGEST_LINE = 100_000
"""Characters: of an address, or of a key or header that the line contains."""
MOST_SEGMENTS = 100_000
"""A film of 10 hours in segments of a second has 36,000."""
MOST_PARTS = 1000
"""Each part is a file; a film with advertisements has some dozens."""
END = re.compile(r"^#EXT-X-ENDLIST\b", re.MULTILINE)


def is_live(playlist: str) -> bool:
    """Whether a media playlist may grow: it has no end, and is not declared complete."""
    return not END.search(playlist) and not VOD.search(playlist)


def parts(playlist: str) -> list[str]:
    """A media playlist as playlists of one clock each; in the order of the stream.

    A part ends where EXT-X-DISCONTINUITY says so, and where another header (EXT-X-MAP) follows.
    What holds for later segments too (the header, the key, the place in a file) is repeated.
    Raises `Failure` for an endless playlist.
    """
    split = _Splitter()
    for line in playlist.splitlines():
        if len(line) > LONGEST_LINE:
            raise Failure("too_large", "a playlist with endless lines")
        split.add(line.strip())
    return ["\n".join(["#EXTM3U", *lines, "#EXT-X-ENDLIST", ""]) for lines in split.parts]


class _Splitter:
    """The parts so far, and what holds at this line of the playlist."""

    def __init__(self) -> None:
        self.parts: list[list[str]] = []
        self._begins = True
        self._segments = 0
        self._sequence = 0
        self._header = ""
        self._header_key = ""
        self._key = ""
        self._written_key = ""
        self._range_end = 0
        self._before: list[str] = []

    def add(self, line: str) -> None:
        """Read a line."""
        tag, _, value = line.partition(":")
        if line and not line.startswith("#"):
            self._add_segment(line)
        elif tag == "#EXT-X-DISCONTINUITY":
            self._begins = True
        elif tag == "#EXT-X-MEDIA-SEQUENCE":
            self._sequence = int(value)
        elif tag == "#EXT-X-MAP":
            self._begins = self._begins or line != self._header
            # The key of the segments is the header's, too, if it is before the header.
            self._header, self._header_key = line, self._key
        elif tag == "#EXT-X-KEY":
            self._key = line
        elif tag == "#EXT-X-BYTERANGE":
            size, _, start = value.partition("@")
            begin = int(start) if start else self._range_end
            self._range_end = begin + int(size)
            self._before.append(f"{tag}:{int(size)}@{begin}")
        elif line not in ("", "#EXTM3U", "#EXT-X-ENDLIST"):
            self._before.append(line)

    def _add_segment(self, address: str) -> None:
        self._segments += 1
        if self._segments > MOST_SEGMENTS or len(self.parts) > MOST_PARTS:
            raise Failure("too_large", f"more than {MOST_SEGMENTS} segments or {MOST_PARTS} parts")
        if self._begins:
            self.parts.append([])
            self._begins, self._written_key = False, ""
            if self._header:
                self._add_key(self._header_key)
                self.parts[-1].append(self._header)
        key = self._key
        if "METHOD=AES-128" in key and "IV=" not in key:
            # By default it is the segment's number, which a part would count anew.
            key += f",IV=0x{self._sequence:032x}"
        self._add_key(key)
        self.parts[-1] += [*self._before, address]
        self._before = []
        self._sequence += 1

    def _add_key(self, key: str) -> None:
        if key != self._written_key:
            self.parts[-1].append(key)
            self._written_key = key
