"""Calls Snakemake with the rules of the clone that this package is installed from.

Starts processes. Must not know the rules or their targets.
"""

import contextlib
import itertools
import os
import pkgutil
import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import typer

from trailers12k.cli import parent
from trailers12k.cli.collection import read_config
from trailers12k.common.bounded_files import is_absent, kind_fault_of, quoted, shown_path
from trailers12k.common.errors import UserError
from trailers12k.workflow import cluster_jobs, run_lock
from trailers12k.workflow.clone import check_paths, child_command, snakefile
from trailers12k.workflow.folder import require_writable

LONGEST = 1000
"""Characters of a target or of a key of the configuration."""
LOGGER = "trailers12k"
PLUGIN = f"snakemake_logger_plugin_{LOGGER}"
"""Snakemake's logger plugin that shows a run to a person."""

OWN_OUTPUT = ("--verbose", "--debug-dag", "--logger")
"""Options with which Snakemake prints as it does by itself, or as another plugin does."""

DRY = ("--dry-run", "--dryrun")

DOTTED = re.compile(r"\w+(\.\w+)+")
"""A key inside another, as messages name it. Snakemake would end with a traceback."""


def check_folder(arguments: Sequence[str] = ()) -> None:
    """Raise `UserError` without a clone, and where the folder of the run has no config.yaml that
    can be read, cannot be written, or is one in which no job can run.

    arguments: of Snakemake, whose --directory names another folder than this one. Snakemake names
    neither the file nor the line of a syntax error.
    """
    snakefile()
    check_paths()
    folder = run_folder(arguments)
    if not folder.is_dir():
        raise UserError(f"--directory: the folder {shown_path(folder)} does not exist")
    with contextlib.chdir(folder):
        read_config()
        # The Snakefile checks more. Snakemake makes folders here before it reads it.
        require_writable(".")
    files = config_files(arguments)
    for path in files:
        if is_absent(path):
            raise UserError(
                f"the configuration file {shown_path(path)} does not exist; correct the path"
            )
        if fault := kind_fault_of(path):
            raise UserError(f"the configuration file {shown_path(path)} {fault}; name a file")
    for word in arguments:
        if Path(word) not in (folder, *files):
            _check_word(word)


def _check_word(word: str) -> None:
    """Raise `UserError` for a word that is neither a target nor a key of the configuration.

    Snakemake would print it unchanged, or end with a traceback.
    """
    name, is_entry, _ = word.partition("=")
    if is_entry and DOTTED.fullmatch(name):
        raise UserError(f"--config sets no key inside another, {quoted(name)}; edit config.yaml")
    is_odd = len(name) > LONGEST or not name.isprintable()
    if is_odd and not word.startswith("-"):
        raise UserError(
            f"{quoted(name)} is no target, file or key of the configuration; correct the name"
        )


def refuse_unlocking(arguments: Sequence[str]) -> None:
    """Raise `UserError` while the run that holds the lock of the folder is at work.

    arguments: see `check_folder`.
    """
    with contextlib.chdir(run_folder(arguments)):
        if who := run_lock.at_work():
            raise UserError(who)


def is_dry(arguments: Sequence[str]) -> bool:
    """Whether Snakemake only prints what would run."""
    return any(word in DRY or re.fullmatch("-[a-zA-Z]*n[a-zA-Z]*", word) for word in arguments)


def end_earlier_jobs(arguments: Sequence[str], cancels: bool) -> None:
    """Wait until the Slurm jobs of a killed run of the folder have ended; the run then continues
    with what they made. cancels: cancel them first.

    Raises `UserError` while that run is at work, and where Slurm cannot be asked.
    """
    with contextlib.chdir(run_folder(arguments)):
        if not cluster_jobs.RECORD.exists():
            return
        if who := run_lock.at_work() or run_lock.at_work_elsewhere():
            raise UserError(who)
        end = cluster_jobs.cancel if cancels else cluster_jobs.wait
        end(partial(print, file=sys.stderr, flush=True))


def run_folder(arguments: Sequence[str]) -> Path:
    """The folder in which Snakemake runs: that of the last --directory or -d, else this one."""
    folder = "."
    for word, following in itertools.pairwise([*arguments, ""]):
        if word in ("--directory", "-d"):
            folder = following
        elif word.startswith("--directory="):
            folder = word.partition("=")[2]
        elif word.startswith("-d") and not word.startswith("--"):
            folder = word[2:]
    return Path(folder)


def config_files(arguments: Sequence[str]) -> list[Path]:
    """The files that --configfile names; the paths begin in the current folder."""
    files: list[Path] = []
    is_file = False
    for word in arguments:
        option, _, value = word.partition("=")
        if word.startswith("-"):
            is_file = option in ("--configfile", "--configfiles")
            files += [Path(value)] if is_file and value else []
        elif is_file:
            files.append(Path(word))
    return files


def run(arguments: Sequence[str]) -> int:
    """Run Snakemake to its end; its exit code, see `parent.run`. arguments: of Snakemake."""
    line = child_command(with_display(targets_first(arguments)))
    if not _is_writable(Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())):
        # Snakemake caches sources there, and ends with a traceback where it cannot.
        os.environ["XDG_CACHE_HOME"] = str(Path(".snakemake/cache").absolute())
    if sys.stdout is None:
        # Closed by the caller, which Snakemake does not expect.
        os.open(os.devnull, os.O_WRONLY)
        os.set_inheritable(1, True)
    else:
        sys.stdout.flush()
    return parent.run(line)


def _is_writable(folder: Path) -> bool:
    """Whether files can be written into a folder, which may have to be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def with_display(arguments: Sequence[str]) -> list[str]:
    """Arguments with the plugin that shows progress; with --verbose, without both.

    Without it, `--verbose` of Snakemake itself would print what only its developers need.
    """
    if any(word.split("=")[0] in OWN_OUTPUT for word in arguments):
        return [word for word in arguments if word != "--verbose"]
    if not any(module.name == PLUGIN for module in pkgutil.iter_modules()):
        typer.echo("warning: progress is not shown; set up the clone again: make", err=True)
        return list(arguments)
    # With a blank instead of =, Snakemake takes a target for a second plugin.
    return [f"--logger={LOGGER}", *arguments]


def targets_first(arguments: Sequence[str]) -> list[str]:
    """Arguments with the targets that follow `--config KEY=VALUE`, which Snakemake would take for
    entries of the configuration, at the beginning."""
    targets: list[str] = []
    others: list[str] = []
    is_config = False
    for word in arguments:
        if word.startswith("-"):
            is_config = word in ("--config", "-C")
        is_target = is_config and not word.startswith("-") and "=" not in word
        (targets if is_target else others).append(word)
    return [*targets, *others]


def with_config(arguments: Sequence[str], entry: str) -> list[str]:
    """Arguments with one more `KEY=VALUE` of `--config`, of which only the last one counts."""
    places = [place for place, word in enumerate(arguments) if word in ("--config", "-C")]
    if not places:
        return [*arguments, "--config", entry]
    after = places[-1] + 1
    return [*arguments[:after], entry, *arguments[after:]]
