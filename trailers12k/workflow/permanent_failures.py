"""Keeps Snakemake from repeating a job that would fail again, whatever memory and node it got.

Reads the outcomes of jobs. Must not know what jobs do.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from trailers12k.jobs.outcome import RUN, read_outcome

_refused: set[object] = set()
"""Jobs that Slurm refused: more memory in a further attempt would not change that."""


def note_refusal(job: object) -> None:
    """Let a job of this process's run have no further attempt."""
    _refused.add(job)


def fail_once() -> None:
    """Let a job of this process's run that failed for good have no further attempt.

    With `retries`, Snakemake would repeat every failure: on a cluster, with a place in the queue
    and three times the memory.
    """
    from snakemake.jobs import Job

    os.environ[RUN] = os.urandom(8).hex()
    allowed = Job.restart_times

    def restart_times(job: Job) -> int:
        is_lost = job in _refused or is_permanent(job.log)
        return 0 if is_lost else int(allowed.fget(job))

    Job.restart_times = property(restart_times)


def is_permanent(logs: Sequence[str | os.PathLike[str]]) -> bool:
    """Whether the job with these logs said in this run that another attempt would fail as well.

    A job that Slurm ended has said nothing.
    """
    if not logs:
        return False
    # On NFS, a folder that is opened shows what another node has just renamed into it.
    with suppress(OSError):
        os.listdir(Path(logs[0]).parent)
    outcome = read_outcome(logs[0])
    return outcome is not None and outcome.permanent_in == os.environ[RUN]
