"""The stage `sound`: measured once, skipped with reasons, and no condition of anything."""

from pathlib import Path

import pytest

from trailers12k.common.files import sha256_of
from trailers12k.video import sound_shard, waveforms
from trailers12k.video.sound_shard import SoundStage
from trailers12k.video.trailer_stages import process_trailers

from ...cases.planted import SECONDS, Planted, write_planted

MIDS = [f"tt000000{i}" for i in range(1, 7)]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("trailers")
    write_planted(folder, Planted("sound.mp4"))
    write_planted(folder, Planted("without.mp4", tracks=()))
    return folder


def row(mid: str, path: Path, **columns: str) -> dict[str, str]:
    sha256 = sha256_of(path) if path.is_file() else "x"
    known = {"sound_codec": "aac", "sound_channels": "2", "silent": "0"}
    own = {"mid": mid, "status": "ok", "file": str(path), "sha256": sha256}
    return own | {"duration": f"{SECONDS:.6f}"} | known | columns


def measured_rows(rows, tmp_path, code="code"):
    stage = SoundStage(rows, code, tmp_path / "records", tmp_path / "waveforms")
    return process_trailers([stage])[0]


def shard(rows, tmp_path, code="code"):
    measured = measured_rows(rows, tmp_path, code)
    return [
        (r["status"], r.get("reason"), (r.get("detail") or "").partition(":")[0]) for r in measured
    ]


def test_every_outcome_has_its_row(files, tmp_path):
    nothing = {"sound_codec": "", "sound_channels": "0", "silent": ""}
    before = dict.fromkeys(nothing, "")
    rows = [
        row(MIDS[0], files / "sound.mp4"),
        {"mid": MIDS[1], "status": "failed"},
        row(MIDS[2], files / "sound.mp4", silent="1"),
        row(MIDS[3], files / "without.mp4", **nothing, title="A film", format="134"),
        row(MIDS[4], files / "without.mp4", **before),
        row(MIDS[5], files / "gone.mp4"),
    ]
    assert shard(rows, tmp_path) == [
        ("ok", None, ""),
        ("skipped", "no_trailer", ""),
        ("skipped", "no_sound", "silent"),
        ("skipped", "no_sound", "video_only"),
        ("skipped", "no_sound", "no_track"),
        ("skipped", "no_file", ""),
    ]
    measured = measured_rows(rows, tmp_path)[0]
    assert {*sound_shard.LEDGER_COLUMNS} <= measured.keys()
    assert float(measured["peak"]) > -3 and float(measured["silence"]) > 0.9
    assert [path.name for path in (tmp_path / "waveforms").iterdir()] == [f"{MIDS[0]}.bin"]


def test_a_trailer_is_measured_once_and_its_waveform_made_again(files, tmp_path, monkeypatch):
    """Where the trailer's file is gone, its measures stay, and a missing waveform is no fault."""
    path = tmp_path / "trailer.mp4"
    path.write_bytes((files / "sound.mp4").read_bytes())
    rows, calls = [row(MIDS[0], path)], []
    measure = sound_shard.measure_sound
    monkeypatch.setattr(
        sound_shard, "measure_sound", lambda *given: calls.append(given) or measure(*given)
    )
    waveform = tmp_path / f"waveforms/{MIDS[0]}.bin"
    assert shard(rows, tmp_path) == shard(rows, tmp_path) == [("ok", None, "")]
    assert len(calls) == 1
    drawn = waveforms.read(waveform)
    waveform.unlink()
    assert shard(rows, tmp_path) == [("ok", None, "")] and len(calls) == 2
    assert len(drawn) == 20 * SECONDS and (waveforms.read(waveform) == drawn).all()
    waveform.unlink()
    path.unlink()
    assert shard(rows, tmp_path) == [("ok", None, "")] and len(calls) == 2
    assert shard(rows, tmp_path, "newer") == [("skipped", "no_file", "")]
