"""Writes files of a Git revision into the folder, each of them whole or not at all.

Reads Git; writes the files that its callers name. Must not know what they mean.
"""

import os
import subprocess  # nosec B404  # lists of words, never a shell
from collections.abc import Mapping, Sequence
from pathlib import Path

from trailers12k.common.bounded_files import quoted
from trailers12k.common.errors import UserError
from trailers12k.common.files import below, replacing
from trailers12k.versions.repository import git

LINK = "120000"
MODES = {LINK: 0, "100644": 0o666, "100755": 0o777}
"""Git's mode of a file -> that of the file system, of which the mask of the user is taken."""


def modes_of(version: str, paths: Sequence[str]) -> dict[str, str]:
    """The modes of files at a revision, a key of `MODES` each. paths: relative to this folder.

    Raises `UserError` for a path at which the revision has no file, or that leads over a link.
    """
    if not paths:
        return {}
    listed = git("--literal-pathspecs", "ls-tree", "-z", version, "--", *paths)
    modes = {}
    for entry in filter(None, listed.split("\0")):
        about, _, path = entry.partition("\t")
        modes[path] = about.split()[0]
    for path in paths:
        if modes.get(path) not in MODES:
            raise UserError(f"{quoted(path)} is no file of {version}; name another version")
        _place(path)
    return modes


def write_files(version: str, modes: Mapping[str, str]) -> None:
    """Write files as they are at a revision. Git's index stays as it is: an unrelated commit
    would include whatever was staged.

    modes: of `modes_of`. Raises `UserError`.
    """
    mask = os.umask(0)
    os.umask(mask)
    for path, mode in modes.items():
        with replacing(_place(path)) as partial:
            name = f"{version}:./{path}"
            if mode == LINK:
                os.symlink(git("cat-file", "blob", name), partial)
                continue
            with partial.open("wb") as file:
                _write(name, file.fileno())
            partial.chmod(MODES[mode] & ~mask)


def _write(name: str, file: int) -> None:
    """Write a file of Git as a checkout does, with the line ends of this system."""
    command = ["git", "cat-file", "--filters", name]
    done = subprocess.run(  # nosec B603  # no shell
        command, stdout=file, stderr=subprocess.PIPE, text=True, errors="replace"
    )
    if done.returncode:
        raise UserError(f"git: {quoted(done.stderr.strip())}")


def _place(path: str) -> Path:
    """Where a file is written: a link there is replaced, and no folder above it may be one that
    leaves this folder."""
    folder, name = os.path.split(path)
    return Path(below(".", folder) if folder else "", name)
