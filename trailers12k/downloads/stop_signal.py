"""Stops all downloads of a run when further requests would make things worse.

Reads and writes build/stopped.json. Must not know what is downloaded.
"""

import re
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path

from trailers12k.common.errors import Failure, Stop, UserError
from trailers12k.common.files import read_json, reading, write_json
from trailers12k.jobs.reasons import COOL_DOWN, STOPS
from trailers12k.jobs.runner import StopSignal

STOPPED = Path("build/stopped.json")

_writing = threading.Lock()


def record_stop(failure: Failure, folder: Path) -> None:
    """Stop all downloads for a while. folder: of the downloads, whose disk may be full."""
    full = failure.reason == "local_io" and re.search(
        "no space left|quota exceeded", failure.detail, re.IGNORECASE
    )
    note = {
        "reason": failure.reason,
        "detail": failure.detail,
        "until": time.time() + COOL_DOWN[failure.reason],
        "folder": folder.as_posix(),
        "free": shutil.disk_usage(folder).free if full else None,
    }
    # Another job may write the file at the same time; either note will do.
    with _writing, suppress(FileNotFoundError):
        write_json(STOPPED, note)


def stop_reason() -> str:
    """Why downloading is stopped, and what to do; empty while it is not."""
    try:
        with reading(STOPPED):
            note = read_json(STOPPED)
            left = min(note["until"] - time.time(), COOL_DOWN[note["reason"]])
            # A full disk stays a reason until somebody has freed space.
            full = note["free"] is not None and _free(note["folder"]) <= note["free"]
            message = f"{note['reason']}: {note['detail']}: {STOPS[note['reason']]}"
    except (UserError, OSError):  # a damaged note counts as none
        return ""
    if left <= 0 and not full:
        return ""
    wait = f"; {left / 60:.0f} minutes are left (to continue at once, delete {STOPPED})"
    return message + (wait if left > 0 else "")


def _free(folder: str) -> int:
    """The free bytes of the disk of a folder."""
    return shutil.disk_usage(folder).free


class SharedStopSignal(StopSignal):
    """A stop signal that the jobs of all stages and shards share.

    folder: for the downloads of the job.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._checked = 0.0

    def stop(self, failure: Stop) -> None:
        """Stop this job, all others, and those of later runs for a while."""
        record_stop(failure, self._folder)
        super().stop(failure)

    @property
    def reason(self) -> str:
        """Why no movie may be begun; checked at most twice a second."""
        if not self._reason and time.monotonic() - self._checked > 0.5:
            self._reason = stop_reason()
            self._checked = time.monotonic()
        return self._reason
