"""The context of a job."""

import os
import time

from trailers12k.jobs.context import job


def test_modification_times_in_the_future_are_set_to_now_and_others_stay(tmp_path):
    ahead, behind = tmp_path / "ahead.csv", tmp_path / "behind.csv"
    for path, hours in ((ahead, 5), (behind, -5)):
        path.write_text("mid\n")
        os.utime(path, (time.time() + 3600 * hours,) * 2)
    before = behind.stat().st_mtime_ns
    with job(tmp_path / "log", [ahead, behind]):
        made = tmp_path / "made.csv"
        made.touch()
    assert before == behind.stat().st_mtime_ns < ahead.stat().st_mtime_ns
    assert ahead.stat().st_mtime_ns <= made.stat().st_mtime_ns
