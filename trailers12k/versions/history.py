"""What the versions of a collection hold: the files that a branch, a tag or HEAD leads to.

Reads Git's objects. Must not know which files a version needs, nor how it is restored.
"""

import subprocess  # nosec B404  # lists of words, never a shell
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cached_property

from trailers12k.common.files import DAMAGED
from trailers12k.settings.files import read_file
from trailers12k.versions.repository import MOST_TABLE, git

Product = tuple[str, str]
"""A product's path and the hash of its content, as DVC computes it."""

# Not by what commits change: Git shows no changes of a merge unless asked, and follows one parent
# of a merge where the other has nothing to add. `--all` includes HEAD.
OBJECTS = ("rev-list", "--objects", "--full-history", "--all", "--", ".")


class History:
    """All contents that the versions have had. Lists Git's objects once, when first asked."""

    @cached_property
    def _objects(self) -> list[tuple[str, str]]:
        lines = (line.partition(" ") for line in git(*OBJECTS).splitlines())
        return [(name, path) for name, _, path in lines]

    def unsaved_files(self, paths: Iterable[str]) -> list[str]:
        """Those of the files here whose content no version has, under any name in this folder."""
        names = {name for name, _ in self._objects}
        return [path for path in paths if git("hash-object", "--", path) not in names]

    def unsaved_products(self, products: Iterable[Product]) -> list[Product]:
        """Those of the products that no version has, by its dvc.lock."""
        left = dict.fromkeys(products)
        # The newest come first, and mostly have all of them.
        for lock in self._locks():
            if not left:
                break
            # A search is a thousand times as fast as the parser of YAML.
            if any(md5.encode() in lock for _, md5 in left):
                with suppress(*DAMAGED):  # an unreadable dvc.lock names no saved product
                    saved = _products_in(lock.decode("utf-8", "replace"))
                    left = dict.fromkeys(product for product in left if product not in saved)
        return list(left)

    def products(self) -> set[Product]:
        """The products of all versions."""
        found: set[Product] = set()
        for lock in self._locks():
            with suppress(*DAMAGED):
                found |= _products_in(lock.decode("utf-8", "replace"))
        return found

    def _locks(self) -> Iterator[bytes]:
        lock = git("rev-parse", "--show-prefix") + "dvc.lock"
        return _blobs(name for name, path in self._objects if path == lock)


def _products_in(lock: str) -> set[Product]:
    """The products that a dvc.lock names. Raises one of `DAMAGED` for a damaged one."""
    stages = read_file("dvc.lock", lambda _: lock).get("stages", {})
    outs = [out for stage in stages.values() for out in stage.get("outs", [])]
    return {(out["path"], out["md5"]) for out in outs}


def _blobs(names: Iterable[str]) -> Iterator[bytes]:
    """The contents of files by their names in Git, of those that are not too large."""
    command = ["git", "cat-file", "--batch"]
    with subprocess.Popen(  # nosec B603  # no shell
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as batch:
        assert batch.stdin and batch.stdout  # nosec B101  # for mypy
        ask, answer = batch.stdin, batch.stdout
        for name in names:
            ask.write(f"{name}\n".encode())
            ask.flush()
            _, kind, size = answer.readline().decode().split()
            left = int(size)
            if kind == "blob" and left <= MOST_TABLE:
                yield answer.read(left)
                left = 0
            while left and (part := answer.read(min(left, 1 << 20))):
                left -= len(part)
            answer.read(1)
