"""Git and DVC: their commands in the folder of a collection, and a new collection's repository.

Starts git and dvc; writes what they need in a new folder. Must not know what is versioned.
"""

import os
import re
import subprocess  # nosec B404  # lists of words, never a shell
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.files import partial_of, write_text
from trailers12k.common.text import one_line
from trailers12k.workflow import clone

IGNORED_BY_GIT = (
    *("/data/", "/build/", "/results/", "/logs/", "/benchmarks/", "/dvc_plots/"),
    "/publication/",
    "/videos/",  # movies.csv may name files there
    *(".snakemake/", "__pycache__/", "*.partial"),
)
"""Lines of a collection's .gitignore."""
DVCIGNORE = """\
# Temporary names: half-written files and folders
*.partial
__pycache__/
# Never to be shared: videos, pictures of them, and posters
/build/trailers/
/build/sheets/
/build/waveforms/
/build/posters/
/build/sample/
/build/predictions/
/results/review/
"""
IGNORED_BY_DVC = "/config.local\n/tmp\n/cache\n"
"""The .gitignore of .dvc, as DVC writes it."""
DVC_CONFIG = """\
[core]
    analytics = false
    check_update = false
    remote = folder
[cache]
    # Never hardlink or symlink: writing in place through one would change what the cache holds.
    type = "reflink,copy"
['remote "folder"']
    # A folder beside the project; `dvc remote modify --local folder url ...` names another for you.
    url = {remote}
"""
REPOSITORY_FILES = (".gitignore", ".dvcignore", ".dvc/config", ".dvc/.gitignore")
MOST_TEXT = 1_000_000
"""Bytes of dvc.yaml or a configuration of a version; those of all presets have 20 kB."""
MOST_TABLE = 1 << 26
"""Bytes of dvc.lock or a table of a version; the ledger of 12,000 movies has 15 MB."""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""What DVC writes around addresses in its messages, even where no terminal shows them."""
LONGEST = 500
"""Characters of an error message."""


def git(*arguments: str, error: str = "", folder: str | Path = ".") -> str:
    """The output of a git command in a folder.

    Raises `UserError` when it fails: with `error`, or else with the last message of git.
    """
    return run_command(["git", *arguments], error, folder)


def dvc(*arguments: str, folder: str | Path = ".") -> str:
    """The output of a dvc command in a folder. Raises `UserError` when it fails."""
    return run_command([sys.executable, "-m", "dvc", *arguments], folder=folder)


@contextmanager
def dvc_repository() -> Iterator[Any]:
    """DVC's repository of this folder, a `dvc.repo.Repo`. Raises `UserError` for whatever DVC
    raises."""
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            yield repo
    except UserError:
        raise
    except Exception as error:  # DVC, Git, disks and remotes raise many types
        why = one_line(COLOUR.sub("", str(error))) or type(error).__name__
        raise UserError(f"dvc: {textwrap.shorten(why, LONGEST)}") from error


def file_at(version: str, path: str, error: str = "", most_bytes: int = MOST_TEXT) -> str:
    """The content of a file at a version. Raises `UserError`, also for more than `most_bytes`.

    path: relative to this folder, which may be a subfolder of the repository.
    """
    name = f"{version}:./{path}"
    if int(git("cat-file", "-s", name, error=error)) > most_bytes:
        raise UserError(
            f"{shown_path(path)} of {version} is too large; allowed: at most "
            f"{most_bytes / 1e6:.4g} MB; do not trust this version"
        )
    return git("cat-file", "blob", name, error=error)


def run_command(command: Sequence[str], error: str = "", folder: str | Path = ".") -> str:
    """The output of a command. Raises `UserError`, one line, when it fails; see `git`."""
    try:
        done = subprocess.run(  # nosec B603  # no shell
            command, cwd=folder, capture_output=True, text=True, errors="replace"
        )
    except FileNotFoundError as missing:
        raise UserError(f"{command[0]} is not installed") from missing
    if done.returncode:
        name = next(word for word in command if not word.startswith(("-", "/")))
        raise UserError(error or f"{name}: {_last_error(done)}")
    return done.stdout.strip()


def _last_error(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()
    errors = [line for line in lines if line.lower().startswith(("error", "fatal"))]
    rest = lines[lines.index(errors[-1]) :] if errors else []
    if any(line.endswith(":") for line in rest):  # it announces the lines that follow
        return textwrap.shorten(" ".join(rest), LONGEST)
    return (errors or lines)[-1].removeprefix("error: ")  # whoever reports it writes that again


def set_up() -> str:
    """Set up Git and DVC in this folder unless they are there; what was done, in one line.

    Raises `UserError`, also where DVC is not installed.
    """
    require_dvc()
    if Path(".dvc").is_dir():
        return ""
    top, remote = init_repository(".")
    is_own = top.resolve() == Path().resolve()
    where = "Git and DVC" if is_own else f"DVC in the Git repository {shown_path(top)}"
    return f"Versions are set up here: {where}, and {shown_path(remote)} to share them."


def require_dvc() -> None:
    """Raise `UserError` where DVC is not installed."""
    if find_spec("dvc") is None:
        raise UserError("DVC is not installed; pip install -c lock.txt -e '.[all]'")


def init_repository(directory: str | Path) -> tuple[Path, Path]:
    """Make a folder a repository of Git and DVC; inside a Git repository, of DVC alone.

    The clone of the workflow keeps no collections, so a folder inside it becomes a repository.
    Files that exist stay; .gitignore gets the lines that it lacks. Nothing is committed: the first
    snapshot does that. Returns the top folder of the Git repository, and the folder of the remote.
    Raises `UserError` when git or dvc fails.
    """
    directory = Path(directory)
    around, top = _top(directory), top_of(directory)
    if top is None:
        git("init", "--quiet", "--initial-branch", "main", folder=directory)
        top = directory
    ignored = directory / ".gitignore"
    lines = ignored.read_text(encoding="utf-8").splitlines() if ignored.exists() else []
    missing = [line for line in IGNORED_BY_GIT if line not in lines]
    if missing:
        write_text(ignored, "\n".join([*lines, *missing]) + "\n")
    remote = _remote(directory, around or directory)
    url = Path(os.path.relpath(remote, directory.resolve() / ".dvc")).as_posix()
    if not (directory / ".dvcignore").exists():
        write_text(directory / ".dvcignore", DVCIGNORE)
    place = directory / ".dvc"
    if not place.exists():
        # Not by `dvc init`, which a kill leaves half done, and which stages files.
        partial = partial_of(place)
        partial.mkdir()
        (partial / ".gitignore").write_text(IGNORED_BY_DVC, encoding="utf-8")
        (partial / "config").write_text(DVC_CONFIG.format(remote=url), encoding="utf-8")
        partial.rename(place)
    return top, remote


def top_of(directory: str | Path = ".") -> Path | None:
    """The top folder of the Git repository that keeps a folder; None where none does.

    Raises `UserError` where Git refuses a repository that is there.
    """
    directory = Path(directory).resolve()
    top = _top(directory)
    is_in_clone = top is not None and top.resolve() == clone.folder() != directory
    return None if is_in_clone else top


def _top(directory: Path) -> Path | None:
    """The top folder of the Git repository that a folder is part of."""
    folders = (directory.resolve(), *directory.resolve().parents)
    # Not by Git's failure, which has other reasons too, such as another owner of the folder.
    if not any((folder / ".git").exists() for folder in folders):
        return None
    return Path(git("rev-parse", "--show-toplevel", folder=directory))


def _remote(directory: Path, around: Path) -> Path:
    """The folder of the default remote: beside the outermost known repository."""
    return around.resolve().parent / f"{directory.resolve().name}-versions"
