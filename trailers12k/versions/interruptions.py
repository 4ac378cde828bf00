"""What a killed snapshot, restore or command of DVC leaves, and how the next call goes on.

Reads Git, DVC's cache and products; writes dvc.lock and DVC's table of locks; removes temporary
files of DVC. Must not know how a version is made or restored.
"""

import fcntl
import json
import logging
import os
import re
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from trailers12k.common.bounded_files import is_absent, kind_fault_of, parse_json, read_bytes
from trailers12k.common.errors import UserError
from trailers12k.common.files import DAMAGED, PARTIAL, digest_of, write_text
from trailers12k.settings.files import read_file
from trailers12k.versions.dvc_pipeline import stages_in
from trailers12k.versions.history import History
from trailers12k.versions.repository import MOST_TABLE, dvc_repository, file_at
from trailers12k.versions.version_checks import MOST_LISTING, listings_of, product

log = logging.getLogger(__name__)

LOCK = "dvc.lock"
HEAD = "schema: '2.0'\nstages:\n"
"""The lines of dvc.lock before its first stage."""
STAGE = re.compile(r"^  \S", re.M)
"""The beginning of a stage in dvc.lock."""
LOCKS = Path(".dvc/tmp/rwlock")
"""DVC's table of the files that its processes use. It is written in place."""
GUARD = LOCKS.with_name("rwlock.lock")
"""Held (flock) by a process of DVC that reads or writes this table."""
TEMPORARY = re.compile(r"\.[\w-]{22}\.tmp", re.ASCII)
"""Names of files that DVC has not written to their end."""


def whole_lock(pipeline: str, is_mixed: bool = False) -> str:
    """The text of dvc.lock; empty without one.

    DVC writes it in place. One that a kill has cut counts as none: that of the last commit is put
    in its place where it is of the same dvc.yaml, since DVC reads the file too.
    pipeline: the text of dvc.yaml. is_mixed: whether dvc.lock may be of another one, and then
    counts as none, too.
    """
    if is_absent(LOCK):
        return ""
    text = read_bytes(LOCK, MOST_TABLE).decode("utf-8", "replace")
    if is_mixed and not _is_of(text, pipeline):
        Path(LOCK).unlink()
        return ""
    if not _is_cut(text, pipeline):
        return text
    committed = ""
    with suppress(UserError):  # no commit has both files
        committed = file_at("HEAD", LOCK, most_bytes=MOST_TABLE) + "\n"
        if committed.strip() == text.strip():
            return text  # not by a kill
        committed = committed if file_at("HEAD", "dvc.yaml") == pipeline.strip() else ""
    log.warning("%s was cut while it was written; it is made again", LOCK)
    if _is_of(committed, pipeline):
        write_text(LOCK, committed)
        return committed
    Path(LOCK).unlink()
    return ""


def _is_of(text: str, pipeline: str) -> bool:
    try:
        listings_of(text, stages_in(pipeline))
    except UserError:
        return False
    return True


def _is_cut(text: str, pipeline: str) -> bool:
    """Whether a dvc.lock ends before its end, which leaves its last stage without a part."""
    if not text.endswith("\n"):
        return True
    try:
        if not isinstance(read_file(LOCK, lambda _: text).get("stages"), dict):
            return True
    except UserError:
        return True
    before = text[: max((match.start() for match in STAGE.finditer(text)), default=0)]
    return not _is_of(text, pipeline) and (before == HEAD or _is_of(before, pipeline))


def release_dvc() -> None:
    """Remove DVC's table of locks where a kill has cut it: DVC refuses every command then.

    The locks of dead processes in a whole table are DVC's business.
    """
    if kind_fault_of(LOCKS) or is_absent(LOCKS):
        return
    with GUARD.open("a") as guard:
        try:
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # a process of DVC has it
            return
        try:
            json.loads(LOCKS.read_bytes())
        except (ValueError, RecursionError):
            LOCKS.unlink()


def changed_products(names: Iterable[str], history: History) -> list[str]:
    """Files of products that are as no version has them, and not what a cut checkout leaves.

    names: of products. A checkout that was cut leaves whole files of both versions, empty files,
    and temporary ones. What DVC's cache lacks counts as changed.
    """
    names = dict.fromkeys(names)
    saved = _saved_files(names, history)
    changed = []
    for path in (path for name in names for path in _files(product(name))):
        is_left = TEMPORARY.fullmatch(path.name) or path.name.endswith(PARTIAL)
        if is_left or not (path.is_symlink() or path.stat().st_size):
            continue
        if (path.as_posix(), _md5(path)) not in saved:
            changed.append(path.as_posix())
    return changed


def _saved_files(names: Container[str], history: History) -> set[tuple[str, str]]:
    """The files of these products that versions have and DVC's cache holds: path, MD5 sum."""
    saved = set()
    with dvc_repository() as repo:

        def cached(md5: str) -> Path:
            return Path(repo.cache.local.oid_to_path(md5))

        for name, md5 in history.products():
            if name not in names or not cached(md5).exists():
                continue
            if not md5.endswith(".dir"):
                saved.add((name, md5))
                continue
            with suppress(UserError, *DAMAGED):
                listing = parse_json(read_bytes(cached(md5), MOST_LISTING), cached(md5))
                files = {(f"{name}/{each['relpath']}", each["md5"]) for each in listing}
                saved |= {file for file in files if cached(file[1]).exists()}
    return saved


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir() or path.is_symlink():
        yield from [path] if os.path.lexists(path) else []
        return
    for folder, _, files in os.walk(path):
        yield from (Path(folder, file) for file in sorted(files))


def _md5(path: Path) -> str:
    """The MD5 sum of a file, by which DVC names it; empty for what is no file."""
    if kind_fault_of(path):
        return ""
    return digest_of(path, "md5")


def sweep(names: Iterable[str]) -> None:
    """Remove what a cut checkout left beside products. names: of products."""
    for folder in {product(name).parent for name in names}:
        for path in folder.glob(".*.tmp"):
            if TEMPORARY.fullmatch(path.name) and not path.is_dir():
                path.unlink(missing_ok=True)
