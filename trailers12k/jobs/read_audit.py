"""For tests: the files that a job reads although nothing declares them.

Without the environment variable it does nothing; with it, it writes one file per job. Must not know
what the jobs do.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trailers12k.common.files import write_json

FOLDER = "TRAILERS12K_AUDIT"
"""An environment variable: the folder for what jobs read, one JSON file per job."""

NO_DATA = (
    ".snakemake",
    "build/cache",
    "build/records",
    "trailers12k",
    "scripts",
    "snakemake_logger_plugin_trailers12k",
)
"""Folders whose files are no inputs: Snakemake's, the cache's, and those of the code."""


@contextmanager
def recorded_reads(rule: str, log_file: str, declared: Iterable[str]) -> Iterator[None]:
    """Record the files that are opened in the run's folder, when `FOLDER` is set.

    declared: files and folders. The record lists the `undeclared` files that were opened for
    reading and that this process had not written, and the number `read` of the others. Files that
    libraries in C open are not seen.
    """
    if not (folder := os.environ.get(FOLDER)):
        yield
        return
    here = os.path.join(os.getcwd(), "")
    roots = [os.path.normpath(path) for path in (*declared, log_file, *NO_DATA)]
    written, read, is_over = set[str](), set[str](), False

    def see(event: str, arguments: tuple[Any, ...]) -> None:
        if is_over or event != "open" or not isinstance(arguments[0], str | os.PathLike):
            return
        path, mode, flags = arguments
        path = os.path.abspath(os.fspath(path)).removeprefix(here)
        if not os.path.isabs(path):
            writes = any(letter in mode for letter in "wax") if mode else flags & os.O_ACCMODE
            (written if writes else read).add(path)

    sys.addaudithook(see)  # for ever
    yield
    is_over = True
    declared_ones = {
        path for path in read if any(f"{path}/".startswith(f"{root}/") for root in roots)
    }
    # A file is written beside its place; see `common.files.partial_of`.
    own = {path for path in read if any(name.startswith(f"{path}.") for name in written)}
    undeclared = sorted(
        path for path in read - declared_ones - written - own if Path(path).is_file()
    )
    name = "-".join([rule, *Path(log_file).with_suffix("").parts[1:]])
    content = {"rule": rule, "undeclared": undeclared, "read": len(declared_ones)}
    write_json(Path(folder) / f"{name}.json", content)
