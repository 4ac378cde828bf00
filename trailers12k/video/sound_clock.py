"""The times of decoded sound, from timestamps that a container stores, omits, wraps or restarts.

Reads timestamps of packets and frames. Must not know samples, nor what the times are for.
"""

from math import inf
from typing import Any

from trailers12k.video.timing import (
    BACK,
    DISCONTINUOUS,
    FORWARD,
    NO_TIMESTAMPS,
    PERIODS,
    FrameClock,
    unwrapped,
)


class SoundClock:
    """Gives sound the times of the frames that were recorded with it, on the clock of the frames.

    A broadcast format may hold several recordings, each with timestamps that begin anew.
    `FrameClock` lets the frames of one follow those of the one before; the sound moves by as many
    seconds. For this the packets of the video are needed, undecoded.

    origin: the time of the first frame that is shown, by `FrameClock`.
    """

    def __init__(self, container: Any, video: Any, origin: float):
        self._untimed = bool(container.format.flags & NO_TIMESTAMPS)
        self.is_broadcast = bool(container.format.flags & DISCONTINUOUS)
        self._period = PERIODS.get(container.format.name, 0.0)
        self._step = FrameClock(container, video).step
        self._origin = origin
        self._sound, self._frames = _Recordings(origin), _Recordings(None)
        self._offsets = [0.0]
        self._offset, self._following, self._first = 0.0, -inf, 0.0

    def add_video(self, packet: Any) -> None:
        """Count the next packet of the video, in a broadcast format."""
        decoded, shown = packet.dts, packet.pts
        if decoded is None and shown is None:
            return
        decoded, shown = (
            self._raw(other if ticks is None else ticks, packet, self._frames)
            for ticks, other in ((decoded, shown), (shown, decoded))
        )
        if self._frames.add(decoded, decoded + self._step):
            self._offset = self._following - self._first
            self._offsets.append(self._offset)
        if self._frames.is_odd:
            self._first = shown
        else:
            self._following = max(self._following, shown + self._offset + self._step)

    def recording_of(self, frame: Any, seconds: float) -> tuple[int, float | None]:
        """The number of the recording of decoded sound, and its time there, if it has one.

        seconds: its length.
        """
        if frame.pts is None or self._untimed:
            return self._sound.number, None
        time = self._raw(frame.pts, frame, self._sound)
        if self.is_broadcast:
            self._sound.add(time, time + seconds)
        else:
            self._sound.last = time
        return self._sound.number, None if self._sound.is_odd else time

    def offset(self, recording: int) -> float | None:
        """What to add to times in a recording; None while its frames have not come."""
        return self._offsets[recording] - self._origin if recording < len(self._offsets) else None

    def give_up(self, recording: int, offset: float) -> None:
        """Place a recording of sound for which no frames came. offset: as `offset` returns it."""
        while len(self._offsets) <= recording:
            self._offsets.append(offset + self._origin)

    def _raw(self, ticks: int, owner: Any, recordings: "_Recordings") -> float:
        if recordings.unit is None:  # a `Fraction` is slow
            recordings.unit = owner.time_base.numerator, owner.time_base.denominator
        time = ticks * recordings.unit[0] / recordings.unit[1]
        return unwrapped(time, recordings.last, self._period)


class _Recordings:
    """Counts the recordings of a stream. Two times in a row that jump begin another one.

    unit: seconds of the stream's ticks, as numerator and denominator, once they are known.
    number: of the current one, from 0. last: the last time that did not jump alone. is_odd: whether
    the last time jumps, and the one before did not.
    """

    def __init__(self, near: float | None):
        self.unit: tuple[int, int] | None = None
        self.number = 0
        self.last = near
        self.is_odd = False
        self._end: float | None = None

    def add(self, time: float, end: float) -> bool:
        """Take the next time; returns whether a recording has begun. end: of what it is of."""
        jumps = self._end is not None and not -BACK <= time - self._end <= FORWARD
        begins, self.is_odd = jumps and self.is_odd, jumps and not self.is_odd
        if not self.is_odd:
            self.last, self._end = time, end
            self.number += begins
        return begins
