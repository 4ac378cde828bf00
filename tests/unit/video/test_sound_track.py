"""The sound of a second is that of the frames of this second, whatever the file; or a reason."""

import struct
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from trailers12k.common.errors import Failure
from trailers12k.video.reader import read_frames
from trailers12k.video.sound_track import Listening, read_sound

from ...cases import planted
from ...cases.planted import AT, CLICK, FPS, KINDS, SECONDS, Planted, write_planted

RATE = 16_000
LATE = {"b_frames.avi": 1 / FPS}
"""File -> seconds by which its click may come before the flash: AVI stores no presentation times,
so that B-frames move the picture against the sound."""


def heard(path: Path, start: float = 0.0, end: float = SECONDS, rate: int = RATE) -> np.ndarray:
    ((_, samples),) = read_sound(path, {"": Listening(rate, [(start, end)])}, SECONDS)
    return samples


def click_of(path: Path, end: float = SECONDS) -> float:
    """The second at which the flash of the click begins, by the click."""
    samples = np.abs(heard(path, 0.0, end, 48_000))
    assert samples.max() > 0.3
    return int(np.argmax(samples > 0.3)) / 48_000 - (CLICK - AT)


def flash_of(path: Path, end: float = SECONDS) -> float:
    """The second from which on the flash is nearest, and half a frame: when it is shown."""
    times = np.arange(0, end, 1 / 240)
    light = [frame.mean() for frame in read_frames(path, "pyav", times)]
    return float(times[np.argmax(np.array(light) > 128)]) + 0.5 / FPS


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_a_click_is_heard_when_its_flash_is_seen(kind, tmp_path):
    path = write_planted(tmp_path, kind)
    assert click_of(path) == pytest.approx(flash_of(path), abs=0.03 + LATE.get(kind.name, 0))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"ends": 2}, {"shift": 1000}),
        ({"ends": 1.3}, {"shift": 500}),
        ({"ends": 2.8, "shift": 500}, {}),
        ({"ends": 2}, {"begins": 1.2, "shift": 100}),
        ({"ends": 2}, {"begins": -0.8, "shift": 100}),
    ],
    ids=["later", "short sound", "long sound, back", "late sound", "late picture"],
)
def test_sound_stays_with_its_frames_where_another_recording_begins(first, second, tmp_path):
    """Two broadcasts in one file: timestamps jump, and sound and picture end apart."""
    times = tuple(i / FPS for i in range(2 * FPS))
    before = Planted("first.ts", times=times, tracks=(False,), **first)
    parts = [write_planted(tmp_path, each) for each in (before, Planted("second.ts", **second))]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert flash_of(path, 8) == pytest.approx(2 + AT, abs=0.01)
    assert click_of(path, 8) == pytest.approx(2 + AT, abs=0.005)


@pytest.fixture(scope="module")
def trailer(tmp_path_factory) -> Path:
    return write_planted(tmp_path_factory.mktemp("sound"), Planted("trailer.mp4"))


def test_spans_have_their_length_and_are_the_parts_of_one_pass(trailer):
    """They may overlap, begin before the sound and end after it; several rates share the pass."""
    spans = [(-1.0, 1.0), (0.0, 4.0), (3.3, 3.7), (3.4, 9.0), (20.0, 21.0)]
    wanted = {name: Listening(rate, spans) for name, rate in (("a", RATE), ("b", 22_050))}
    parts: dict[str, list[np.ndarray]] = {"a": [], "b": []}
    for name, samples in read_sound(trailer, wanted, SECONDS):
        parts[name].append(samples)
    for name, listening in wanted.items():
        rate = listening.rate
        whole = heard(trailer, -1.0, 21.0, rate)
        for (start, end), samples in zip(spans, parts[name], strict=True):
            first = round(start * rate) + rate
            assert len(samples) == round(end * rate) - round(start * rate)
            np.testing.assert_array_equal(samples, whole[first : first + len(samples)])
    assert not parts["a"][4].any() and not parts["a"][0][:RATE].any()


def test_sound_that_ends_early_is_followed_by_silence(tmp_path):
    path = write_planted(tmp_path, Planted("early.mp4", ends=4.0))
    samples = heard(path)
    assert np.abs(samples[round(AT * RATE) :]).max() > 0.3 and not samples[5 * RATE :].any()


def test_the_track_that_players_choose_is_heard(tmp_path):
    path = write_planted(tmp_path, Planted("tracks.mkv", tracks=(True, False)))
    assert click_of(path) == pytest.approx(AT, abs=0.03)


def failure_of(path: Path) -> tuple[str, str]:
    with pytest.raises(Failure) as caught:
        heard(path)
    return caught.value.reason, caught.value.detail.partition(":")[0]


def test_no_sound_is_a_reason(tmp_path):
    silent = write_planted(tmp_path, Planted("silent.mp4", tracks=(False,)))
    without = write_planted(tmp_path, Planted("without.mp4", tracks=()))
    assert failure_of(silent) == ("no_sound", "silent")
    assert failure_of(without) == ("no_sound", "no_track")


def damaged(path: Path, share: float) -> Path:
    """The file with a share of its packets of sound overwritten, at even distances."""
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        for number, packet in enumerate(packets):
            if (number * share) % 1 + share >= 1:
                content[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    target = path.with_name(f"damaged{share}{path.suffix}")
    target.write_bytes(content)
    return target


def test_up_to_half_of_the_packets_may_be_damaged(tmp_path):
    path = write_planted(tmp_path, Planted("trailer.mp4", sound="flac", form="s16"))
    assert failure_of(damaged(path, 0.8)) == ("no_sound", "damaged")
    kept, whole = heard(damaged(path, 0.1)), heard(path)
    assert len(kept) == len(whole) and np.isfinite(kept).all()


def with_format(path: Path, channels: int, rate: int) -> Path:
    """An AVI file of PCM with other claims in its header."""
    before, after = (struct.pack("<HHI", 1, *each) for each in ((2, 44_100), (channels, rate)))
    content = path.read_bytes()
    assert content.count(before) == 1
    target = path.with_name("claims.avi")
    target.write_bytes(content.replace(before, after))
    return target


@pytest.mark.parametrize(
    ("channels", "rate"), [(2, 10**9), (2, 1), (512, 44_100), (65_535, 44_100), (500, 4 * 10**9)]
)
def test_impossible_claims_are_not_believed(channels, rate, tmp_path):
    path = write_planted(tmp_path, Planted("a.avi", video="mpeg4", sound="pcm_s16le"))
    assert failure_of(with_format(path, channels, rate))[0] in ("no_sound", "decode_failed")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_samples_are_finite_and_within_the_full_scale(value, tmp_path, monkeypatch):
    def sounds(output, kind, hears):
        stream = output.add_stream("pcm_f32le", rate=RATE, layout="mono")
        stream.codec_context.format = "flt"
        wave = np.where(np.arange(SECONDS * RATE) % 3, 0.1, value).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(wave[None], "flt", "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        return stream.encode(frame) + stream.encode(None)

    monkeypatch.setattr(planted, "_sounds", sounds)
    samples = heard(write_planted(tmp_path, Planted("odd.mkv")))
    assert np.isfinite(samples).all() and np.abs(samples).max() <= 1


def retimed(path: Path, time_of) -> Path:
    """The file with other timestamps of its sound: seconds -> seconds."""
    target = path.with_name("retimed.mkv")
    with av.open(str(path)) as source, av.open(str(target), "w") as output:
        streams = {s.index: output.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == "audio":
                packet.pts = round(time_of(float(packet.pts * packet.time_base)) * 1000)
                packet.dts = packet.pts
            packet.stream = streams[packet.stream.index]
            output.mux(packet)
    return target


def test_times_that_are_wrong_cost_no_sound_and_no_memory(tmp_path):
    """Packets of one moment follow each other. Packets hours beyond the video are not read."""
    path = write_planted(tmp_path, Planted("a.mkv", video="mpeg4", sound="pcm_s16le", rate=8000))
    assert click_of(retimed(path, lambda time: 0.001)) == pytest.approx(AT, abs=0.6)
    assert click_of(retimed(path, lambda time: time + 1e5 * (time > 4))) == pytest.approx(AT, 0.01)
    drifting = retimed(path, lambda time: 0.98 * time)
    assert click_of(drifting) == pytest.approx(0.98 * AT, abs=0.06)


MEASURE = """
import sys
from trailers12k.video.sound_measures import measure_sound
from trailers12k.video.sound_track import Listening, read_sound
path, seconds = sys.argv[1], int(sys.argv[2])
spans = [(i, i + 1) for i in range(seconds)]
heard = {name: Listening(rate, spans) for name, rate in (("a", 4000), ("b", 16_000))}
assert sum(len(samples) for _, samples in read_sound(path, heard, seconds)) == seconds * 20_000
measure_sound(path, seconds)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_hour_needs_no_more_memory_than_a_minute(tmp_path):
    peaks = []
    for seconds in (60, 3600):
        kind = Planted(
            f"{seconds}.mkv",
            video="mpeg4",
            sound="pcm_s16le",
            rate=2000,
            layout="mono",
            ends=seconds,
        )
        path = write_planted(tmp_path, replace(kind, times=(0, 1)))
        command = [sys.executable, "-c", MEASURE, str(path), str(seconds)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] <= 1.2 * peaks[0]
