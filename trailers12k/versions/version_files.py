"""The files of one version of a collection: at a Git revision, or as they are in a folder.

Reads Git, DVC's cache and its remote. Must not know what the files mean.
"""

import hashlib
from pathlib import Path
from typing import Protocol

from trailers12k.common.bounded_files import is_absent, read_bytes
from trailers12k.common.errors import UserError
from trailers12k.common.files import digest_of
from trailers12k.common.text import one_line
from trailers12k.versions.repository import MOST_TABLE, git

CODE = "Code"
"""The trailer of a snapshot's commit message that names the code which made its products."""


class Missing(Exception):
    """A file that a version lacks, or that cannot be read there. It is reported, and no error."""


class Version(Protocol):
    """The files of one version. Paths are relative to the folder of the collection.

    name: as the user called it. description: what it is, and from when. code: what made it; empty
    where that is not recorded.
    """

    name: str
    description: str
    code: str

    def read(self, path: str) -> bytes:
        """The content of a file. Raises `Missing`."""

    def names(self, path: str) -> list[str]:
        """The names in a folder, sorted; empty where there is no such folder. Raises `Missing`."""

    def hashes(self, path: str) -> dict[str, str]:
        """The files below a folder: path -> MD5 of the content. Raises `Missing`."""


class Folder:
    """The files as they are in a folder. See `Version`."""

    def __init__(self, root: str | Path = ".", name: str = "now", code: str = ""):
        self.name, self.description, self.code = name, "the files in this folder", code
        self._root = Path(root)

    def read(self, path: str) -> bytes:
        if is_absent(self._root / path):
            raise Missing(f"{path} is not in {self.name}")
        try:
            return read_bytes(self._root / path, MOST_TABLE)
        except UserError as error:
            raise Missing(f"{self.name}: {error}") from error

    def names(self, path: str) -> list[str]:
        folder = self._root / path
        return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []

    def hashes(self, path: str) -> dict[str, str]:
        files = (file for file in sorted((self._root / path).rglob("*")) if file.is_file())
        return {file.relative_to(self._root).as_posix(): self._hash(file) for file in files}

    def _hash(self, path: Path) -> str:
        try:
            return digest_of(path, "md5")
        except OSError as error:
            raise Missing(f"{self.name}: {path}: {error.strerror}") from error


class Revision:
    """A Git revision of the collection in this folder, with the files of DVC. See `Version`.

    Files of DVC come from its cache, or else from its remote. Raises `UserError` where there is no
    such revision, or no collection in Git and DVC.
    """

    def __init__(self, name: str):
        # DVC would look for a project in the folders above, too, where paths differ.
        if not Path(".dvc").is_dir():
            raise UserError(
                "diff: there is no .dvc in this folder; change to the folder of a collection that "
                "Git and DVC keep"
            )
        # Here, since it takes a second, which comparing folders need not wait for.
        try:
            from dvc.api import DVCFileSystem
        except ModuleNotFoundError as error:
            raise UserError(f"diff: {error}; pip install -c lock.txt -e '.[all]'") from error
        self.name = name
        # Paths of a revision begin at the top of the Git repository.
        self._prefix = git("rev-parse", "--show-prefix")
        try:
            self._files = DVCFileSystem(".", rev=name, subrepos=bool(self._prefix))
            scm = self._files.repo.scm
            commit = scm.resolve_commit(scm.resolve_rev(name))
        except Exception as error:  # Git's part of DVC raises other types than DVC
            raise UserError(
                f"diff: {name!r:.120} is no version of this collection ({one_line(str(error))}); "
                "`git tag` lists those that have a name"
            ) from error
        date = f"{commit.commit_datetime:%Y-%m-%d %H:%M %z}"
        self.description = f"commit {commit.hexsha[:10]} of {date}"
        code = f"trailers:key={CODE},valueonly,separator=%x20"
        # Later commits may have nothing to do with the products.
        in_commit = ("log", "-1", f"--format=%({code})", commit.hexsha, "--", "dvc.lock")
        in_tag = ("for-each-ref", f"--format=%(contents:{code})", f"refs/tags/{name}")
        self.code = git(*in_tag) or git(*in_commit)

    def read(self, path: str) -> bytes:
        data = None
        try:
            # Git's files are read whole.
            if self._files.isdvc(self._full(path)) or self._size_in_git(path) <= MOST_TABLE:
                with self._files.open(self._full(path)) as file:
                    data = bytes(file.read(MOST_TABLE + 1))
        except Exception as error:  # a remote that cannot be reached raises many types
            # From above: where the listing of a folder is missing, DVC knows no file in it.
            above = (*reversed(Path(path).parents), Path(path))
            try:
                is_known = any(self._files.isdvc(self._full(each)) for each in above)
            except Exception:
                is_known = True
            if is_known:
                raise self._out_of_reach(path) from error
            raise Missing(f"{path} is not in {self.name}") from None
        if data is None or len(data) > MOST_TABLE:
            raise Missing(f"{path} of {self.name} has more than {MOST_TABLE / 1e6:.4g} MB")
        return data

    def _size_in_git(self, path: str) -> int:
        return int(git("cat-file", "-s", f"{self.name}:./{path}"))

    def names(self, path: str) -> list[str]:
        try:
            names = self._files.ls(self._full(path), detail=False)
        except FileNotFoundError:
            return []
        except Exception as error:
            raise self._out_of_reach(path) from error
        return sorted(Path(name).name for name in names)

    def hashes(self, path: str) -> dict[str, str]:
        top = self._full("")
        try:
            files = self._files.find(self._full(path), detail=True)
        except Exception as error:  # a remote that cannot be reached raises many types
            raise self._out_of_reach(path) from error
        names = {name.removeprefix(top): each.get("md5") for name, each in files.items()}
        # Git's files have none.
        return {name: each or self._hash(name) for name, each in names.items()}

    def _hash(self, path: str) -> str:
        return hashlib.md5(self.read(path), usedforsecurity=False).hexdigest()

    def _out_of_reach(self, path: str) -> Missing:
        return Missing(
            f"{path} of {self.name} is neither in DVC's cache nor in a remote that can be reached"
        )

    def _full(self, path: str | Path) -> str:
        return f"/{self._prefix}{path}"
