"""Merges of branches that both have snapshots: which conflicts a person resolves, which a snapshot.

Reads Git; writes nothing. Must not know what the files hold.
"""

from pathlib import Path

from trailers12k.common.bounded_files import shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.messages import first_names
from trailers12k.settings.files import CONFLICT
from trailers12k.versions.dvc_pipeline import CODE_VERSIONS
from trailers12k.versions.repository import git

DERIVED = ("dvc.yaml", "dvc.lock", CODE_VERSIONS)
"""Files of Git that a snapshot writes from the configuration, the code and the products."""
HEADS = ("MERGE_HEAD", "CHERRY_PICK_HEAD")
"""What Git has while a merge waits for its commit, which then takes all that is staged."""
REMEDY = "resolve config.yaml and the tables, then: trailers12k run, and trailers12k snapshot"
SHOWN = 3


def is_merging() -> bool:
    """Whether the next commit ends a merge."""
    return any(Path(git("rev-parse", "--git-path", head)).exists() for head in HEADS)


def refuse_conflicts() -> None:
    """Raise `UserError` where a merge has left conflicts in this folder."""
    prefix = git("rev-parse", "--show-prefix")
    conflicts = [path for path in _conflicts() if path.startswith(prefix)]
    if conflicts:
        raise UserError(
            f"restore: a merge left conflicts in {_names(conflicts)}; {REMEDY}; or undo the merge: "
            "git merge --abort"
        )


def refuse_other_conflicts() -> None:
    """Raise `UserError` where a merge left conflicts in files that a snapshot does not write."""
    prefix = git("rev-parse", "--show-prefix")
    conflicts = {*_conflicts()} - {prefix + name for name in DERIVED}
    if conflicts:
        raise UserError(
            f"snapshot: a merge left conflicts in {_names(sorted(conflicts))}; resolve them and "
            "git add them, then: trailers12k run, and trailers12k snapshot"
        )


def without_conflicts(name: str, text: str) -> str:
    """The text of a derived file. Raises `UserError` where it was committed with conflicts."""
    if any(line.startswith(CONFLICT) for line in text.splitlines()):
        raise UserError(f"restore: a merge left conflicts in {name}; {REMEDY}")
    return text


def _conflicts() -> list[str]:
    """The files with conflicts in the whole repository, from its top."""
    names = git("diff", "--name-only", "--diff-filter=U", "-z").split("\0")
    return [name for name in names if name]


def _names(paths: list[str]) -> str:
    return first_names([shown_path(path) for path in paths], SHOWN)
