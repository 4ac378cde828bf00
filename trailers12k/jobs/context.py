"""The context of every job: its log, the reason of a failure as the log's last line, and the result
of an earlier job from the same inputs.

Writes the job's log; reads and writes build/cache/ and build/records/. Must not know what the job
does.
"""

import atexit
import gc
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from trailers12k.common import product_records
from trailers12k.common.errors import DENIED, FULL, UserError
from trailers12k.common.messages import denied, one_line
from trailers12k.common.product_records import REPAIR
from trailers12k.jobs import outcome, result_cache
from trailers12k.jobs.outcome import RUN, OutcomeWriter
from trailers12k.jobs.read_audit import recorded_reads
from trailers12k.jobs.result_cache import Reuse

log = logging.getLogger("trailers12k")

QUIET = "TRAILERS12K_QUIET_JOBS"
"""An environment variable. When it is set, jobs print nothing: all goes to their logs."""


LEDGERS = Path("build/ledger")
"""The folder of the shards' ledgers; the records of a ledger's movies are beside it."""

NO_OTHERS = Reuse()


def run_job(snakemake: Any, main: Callable[[], None], reuse: Reuse = NO_OTHERS) -> None:
    """Run a job's `main`, or put back the outputs that it made of the same inputs.

    For every rule whose outputs depend on the content of its inputs, on its params and on what
    `reuse` names, and on nothing else. Slow modules are imported inside `main`: the look-up comes
    first. A job that fails keeps no result. See `job` for logs and failures.
    snakemake: the object that Snakemake gives to a script.
    """
    began = time.time()
    with job(snakemake.log[0], snakemake.input, snakemake.output):
        result = result_cache.result_of(snakemake, reuse)
        is_forced = result_cache.is_forced(snakemake.rule, result.outputs)
        if not is_forced and (cost := result.put_back()):
            outcome.put_back(asdict(cost), _ledgers_of(result.outputs))
            return
        with recorded_reads(snakemake.rule, snakemake.log[0], result.declared):
            main()
        if result_cache.result_of(snakemake, reuse).entry == result.entry:
            result.keep(result_cache.cost_since(began))
        else:
            log.warning("an input changed while the job ran; its result is not kept for later runs")


def _ledgers_of(outputs: Iterable[str]) -> list[str]:
    """The shards' ledgers among a job's outputs."""
    return [path for path in outputs if Path(path).is_relative_to(LEDGERS)]


@contextmanager
def job(
    log_file: str | os.PathLike[str],
    inputs: Iterable[str | os.PathLike[str]] = (),
    outputs: Iterable[str | os.PathLike[str]] = (),
) -> Iterator[None]:
    """Log to the terminal, unless `QUIET` is set, and to `log_file`; on failure, exit with the
    reason as its last line.

    inputs: the files that the job reads; modification times in the future are set to now. One that
        is not as its own job wrote it fails this one; see `product_records`.
    outputs: the files that the job writes; recorded when it succeeds.
    `UserError`, a full disk and a folder in the place of a file are reported in one line; other
    exceptions, which are faults of this program, after a traceback. Each says in the outcome
    whether another attempt would fail as well. Ctrl-C ends the process at once: files are written
    whole or not at all. So does the end of the process that started it, such as a killed Snakemake.
    """
    Path(log_file).parent.mkdir(parents=True, exist_ok=True)
    Path(log_file).write_bytes(b"")
    if os.environ.get(QUIET):
        _print_to(log_file)
    writer = OutcomeWriter(log_file)
    handlers: list[logging.Handler] = [
        *([] if os.environ.get(QUIET) else [logging.StreamHandler()]),
        logging.FileHandler(log_file, mode="a", encoding="utf-8"),
        writer,
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
    # Modules are no garbage. A search for it while they are loaded, and at the end of the process,
    # takes a third of what `import torch` costs.
    gc.set_threshold(100_000, 50, 100)
    atexit.register(gc.freeze)
    done = threading.Event()
    threading.Thread(target=_end_with, args=(os.getppid(), done), daemon=True).start()
    try:
        _limit_times(inputs, now=os.stat(log_file).st_mtime_ns)
        for path in inputs:
            product_records.check(path)
        yield
        for path in outputs:
            product_records.record(path)
        writer.end()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        if isinstance(error, UserError):
            reason = str(error)
        elif isinstance(error, OSError) and error.errno in FULL:
            reason = f"{error}; free some space, then run the same command again"
        elif isinstance(error, IsADirectoryError):
            path = error.filename2 or error.filename
            reason = f"{path} is a folder where a file belongs; move it aside: {REPAIR}"
        elif isinstance(error, OSError) and error.errno in DENIED and error.filename:
            reason = f"{denied(error)}; see to it, then run the same command again"
        else:
            log.error("%s", traceback.format_exc().rstrip())
        _log_end(one_line(reason), os.environ.get(RUN, "") if _is_permanent(error) else "")
        sys.exit(1)
    finally:
        done.set()


def _print_to(log_file: str | os.PathLike[str]) -> None:
    """Send what this process prints, libraries in C included, to the end of a file."""
    file = os.open(log_file, os.O_WRONLY | os.O_APPEND)
    for printed in (1, 2):
        os.dup2(file, printed)
    os.close(file)


def _is_permanent(error: Exception) -> bool:
    """Whether another attempt, with more memory or on another node, would fail as well.

    Libraries raise RuntimeError for a lack of memory, a broken GPU and a killed process of theirs.
    """
    if isinstance(error, OSError):
        return error.errno in (*FULL, *DENIED)
    return not isinstance(error, MemoryError | RuntimeError)


def _log_end(reason: str, permanent_in: str = "") -> None:
    """Log why the job fails. permanent_in: see `Outcome`."""
    log.error("%s", reason, extra={"outcome": {"error": reason, "permanent_in": permanent_in}})


def _end_with(parent: int, done: threading.Event) -> None:
    """End the process at once when its parent has ended before the job is `done`.

    Without this, the job of a killed Snakemake goes on, and a new run starts the same job. Not a
    signal of the system: it comes with the end of the parent's thread, too.
    """
    while not done.wait(1):
        if os.getppid() != parent:
            try:
                _log_end("the process that started this job has ended; so does the job")
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
        _log_end("interrupted; the same command continues from here")
    finally:
        os._exit(128 + number)
