"""Joins the parts of a stream, each with its own clock, into one file with one clock.

Reads and writes video files; nothing is encoded again. Must not know where the parts are from.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.bitstream import BitStreamFilterContext
from av.error import FFmpegError

from trailers12k.common.errors import Failure
from trailers12k.video.reader import video_stream
from trailers12k.video.timing import DISCONTINUOUS

BACK, FORWARD = 0.5, 10.0
"""Seconds by which the clock of a stream may go back or, in broadcast formats, forward from one
packet to the next; beyond, it is another clock. 10 s is FFmpeg's own threshold."""

ANNEX_B = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}
"""Codec -> the filter that writes its parameters into the stream, where they may change."""
TRANSPORTED = (*ANNEX_B, "mpeg1video", "mpeg2video", "mpeg4")
"""Video codecs of MPEG-TS, which carries their parameters in the stream."""
TRANSPORTED_SOUND = ("aac", "mp2", "mp3", "ac3", "eac3", "opus")

TICK = Fraction(1, 90_000)
"""Seconds between two times of MPEG-TS."""

UNREADABLE = (FFmpegError, ValueError)


@dataclass(frozen=True)
class _Clock:
    """A stretch of one clock. number: of its first video packet in the part. start, end: seconds
    from the first frame to the end of the last."""

    number: int
    start: float
    end: float


def jumps(path: Path) -> bool:
    """Whether the clock of a file jumps, which one part of a stream may do without a sign.

    False for a file that cannot be read: its check says why.
    """
    try:
        return len(_clocks(path)) > 1
    except (*UNREADABLE, Failure):
        return False


def join(parts: Sequence[Path], target: Path) -> None:
    """Write the picture and the first sound track of all parts after one another to `target`.

    MPEG-TS where it can hold the codecs, else Matroska. Raises `Failure`: `not_video`, or
    `discontinuity` where the parts differ in what a file has once.
    """
    try:
        clocks = [_clocks(part) for part in parts]
        first = _first_parts(parts)
        can = all(name in TRANSPORTED + TRANSPORTED_SOUND for _, name in first.values())
        form = "mpegts" if can else "matroska"
        with av.open(
            str(target), "w", format=form, container_options={"fflags": "+bitexact"}
        ) as output:
            joined = _Joined(output, form, {kind: part for kind, (part, _) in first.items()})
            for part, of_part in zip(parts, clocks, strict=True):
                joined.add(part, of_part)
    except UNREADABLE as error:
        text = getattr(error, "strerror", None) or str(error)
        raise Failure("discontinuity", f"{len(parts)} parts cannot be joined: {text}") from error


def _first_parts(parts: Sequence[Path]) -> dict[str, tuple[Path, str]]:
    """Kind of stream -> the first part that has it, and its codec. Raises `Failure`."""
    found: dict[str, tuple[Path, str]] = {}
    for part in parts:
        with av.open(str(part), metadata_errors="replace") as container:
            for kind, stream in _streams(container).items():
                found.setdefault(kind, (part, _codec(stream)[0]))
    return found


def _streams(container: Any) -> dict[str, Any]:
    """The picture and the first sound track of a part. Raises `Failure`."""
    streams = {"video": video_stream(container)}
    sound = next(iter(container.streams.audio), None)
    return streams | ({"audio": sound} if sound and sound.codec_context else {})


def _clocks(path: Path) -> list[_Clock]:
    """The clocks of a part's picture. Raises `Failure`."""
    clocks: list[list[float]] = []
    number, latest = 0, None
    with av.open(str(path), metadata_errors="replace") as container:
        stream = video_stream(container)
        base = float(stream.time_base)
        rate = stream.average_rate or stream.guessed_rate
        usual = float(1 / rate) if rate else 0.0
        for packet in container.demux(stream):
            if packet.size == 0 or packet.pts is None:
                number += packet.size > 0
                continue
            dts = (packet.dts if packet.dts is not None else packet.pts) * base
            start = packet.pts * base
            end = start + (packet.duration * base if packet.duration else usual)
            if latest is None or _is_another_clock(container, dts - latest):
                clocks.append([number, start, end])
            else:
                clocks[-1][1] = min(clocks[-1][1], start)
                clocks[-1][2] = max(clocks[-1][2], end)
            latest, number = dts, number + 1
    if not clocks:
        raise Failure("not_video", "a part of the stream has no frames")
    return [_Clock(int(number), start, end) for number, start, end in clocks]


def _is_another_clock(container: Any, step: float) -> bool:
    """step: seconds from one packet of a stream to the next."""
    return step < -BACK or (step > FORWARD and bool(container.format.flags & DISCONTINUOUS))


class _Joined:
    """The file that is written."""

    def __init__(self, output: Any, form: str, first: Mapping[str, Path]):
        """first: kind of stream -> the first part that has it."""
        self._output = output
        self._form = form
        self._latest: dict[str, int] = {}
        self._end = 0.0
        self._streams: dict[str, Any] = {}
        self._codecs: dict[str, tuple[str, bytes]] = {}
        for kind, part in first.items():
            with av.open(str(part), metadata_errors="replace") as container:
                stream = _streams(container)[kind]
                # Opaque: the codec of the stream, not the decoder that reads it here.
                self._streams[kind] = output.add_stream_from_template(stream, opaque=True)
                self._codecs[kind] = _codec(stream)

    def add(self, part: Path, clocks: Sequence[_Clock]) -> None:
        """Append a part."""
        offsets = []
        for clock in clocks:
            offsets.append(self._end - clock.start)
            self._end += clock.end - clock.start
        with av.open(str(part), metadata_errors="replace") as container:
            streams = _streams(container)
            self._check(streams["video"])
            # Other sound than before cannot follow it in one track; the picture can do without.
            if "audio" in streams and _codec(streams["audio"]) != self._codecs["audio"]:
                del streams["audio"]
            for kind, packet, position in _packets(container, streams, clocks):
                self._write(kind, packet, offsets[position])

    def _check(self, stream: Any) -> None:
        """Refuse a picture that the file cannot hold after its first part."""
        name, parameters = _codec(stream)
        first, first_parameters = self._codecs["video"]
        if name != first:
            raise Failure("discontinuity", f"the video changes from {first} to {name}")
        if self._form != "mpegts" and parameters != first_parameters:
            raise Failure("discontinuity", f"the parameters of the video ({name}) change")

    def _write(self, kind: str, packet: Any, offset: float) -> None:
        pts = packet.pts if packet.pts is not None else packet.dts
        dts = packet.dts if packet.dts is not None else packet.pts
        if pts is None:
            return
        # Parts may count in different units.
        pts, dts = (round((at * float(packet.time_base) + offset) / TICK) for at in (pts, dts))
        latest = self._latest.get(kind)
        if latest is not None and dts <= latest:
            if kind == "audio":
                # The sound of one part overlaps the next one's.
                return
            dts = latest + 1
        self._latest[kind] = dts
        packet.duration = round(packet.duration * float(packet.time_base) / TICK)
        packet.time_base = TICK
        packet.pts, packet.dts = max(pts, dts), dts
        packet.stream = self._streams[kind]
        self._output.mux(packet)


def _codec(stream: Any) -> tuple[str, bytes]:
    context = stream.codec_context
    return context.codec.canonical_name, bytes(context.extradata or b"")


def _packets(
    container: Any, inputs: dict[str, Any], clocks: Sequence[_Clock]
) -> Iterator[tuple[str, Any, int]]:
    """The packets of a part: kind of stream, packet, position of its clock."""
    kinds = {stream.index: kind for kind, stream in inputs.items()}
    filters: dict[str, Any] = {}
    video = inputs["video"]
    name, parameters = _codec(video)
    if parameters[:1] == b"\x01" and name in ANNEX_B:
        filters["video"] = BitStreamFilterContext(ANNEX_B[name], video)
    number = 0
    positions = dict.fromkeys(inputs, 0)
    latest: dict[str, float] = {}
    for packet in container.demux(*inputs.values()):
        kind = kinds[packet.stream.index]
        if packet.size == 0:
            continue
        stamp = packet.dts if packet.dts is not None else packet.pts
        if kind == "video":
            starts = [clock.number for clock in clocks]
            while positions[kind] + 1 < len(starts) and number >= starts[positions[kind] + 1]:
                positions[kind] += 1
            number += 1
        elif stamp is not None:
            at = float(stamp * packet.time_base)
            if kind in latest and _is_another_clock(container, at - latest[kind]):
                positions[kind] = min(positions[kind] + 1, len(clocks) - 1)
            latest[kind] = at
        for each in filters[kind].filter(packet) if kind in filters else [packet]:
            yield kind, each, positions[kind]
