"""The presentation times of frames, from timestamps that a container stores, omits or wraps.

Reads timestamps of packets and frames. Must not know pixels, nor what the times are for.
"""

from math import inf
from typing import Any

from av.stream import Disposition

COVER = Disposition.attached_pic

NO_TIMESTAMPS, DISCONTINUOUS = 0x80, 0x200
"""FFmpeg's AVFMT_NOTIMESTAMPS (raw streams) and AVFMT_TS_DISCONT (broadcast formats)."""

PERIODS = {"mpegts": 2**33 / 90_000, "mpeg": 2**33 / 90_000, "flv": 2**31 / 1000}
"""Format -> seconds after which its timestamps begin again at 0. Flash video has 32 bits, of which
many programs use 31."""

DECODING_ORDER = ("avi", "asf")
"""Formats without presentation times: they number the frames in the order of decoding, and
FFmpeg's presentation times for them are guesses."""

ASSUMED_RATE = 25
"""Frames per second of a raw stream that does not state its rate; FFmpeg's."""

FASTEST = 240
"""Frames per second; a raw stream that states more states nothing."""

BACK, FORWARD = 0.5, 10.0
"""Seconds by which the times of a new recording go back, at least, or forward: in a broadcast
format, or beyond the duration in the file's header. FFmpeg's program uses the same ten seconds."""


def unwrapped(time: float, near: float | None, period: float) -> float:
    """The time that is less than half a period from `near` and differs from `time` by whole
    periods. Without a `near` or a period, `time` itself."""
    if near is None or not period:
        return time
    return time + round((near - time) / period) * period


def _jumps(gap: float, forward: float) -> bool:
    return not -BACK <= gap <= forward


def _unit(stream: Any) -> tuple[int, int]:
    """Seconds of a stream's ticks, as numerator and denominator; `Fraction` itself is slow."""
    return stream.time_base.numerator, stream.time_base.denominator


class PacketTimes:
    """When the packets of each stream begin and end, in seconds on the file's clock.

    Of a broadcast format that holds several recordings, one counts as following the other. A
    subtitle ends when it disappears. Pictures that cover a sound track do not count.
    """

    def __init__(self, container: Any):
        self._period = PERIODS.get(container.format.name, 0.0)
        self._broadcast = bool(container.format.flags & DISCONTINUOUS)
        self._near: float | None = None
        self._units: dict[int, tuple[int, int] | None] = {}
        self._offsets: dict[int, float] = {}
        self._latest: dict[int, float] = {}
        self._spans: dict[int, tuple[float, float]] = {}

    def add(self, packet: Any) -> None:
        """Count the next packet of the file."""
        stream, ticks = packet.stream, packet.dts if packet.pts is None else packet.pts
        if ticks is None or not packet.size:
            return
        index = stream.index
        if index not in self._units:
            self._units[index] = None if stream.disposition & COVER else _unit(stream)
        unit = self._units[index]
        if unit is None:
            return
        start = unwrapped(ticks * unit[0] / unit[1], self._near, self._period)
        self._near = start
        length = (packet.duration or 0) * unit[0] / unit[1]
        start += self._offsets.get(index, 0.0)
        latest = self._latest.get(index, start)
        if self._broadcast and _jumps(start - latest, FORWARD):
            self._offsets[index] = self._offsets.get(index, 0.0) + latest + length - start
            start = latest + length
        self._latest[index] = start
        first, last = self._spans.get(index, (start, start))
        self._spans[index] = min(first, start), max(last, start + length)

    def of(self, index: int | None) -> tuple[float, float] | None:
        """Start and end of a stream; None without a packet that has a time."""
        return self._spans.get(index) if index is not None else None

    def all(self) -> tuple[float, float]:
        """Start and end of the file; zeros without times."""
        starts, ends = zip(*self._spans.values(), strict=True) if self._spans else ((0,), (0,))
        return min(starts), max(ends)


class FrameClock:
    """Gives each decoded frame of a stream its presentation time in seconds, which never falls.

    Decoders return frames in the order in which they are shown, so of two timestamps that
    contradict this order one is wrong. Of a frame's presentation timestamp and the decoding
    timestamp at which the decoder returned it, the kind that went back less often counts, as in
    FFmpeg's best-effort timestamps.

    step: seconds between two frames where no timestamp says otherwise.
    flags: what was unusual, words of `video_flags.FLAGS`.
    """

    def __init__(self, container: Any, stream: Any):
        name = container.format.name
        self._untimed = bool(container.format.flags & NO_TIMESTAMPS)
        self._broadcast = bool(container.format.flags & DISCONTINUOUS)
        self._decoding_order = name in DECODING_ORDER
        self._program_stream = name == "mpeg"
        self._declared = container.duration / 1e6 if container.duration else inf
        self._period = PERIODS.get(name, 0.0)
        self._unit = _unit(stream)
        rate = stream.guessed_rate or stream.average_rate
        self.step = 1 / float(rate if rate and rate <= FASTEST else ASSUMED_RATE)
        self._offset: float | None = None
        self._new_offset: float | None = None
        self._last: float | None = None
        self._stored: float | None = None
        self._last_pts: float | None = None
        self._last_dts: float | None = None
        self._faulty_pts = self._faulty_dts = 0
        self.flags: set[str] = set()

    def time_of(self, frame: Any) -> float:
        """The time of the next frame that the decoder returned."""
        time = None if self._untimed else self._stored_time(frame)
        self._stored = time
        if self._untimed:
            self.flags.add("no_times")
        duration = self._seconds(frame.duration) if frame.duration else self.step
        # Durations in milliseconds are rounded.
        rounded = self._untimed or abs(duration - self.step) < 1e-3
        step = self.step if rounded else duration
        self._last = self._continued(time, step)
        return self._last

    def _seconds(self, ticks: int) -> float:
        return ticks * self._unit[0] / self._unit[1]

    def near(self, time: float, other: float) -> float:
        """A packet's time on the round of the file's clock that `other` belongs to."""
        return unwrapped(time, other, self._period)

    def _stored_time(self, frame: Any) -> float | None:
        near = self._last_pts if self._last_dts is None else self._last_dts
        pts, dts = (
            None if ticks is None else unwrapped(self._seconds(ticks), near, self._period)
            for ticks in (frame.pts, frame.dts)
        )
        if dts is not None:
            self._faulty_dts += self._last_dts is not None and dts < self._last_dts
            if pts is not None and self._last_pts is not None:
                self._faulty_pts += pts < self._last_pts
        # The last frames leave the decoder without a decoding timestamp.
        self._last_dts = pts if dts is None else dts
        self._last_pts = dts if pts is None else pts
        reordered = self._faulty_pts > self._faulty_dts
        if reordered:
            self.flags.add("reordered")
        if self._decoding_order:
            return dts
        if self._program_stream and pts is None:
            return None
        if self._program_stream and pts is not None and self._is_misassigned(pts, dts):
            return dts
        return dts if reordered or pts is None else pts

    def _is_misassigned(self, pts: float, dts: float | None) -> bool:
        """Whether FFmpeg assigned the timestamp of a packet to a wrong one of its frames."""
        if dts is None or self._stored is None:
            return False
        expected = self._stored + self.step
        return abs(dts - expected) < self.step / 2 and abs(pts - expected) > self.step

    def _continued(self, time: float | None, step: float) -> float:
        """A stored time, or one that continues from the last frame, which is `step` seconds long.

        A frame whose time goes back follows the last one, as do all until the stored times catch
        up. Two frames in a row whose times jump begin another recording, which continues this one.
        """
        if self._last is None:
            self._offset = None if time is None else 0.0
            return time or 0.0
        following = self._last + step
        if time is None:
            if not self._untimed and not self._decoding_order and "reordered" not in self.flags:
                self.flags.add("repaired_times")
            return following
        if self._offset is None:
            self._offset = following - time
        shown = time + self._offset
        is_beyond = self._broadcast or shown > self._declared + FORWARD
        if _jumps(shown - self._last, FORWARD if is_beyond else inf):
            self.flags.add("discontinuity")
            if self._new_offset is None:
                self._new_offset = following - time
                return following
            self._offset, shown = self._new_offset, time + self._new_offset
        self._new_offset = None
        if shown >= self._last:
            return shown
        self.flags.add("repaired_times")
        return self._last if self._last - shown < step / 2 else following
