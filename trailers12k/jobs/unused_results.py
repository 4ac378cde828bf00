"""Which results of build/cache/ no configuration has named for long, and their removal.

Reads and removes files of build/cache/, and side files of results in build/. Must not know rules or
the configuration.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import read_small
from trailers12k.common.content_hashes import (
    BUILD,
    CACHE,
    content_of,
    has_links,
    record_of,
)
from trailers12k.common.errors import UserError
from trailers12k.common.files import PARTIAL, below
from trailers12k.jobs.result_cache import CURRENT, FILES, RESULTS, SHA256, folder_of

UNUSED_AFTER = 30 * 86400
"""Seconds after which a result counts as unused."""


@dataclass(frozen=True)
class Unused:
    """A file to remove. size: in bytes. why: in words."""

    path: Path
    size: int
    why: str


def touch_current(jobs: Iterable[tuple[str, str]]) -> None:
    """Note that the current result of each job is in use. jobs: rule and log of each.

    Called at the end of a run, so that jobs that need not run keep their results.
    """
    for rule, log_file in jobs:
        for current in _ordered(folder_of(rule, log_file))[:1]:
            with suppress(OSError):
                os.utime(current)


def unused_results(
    is_current: Callable[[tuple[str, ...]], bool], now: float | None = None
) -> list[Unused]:
    """The files that can go: results older than `UNUSED_AFTER`, and what no other result needs.

    is_current: whether the configuration names a job, by the parts of its folder below `RESULTS`;
        the current result of such a job stays, however old. now: seconds since 1970.
    Only files inside the run's folder; symbolic links are left alone.
    """
    now = time.time() if now is None else now
    old: list[Path] = []
    kept: list[dict[str, Any]] = []
    for folder in sorted({path.parent for path in _all_entries()}):
        entries = _ordered(folder)
        safe = 1 if is_current(folder.relative_to(RESULTS).parts) else 0
        for place, entry in enumerate(entries):
            if place >= safe and now - _time_of(entry) > UNUSED_AFTER:
                old.append(entry)
            else:
                kept.append(_content(entry))
    in_use = {digest for content in kept for digest in _mapping(content, "outputs").values()}
    side_files = {path for content in kept for path in _mapping(content, "made")}
    unused = [_unused(path, "a result that was not used for 30 days") for path in old]
    for path in _regular_files(FILES):
        is_own = SHA256.fullmatch(path.name) or path.name.endswith(PARTIAL)
        if is_own and path.name not in in_use and now - _time_of(path) > UNUSED_AFTER:
            unused.append(_unused(path, "a file that no result needs"))
    # Only what those who read it can make again.
    made = {name: digest for entry in old for name, digest in _made_on_demand(entry)}
    for name, digest in sorted(made.items()):
        if name not in side_files and _is_side_file(name) and content_of(name) == digest:
            unused.append(_unused(Path(name), "made beside a result that was not used for 30 days"))
            if (record := record_of(name)).is_file():
                unused.append(_unused(record, "the record of a removed file"))
    return unused


def remove(unused: Iterable[Unused]) -> None:
    """Remove the files, and the folders of results that are then empty."""
    for each in unused:
        each.path.unlink(missing_ok=True)
        for folder in each.path.parents:
            if RESULTS not in folder.parents:
                break
            if not _entries_in(folder):
                (folder / CURRENT).unlink(missing_ok=True)
            with suppress(OSError):  # not empty
                folder.rmdir()


def _all_entries() -> Iterator[Path]:
    if _is_own(RESULTS):
        for folder, folders, names in os.walk(RESULTS):
            folders.sort()
            yield from (Path(folder, name) for name in names if name.endswith(".json"))


def _entries_in(folder: Path) -> list[Path]:
    """The entries of one job."""
    return [path for path in _regular_files(folder) if path.suffix == ".json"]


def _ordered(folder: Path) -> list[Path]:
    """The entries of one job: the current one, then the others from the latest use on."""
    try:
        current = read_small(folder / CURRENT).decode().strip()
    except (OSError, ValueError):
        current = ""
    return sorted(
        _entries_in(folder), key=lambda path: (path.name == current, _time_of(path)), reverse=True
    )


def _regular_files(folder: Path) -> list[Path]:
    if not _is_own(folder):
        return []
    with os.scandir(folder) as found:
        return sorted(Path(each.path) for each in found if each.is_file(follow_symlinks=False))


def _is_own(folder: Path) -> bool:
    """Whether a folder is there, and no symbolic link leads to it but perhaps build/ itself."""
    return folder.is_dir() and not has_links(folder)


def _is_side_file(name: str) -> bool:
    """Whether a path that an entry names is a regular file of build/ outside the cache."""
    top, _, rest = name.partition("/")
    try:
        path = below(BUILD, rest)
    except UserError:
        return False
    if top != BUILD.name or CACHE in path.parents:
        return False
    return path.is_file() and not has_links(path)


def _content(entry: Path) -> dict[str, Any]:
    """An entry; empty when it is damaged."""
    try:
        content = json.loads(read_small(entry))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _mapping(content: dict[str, Any], key: str) -> dict[str, str]:
    """The texts of a mapping in an entry, without whatever else a damaged one holds."""
    value = content.get(key)
    pairs = value.items() if isinstance(value, dict) else ()
    return {name: text for name, text in pairs if isinstance(text, str)}


def _made_on_demand(entry: Path) -> list[tuple[str, str]]:
    content = _content(entry)
    names = content.get("made_on_demand")
    made = _mapping(content, "made")
    return [(name, made[name]) for name in made if isinstance(names, list) and name in names]


def _time_of(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _unused(path: Path, why: str) -> Unused:
    return Unused(path, path.lstat().st_size, why)
