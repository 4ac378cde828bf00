"""Lets a job on a cluster's node leave its products in place until it replaces them.

Changes Snakemake in the processes of such jobs. Must not know what jobs do.
"""

from typing import Any


def keep_products() -> None:
    """Let Snakemake remove no outputs in this process, neither before a job nor when it fails.

    Another job may have just made them: one that a killed run left, or one that Slurm repeats. Jobs
    replace their outputs whole; those of a job that failed are removed by the run that submitted
    it.
    """
    from snakemake.jobs import Job

    async def keep(job: Job, *arguments: Any) -> None:
        pass

    Job.remove_existing_output = keep
    Job.cleanup = keep
