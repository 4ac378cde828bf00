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
