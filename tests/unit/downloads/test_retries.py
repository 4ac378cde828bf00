"""When failures are retried, and when all downloads are stopped."""

import json
import time
from pathlib import Path

import pytest

from trailers12k.common.errors import Failure, Stop
from trailers12k.common.local_files import ABSENT, state_of
from trailers12k.downloads import retries, stop_signal
from trailers12k.downloads.retries import OpenFailure
from trailers12k.jobs.runner import Task, process

NOW = 1_000_000.0
UNCHANGED = {__file__: state_of(Path(__file__))}
CHANGED = {__file__: "1 2"}


@pytest.fixture(autouse=True)
def project_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def failure(reason, attempts=1, ago=0.0, **more):
    return OpenFailure("tt0000001", reason, attempts, NOW - ago, **more)


@pytest.mark.parametrize(
    ("failed", "retry", "due"),
    [
        (failure("network", ago=3599), "", False),
        (failure("network", ago=3600), "", True),
        (failure("network", attempts=2, ago=4 * 3600 - 1), "", False),
        (failure("network"), "network", True),
        (failure("network"), "private", False),
        (failure("private", ago=1e9), "", False),
        (failure("private"), "all", True),
        (failure("unavailable", ago=3 * 86400), "", True),
        (failure("unavailable", attempts=2, ago=1e9), "", False),
        (failure("extractor_broken", tool=retries.yt_dlp_version(), ago=10), "", False),
        (failure("extractor_broken", tool="yt-dlp 2025.01.01", ago=10), "", True),
        (failure("unavailable", files={"none.mp4": ABSENT}, local=True, ago=1e9), "", False),
        (failure("unavailable", files={__file__: ABSENT}, local=True), "", True),
        (failure("corrupt", files=UNCHANGED, local=True, ago=1e9), "", False),
        (failure("corrupt", files=UNCHANGED, ago=1e9), "", True),
        (failure("corrupt", files=CHANGED, local=True), "", True),
        (failure("corrupt", files=CHANGED), "", True),
        (failure("corrupt", files=CHANGED, local=True), "none", False),
        (failure("corrupt", files=UNCHANGED, local=True), "corrupt", True),
    ],
)
def test_a_failure_is_due_after_its_pause_or_on_request(failed, retry, due):
    assert retries.is_due(failed, 3600, retry, NOW) is due


def run(folder, number, reasons):
    """A job whose movies fail for these reasons."""

    def work(mid):
        raise Failure(reasons[mid], "")

    tasks = [Task(mid) for mid in reasons]
    rows = process(tasks, folder, work, retry=lambda row, tried: True)
    retries.write_open(folder, "000", number, rows)


def test_a_shard_has_another_retry_round_exactly_when_a_retry_is_due(tmp_path):
    assert retries.next_retry_round(tmp_path, "000", 3600, "") == 0
    run(tmp_path, 0, {"tt0000001": "network", "tt0000002": "private"})
    assert retries.next_retry_round(tmp_path, "000", 3600, "") == 0
    assert retries.next_retry_round(tmp_path, "000", 0, "") == 1
    assert retries.next_retry_round(tmp_path, "000", 3600, "private") == 1
    run(tmp_path, 1, {"tt0000002": "private"})
    assert retries.next_retry_round(tmp_path, "000", 0, "") == 1


def test_a_stop_lasts_for_its_cool_down_and_gives_advice(tmp_path, monkeypatch):
    stop_signal.SharedStopSignal(tmp_path).stop(Stop("rate_limited", "HTTP Error 429"))
    words = stop_signal.stop_reason()
    assert "rate_limited: HTTP Error 429: the site asks for fewer" in words
    assert "60 minutes are left (to continue at once, delete build/stopped.json)" in words
    assert stop_signal.SharedStopSignal(tmp_path).reason == words
    later = time.time() + 3601
    monkeypatch.setattr(time, "time", lambda: later)
    assert stop_signal.stop_reason() == "" and stop_signal.SharedStopSignal(tmp_path).reason == ""


def test_a_full_disk_stops_later_runs_until_space_is_free_and_other_errors_do_not(tmp_path):
    stop_signal.record_stop(
        Stop("local_io", "unable to write: [Errno 28] No space left on device"), tmp_path
    )
    note = json.loads(Path("build/stopped.json").read_text())
    assert note["free"] > 0
    Path("build/stopped.json").write_text(json.dumps(note | {"free": note["free"] * 2}))
    assert "the disk is full" in stop_signal.stop_reason()
    Path("build/stopped.json").write_text(json.dumps(note | {"free": note["free"] // 2}))
    assert stop_signal.stop_reason() == ""
    stop_signal.record_stop(Stop("local_io", "unable to open: Permission denied"), tmp_path)
    assert stop_signal.stop_reason() == ""


def test_the_retry_rule_of_a_job_keeps_to_the_pause(monkeypatch):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    row = {"mid": "tt0000001", "status": "failed", "reason": "network", "attempts": "2"}
    rule = retries.retry_rule(retries.on_the_web, 100, "")
    assert not rule(row, now - 399) and rule(row, now - 400)
    assert not rule(row | {"status": "ok"}, now - 1e6)
    assert retries.retry_rule(retries.on_the_web, 1e6, "network")(row, now)
    assert not retries.retry_rule(retries.on_the_web, 0, "none")(row, now - 1e6)


def test_the_retry_rule_waits_for_a_local_file(tmp_path):
    file = tmp_path / "a.mp4"
    row = {"mid": "tt0000001", "status": "failed", "reason": "unavailable", "attempts": 1}
    files = retries.LocalFiles({str(file): ABSENT}, alone=True)
    rule = retries.retry_rule(lambda mid: files, 0, "")
    assert not rule(row, 0)
    file.touch()
    assert rule(row, time.time())


def test_a_retry_round_begins_after_the_pause_and_not_before(tmp_path, monkeypatch):
    run(tmp_path, 2, {"tt0000001": "network"})
    tried = time.time()
    for later, expected in ((3590, 2), (3610, 3)):
        monkeypatch.setattr(time, "time", lambda later=later: tried + later)
        assert retries.next_retry_round(tmp_path, "000", 3600, "") == expected
        assert retries.next_retry_round(tmp_path, "000", 3600, "none") == 2
    assert retries.last_retry_round(tmp_path, "000") == 2
    assert retries.last_retry_round(tmp_path, "001") == 0


def test_held_retries_are_due_again_after_the_next_job(tmp_path):
    retries.hold_retries(tmp_path / "new", "000", hold=True)
    run(tmp_path, 0, {"tt0000001": "network"})
    retries.hold_retries(tmp_path, "000", hold=True)
    assert retries.next_retry_round(tmp_path, "000", 0, "") == 0
    assert retries.next_retry_round(tmp_path, "000", 0, "network") == 1
    assert retries.open_file(tmp_path, "000") == tmp_path / "open" / "000.json"
    run(tmp_path, 0, {"tt0000001": "network"})
    assert retries.next_retry_round(tmp_path, "000", 0, "") == 1
    retries.hold_retries(tmp_path, "000", hold=True)
    retries.hold_retries(tmp_path, "000", hold=False)
    retries.hold_retries(tmp_path, "000", hold=False)
    assert retries.next_retry_round(tmp_path, "000", 0, "") == 1


def test_movies_that_were_not_begun_are_a_round_when_downloads_go_on(tmp_path, monkeypatch):
    rows = [{"mid": "tt0000001", "status": "skipped", "reason": "stopped"}]
    retries.write_open(tmp_path, "000", 4, rows)
    assert json.loads((tmp_path / "open" / "000.json").read_text()) == {
        **{"round": 4, "stopped": 1, "failures": []}
    }
    assert retries.next_retry_round(tmp_path, "000", 3600, "") == 5
    stop_signal.record_stop(Stop("rate_limited", "HTTP Error 429"), tmp_path)
    assert retries.next_retry_round(tmp_path, "000", 3600, "") == 4


def test_the_times_of_the_next_retries(tmp_path):
    reasons = {"tt0000001": "network", "tt0000002": "private", "tt0000003": "unavailable"}
    run(tmp_path, 0, reasons)
    run(tmp_path, 0, {"tt0000001": "network"} | reasons)
    tried = {
        failure["mid"]: failure["tried"]
        for failure in json.loads((tmp_path / "open" / "000.json").read_text())["failures"]
    }
    # An unavailable trailer is tried twice.
    assert retries.due_times(tmp_path, 60) == [tried["tt0000001"] + 240]
    assert retries.due_times(tmp_path / "none", 60) == []


def test_an_open_failure_has_its_attempts_its_files_and_its_tool(tmp_path):
    row = {"mid": "tt0000001", "status": "failed", "reason": "unavailable", "attempts": "3"}
    files = retries.LocalFiles({"videos/a.mp4": ABSENT}, alone=True)
    retries.write_open(tmp_path, "000", 0, [row | {"tool": "yt-dlp 1"}], lambda mid: files)
    (failed,) = json.loads((tmp_path / "open" / "000.json").read_text())["failures"]
    assert failed == {
        **{"mid": "tt0000001", "reason": "unavailable", "attempts": 3, "tried": 0.0},
        **{"tool": "yt-dlp 1", "files": {"videos/a.mp4": ABSENT}, "local": True, "limits": []},
    }
