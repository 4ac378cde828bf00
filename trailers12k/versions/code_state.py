"""The code that makes products: the commit of the clone, and its files that no commit has.

Reads the clone's repository. Must not know what is versioned.
"""

from dataclasses import dataclass

from trailers12k import __version__
from trailers12k.common.bounded_files import shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.messages import first_names
from trailers12k.versions.repository import git
from trailers12k.workflow.clone import folder

PARTS = (
    *("trailers12k", "rules", "scripts", "Snakefile", "envs"),
    *("requirements.txt", "lock.txt", "pyproject.toml"),
)
"""Parts of the clone on which products depend. Configurations and tables are the collection's."""
LONGEST_LIST = 20
"""Names of files in a message."""


@dataclass(frozen=True)
class CodeState:
    """commit: of the clone; empty where no repository has the code. uncommitted: files that differ
    from it, relative to the clone."""

    commit: str = ""
    uncommitted: tuple[str, ...] = ()

    def __str__(self) -> str:
        words = [f"trailers12k {__version__}"]
        words += [f"commit {self.commit}"] if self.commit else []
        words += [f"and not committed: {self.names()}"] if self.uncommitted else []
        return ", ".join(words)

    def names(self) -> str:
        """The files that differ, in one line."""
        return first_names([shown_path(name) for name in self.uncommitted], LONGEST_LIST)


def code_state() -> CodeState:
    """The state of the code that is running. Raises `UserError`."""
    try:
        known = _git("ls-tree", "--name-only", "HEAD", "--", PARTS[0])
    except UserError:  # no repository, or one without a commit
        known = ""
    if not known:
        return CodeState()
    changed = _git("diff", "--name-only", "--no-renames", "--relative", "-z", "HEAD", "--", *PARTS)
    added = _git("ls-files", "--others", "--exclude-standard", "-z", "--", *PARTS)
    names = {name for output in (changed, added) for name in output.split("\0") if name}
    return CodeState(_git("rev-parse", "HEAD"), tuple(sorted(names)))


def _git(*arguments: str) -> str:
    # A clone may be shared: its code runs here, whoever owns it.
    return git("--no-optional-locks", "-c", "safe.directory=*", *arguments, folder=folder())
