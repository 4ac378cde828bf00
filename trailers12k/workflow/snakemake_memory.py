"""Files in .snakemake/ with which Snakemake would end in a traceback, named in one line.

Reads .snakemake/; writes nothing. Standard library and common only, since every start of Snakemake
waits for it; must not import Snakemake.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import is_absent, kind_fault_of, read_bytes, shown_path
from trailers12k.common.errors import UserError

MEMORY = Path(".snakemake/metadata")
INCOMPLETE = Path(".snakemake/incomplete")
LOCKS = Path(".snakemake/locks")
STARTING = Path(".snakemake/lock_holder.starting")
MOST_BYTES = 1 << 26
"""Of one record, which holds the inputs and params of a job."""
PART = "@"
"""The first character of a folder that is the beginning of a long name."""

Validate = Callable[[Any], object]


def check(validate: Validate) -> None:
    """Raise `UserError` for the first file that Snakemake cannot read.

    validate: Snakemake's check of a record, which raises a ValueError.
    """
    if not is_absent(STARTING) and (fault := kind_fault_of(STARTING)):
        raise _fault(STARTING, fault)
    for folder, check_value in ((MEMORY, validate), (INCOMPLETE, dict)):
        for path in _files(folder):
            fault = kind_fault_of(path) or fault_of(path, check_value)
            if fault and not is_absent(path):
                raise _fault(path, fault)
    for path in LOCKS.glob("*.lock"):
        try:
            read_bytes(path, MOST_BYTES).decode()
        except UnicodeDecodeError:
            raise _fault(path, "is not text") from None


def fault_of(path: Path, validate: Validate) -> str:
    """What is wrong with a record, in words; empty for one that Snakemake reads or ignores."""
    try:
        value = json.loads(read_bytes(path, MOST_BYTES).decode())
        if not isinstance(value, dict) and value:
            return f"holds {type(value).__name__}, not a record"
        validate(value or {})
    except UserError:
        if is_absent(path):  # A job has just ended.
            return ""
        raise
    except json.JSONDecodeError:
        return ""  # Snakemake warns, and goes on without it.
    except (ValueError, RecursionError):
        return "is no record of Snakemake"
    return ""


def _files(folder: Path) -> Iterator[Path]:
    """What is in the places of records, also folders there."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.name.startswith(PART) and entry.is_dir():
            yield from _files(Path(entry))
        else:
            yield Path(entry)


def _fault(path: Path, fault: str) -> UserError:
    return UserError(f"{shown_path(path)} {fault}; remove it, then run the same command again")
