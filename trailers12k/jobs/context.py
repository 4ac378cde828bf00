"""What every job of the workflow does first: logging, and the reason of a failure as the last line.

Writes the job's log. Must not know what the job does.
"""

import logging
import os
import signal
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from trailers12k.common.errors import FULL, UserError

log = logging.getLogger("trailers12k")


@contextmanager
def job(log_file: str | os.PathLike, inputs: Iterable[str | os.PathLike] = ()) -> Iterator[None]:
    """Log to the terminal and to `log_file`; end it with the reason should the job fail.

    inputs: the files that the job reads; one that a clock ahead of ours has dated is dated now.
    A `UserError` and a full disk are told in one line; anything else, being our fault, with its
    traceback first. On Ctrl-C it ends at once: nothing is ever half written.
    """
    Path(log_file).parent.mkdir(parents=True, exist_ok=True)
    handlers = [logging.StreamHandler(), logging.FileHandler(log_file, mode="w", encoding="utf-8")]
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
        handlers=handlers,
        force=True,
    )
    logging.captureWarnings(True)
    signal.signal(signal.SIGINT, _interrupt)
    try:
        _date(inputs, now=os.stat(log_file).st_mtime_ns)
        yield
    except UserError as error:
        log.error("%s", error)
        sys.exit(1)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            log.error("%s; make room, then run the same command again", error)
            sys.exit(1)
        log.error("%s", traceback.format_exc().rstrip())
        log.error("%s: %s", type(error).__name__, error)
        sys.exit(1)


def _date(inputs: Iterable[str | os.PathLike], now: int) -> None:
    """Let no input be later than now, in ns: Snakemake would throw away what is made of it."""
    for path in inputs:
        if os.stat(path).st_mtime_ns > now:
            with suppress(PermissionError):
                os.utime(path, ns=(now, now))


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """End at once, whatever threads are in the middle of: a KeyboardInterrupt can get lost."""
    try:
        log.error("interrupted; the same command goes on from here")
    finally:
        os._exit(128 + number)
