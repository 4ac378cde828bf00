"""An executor for Slurm that loses no job while Slurm does not answer, or has forgotten it.

Asks squeue, calls scancel, looks at the outputs of jobs. Must not know rules or targets.
"""

import asyncio
import os
import re
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from typing import Any

import snakemake_executor_plugin_slurm as plugin
from snakemake_executor_plugin_slurm.job_status_query import (
    query_job_status,
    query_job_status_squeue,
)
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo

from trailers12k.workflow.cluster_jobs import NoAnswer, call, environment
from trailers12k.workflow.permanent_failures import note_refusal

FORGOTTEN = 60.0
"""Seconds for which squeue has answered without a job before the job counts as ended. Other hosts
see what it has written after as many."""
SILENCE = 60.0
"""Seconds without an answer of Slurm before a person hears of it."""
PAUSE = 10.0
"""Seconds between two questions while Slurm does not answer."""
SOON = 30.0
"""Seconds until the next poll after one that did not find all jobs; the plugin's are up to 180."""
TIMEOUT = 20.0
"""Seconds for one command of Slurm."""
NO_ROOM = re.compile("temporarily unable|temporarily unavailable|MaxSubmit", re.IGNORECASE)
"""What sbatch says at a limit of jobs, of the cluster or of a QOS, until some have ended."""


class SlurmExecutor(plugin.Executor):  # type: ignore[misc]  # it has no types
    """The plugin's executor. What differs:

    - Jobs of a poll that Slurm did not answer stay known. The plugin forgets them, and waits.
    - It queries squeue where `sacct` does not answer, such as without accounting.
    - A job that squeue no longer knows has ended: well if it has written its outputs.
    - A submission that failed while Slurm did not answer is repeated when it does. So is one
      at a limit of jobs. Another refusal is final.
    - The end of a run does not wait for the next poll, and cancels every job of the run.
    - `no_account` asks for no account.
    """

    next_seconds_between_status_checks: float
    _polled: Sequence[SubmittedJobInfo] = ()
    _silent_since: float | None = None
    _is_silence_said = False
    _is_limit_said = False

    def __post_init__(self, test_mode: bool = False) -> None:
        self._ended: set[str] = set()
        self._absent_since: dict[str, float] = {}
        self._outputs_before: dict[Any, dict[str, tuple[int, int, int] | None]] = {}
        self._submission = threading.local()
        self._ending = threading.Event()
        for name in os.environ.keys() - environment().keys():
            del os.environ[name]
        super().__post_init__(test_mode)
        plugin.query_job_status = self._ask  # a function of the plugin's module

    # Polls.

    async def check_active_jobs(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> AsyncGenerator[SubmittedJobInfo, None]:
        """Yield the jobs that have not ended. The plugin yields none when Slurm did not answer."""
        if not active_jobs:
            async for job in super().check_active_jobs(active_jobs):
                yield job
            return
        self._polled = active_jobs
        async for _ in super().check_active_jobs(active_jobs):
            pass
        if self._silent_since is not None or self._absent_since:
            pause = self.next_seconds_between_status_checks
            self.next_seconds_between_status_checks = min(pause, SOON)
        for job in active_jobs:
            if job.external_jobid not in self._ended:
                yield job

    def report_job_success(self, job_info: SubmittedJobInfo) -> None:
        """Note that a job has ended."""
        self._ended.add(str(job_info.external_jobid))
        super().report_job_success(job_info)

    def report_job_error(self, job_info: SubmittedJobInfo, *how: Any, **named: Any) -> None:
        """Note that a job has ended."""
        self._ended.add(str(job_info.external_jobid))
        super().report_job_error(job_info, *how, **named)

    async def _ask(
        self, command: str, logger: Any
    ) -> tuple[dict[str, str], float] | tuple[None, None]:
        """State of each job that Slurm knows, and the seconds this took; None without an answer.

        command: sacct or squeue, as the plugin chose.
        """
        if self._ending.is_set():
            return {}, 0.0
        squeue = query_job_status_squeue(self.run_uuid)
        by_sacct = None
        if command != squeue:
            by_sacct, seconds = await query_job_status(command, logger)
            if by_sacct is not None and not self._absent(by_sacct):
                self._note_answer(True)
                return by_sacct, seconds
        # One line for each job of an array, also while they wait.
        by_squeue, seconds = await query_job_status(f"{squeue} --array", logger)
        self._note_answer(by_squeue is not None or by_sacct is not None)
        if by_squeue is None:
            return (None, None) if by_sacct is None else (by_sacct, 0.0)
        states = {**by_squeue, **(by_sacct or {})}
        return {**states, **self._forgotten(states)}, seconds

    def _absent(self, states: dict[str, str]) -> list[SubmittedJobInfo]:
        """The jobs of this poll that are not among those of an answer."""
        return [
            job
            for job in self._polled
            if not any(each in states for each in plugin._status_lookup_ids(job.external_jobid))
        ]

    def _forgotten(self, states: dict[str, str]) -> dict[str, str]:
        """How the jobs have ended that squeue does not name for the second time."""
        if self._submitted_job_clusters:  # squeue names the jobs of one cluster only
            return {}
        now, before = time.monotonic(), self._absent_since
        absent = {str(job.external_jobid): job for job in self._absent(states)}
        self._absent_since = {number: before.get(number, now) for number in absent}
        ends = {}
        for number, job in absent.items():
            if now - self._absent_since[number] >= FORGOTTEN:
                # UNKNOWN: the plugin leaves it to Snakemake to look for the outputs.
                ends[number] = "UNKNOWN" if self._has_written(job.job) else "CANCELLED"
        for number in ends:
            del self._absent_since[number]
        return ends

    def _has_written(self, job: Any) -> bool:
        """Whether all outputs are there, and none is that of an earlier job."""
        before = self._outputs_before.get(job.jobid, {})
        now = _states(job)
        return all(now[path] not in (None, before.get(path)) for path in now)

    def _note_answer(self, is_answered: bool) -> None:
        """Say once that Slurm does not answer, and that it does again."""
        now = time.monotonic()
        if is_answered:
            if self._is_silence_said:
                self.logger.warning(f"Slurm answers again at {time.strftime('%H:%M')}")
            self._silent_since, self._is_silence_said = None, False
        elif self._silent_since is None:
            self._silent_since = now
        elif now - self._silent_since >= SILENCE and not self._is_silence_said:
            self._is_silence_said = True
            since = time.strftime("%H:%M", time.localtime(time.time() - SILENCE))
            self.logger.warning(
                f"Slurm does not answer since {since}; jobs go on, and the run waits"
            )

    # Submissions, in threads of the plugin.

    def run_job(self, job: Any) -> None:
        """Submit a job."""
        self._submit(lambda jobs: super(SlurmExecutor, self).run_job(jobs[0]), [job])

    def run_array_jobs(self, jobs: list[Any]) -> None:
        """Submit jobs of one rule together."""
        self._submit(super().run_array_jobs, jobs)

    def _submit(self, submit: Callable[[list[Any]], None], jobs: list[Any]) -> None:
        """Submit jobs, again those refused because Slurm did not answer or had no room."""
        for job in jobs:
            self._outputs_before[job.jobid] = _states(job)
        refused: list[tuple[SubmittedJobInfo, str]] = []
        while jobs and not self._ending.is_set():
            self._submission.refused = refused = []
            submit(jobs)
            comes_again = self._waited_for_slurm(refused) or self._waited_for_room(refused)
            jobs = [each.job for each, _ in refused] if comes_again else []
        for each, message in refused:
            note_refusal(each.job)
            super()._report_job_error_threadsafe(each, message)

    def _report_job_error_threadsafe(self, job_info: SubmittedJobInfo, msg: str) -> None:
        """Keep that a submission was refused."""
        self._submission.refused.append((job_info, msg))

    def _waited_for_slurm(self, refused: Sequence[object]) -> bool:
        """Whether Slurm did not answer after jobs were refused. Waits until it does."""
        has_waited = False
        while refused and not self._ending.is_set():
            if _succeeds("squeue", "--noheader", "--name", self.run_uuid):
                return has_waited
            has_waited = True
            self._note_answer(False)
            self._ending.wait(PAUSE)
        return False

    def _waited_for_room(self, refused: Sequence[tuple[object, str]]) -> bool:
        """Whether jobs were refused at a limit of jobs. Waits a moment."""
        if not refused or not all(NO_ROOM.search(message) for _, message in refused):
            return False
        if not self._is_limit_said:
            self._is_limit_said = True
            self.logger.warning("Slurm takes no more jobs at present; the run waits")
        return not self._ending.wait(PAUSE)

    def get_account_arg(self, job: Any) -> Iterator[str]:
        """The option that names the account of a job."""
        if self.workflow.executor_settings.no_account and not job.resources.get("slurm_account"):
            yield ""
        else:
            yield from super().get_account_arg(job)

    # The end.

    async def sleep(self) -> None:
        """Wait until the next poll, or until the run ends."""
        end = time.monotonic() + self.next_seconds_between_status_checks
        while self.wait and time.monotonic() < end:
            await asyncio.sleep(0.5)

    def cancel(self) -> None:
        """Cancel all jobs of the run, with those of a poll that goes on or just submitted."""
        self._ending.set()
        self.wait = False
        self._job_submission_executor.shutdown(wait=True)
        if self._submitted_job_clusters:
            with self.lock:
                jobs = {each.external_jobid: each for each in (*self._polled, *self.active_jobs)}
            try:
                self.cancel_jobs([job for number, job in jobs.items() if number not in self._ended])
            except WorkflowError as error:
                self.logger.error(str(error))
        elif not _succeeds("scancel", f"--name={self.run_uuid}"):
            self.logger.error(
                "error: Slurm does not answer, and jobs of this run may be at work; when it does: "
                f"scancel --name={self.run_uuid}"
            )
        self.shutdown()


def _states(job: Any) -> dict[str, tuple[int, int, int] | None]:
    """Path of each output of a job -> inode, times of its last changes in ns; None if absent.

    A product that is a hard link to an earlier one differs in the last time only.
    """
    found: dict[str, tuple[int, int, int] | None] = {}
    for path in map(str, job.output):
        try:
            state = os.lstat(path)
        except OSError:
            found[path] = None
        else:
            found[path] = state.st_ino, state.st_mtime_ns, state.st_ctime_ns
    return found


def _succeeds(*command: str) -> bool:
    """Whether a command of Slurm succeeds in time."""
    try:
        call(*command, seconds=TIMEOUT)
    except NoAnswer:
        return False
    return True
