"""Locks of Git that a killed snapshot left, which would stop every later one.

Git's locks name no process. Reads /proc; writes a record in Git's folder; removes locks. Must not
know what a snapshot does.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from trailers12k.common.bounded_files import read_small
from trailers12k.common.errors import UserError
from trailers12k.common.files import write_json
from trailers12k.versions.repository import git
from trailers12k.workflow.run_lock import Process, is_gone, this_process

RECORD = "trailers12k.json"
"""In Git's folder while a snapshot calls Git: the process that does."""
PROGRAMS = (b"git", b"dvc")


def check() -> None:
    """Remove the locks that a killed snapshot left. Raises `UserError` where another one is."""
    _release()
    if lock := next(_locks(), None):
        raise UserError(
            f"snapshot: {lock} is there: Git is at work in this repository, or was killed; where "
            "none is at work, remove this file"
        )


@contextmanager
def recorded() -> Iterator[None]:
    """Around all that calls Git for a snapshot, after `check`."""
    if process := this_process():
        write_json(_record(), asdict(process))
    try:
        yield
    finally:
        _record().unlink(missing_ok=True)


def _record() -> Path:
    return Path(git("rev-parse", "--git-path", RECORD))


def _release() -> None:
    """Remove the locks of a snapshot that was killed.

    There was none when it began, else it would not have. What it started may still be at work.
    """
    try:
        process = Process(**json.loads(read_small(_record())))
        if not is_gone(process) or _is_used(Path(git("rev-parse", "--show-toplevel"))):
            return
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return
    for path in _locks():
        path.unlink(missing_ok=True)


def _locks() -> Iterator[Path]:
    """The locks here of those that a commit and a tag take."""
    folder, common = (Path(git("rev-parse", name)) for name in ("--git-dir", "--git-common-dir"))
    yield from (path for name in ("index", "HEAD") if (path := folder / f"{name}.lock").exists())
    yield from sorted((common / "refs").rglob("*.lock"))


def _is_used(folder: Path) -> bool:
    """Whether a process of Git or DVC of this host works in a folder."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            place = Path(os.readlink(process / "cwd"))
            words = (process / "cmdline").read_bytes().split(b"\0")
            if place.is_relative_to(folder) and any(
                os.path.basename(word) in PROGRAMS for word in words
            ):
                return True
    return False
