"""What manifests of streams (DASH, Smooth Streaming, HLS) claim to contain, before it is listed.

Reads and writes nothing. Must not know how segments are downloaded.

A manifest of a kilobyte can claim a billion segments, and yt-dlp makes a list of them.
"""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element  # nosec B405  # a type; yt-dlp parses

from yt_dlp.utils import int_or_none, parse_duration

from trailers12k.common.errors import Failure

MOST_SEGMENTS = 500_000
"""Of all formats: 10 hours in segments of a second, in 13 formats."""
LONG = 200
"""Characters of a long address: one of twice the length counts as two segments."""
MOST_FORMATS = 2000
"""Of a stream; sites have at most some dozens."""
FORMAT = re.compile(r"#EXT-X-(?:STREAM-INF|MEDIA):")
WIDE = re.compile(r"%[^$]{0,9}\d{4}")
"""In a template of addresses: a number of a thousand digits."""


def check_dash(manifest: Element) -> None:
    """Refuse a DASH manifest that claims too many segments. Raises `Failure`."""
    _check(sum(_dash_segments(manifest)))


def check_smooth(manifest: Element) -> None:
    """Refuse a manifest of Smooth Streaming that claims too many. Raises `Failure`."""
    _check(
        sum(
            max(1, len(stream.findall("QualityLevel")))
            * max(
                sum(max(1, int_or_none(each.get("r")) or 1) for each in stream.findall("c")),
                MOST_SEGMENTS / MOST_FORMATS,
            )
            * _weight(stream.get("Url"))
            for stream in manifest.findall("StreamIndex")
        )
    )


def check_hls(playlist: str) -> None:
    """Refuse an HLS playlist that lists too many formats. Raises `Failure`."""
    if sum(1 for _ in FORMAT.finditer(playlist)) > MOST_FORMATS:
        raise Failure("too_large", f"a playlist of more than {MOST_FORMATS} formats")


def _check(segments: float) -> None:
    if not segments <= MOST_SEGMENTS:
        raise Failure("too_large", f"a manifest of more than {MOST_SEGMENTS} segments")


def _dash_segments(manifest: Element) -> Iterator[float]:
    """The number of segments of each format."""
    whole = parse_duration(manifest.get("mediaPresentationDuration"))
    for period in _children(manifest, "Period"):
        seconds = parse_duration(period.get("duration")) or whole or 0
        common = _Timing(seconds).of(period)
        for adaptation in _children(period, "AdaptationSet"):
            timing = common.of(adaptation)
            for representation in _children(adaptation, "Representation"):
                yield max(timing.of(representation).segments, MOST_SEGMENTS / MOST_FORMATS)


class _Timing:
    """How segments are counted at one level of a DASH manifest; lower levels inherit it."""

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._listed: float | None = None
        self._duration, self._timescale, self._weight = 0.0, 1.0, 1

    def of(self, level: Element) -> "_Timing":
        """The timing of a lower level."""
        timing = _Timing(self._seconds)
        timing.__dict__ |= self.__dict__
        for each in (*_children(level, "SegmentTemplate"), *_children(level, "SegmentList")):
            timing._read(each)
        return timing

    def _read(self, element: Element) -> None:
        media = element.get("media") or ""
        if WIDE.search(media) or WIDE.search(element.get("initialization") or ""):
            raise Failure("too_large", "a manifest with endless addresses")
        self._weight = _weight(media) if media else self._weight
        self._timescale = _number(element.get("timescale")) or self._timescale
        self._duration = _number(element.get("duration")) or self._duration
        runs = [
            run
            for timeline in _children(element, "SegmentTimeline")
            for run in _children(timeline, "S")
        ]
        if runs:
            self._listed = sum(1 + max(0.0, _number(run.get("r"))) for run in runs)

    @property
    def segments(self) -> float:
        """The number of segments, weighted by the length of their addresses."""
        count = self._listed or 0
        if self._listed is None and self._duration > 0:
            count = self._seconds * self._timescale / self._duration
        return count * self._weight


def _children(element: Element, name: str) -> list[Element]:
    return [each for each in element if str(each.tag).rpartition("}")[2] == name]


def _number(text: str | None) -> float:
    """A number; 0 for none, which yt-dlp refuses later."""
    try:
        return float(text or 0)
    except ValueError:
        return 0


def _weight(address: str | None) -> int:
    return 1 + len(address or "") // LONG
