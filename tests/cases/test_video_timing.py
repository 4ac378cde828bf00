"""Whole files are whole, no frame disappears, and a cut clip shows what its features saw."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from trailers12k.common.errors import Failure
from trailers12k.common.movie import Movie
from trailers12k.downloads.settings import DownloadSettings
from trailers12k.downloads.trailers import TRAILER_COLUMNS, TrailerFetcher
from trailers12k.jobs.runner import StopSignal
from trailers12k.video.clip_detection import partition
from trailers12k.video.clip_export import cut
from trailers12k.video.clips import frame_times
from trailers12k.video.probe import Probe, probe
from trailers12k.video.reader import read_frames
from trailers12k.video.video_flags import FLAGS

from .coded_video import FRAMES, number_of, render

DATA = Path(__file__).parent / "data"

OUTLASTED = ("picture_ends_early",)
GIVEN = {
    "plain.mp4": (),
    "audio_longer.mkv": OUTLASTED,
    "audio_longer.webm": OUTLASTED,
    "subs_longer.mkv": OUTLASTED,
    "wrap.ts": (),
    "bluray.m2ts": (),
    "wmv2.wmv": (),
    "h264_b.avi": ("reordered",),
    "raw.h264": ("no_times",),
    "mpeg2.mpg": ("repaired_times",),
}


def shown(path: Path, video: Probe, frames: int, fps: float = 30) -> list[int]:
    """The numbers of the frames at the times at which they should be shown."""
    times = np.arange(frames) / fps
    decoders = {video.decoder, "pyav"}
    numbers = [[number_of(f) for f in read_frames(path, each, times)] for each in decoders]
    assert all(each == numbers[0] for each in numbers)
    return numbers[0]


def check_whole(path: Path, flags: tuple[str, ...] = (), seconds: float = 2) -> Probe:
    video = check_frames(path, seconds)
    assert video.flags == flags
    return video


def check_frames(path: Path, seconds: float = 2) -> Probe:
    video = probe(path)
    assert (video.frames, video.corrupt) == (FRAMES, 0)
    assert video.duration == pytest.approx(seconds, abs=0.002)
    assert shown(path, video, FRAMES, FRAMES / seconds) == list(range(FRAMES))
    return video


def failure_of(path: Path) -> str:
    with pytest.raises(Failure) as caught:
        probe(path)
    return caught.value.reason


@pytest.mark.parametrize("name", GIVEN)
def test_all_sixty_frames_are_shown_at_their_times(name):
    check_whole(DATA / name, GIVEN[name])


LONGER = {
    "mkv": {"sound": "aac"},
    "webm": {"picture": "libvpx-vp9", "sound": "libopus"},
    "mp4": {"sound": "aac", "muxer": {"movflags": "faststart"}},
    "mov": {"sound": "aac", "muxer": {"movflags": "frag_keyframe+empty_moov"}},
    "flv": {"sound": "aac"},
    "ts": {"sound": "aac"},
    "avi": {"sound": "libmp3lame"},
    "asf": {"picture": "wmv2", "sound": "libmp3lame"},
    "mpg": {"picture": "mpeg2video", "sound": "mp2"},
    "ogv": {"picture": "libvpx", "sound": "libopus", "kind": "ogg"},
    "live.webm": {"picture": "libvpx", "sound": "libopus", "muxer": {"live": "1"}},
}


@pytest.fixture(scope="module")
def longer(tmp_path_factory) -> dict[str, Path]:
    """Two seconds of picture beside six of sound, in one container each."""
    folder = tmp_path_factory.mktemp("longer")
    return {
        kind: render(folder / f"video.{kind}", seconds=6, **settings)
        for kind, settings in LONGER.items()
    }


@pytest.mark.parametrize("kind", LONGER)
def test_sound_that_outlasts_the_picture_is_flagged(kind, longer):
    video = probe(longer[kind])
    assert (video.frames, video.corrupt) == (FRAMES, 0) and "picture_ends_early" in video.flags
    assert video.duration == pytest.approx(2, abs=0.04) and not video.sound.silent
    assert video.sound.duration == pytest.approx(6, abs=0.1)
    assert (video.sound.channels, video.sound.rate) == (1, 48_000)


@pytest.mark.parametrize("share", [0.401, 0.601, 0.901])
@pytest.mark.parametrize("kind", LONGER)
def test_a_file_that_was_cut_off_is_truncated(kind, share, longer, tmp_path):
    data = longer[kind].read_bytes()
    path = tmp_path / f"cut.{kind}"
    size = round(len(data) * share)
    path.write_bytes(data[: size + (size % 188 == 0)])
    assert failure_of(path) == "truncated"


def test_a_file_cut_within_its_picture_is_truncated_though_a_subtitle_lasts(tmp_path):
    data = (DATA / "subs_longer.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) * 6 // 10])
    assert failure_of(tmp_path / "cut.mkv") == "truncated"


def with_header(source: Path, path: Path, seconds: float) -> Path:
    """A Matroska file without the tags of its tracks' durations, and with another one in its header
    (element 0x4489, a float of eight bytes)."""
    data = bytearray(source.read_bytes().replace(b"DURATION", b"XURATION"))
    at = data.index(b"\x44\x89\x88") + 3
    data[at : at + 8] = struct.pack(">d", 1000 * seconds)
    path.write_bytes(data)
    return path


def test_the_last_packets_of_all_streams_count_where_no_track_states_its_duration(tmp_path):
    for name in ("audio_longer.mkv", "audio_longer.webm"):
        video = probe(with_header(DATA / name, tmp_path / name, 6.02))
        assert video.frames == FRAMES and video.flags == OUTLASTED
        assert failure_of(with_header(DATA / name, tmp_path / name, 9)) == "truncated"
    name = "subs_longer.mkv"
    assert probe(with_header(DATA / name, tmp_path / name, 7)).flags == OUTLASTED


CLOCK = 2**33 / 90_000
WRAPPED = {
    "h264.ts": {},
    "hevc.ts": {"picture": "libx265", "options": {"x265-params": "log-level=none"}},
    "mpeg2.m2ts": {"picture": "mpeg2video", "options": {"bf": "2"}},
    "mpeg2.vob": {"picture": "mpeg2video", "options": {"bf": "2"}},
}


@pytest.mark.parametrize("before", [0.02, 1.0, 1.98])
@pytest.mark.parametrize("name", WRAPPED)
def test_a_clock_that_wraps_loses_no_frame(name, before, tmp_path):
    muxer = {"output_ts_offset": str(CLOCK - before)}
    if name != "mpeg2.vob":
        muxer |= {"mpegts_copyts": "1", "mpegts_m2ts_mode": str(int(name == "mpeg2.m2ts"))}
    settings = {"sound": "mp2", "seconds": 2, "muxer": muxer} | WRAPPED[name]
    kind = "vob" if name == "mpeg2.vob" else "mpegts"
    path = render(tmp_path / name, kind=kind, **settings)
    video = probe(path)
    assert (video.frames, video.corrupt, video.decoder) == (FRAMES, 0, "pyav")
    assert shown(path, video, FRAMES) == list(range(FRAMES))


def shifted(source: Path, path: Path, seconds: float, kind: str = "video") -> Path:
    """A copy of a file whose streams of one kind have earlier or later times."""
    options = {"avoid_negative_ts": "disabled"}
    with av.open(str(source)) as old, av.open(str(path), "w", options=options) as new:
        streams = [new.add_stream_from_template(stream) for stream in old.streams]
        for packet in old.demux():
            if packet.size:
                shift = round(seconds / packet.time_base) if packet.stream.type == kind else 0
                packet.dts = shift + (packet.pts if packet.dts is None else packet.dts)
                packet.pts = packet.pts + shift
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    return path


@pytest.mark.parametrize("kind", ["mkv", "flv"])
def test_frames_before_time_zero_are_shown(kind, tmp_path):
    """Except in MP4, whose edit lists hide them."""
    source = render(tmp_path / f"source.{kind}", options={"bf": "0"})
    path = shifted(source, tmp_path / f"early.{kind}", -1)
    check_whole(path, ("repaired_times",) if kind == "mkv" else ())


@pytest.mark.parametrize("movflags", ["faststart", "frag_keyframe+delay_moov"])
def test_frames_hidden_by_an_edit_list_stay_hidden(movflags, tmp_path):
    source = render(tmp_path / "source.mp4", options={"bf": "0"})
    path, muxer = tmp_path / "edited.mp4", {"movflags": movflags, "avoid_negative_ts": "disabled"}
    with av.open(str(source)) as old, av.open(str(path), "w", options=muxer) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.size:
                packet.pts -= round(1 / packet.time_base)
                packet.dts -= round(1 / packet.time_base)
                packet.stream = stream
                new.mux(packet)
    video = probe(path)
    assert video.frames == 30 and video.duration == pytest.approx(1)
    assert shown(path, video, 30) == list(range(30, 60))


UNTIMED = {"h264": "libx264", "hevc": "libx265", "m4v": "mpeg4", "mpeg2video": "mpeg2video"}


@pytest.mark.parametrize("kind", UNTIMED)
def test_a_raw_stream_has_its_own_rate(kind, tmp_path):
    path = render(tmp_path / f"raw.{kind}", UNTIMED[kind], kind=kind)
    check_whole(path, ("no_times",))


def test_a_program_stream_with_a_time_per_packet_keeps_all_frames(tmp_path):
    path = render(tmp_path / "h264.vob", options={"bf": "2"}, kind="vob")
    check_whole(path, ("repaired_times",))


def test_what_cannot_be_decoded_at_the_start_is_flagged(tmp_path):
    whole = render(tmp_path / "whole.ts", options={"bf": "0", "keyint_min": "12"}, kind="mpegts")
    with av.open(str(whole)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    data = whole.read_bytes()
    (tmp_path / "cut.ts").write_bytes(data[: 3 * 188] + data[places[5] // 188 * 188 :])
    video = probe(tmp_path / "cut.ts")
    assert (video.frames, video.flags) == (48, ("starts_undecodable",))
    assert shown(tmp_path / "cut.ts", video, 48) == list(range(12, 60))


LATE = {
    "faststart": (1.5, 10),
    "dash+delay_moov": (0.5, 1.5, 10),
    "dash+delay_moov+global_sidx": (0.5, 10),
    "frag_keyframe+delay_moov": (0.5, 10),
    "hybrid_fragmented": (0.5, 10),
}


@pytest.mark.parametrize("sound", [None, "aac"])
@pytest.mark.parametrize("movflags", LATE)
def test_an_mp4_file_whose_clock_starts_late_is_whole_until_it_is_cut(movflags, sound, tmp_path):
    muxer = {"movflags": movflags, "avoid_negative_ts": "disabled"}
    for start in LATE[movflags]:
        muxer["output_ts_offset"] = str(start)
        path = render(tmp_path / "late.mp4", sound=sound, seconds=2, muxer=muxer)
        with av.open(str(path)) as container:
            assert next(container.decode(video=0)).time == pytest.approx(start)
        check_whole(path)
        data = path.read_bytes()
        for share in (0.6, 0.9):
            (tmp_path / "cut.mp4").write_bytes(data[: round(len(data) * share)])
            assert failure_of(tmp_path / "cut.mp4") == "truncated"


@pytest.mark.parametrize("start", [1, 12, 36_000])
@pytest.mark.parametrize("movflags", ["dash+delay_moov", "frag_keyframe+empty_moov"])
def test_fragments_may_begin_late(movflags, start, tmp_path):
    """As in recordings of live DASH, whose fragments (boxes `tfdt`) count from its beginning."""
    path = render(tmp_path / "late.mp4", options={"bf": "0"}, muxer={"movflags": movflags})
    data, at = bytearray(path.read_bytes()), -1
    while (at := data.find(b"tfdt", at + 1)) >= 0:
        assert data[at + 4] == 1
        time = int.from_bytes(data[at + 8 : at + 16], "big") + start * 15_360
        data[at + 8 : at + 16] = time.to_bytes(8, "big")
    path.write_bytes(data)
    check_whole(path)


@pytest.mark.parametrize("movflags", ["faststart", "dash+delay_moov"])
def test_a_picture_that_starts_after_the_sound_is_whole(movflags, tmp_path):
    times = 3 + np.arange(FRAMES) / 30
    muxer = {"movflags": movflags}
    check_whole(render(tmp_path / "a.mp4", times=times, sound="aac", seconds=5, muxer=muxer))


def test_a_late_stream_in_a_file_that_states_its_size_is_whole(tmp_path):
    """The durations in these headers count the time before the first packet twice."""
    wmv = {"picture": "wmv2", "sound": "libmp3lame", "kind": "asf"}
    times = 3 + np.arange(FRAMES) / 30
    check_whole(render(tmp_path / "picture.wmv", times=times, seconds=5, **wmv))
    avi = {"picture": "mpeg4", "sound": "pcm_s16le"}
    for name, settings in (("sound.avi", avi), ("sound.wmv", wmv)):
        source = render(tmp_path / f"source.{name}", seconds=3, **settings)
        path = shifted(source, tmp_path / name, 3, "audio")
        assert check_frames(path).flags == OUTLASTED
        data = path.read_bytes()
        for share in (0.4, 0.6, 0.9):
            (tmp_path / "cut").write_bytes(data[: round(len(data) * share)])
            assert failure_of(tmp_path / "cut") == "truncated"


VERY_LATE = {
    "h264.ts": {"options": {"aspect": "2"}},
    "h264.m2ts": {},
    "mpeg2.mpg": {"picture": "mpeg2video", "sound": "mp2"},
    "mpeg4.3gp": {"picture": "mpeg4"},
}


@pytest.mark.parametrize("name", VERY_LATE)
def test_a_picture_whose_size_is_beyond_the_first_packets_is_shown(name, tmp_path):
    """FFmpeg reads packets of some seconds to learn the size."""
    settings = {"sound": "aac", "seconds": 22} | VERY_LATE[name]
    path = shifted(render(tmp_path / f"source.{name}", **settings), tmp_path / name, 20)
    with av.open(str(path)) as container:
        assert container.streams.video[0].width == 0
    video = check_frames(path)
    size = (256 if name == "h264.ts" else 128, 72)
    assert (video.width, video.height) == size
    assert next(read_frames(path, video.decoder, [0])).shape == (*size[::-1], 3)


LONG = {
    "libx264": {"keyint_min": "180", "sc_threshold": "0"},
    "libx265": {"x265-params": "keyint=180:min-keyint=180:scenecut=0:log-level=none"},
    "mpeg2video": {"sc_threshold": "1000000000"},
}


@pytest.mark.parametrize("codec", LONG)
def test_a_broadcast_begins_with_its_first_key_frame(codec, tmp_path):
    """Its key frames are 7.5 s apart here; what precedes the first one cannot be decoded."""
    options = {"g": "180", "bf": "0"} | LONG[codec]
    sound = {"sound": "mp2", "seconds": 15}
    whole = render(tmp_path / "a.ts", codec, options, fps=24, frames=360, kind="mpegts", **sound)
    with av.open(str(whole)) as container:
        places = [packet.pos // 188 * 188 for packet in container.demux(video=0) if packet.size]
    data, path = whole.read_bytes(), tmp_path / "cut.ts"
    path.write_bytes(data[: 3 * 188] + data[places[5] :])
    video = probe(path)
    assert (video.frames, video.corrupt, video.flags) == (180, 0, ("starts_undecodable",))
    assert (video.width, video.height) == (128, 72)
    assert shown(path, video, 180, 24) == list(range(180, 360))
    path.write_bytes(data[: 3 * 188] + data[places[185] :])
    assert failure_of(path) == "corrupt"


def test_a_damaged_start_counts_in_a_file_that_no_recorder_cuts(tmp_path):
    path = render(tmp_path / "a.mp4", options={"g": "30", "keyint_min": "30", "bf": "0"})
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    for at, size in packets[:30]:
        data[at : at + size] = bytes([255]) * size
    path.write_bytes(data)
    assert failure_of(path) == "corrupt"


RATES = {
    "24.mp4": {"fps": 24},
    "25.mp4": {"fps": 25},
    "29.97.mkv": {"fps": Fraction(30_000, 1001)},
    "30.webm": {"fps": 30, "picture": "libvpx-vp9"},
    "varying.mp4": {"times": np.cumsum(np.tile([1, 2, 3, 1], 15)) / 60},
    "late.flv": {"times": 0.5 + np.arange(FRAMES) / 30, "sound": "aac", "seconds": 2.5},
    "late.mp4": {"times": 0.5 + np.arange(FRAMES) / 30, "sound": "aac", "seconds": 2.5},
    "early.mkv": {"times": np.arange(FRAMES) / 25, "fps": 25, "options": {"bf": "0"}},
}


@pytest.mark.parametrize("name", RATES)
def test_a_cut_clip_shows_the_frames_that_features_see(name, tmp_path):
    """Seconds count from the first frame that the file shows, whatever its timestamp."""
    settings = RATES[name]
    path = render(tmp_path / name, **settings)
    if name == "early.mkv":
        path = shifted(path, tmp_path / "shifted.mkv", -0.8)
    times = settings.get("times", np.arange(FRAMES) / float(settings.get("fps", 30)))
    times = times - times[0]
    video = probe(path)
    assert video.frames == FRAMES
    for clip in partition([(0, round(video.duration * 24))]):
        requested = frame_times(clip)
        expected = [int(np.abs(times - at).round(4).argmin()) for at in requested]
        # The features' decode is at the backbone's size, the export at the full one.
        features = [number_of(f) for f in read_frames(path, video.decoder, requested, 36)]
        cut(path, video.decoder, clip, tmp_path / "clip.mp4")
        with av.open(str(tmp_path / "clip.mp4")) as container:
            exported = [number_of(f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
        assert exported == features == expected


@pytest.mark.parametrize(("loudness", "silent"), [(0.3, False), (0.0, True)])
def test_silence_is_measured(loudness, silent, tmp_path):
    path = render(tmp_path / "video.mp4", sound="aac", seconds=2, loudness=loudness)
    sound = probe(path).sound
    assert (sound.codec, sound.silent) == ("aac", silent)


def test_the_ledger_has_the_flags_and_the_sound(tmp_path):
    address = (DATA / "audio_longer.mkv").as_posix()
    movie = Movie("tt0000001", "A", "2001", (), trailer_url=address)
    settings = DownloadSettings(max_megabytes=10, retries=0, timeout=5, retry_pause=0, pause={})
    row = TrailerFetcher(tmp_path, settings, StopSignal()).fetch(movie)
    columns = ["flags", "sound_codec", "sound_channels", "sound_rate", "sound_duration", "silent"]
    values = [row[name] for name in columns]
    assert set(columns) <= set(TRAILER_COLUMNS)
    assert values == ["picture_ends_early", "aac", 1, 44_100, "6.037", 0]


def test_every_flag_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "videos.md").read_text()
    assert all(f"| {word} |" in page for word in FLAGS)


def test_a_file_without_sound_has_none():
    assert probe(DATA / "plain.mp4").sound is None
