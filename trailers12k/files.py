"""Writing files so that nothing half written is ever seen: beside, then rename.

Reads and writes whatever it is given. Must not know what the files mean.
"""

import csv
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PARTIAL = ".partial"
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula."""


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path`; renamed onto it on success, removed on failure."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + PARTIAL)
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a whole UTF-8 file or nothing."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: object) -> None:
    """Write a JSON file whole, keys in the order given."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_csv(path: str | Path, columns: Sequence[str], rows: Iterable[Mapping]) -> None:
    """Write a CSV file whole. A column that a row lacks is left empty."""
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: str | Path) -> list[dict[str, str]]:
    """All rows of one of our own CSV files, as text."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def escape_formula(text: str) -> str:
    """A text for a CSV file that no spreadsheet takes for a formula.

    Also escapes a text that looks escaped already, so that `unescape_formula` returns every text.
    """
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def unescape_formula(text: str) -> str:
    """The text from which `escape_formula` made this one."""
    escaped = text.startswith("'") and text.lstrip("'").startswith(FORMULA)
    return text[1:] if escaped else text


def sha256_of(path: str | Path) -> str:
    """The sha256 of a file, in hex."""
    return digest_of(path, "sha256")


def digest_of(path: str | Path, kind: str) -> str:
    """A hash of a file, in hex; `kind` as hashlib names it: "md5", "sha256"."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()
