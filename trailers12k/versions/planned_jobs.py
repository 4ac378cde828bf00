"""What Snakemake would do now, and whether it is at work.

Starts a dry run of Snakemake. Must not know versions.
"""

import re
from collections.abc import Sequence

from trailers12k.common.errors import UserError
from trailers12k.versions.repository import run_command
from trailers12k.workflow.clone import snakemake_command
from trailers12k.workflow.folder import is_running


def planned_jobs(files: Sequence[str], *arguments: str) -> str:
    """The table of the jobs that Snakemake plans, a line each; empty when it plans none.

    files: config files after config.yaml, which an older version may have. Raises `UserError` when
    Snakemake refuses the configuration.
    """
    named = ["--configfile", *files] if files else []
    output = run_command(snakemake_command(["-n", "--quiet", "rules", *named, *arguments]))
    if "Nothing to be done" in output:
        return ""
    table = re.search(r"^job +count\n.*?\n(?=\n|\Z)", output, re.M | re.S)
    return table.group().rstrip() if table else output


def refuse_running(command: str) -> None:
    """Raise `UserError` while Snakemake runs in this folder. command: what has to wait."""
    if is_running():
        raise UserError(
            f"{command}: Snakemake is running in this folder; wait until it ends (after a kill on "
            "another host: trailers12k run --unlock)"
        )
