"""The Slurm jobs that an earlier run of this folder left at work when it was killed.

Calls squeue and scancel; reads and writes .snakemake/cluster_jobs.json. Must not know rules, nor
import Snakemake.
"""

import json
import os
import re
import subprocess  # nosec B404  # lists of words, never a shell
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import read_small
from trailers12k.common.errors import UserError
from trailers12k.common.files import write_json
from trailers12k.common.messages import first_names, one_line

RECORD = Path(".snakemake/cluster_jobs.json")
"""The folder and the name of the jobs of its last run on Slurm. The name is that run's own. Another
folder is that of a copy, whose jobs are none of ours."""
NAME = re.compile(r"\w[\w-]*", re.ASCII)
SHOWN = 5
"""Jobs that a message names."""
PATIENCE = 60.0
"""Seconds in which squeue and scancel answer."""
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds between two questions; the last one repeats."""

UNKNOWN = (
    "jobs of an earlier run on Slurm may be at work in this folder, and {why}; run again where "
    "squeue answers, or if none is at work, first: rm {record}"
)
WAITS = (
    "{jobs} still at work in this folder; this run begins when they have ended "
    "(to cancel them: Ctrl-C, then trailers12k run --running-jobs cancel)"
)
REFUSED = "{jobs} still at work in this folder; wait, or cancel them: scancel --name {name}"


class NoAnswer(Exception):
    """squeue or scancel did not do what it was called for; the message says why."""


def record(workflow: Any) -> None:
    """Record the name of the jobs of a run that begins, if they run on Slurm. Only where there is a
    record is Slurm asked. workflow: Snakemake's.

    Raises `UserError` while jobs of an earlier run are at work.
    """
    refuse()
    RECORD.unlink(missing_ok=True)
    name = getattr(getattr(workflow.scheduler, "_executor", None), "run_uuid", None)
    if isinstance(name, str):
        write_json(RECORD, {"folder": os.path.realpath("."), "name": name})


def refuse() -> None:
    """Raise `UserError` while jobs of an earlier run are at work, or may be."""
    if running := at_work():
        raise UserError(REFUSED.format(jobs=_shown(running), name=_name()))


def forget() -> None:
    """Forget the jobs of a run, all of which have ended."""
    RECORD.unlink(missing_ok=True)


def at_work() -> list[str]:
    """The Slurm ids of jobs of this folder's last run that wait or run. Writes nothing.

    Raises `UserError` where there may be some and Slurm cannot be asked.
    """
    try:
        return _listed(_name())
    except NoAnswer as error:
        raise UserError(UNKNOWN.format(why=one_line(error), record=RECORD)) from error


def may_be_at_work() -> bool:
    """Whether jobs of this folder's last run are at work, or Slurm cannot be asked."""
    try:
        return bool(at_work())
    except UserError:
        return True


def wait(say: Callable[[str], None]) -> None:
    """Wait until the jobs of an earlier run have ended. say: prints a line.

    Raises `UserError` as `at_work` does, but only at the beginning: later questions are repeated.
    """
    running, pauses = at_work(), iter(PAUSES)
    if running:
        say(WAITS.format(jobs=_shown(running)))
    is_silent = False
    while running:
        time.sleep(next(pauses, PAUSES[-1]))
        try:
            running, is_silent = _listed(_name()), False
        except NoAnswer as error:
            if not is_silent:
                say(f"Slurm did not answer and is queried again: {one_line(error)}")
            is_silent = True
    forget()


def cancel(say: Callable[[str], None]) -> None:
    """Cancel the jobs of an earlier run, and wait until they have ended. say: prints a line.

    Raises `UserError` where Slurm does not answer.
    """
    if running := at_work():
        say(f"{_shown(running)} still at work in this folder; cancelling them")
        try:
            call("scancel", "--name", _name())
        except NoAnswer as error:
            raise UserError(UNKNOWN.format(why=one_line(error), record=RECORD)) from error
    pauses = iter(PAUSES)
    while at_work():
        time.sleep(next(pauses, PAUSES[-1]))
    forget()


def _name() -> str:
    """The name of the jobs of this folder's last run; empty without a readable record."""
    try:
        content = json.loads(read_small(RECORD))
        folder, name = content["folder"], content["name"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return ""
    if not isinstance(folder, str) or not isinstance(name, str) or not NAME.fullmatch(name):
        return ""
    # The folder may have been moved. A copy of a folder has no jobs.
    is_ours = folder == os.path.realpath(".") or not os.path.lexists(folder)
    return name if is_ours else ""


def _listed(name: str) -> list[str]:
    """The ids of the jobs of a name that have not ended. Raises `NoAnswer`."""
    if not name:
        return []
    return call("squeue", "--noheader", "--array", "--format=%i", "--name", name).split()


def environment() -> dict[str, str]:
    """This environment without the user's preferences, which hide jobs or ask questions."""
    preferences = ("SQUEUE_", "SCANCEL_")
    return {name: value for name, value in os.environ.items() if not name.startswith(preferences)}


def call(*command: str, seconds: float = PATIENCE) -> str:
    """What a command of Slurm prints within some seconds. Raises `NoAnswer`."""
    try:
        done = subprocess.run(  # nosec B603  # no shell
            command, capture_output=True, text=True, timeout=seconds, env=environment()
        )
    except FileNotFoundError:
        raise NoAnswer(f"there is no {command[0]} here") from None
    except (OSError, subprocess.SubprocessError) as error:
        raise NoAnswer(f"{command[0]} does not answer ({type(error).__name__})") from error
    if done.returncode:
        raise NoAnswer(f"{command[0]} fails: {done.stderr.strip()[:120]}")
    return done.stdout


def _shown(ids: list[str]) -> str:
    """The number of jobs, their ids, and a verb."""
    listed = first_names(ids, SHOWN)
    if len(ids) == 1:
        return f"1 job ({listed}) of an earlier run is"
    return f"{len(ids)} jobs ({listed}) of an earlier run are"
