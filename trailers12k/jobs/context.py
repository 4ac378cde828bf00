"""The context of every job: its log, and the reason of a failure as the log's last line.

Writes the job's log. Must not know what the job does.
"""

import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from trailers12k.common.errors import FULL, UserError

log = logging.getLogger("trailers12k")


@contextmanager
def job(
    log_file: str | os.PathLike[str], inputs: Iterable[str | os.PathLike[str]] = ()
) -> Iterator[None]:
    """Log to the terminal and to `log_file`; on failure, exit with the reason as its last line.

    inputs: the files that the job reads; modification times in the future are set to now.
    `UserError` and a full disk are reported in one line; other exceptions, which are faults of this
    program, after a traceback. Ctrl-C ends the process at once: files are written whole or not at
    all. So does the end of the process that started it, such as a killed Snakemake.
    """
    Path(log_file).parent.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [
        logging.StreamHandler(),
        logging.FileHandler(log_file, mode="w", encoding="utf-8"),
    ]
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
        handlers=handlers,
        force=True,
    )
    logging.captureWarnings(True)
    signal.signal(signal.SIGINT, _interrupt)
    done = threading.Event()
    threading.Thread(target=_end_with, args=(os.getppid(), done), daemon=True).start()
    try:
        _limit_times(inputs, now=os.stat(log_file).st_mtime_ns)
        yield
    except UserError as error:
        log.error("%s", error)
        sys.exit(1)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            log.error("%s; free some space, then run the same command again", error)
            sys.exit(1)
        log.error("%s", traceback.format_exc().rstrip())
        log.error("%s: %s", type(error).__name__, error)
        sys.exit(1)
    finally:
        done.set()


def _end_with(parent: int, done: threading.Event) -> None:
    """End the process at once when its parent has ended before the job is `done`.

    Without this, the job of a killed Snakemake goes on, and a new run starts the same job. Not a
    signal of the system: it comes with the end of the parent's thread, too.
    """
    while not done.wait(1):
        if os.getppid() != parent:
            try:
                log.error("the process that started this job has ended; so does the job")
            finally:
                os._exit(1)


def _limit_times(inputs: Iterable[str | os.PathLike[str]], now: int) -> None:
    """Set modification times later than now (ns) to now.

    Otherwise Snakemake considers the products outdated: another host's clock may be ahead.
    """
    for path in inputs:
        if os.stat(path).st_mtime_ns > now:
            with suppress(PermissionError):
                os.utime(path, ns=(now, now))


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """End the process at once: libraries with threads can lose a KeyboardInterrupt."""
    try:
        log.error("interrupted; the same command continues from here")
    finally:
        os._exit(128 + number)
