import json
import os
import time
from dataclasses import replace

import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.movie import Movie
from trailers12k.jobs import ledger, status


@pytest.fixture(autouse=True)
def project_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def movies(*numbers):
    return [Movie(f"tt{n:07d}", "A", "", ("drama",)) for n in numbers]


def record(folder, mid, state, ago, **more):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{mid}.json"
    path.write_text(json.dumps({"row": {"mid": mid, "status": state} | more}))
    when = time.time() - ago
    os.utime(path, (when, when))


def gather(tmp_path):
    shards = {"000": movies(1, 2, 3, 4, 5, 6), "001": movies(11, 12)}
    folder = tmp_path / "files"
    (row,) = status.gather(shards, {"trailers": {"000": folder, "001": folder}})
    return row


def test_finished_shards_are_read_from_their_ledgers_and_others_from_their_records(tmp_path):
    for mid, state, more in (
        ("tt0000001", "ok", {"bytes": 5}),
        ("tt0000002", "failed", {"reason": "private"}),
        ("tt0000003", "skipped", {"reason": "no_address"}),
    ):
        record(tmp_path / "files", mid, state, 0, **more)
    rows = [
        {"mid": "tt0000011", "status": "ok", "bytes": 7},
        {"mid": "tt0000012", "status": "skipped", "reason": "stopped"},
    ]
    ledger.write_shard("build/ledger/trailers/001.csv", rows)
    row = gather(tmp_path)
    assert (row.movies, row.done, row.failed, row.skipped, row.waiting) == (8, 2, 1, 1, 4)
    assert (row.bytes, row.reasons, row.skip_reasons) == (12, "private 1", "no_address 1")


def test_the_time_left_is_estimated_from_recent_movies(tmp_path):
    # Begun yesterday and continued 20 s ago: one movie in 10 s, and five are waiting.
    for mid, ago in (("tt0000001", 86400), ("tt0000002", 20), ("tt0000003", 10)):
        record(tmp_path / "files", mid, "ok", ago)
    assert gather(tmp_path).left == 50


def test_there_is_no_estimate_without_finished_movies(tmp_path):
    assert gather(tmp_path).left is None


def test_movies_that_an_earlier_stage_lost_are_skipped_not_waited_for(tmp_path):
    """An interrupted run: the ledger of clips is not written yet, that of the store neither."""
    rows = [
        {"mid": "tt0000001", "status": "ok"},
        {"mid": "tt0000002", "status": "skipped", "reason": "no_address"},
        {"mid": "tt0000003", "status": "failed", "reason": "private"},
        {"mid": "tt0000004", "status": "skipped", "reason": "stopped"},
    ]
    ledger.write_shard("build/ledger/trailers/000.csv", rows)
    folders = {stage: {"000": tmp_path / stage} for stage in ("trailers", "clips", "store")}
    record(tmp_path / "clips", "tt0000002", "skipped", 0, reason="no_trailer")
    earlier = {"clips": "trailers", "store": "clips"}
    found = status.gather({"000": movies(1, 2, 3, 4)}, folders, earlier)
    assert [(row.skipped, row.failed, row.waiting) for row in found] == [
        (1, 1, 1),
        (2, 0, 2),
        (2, 0, 2),
    ]
    assert [row.skip_reasons for row in found] == ["no_address 1", "", ""]
    text = status.describe(found, "", {})
    assert "    failed: private 1\n    skipped: no_address 1\nclips" in text


def test_the_description_is_readable():
    row = status.StageStatus(
        "trailers", 12000, 9000, 20, 0, 2980, 45_300_000_000, 45000, "private 20"
    )
    text = status.describe([row], "rate_limited", {"trailers": [time.time() + 1800] * 3})
    assert "9,000" in text and "45.3 GB" in text and "12 h" in text
    assert "failed: private 20" in text
    assert "3 of them will be tried again, the first in 30 min" in text
    assert "Downloading is stopped: rate_limited" in text


def test_missing_weights_say_where_the_cause_is():
    row = status.StageStatus("swin", 11, 0, 0, 11, 0, 0, None, "", skip_reasons="no_weights 11")
    lines = status.describe([row, replace(row, skip_reasons="no_clips 11")], "", {}).splitlines()
    assert lines[2] == "    skipped: no_weights 11"
    assert lines[3].startswith("    no weights: the column detail in build/ledger/swin/ says why")
    assert lines[-1] == "    skipped: no_clips 11" and len(lines) == 6


def test_too_many_failures_and_stopped_downloads_are_refused():
    rows = [{"mid": "a", "status": "ok"}, {"mid": "b", "status": "failed", "reason": "private"}]
    rows.append({"mid": "c", "status": "skipped", "reason": "no_address"})
    stages = ("trailers", "clips")
    counts = ledger.failures({"stage": s, "reason": ""} | row for s in stages for row in rows)
    assert counts[0] == ledger.StageFailures("trailers", 2, 1, 0, "private 1")
    assert counts[0].rate == 0.5
    ledger.check(counts, 0.5, "")
    with pytest.raises(UserError, match=r"trailers: 1 of 2 failed \(private 1\), and max_fail"):
        ledger.check(counts, 0.49, "")
    left = {"stage": "trailers", "mid": "c", "status": "skipped", "reason": "stopped"}
    with pytest.raises(
        UserError, match="trailers: 1 movies were not begun, .* continues. wait an hour"
    ):
        ledger.check(ledger.failures([left]), 1, "wait an hour")


def test_the_progress_is_written_with_a_column_for_each_count(tmp_path):
    row = status.StageStatus("clips", 9, 5, 1, 1, 2, 3000, None, "truncated 1", "no_address 1")
    status.write("status.csv", [row])
    assert (tmp_path / "status.csv").read_text().splitlines() == [
        "stage,movies,done,failed,skipped,waiting,bytes,left,reasons,skip_reasons",
        "clips,9,5,1,1,2,3000,,truncated 1,no_address 1",
    ]


def test_reasons_are_counted_the_most_frequent_first(tmp_path):
    for n, reason in enumerate(("drm", "private", "private"), 1):
        record(tmp_path / "files", f"tt000000{n}", "failed", 0, reason=reason)
    assert gather(tmp_path).reasons == "private 2, drm 1"


def test_a_pause_of_up_to_ten_minutes_is_no_break(tmp_path):
    for number, ago in ((1, 1190), (2, 600), (3, 10)):
        record(tmp_path / "files", f"tt000000{number}", "ok", ago)
    # Two movies in 1,180 s, and five are waiting.
    assert gather(tmp_path).left == 2950
    record(tmp_path / "files", "tt0000001", "ok", 1300)
    # After the break one movie in 590 s.
    assert gather(tmp_path).left == 2950
    record(tmp_path / "files", "tt0000004", "ok", 5)
    assert gather(tmp_path).left == round(4 / (2 / 595))


def test_one_movie_or_movies_of_the_same_time_give_no_estimate(tmp_path):
    record(tmp_path / "files", "tt0000001", "ok", 10)
    assert gather(tmp_path).left is None
    record(tmp_path / "files", "tt0000002", "ok", 10)
    for path in (tmp_path / "files").iterdir():
        os.utime(path, (1, 1))
    assert gather(tmp_path).left is None


def test_a_finished_stage_has_nothing_left(tmp_path):
    for number in (1, 2, 3, 4, 5, 6, 11, 12):
        record(tmp_path / "files", f"tt{number:07d}", "ok", number)
    assert (gather(tmp_path).waiting, gather(tmp_path).left) == (0, None)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "-"), (999, "999 B"), (1000, "1.0 kB"), (2_500_000, "2.5 MB"), (3 * 10**12, "3.0 TB")],
)
def test_sizes(number, text):
    assert status._size(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((None, "-"), (0, "0 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min")),
        *((5400, "2 h"), (172_799, "48 h"), (172_800, "2 d")),
    ],
)
def test_durations(seconds, text):
    assert status.duration(seconds) == text


def test_a_retry_that_is_due_is_one_of_the_next_run():
    row = status.StageStatus("trailers", 1, 0, 1, 0, 0, 0, None, "network 1")
    text = status.describe([row], "", {"trailers": [time.time() - 5, time.time() + 999]})
    assert "2 of them will be tried again, the first in the next run" in text
    assert "stopped" not in text and "tried again" not in status.describe([row], "", {})
