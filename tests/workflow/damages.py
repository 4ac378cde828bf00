"""Ways to damage a file, and the files of a finished collection to damage.

Reads the names of the files of a finished collection; damages the file that it is given. Must not
know what a run makes of it.
"""

import os
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PARTS = ("data", "build", "results", "logs", "benchmarks")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def garbage(path: Path) -> None:
    path.write_bytes(random.Random(path.name).randbytes(max(8, path.stat().st_size)))


def nul_bytes(path: Path) -> None:
    path.write_bytes(bytes(max(8, path.stat().st_size)))


def line_twice(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True) or [b"\n"]
    middle = len(lines) // 2
    path.write_bytes(b"".join([*lines[: middle + 1], *lines[middle:]]))


def other_columns(path: Path) -> None:
    """A table with another header; JSON with another key; else the text of such a table."""
    text = path.read_bytes()
    if path.suffix == ".csv":
        _, _, rows = text.partition(b"\n")
        path.write_bytes(b"other,columns\n" + rows)
    elif text[:1] in (b"{", b"["):
        path.write_bytes(b'{"other": "columns"}\n')
    else:
        path.write_bytes(b"other,columns\n1,2\n")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "file").write_text("a file in a folder in the place of a file\n")


def link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def deleted(path: Path) -> None:
    path.unlink()


DAMAGES: dict[str, Callable[[Path], None]] = {
    "empty": empty,
    "cut in half": cut_in_half,
    "garbage": garbage,
    "NUL bytes": nul_bytes,
    "a line twice": line_twice,
    "other columns": other_columns,
    "a folder in its place": folder,
    "a link to itself": link_to_itself,
    "deleted": deleted,
}


@dataclass(frozen=True)
class Pair:
    """A file of the collection and a damage to it."""

    file: str
    damage: str


def kind_of(file: str) -> str:
    """The kind of a file: its path without the names of movies, shards, splits, stores, hashes."""
    file = re.sub(r"\b[0-9a-f]{64}\b", "SHA256", file)
    file = re.sub(r"\b[0-9a-f]{32}\b", "KEY", file)
    file = re.sub(r"\b(trailers|posters)_ik?[a-z0-9_]*|\b(trailers)_k[a-z0-9_]*", "STORE", file)
    file = re.sub(r"\btt\d{7,}\b", "MID", file)
    file = re.sub(r"\b\d{3}\b(?=[./])", "SHARD", file)
    file = re.sub(r"\bsplit\d\b", "SPLIT", file)
    file = re.sub(r"^build/records/.*", "build/records/PRODUCT.json", file)
    file = re.sub(r"^(build/cache/results)/.*/", r"\1/RULE/", file)
    file = re.sub(r"^(benchmarks|logs)/.*(?=\.)", r"\1/RULE", file)
    return re.sub(r"^(results/figures)/.*(?=\.)", r"\1/FIGURE", file)


def files_of(finished: Path) -> list[str]:
    """One file of each kind, sorted; the second where there are several."""
    kinds: dict[str, list[str]] = {}
    for part in PARTS:
        for path in sorted((finished / part).rglob("*")):
            if path.is_file():
                file = path.relative_to(finished).as_posix()
                kinds.setdefault(kind_of(file), []).append(file)
    return [files[min(1, len(files) - 1)] for _, files in sorted(kinds.items())]


def pairs_of(finished: Path) -> list[Pair]:
    """All pairs of a kind of file and a damage."""
    return [Pair(file, damage) for file in files_of(finished) for damage in DAMAGES]
