"""Snakemake as the child of a command of ours, which `clone.child_command` starts.

Becomes Snakemake; ends when the command is gone. Must not know rules or targets.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from trailers12k.common.messages import one_line
from trailers12k.workflow import cluster_jobs, run_lock
from trailers12k.workflow.user_errors import STOPPED, one_line_errors

AGAIN = 0.05
"""Seconds until a Ctrl-C that was lost comes again."""
PATIENCE = 30.0
"""Seconds from Ctrl-C to the end of all that is left."""

UNKNOWN_LOCK = (
    "this folder is locked, by plain snakemake or one of another host; wait until it ends, or if "
    "no run is at work: trailers12k run --unlock"
)
PROTECTED = "{path} cannot be written (no permission); change its permissions, then run again"


def main(parent: str, *arguments: str) -> None:
    """Run Snakemake. parent: the process id of the command, which blocks Ctrl-C here, so that it
    comes when it can be handled."""
    # The Snakefile needs them. While pydantic builds them, Ctrl-C would become an error of theirs.
    import trailers12k.settings  # noqa: F401

    sys.unraisablehook = _come_again

    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        threading.Thread(target=_end_with, args=(int(parent),), daemon=True).start()
        from snakemake.cli import main as snakemake
        from snakemake.jobs import Job
        from snakemake.persistence import PersistenceBase

        PersistenceBase.lock = _recorded(PersistenceBase.lock)
        Job.check_protected_output = _in_one_line(Job.check_protected_output)
        # Python prints a traceback for each line that a full disk keeps out of Snakemake's log.
        logging.raiseExceptions = False
        snakemake([*arguments])
    except KeyboardInterrupt:  # before the first job
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with suppress(OSError, ValueError):
            print(f"error: {STOPPED}", file=sys.stderr, flush=True)
        sys.exit(128 + signal.SIGINT)


def _come_again(lost: Any) -> None:
    """Send Ctrl-C once more where a callback or finalizer swallowed it, as those of imports do."""
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
        return
    from trailers12k.workflow.run_display.display import forget_interrupt

    forget_interrupt()
    # When the callback is over.
    again = threading.Timer(AGAIN, os.kill, (os.getpid(), signal.SIGINT))
    again.daemon = True
    again.start()


def _recorded(lock: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Snakemake's lock with a record of who took it, and without one that a gone process took.

    Jobs on a cluster outlive their run. Only those of Slurm can be looked for, so a run on another
    cluster leaves no record.
    """

    from snakemake.exceptions import LockException

    @contextmanager
    def recorded(self: Any) -> Iterator[None]:
        with ExitStack() as held:
            with run_lock.exclusively():
                _release_abandoned()
                held.callback(run_lock.forget_lock)
                try:
                    held.enter_context(lock(self))
                except LockException:
                    why = run_lock.at_work() or run_lock.at_work_elsewhere() or UNKNOWN_LOCK
                    raise SystemExit(f"error: {why}") from None
                workflow = self.dag.workflow
                if workflow.local_exec or workflow.executor_plugin.name == "slurm":
                    run_lock.record_lock()
            yield

    return recorded


def _release_abandoned() -> None:
    """Remove the lock of a gone run, unless jobs of it are at work on Slurm."""
    if run_lock.is_abandoned():
        with one_line_errors():
            cluster_jobs.refuse()
        run_lock.release_abandoned()


def _in_one_line(check: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    """Snakemake's check of a job's outputs, which names a write-protected one in one line."""

    from snakemake.exceptions import ProtectedOutputException

    async def checked(self: Any) -> None:
        try:
            await check(self)
        except ProtectedOutputException:
            path = next(str(each) for each in self.output if not os.access(each, os.W_OK))
            raise SystemExit(f"error: {one_line(PROTECTED.format(path=path))}") from None

    return checked


def _end_with(parent: int) -> None:
    """Send Ctrl-C to the group of this process when its parent is gone, and end it in the end.

    Not a signal of the system: it comes with the end of the parent's thread, too.
    """
    while os.getppid() == parent:
        time.sleep(1)
    if os.getpgrp() != os.getpid():  # not started by a command
        return
    os.killpg(0, signal.SIGINT)
    time.sleep(PATIENCE)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
