"""Stops all downloads of a run when going on would do harm.

Reads and writes build/stopped.json. Must not know what is downloaded.
"""

import json
import re
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path

from trailers12k.common.errors import Failure, Stop
from trailers12k.common.files import write_json
from trailers12k.jobs.reasons import COOL_DOWN, STOPS
from trailers12k.jobs.runner import StopSignal

STOPPED = Path("build/stopped.json")

_writing = threading.Lock()


def record_stop(failure: Failure, folder: Path) -> None:
    """Note that nothing shall be downloaded for a while. folder: where it was downloaded to."""
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
    # Another job may write it at the same moment; one note is enough.
    with _writing, suppress(FileNotFoundError):
        write_json(STOPPED, note)


def stop_reason() -> str:
    """Why nothing may be downloaded now, and what to do; empty when all is well."""
    try:
        note = json.loads(STOPPED.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ""
    left = note["until"] - time.time()
    # The same job of the same run must not fill a disk again that somebody has to empty.
    full = note["free"] is not None and shutil.disk_usage(note["folder"]).free <= note["free"]
    if left <= 0 and not full:
        return ""
    wait = f"; {left / 60:.0f} minutes are left (to go on at once, delete {STOPPED})"
    words = f"{note['reason']}: {note['detail']}: {STOPS[note['reason']]}"
    return words + (wait if left > 0 else "")


class SharedStopSignal(StopSignal):
    """A stop signal that the jobs of all stages and shards share.

    folder: where the job downloads to.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._looked = 0.0

    def stop(self, failure: Stop) -> None:
        """Stop this job and all others, and note it for later runs."""
        record_stop(failure, self._folder)
        super().stop(failure)

    @property
    def reason(self) -> str:
        """Why nothing shall be begun any more; looked for at most twice a second."""
        if not self._reason and time.monotonic() - self._looked > 0.5:
            self._reason = stop_reason()
            self._looked = time.monotonic()
        return self._reason
