"""Calls Snakemake with the rules of the clone that this package is installed from.

Starts processes. Must not know the rules or their targets.
"""

import os
import sys
from collections.abc import Sequence

from trailers12k.cli.collection import read_config
from trailers12k.workflow.clone import snakefile, snakemake_command


def check_folder() -> None:
    """Raise `UserError` without a clone, and without a config.yaml that can be read here.

    Snakemake names neither the file nor the line of a syntax error.
    """
    snakefile()
    read_config(None)


def replace_process(arguments: Sequence[str]) -> None:
    """Become Snakemake, which then receives signals and sets the exit code itself."""
    line = snakemake_command(arguments)
    sys.stdout.flush()
    os.execv(line[0], line)


def with_config(arguments: Sequence[str], entry: str) -> list[str]:
    """Arguments with one more `KEY=VALUE` of `--config`, of which only the last one counts."""
    places = [place for place, word in enumerate(arguments) if word in ("--config", "-C")]
    if not places:
        return [*arguments, "--config", entry]
    after = places[-1] + 1
    return [*arguments[:after], entry, *arguments[after:]]
