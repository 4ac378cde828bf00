"""The job of a shard: what it computes, keeps, makes again and removes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trailers12k.common.files import read_csv, sha256_of
from trailers12k.video import clip_detection, contact_sheets
from trailers12k.video.clip_detection import ClipSettings
from trailers12k.video.clip_shard import ClipStage, ShardPaths, bars_of
from trailers12k.video.picture import Bars
from trailers12k.video.probe import probe
from trailers12k.video.reader import read_frames
from trailers12k.video.trailer_stages import process_trailers

from .rendering import render_shots

SHOTS = (30, 12, 50, 24, 8, 40)
SETTINGS = ClipSettings()


@pytest.fixture(scope="module")
def trailer(tmp_path_factory) -> Path:
    return render_shots(tmp_path_factory.mktemp("trailers") / "trailer.mp4", SHOTS)


@pytest.fixture
def paths(tmp_path) -> ShardPaths:
    return ShardPaths(tmp_path / "records", tmp_path / "clips/000.csv", tmp_path / "sheets")


def ledger_row(mid: str, path: Path) -> dict[str, str]:
    video = probe(path)
    return {
        "mid": mid,
        "status": "ok",
        "file": str(path),
        "sha256": sha256_of(path),
        "decoder": video.decoder,
        "duration": f"{video.duration:.6f}",
    }


def detect_shard(trailers, settings, code, paths):
    return process_trailers([ClipStage(trailers, settings, code, paths)])[0]


def test_a_shard_is_computed_once_and_follows_its_settings(trailer, paths, tmp_path):
    trailers = [ledger_row("tt0000001", trailer), {"mid": "tt0000002", "status": "failed"}]
    broken = ledger_row("tt0000003", trailer) | {
        "file": str(tmp_path / "broken.mp4"),
        "sha256": "x",
    }
    (tmp_path / "broken.mp4").write_bytes(trailer.read_bytes()[:500])
    rows = detect_shard([*trailers, broken], SETTINGS, "code", paths)
    assert [(row["status"], row.get("reason")) for row in rows] == [
        ("ok", None),
        ("skipped", "no_trailer"),
        ("failed", "decode_failed"),
    ]
    table = read_csv(paths.table)
    assert (rows[0]["shots"], rows[0]["clips"]) == (6, 8) and len(table) == 8
    assert list(table[1].values()) == ["tt0000001", "1", "1", "1.250000", "1.750000"]
    assert detect_shard([*trailers, broken], SETTINGS, "code", paths) == rows
    assert read_csv(paths.table) == table
    again = detect_shard(trailers, replace(SETTINGS, keep=0.1), "code", paths)
    assert again[0]["status"] == "ok" and len(read_csv(paths.table)) == 9
    detect_shard(trailers[1:], SETTINGS, "code", paths)
    assert not read_csv(paths.table) and not list((tmp_path / "clips/000").iterdir())


@pytest.fixture
def shard(trailer, paths, tmp_path, monkeypatch):
    """A call that detects the clips of one trailer, and the paths of the trailers it decoded."""
    film = tmp_path / "tt0000001.mp4"
    film.write_bytes(trailer.read_bytes())
    row, decoded = ledger_row("tt0000001", film), []
    detect_shots = clip_detection.detect_shots

    def recording(path, *rest):
        decoded.append(path)
        return detect_shots(path, *rest)

    monkeypatch.setattr(clip_detection, "detect_shots", recording)

    def detect(**changed):
        rows = detect_shard([row | changed], SETTINGS, "code", paths)
        return rows, read_csv(paths.table)

    return detect, decoded


def test_one_decoding_gives_the_shots_and_the_contact_sheet(shard, trailer, tmp_path):
    detect, decoded = shard
    (row,), _ = detect()
    assert len(decoded) == 1
    cells = contact_sheets.cells(tmp_path / "sheets/tt0000001.jpg", row["shots"])
    assert len(cells) == len(SHOTS) == row["shots"]
    middles = np.cumsum(SHOTS) - np.array(SHOTS) / 2
    frames = list(read_frames(trailer, "pyav", np.arange(sum(SHOTS)) / 24, 90))
    for cell, middle in zip(cells, middles, strict=True):
        differences = [np.abs(frame - np.asarray(cell, np.int16)).mean() for frame in frames]
        # The squares move by a pixel per frame, so the most similar frame is the one in the cell.
        assert abs(int(np.argmin(differences)) - middle) <= 4
    assert (row["black"], row["still"], row["frozen"]) == ("0.000", "0.000", "0.00")
    assert {row[f"bar_{edge}"] for edge in ("top", "bottom", "left", "right")} == {"0.0000"}
    assert bars_of([row]) == {"tt0000001": Bars()}
    assert bars_of([row | {"status": "failed"}]) == {}


def test_a_missing_sheet_is_made_again_if_the_trailer_exists(shard, tmp_path):
    detect, decoded = shard
    expected, sheet = detect(), tmp_path / "sheets/tt0000001.jpg"
    content = sheet.read_bytes()
    sheet.unlink()
    rows, table = detect()
    assert len(decoded) == 2 and sheet.read_bytes() == content
    rows[0]["attempts"] = 1  # the only difference
    assert (rows, table) == expected


def test_an_edited_table_of_a_movie_is_cut_again(shard, paths):
    detect, decoded = shard
    _, expected = detect()
    table = paths.clips_of("tt0000001")
    whole = table.read_bytes()
    table.write_bytes(whole.replace(b",0.000000,", b",0.100000,", 1))
    assert table.read_bytes() != whole
    assert detect()[1] == expected
    assert len(decoded) == 2 and table.read_bytes() == whole


def test_a_clone_without_videos_needs_no_sheet(shard, tmp_path):
    detect, decoded = shard
    expected = detect()
    (tmp_path / "sheets/tt0000001.jpg").unlink()
    (tmp_path / "tt0000001.mp4").unlink()
    assert detect() == expected and len(decoded) == 1


def test_only_the_sheet_of_a_lost_trailer_is_removed(shard, tmp_path):
    detect, _ = shard
    detect()
    other = tmp_path / "sheets/tt0000002.jpg"
    other.touch()
    detect(status="failed")
    assert list((tmp_path / "sheets").iterdir()) == [other], "it may belong to another shard"
