"""The clock of frames gives times that never fall, from timestamps of any kind."""

from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace

import pytest

from trailers12k.video.timing import (
    DISCONTINUOUS,
    NO_TIMESTAMPS,
    FrameClock,
    PacketTimes,
    unwrapped,
)


@dataclass
class Frame:
    pts: int | None
    dts: int | None
    duration: int = 0


def clock(name="mov", rate: int | None = 10, flags=0, ticks=10, seconds: float = 0) -> FrameClock:
    """Of a stream with ten ticks per second. seconds: the duration in the file's header."""
    container = SimpleNamespace(
        format=SimpleNamespace(name=name, flags=flags), duration=round(seconds * 1e6) or None
    )
    stream = SimpleNamespace(
        guessed_rate=rate, average_rate=None, time_base=Fraction(1, ticks), index=0
    )
    return FrameClock(container, stream)


def ticks_of(clock: FrameClock, *timestamps, ticks: int = 10) -> list[float]:
    """Times in ticks of frames with (pts, dts), or with pts alone."""
    frames = [Frame(*each) if isinstance(each, tuple) else Frame(each, None) for each in timestamps]
    return [pytest.approx(clock.time_of(frame) * ticks) for frame in frames]


def test_presentation_times_count_and_gaps_stay():
    ordinary = clock()
    assert ticks_of(ordinary, (0, -2), (1, 0), (5, 1), (500, 2)) == [0, 1, 5, 500]
    assert ordinary.flags == set()


def test_presentation_times_that_go_back_give_way_to_decoding_times():
    disordered = clock("matroska,webm")
    assert ticks_of(disordered, (0, 0), (1, 1), (3, 2), (2, 3), (4, 4)) == [0, 1, 3, 3, 4]
    assert "reordered" in disordered.flags


def test_containers_in_decoding_order_use_decoding_times_alone():
    """The last frames have none, and follow."""
    avi = clock("avi")
    assert ticks_of(avi, (1, 2), (2, 3), (4, 4), (3, 5), (6, None), (5, None)) == [2, 3, 4, 5, 6, 7]
    assert avi.flags == {"reordered"}


def test_frames_without_a_time_follow():
    """Those before the first time as well: it continues from them."""
    some = clock()
    assert ticks_of(some, None, None, 700, None, 702) == [0, 1, 2, 3, 4]
    assert some.flags == {"repaired_times"}


def test_a_frame_is_as_long_as_it_says():
    some = clock()
    assert some.time_of(Frame(0, 0)) == 0
    assert some.time_of(Frame(None, None, duration=30)) == 3.0


@pytest.mark.parametrize(("rate", "step"), [(50, 0.02), (None, 0.04), (1_000_000, 0.04)])
def test_raw_streams_count_frames(rate, step):
    raw = clock("h264", rate, NO_TIMESTAMPS)
    assert [raw.time_of(Frame(7, 7)) for _ in range(3)] == pytest.approx([0, step, 2 * step])
    assert raw.flags == {"no_times"}


def test_a_late_frame_and_those_after_it_follow_until_the_times_catch_up():
    late = clock("mpeg", flags=DISCONTINUOUS)
    assert ticks_of(late, 0, 1, 2, 0, 1, 2, 6, 7) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert late.flags == {"repaired_times"}


def test_another_recording_continues_the_first():
    joined = clock("mpegts", flags=DISCONTINUOUS)
    assert ticks_of(joined, *range(20), 0, 1, 3, 4) == [*range(20), 20, 21, 23, 24]
    assert joined.flags == {"discontinuity"}


def test_a_single_frame_with_a_strange_time_begins_no_recording():
    strange = clock("mpegts", flags=DISCONTINUOUS)
    assert ticks_of(strange, *range(20), 5000, 21, 22) == [*range(20), 20, 21, 22]


def test_a_time_far_beyond_the_duration_in_the_header_is_a_jump():
    assert ticks_of(clock(seconds=1.2), 0, 1, 5000, 3, 4) == [0, 1, 2, 3, 4]
    assert ticks_of(clock(seconds=51), 0, 1, 500, 501) == [0, 1, 500, 501]


def test_only_broadcast_formats_jump_forward():
    assert ticks_of(clock("mpegts", flags=DISCONTINUOUS), 0, 1, 500, 501) == [0, 1, 2, 3]
    assert ticks_of(clock(), 0, 1, 500, 501) == [0, 1, 500, 501]


@pytest.mark.parametrize(("name", "ticks", "wrap"), [("mpegts", 90_000, 33), ("flv", 1000, 32)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_clock_that_wraps_goes_on(name, ticks, wrap, sign):
    """Whether FFmpeg counts the time before the wrap as negative, or neither."""
    wrapping = clock(name, ticks=ticks)
    first = 2**wrap - ticks if sign > 0 else -ticks
    times = ticks_of(wrapping, first, first + ticks // 2, 0, ticks // 2, ticks=ticks)
    assert times == [first + part * ticks // 2 for part in range(4)]
    assert wrapping.flags == set()


def test_unwrapped_times_are_near_each_other():
    assert unwrapped(1.0, 99.0, 100.0) == 101.0 and unwrapped(99.0, 1.0, 100.0) == -1.0
    assert unwrapped(1.0, None, 100.0) == unwrapped(1.0, 99.0, 0.0) == 1.0


def packets_of(name: str, flags: int, *packets: tuple[int, int, int], cover: int = -1):
    container = SimpleNamespace(format=SimpleNamespace(name=name, flags=flags))
    times = PacketTimes(container)
    streams = [
        SimpleNamespace(index=i, time_base=Fraction(1, 10), disposition=4 * 256 * (i == cover))
        for i in range(3)
    ]
    for index, pts, duration in packets:
        times.add(
            SimpleNamespace(stream=streams[index], pts=pts, dts=pts, duration=duration, size=1)
        )
    return times


def test_streams_begin_and_end_with_their_packets():
    times = packets_of("mov", 0, (0, 5, 10), (1, 0, 400), (0, 15, 10), cover=2)
    assert (times.of(0), times.of(1), times.of(2)) == ((0.5, 2.5), (0.0, 40.0), None)
    assert times.all() == (0.0, 40.0)


def test_covers_and_jumps_do_not_lengthen_a_file():
    cover = packets_of("mov", 0, (0, 0, 10), (2, 0, 9000), cover=2)
    assert cover.all() == (0.0, 1.0)
    joined = packets_of("mpegts", DISCONTINUOUS, (0, 0, 10), (0, 5000, 10), (0, 5010, 10))
    assert joined.all() == (0.0, 3.0)
