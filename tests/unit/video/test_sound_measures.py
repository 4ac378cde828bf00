"""Loudness as the standard's own test signals say, and peak, silence and waveform in time."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from trailers12k.common.errors import Failure
from trailers12k.video import waveforms
from trailers12k.video.sound_measures import integrated, measure_sound
from trailers12k.video.sound_track import Listening, read_sound

RATE = 48_000


def write(path: Path, parts, layout: str = "stereo", rate: int = RATE, begins: float = 0) -> Path:
    """A sine of 997 Hz in all channels; parts: seconds and peak in decibels of the full scale."""
    channels = av.AudioLayout(layout).nb_channels
    levels = np.concatenate([np.full(round(s * rate), 10 ** (dB / 20)) for s, dB in parts])
    wave = (levels * np.sin(2 * np.pi * 997 * np.arange(len(levels)) / rate)).astype(np.float32)
    with av.open(str(path), "w") as output:
        video = output.add_stream("mpeg4", rate=1)
        video.width, video.height = 16, 16
        sound = output.add_stream("pcm_f32le", rate=rate, layout=layout)
        sound.codec_context.format = "flt"
        picture = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")
        output.mux(video.encode(picture))
        output.mux(video.encode(None))
        for first in range(0, len(wave), RATE):
            part = np.repeat(wave[first : first + RATE], channels)[None]
            frame = av.AudioFrame.from_ndarray(part, "flt", layout)
            frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
            frame.pts = first + round(begins * rate)
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    return path


@pytest.mark.parametrize(
    ("layout", "parts", "loudness"),
    [
        # EBU Tech 3341, version 4, table 1, cases 1 to 5.
        ("stereo", [(20, -23)], -23.0),
        ("stereo", [(20, -33)], -33.0),
        ("stereo", [(10, -36), (60, -23), (10, -36)], -23.0),
        ("stereo", [(10, -72), (10, -36), (60, -23), (10, -36), (10, -72)], -23.0),
        ("stereo", [(20, -26), (20.1, -20), (20, -26)], -23.0),
        # ITU-R BS.1770-4, annex 1: a full-scale sine of 997 Hz in one front channel.
        ("mono", [(2, 0)], -3.01),
    ],
    ids=["1", "2", "3", "4", "5", "full scale"],
)
def test_loudness_is_the_standards(layout, parts, loudness, tmp_path):
    path = write(tmp_path / "sound.mkv", parts, layout, 16_000)
    measures = measure_sound(path, sum(seconds for seconds, _ in parts))
    assert measures.loudness == pytest.approx(loudness, abs=0.1)


def test_peak_silence_and_waveform_follow_the_trailers_time(tmp_path):
    """Sound from 0.5 s to 1.5 s, of which the last half second is below -60 dB, of 2 s."""
    path = write(tmp_path / "a.mkv", [(0.5, -6), (0.5, -70)], begins=0.5)
    measures = measure_sound(path, 2.0)
    assert measures.peak == pytest.approx(-6, abs=0.05)
    assert measures.silence == pytest.approx(0.75)
    loud, quiet = round(255 * 10 ** (-6 / 20)), 0
    assert measures.waveform.tolist() == [0] * 10 + [loud] * 10 + [quiet] * 20
    assert measure_sound(path, 1.23).waveform.shape == (25,)


def test_what_is_too_quiet_for_the_gate_has_no_loudness(tmp_path):
    assert integrated([]) is None and integrated([-70.0, -80.0]) is None
    short = write(tmp_path / "short.mkv", [(0.3, -20)])
    assert measure_sound(short, 1.0).loudness is None


def test_silence_is_no_sound(tmp_path):
    path = write(tmp_path / "quiet.mkv", [(1, -70)])
    with pytest.raises(Failure, match="silent") as caught:
        measure_sound(path, 1.0)
    assert caught.value.reason == "no_sound"


@pytest.mark.parametrize("spans", [[(0, 1)], [(0, 1), (1, 3.5)]], ids=["without", "with context"])
def test_what_sounds_after_the_end_makes_no_silent_trailer_heard(spans, tmp_path):
    """Whatever is listened to beside: no store may decide what another one has."""
    path = write(tmp_path / "after.mkv", [(2, -80), (2, -6)])
    wanted = {"": Listening(16_000, [(0, 1)]), "beside": Listening(8000, spans)}
    with pytest.raises(Failure, match="no_sound: silent"):
        list(read_sound(path, wanted, 2.0))
    assert len(list(read_sound(path, wanted, 4.0))) == 1 + len(spans)


def test_sound_of_a_low_rate_has_no_loudness(tmp_path):
    measures = measure_sound(write(tmp_path / "low.mkv", [(1, -20)], "mono", 2000), 1.0)
    assert measures.loudness is None and measures.peak == pytest.approx(-20, abs=0.1)
    assert integrated([float("nan"), float("inf"), -20.0]) == pytest.approx(-20)


@pytest.mark.parametrize("layout", ["5.1", "7.1"])
def test_many_channels_and_odd_rates_are_measured(layout, tmp_path):
    measures = measure_sound(write(tmp_path / "a.mkv", [(1, -20)], layout, 11_025), 1.0)
    assert measures.loudness > -20 and measures.peak == pytest.approx(-20, abs=0.1)


def test_a_waveform_is_read_as_it_was_written(tmp_path, monkeypatch):
    peaks = np.arange(200, dtype=np.uint8)
    path = tmp_path / "waveforms/tt1.bin"
    waveforms.write(path, peaks)
    np.testing.assert_array_equal(waveforms.read(path), peaks)
    monkeypatch.setattr(waveforms, "LONGEST", 2)
    assert len(waveforms.read(path)) == 2 * waveforms.PER_SECOND
    assert not len(waveforms.read(tmp_path)) and not len(waveforms.read(tmp_path / "no.bin"))
