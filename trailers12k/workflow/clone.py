"""The clone of the repository that this package is installed from, and its Snakefile.

Looks for files beside the package. Must not know the rules or their targets.
"""

import os
import re
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import trailers12k
from trailers12k.common.errors import UserError

NO_COMMAND = re.compile(r"[\x00-\x20!-$&-*:;<>?\[-^`{|}\x7f]")
"""Characters of paths at which a job's command would break: Snakemake does not quote Python's path.

The Makefile has the same list.
"""
BRACES = re.compile("[{}]")
"""Snakemake takes these for wildcards in the path of a script."""


def folder() -> Path:
    """The clone: the folder that holds the package."""
    return Path(trailers12k.__file__).resolve().parents[1]


def check_paths() -> None:
    """Raise `UserError` where the path of Python or of the clone has a character with which jobs
    fail. The folder of a collection may have any path."""
    for what, path, pattern in (
        ("Python", sys.executable, NO_COMMAND),
        ("the clone", str(folder()), BRACES),
    ):
        if fault := pattern.search(path):
            raise UserError(
                f"the path of {what}, {path!r}, has {fault[0]!r}, with which no job can run; move "
                "the clone to a path with only letters, digits and - _ . , + = @ % ~, and set it "
                "up again: make"
            )


def snakefile() -> Path:
    """The Snakefile of the clone. Raises `UserError` where the package has none beside it."""
    path = folder() / "Snakefile"
    if not (path.is_file() and (path.parent / "rules").is_dir()):
        raise UserError(
            "the installed package has no Snakefile; clone the repository at version "
            f"{trailers12k.__version__}, and in the clone: pip install -c lock.txt -e '.[all]'"
        )
    return path


def snakemake_command(arguments: Sequence[str]) -> list[str]:
    """The command line of Snakemake. Raises `UserError` where it is not installed."""
    return [sys.executable, "-m", "snakemake", *_with_snakefile(arguments)]


def child_command(arguments: Sequence[str]) -> list[str]:
    """The command line of Snakemake as a child of this process, with which it ends; see
    `snakemake_process`. Raises `UserError` where Snakemake is not installed."""
    module = "trailers12k.workflow.snakemake_process"
    return [sys.executable, "-m", module, str(os.getpid()), *_with_snakefile(arguments)]


def _with_snakefile(arguments: Sequence[str]) -> list[str]:
    path = snakefile()
    if find_spec("snakemake") is None:
        raise UserError("Snakemake is not installed; pip install -c lock.txt -e '.[all]'")
    return ["--snakefile", str(path), *arguments]
