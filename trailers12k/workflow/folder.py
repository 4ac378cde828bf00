"""The folder of a collection: which kind of collection it holds, and which version build/ is of.

Reads build/collection.json and build/state.*; writes build/collection.json. Standard library and
common only, since every start of Snakemake waits for it; must not know DVC or Git.
"""

import json
import os
import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from trailers12k.common import product_records
from trailers12k.common.bounded_files import UnreadableFile, read_small
from trailers12k.common.errors import UserError
from trailers12k.common.files import sha256_of, write_text
from trailers12k.common.product_records import REPAIR
from trailers12k.common.vocabulary import PUBLISHED, SAMPLE
from trailers12k.workflow import cluster_jobs, run_lock

COLLECTION = Path("build/collection.json")
"""`{"collection": KIND}`, a key of `KINDS`."""
STATE = Path("build/state.tar.gz")
"""What a version keeps of build/; DVC puts it here."""
RESTORED = Path("build/state.sha256")
"""First line: the sha256 of the state that build/ was restored from or was last kept in. Second
line: the sha256 of the state that build/ gave right then. Third line, while a state is written: its
sha256. While a version is restored: `BEGUN`, what the user called that version, and the products
that it does not have, a line each."""
BEGUN = "begun"
FOLDERS = ("build", "data", "results", "logs", "benchmarks")
"""Folders that a run makes and writes."""
SNAKEMAKE = (
    ".snakemake",
    *(f".snakemake/{name}" for name in ("log", "locks", "metadata", "incomplete", "scripts")),
)
"""Folders that Snakemake makes, most of them in a dry run, too."""
LEAST_BYTES = 1_000_000
"""Free bytes of a disk without which nothing can be begun."""
OWN = "own"
KINDS = {
    SAMPLE: "the built-in sample",
    PUBLISHED: "the authors' published features",
    OWN: "a collection of your own movies",
}


def check(kind: str) -> None:
    """Refuse a folder with products of another collection or of another version; changes nothing.

    kind: the collection that the configuration requests, a key of `KINDS`.
    A folder without build/collection.json passes. While a run of Snakemake is at work, the version
    of build/ is not looked at. Raises `UserError`.
    """
    check_restored()
    present = collection()
    if present not in (None, kind):
        raise UserError(
            f"this folder holds {KINDS[present]}, but the configuration names {KINDS[kind]}; undo "
            "the change of config.yaml, or use another folder: trailers12k init DIR"
        )
    if not is_current() and not is_running():
        raise UserError(
            f"build/ belongs to another version than data/ ({STATE}); put this version's build/ "
            "in place: trailers12k restore"
        )


def check_restored() -> None:
    """Raise `UserError` where a restore was cut: data/ and build/ are of no version."""
    if (version := unfinished_restore()) is not None:
        raise UserError(
            "a restore has not ended, and files of two versions are here; finish it: "
            f"{restore_command(version)}"
        )


def unfinished_restore() -> str | None:
    """What the user called the version whose restore has begun and has not ended; None for none."""
    lines = restored()
    return "".join(lines[1:2]) if lines[:1] == [BEGUN] else None


def restore_command(version: str) -> str:
    """The command that restores a version, as a user calls it."""
    return " ".join(["trailers12k restore", *([shlex.quote(version)] if version else [])])


def check_places() -> None:
    """Raise `UserError` where Snakemake would end with a traceback: it cannot write here, even in a
    dry run, or what should be a folder is none. Writes nothing."""
    for path in map(Path, (*FOLDERS, *SNAKEMAKE)):
        if path.is_symlink() and not path.exists():
            raise UserError(
                f"{path} is a symbolic link to {os.readlink(path)!r:.120}, which does "
                "not exist; make that folder, or remove the link"
            )
        if path.exists() and not path.is_dir():
            raise UserError(f"{path} is a file, but a run makes a folder of this name; move it")
    require_writable(".", *SNAKEMAKE)
    for name in filter(os.path.isdir, (".", *FOLDERS)):
        if shutil.disk_usage(name).free < LEAST_BYTES:
            raise UserError(
                f"no space is left on the disk of {Path(name).absolute()}; free some, then run the "
                "same command again"
            )


def check_products() -> None:
    """Raise `UserError` where a run cannot write its products. Writes nothing."""
    require_writable(*FOLDERS, str(product_records.RECORDS))


def check_inputs(jobs: Iterable[Any]) -> None:
    """Raise `UserError` for a product that one of Snakemake's jobs would refuse. Writes nothing.

    Snakemake removes the outputs of a job before it starts the job, so that a refusal would come
    too late. What the jobs make themselves is not compared.
    """
    jobs = list(jobs)
    made = {str(path) for job in jobs for path in job.output}
    for path in sorted({str(path) for job in jobs for path in job.input} - made):
        product_records.check(path)


def require_writable(*paths: str) -> None:
    """Raise `UserError` for the first of these folders that is there and cannot be written."""
    for path in filter(os.path.isdir, paths):
        if not os.access(path, os.W_OK | os.X_OK):
            where = Path(path).resolve()
            is_read_only = bool(os.statvfs(path).f_flag & os.ST_RDONLY)
            why = "its file system is read-only" if is_read_only else "no permission"
            raise UserError(
                f"{where} cannot be written ({why}); run in a folder that can be written"
            )


def check_links() -> None:
    """Refuse a product that is a link to nothing or to itself: Snakemake ends with a traceback.

    Raises `UserError`.
    """
    for path in product_records.recorded():
        if path.is_symlink() and not os.path.exists(path):
            raise UserError(f"{path} is a link to nothing; move it aside: {REPAIR}")


def collection() -> str | None:
    """The kind of collection in this folder, a key of `KINDS`; None before it was recorded.

    Raises `UserError` when build/collection.json is damaged.
    """
    try:
        kind = json.loads(read_small(COLLECTION))["collection"]
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise UnreadableFile(str(COLLECTION), error) from error
    except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise UserError(
            f"{COLLECTION} cannot be read ({error}); put it back: {REPAIR}, or delete it"
        ) from error
    if kind not in list(KINDS):  # a list, since the value may not be hashable
        raise UserError(f"{COLLECTION}: {kind!r:.120} is no kind of collection; delete the file")
    return str(kind)


def write_collection(kind: str) -> None:
    """Record the kind of collection, a key of `KINDS`; an equal record keeps its file."""
    text = json.dumps({"collection": kind}) + "\n"
    if not (COLLECTION.is_file() and read_small(COLLECTION) == text.encode()):
        write_text(COLLECTION, text)


def is_current() -> bool:
    """Whether build/ belongs to the version whose state is here; also when there is no state."""
    if unfinished_restore() is not None:
        return False
    if not STATE.exists():
        return True
    lines = restored()
    return STATE.is_file() and sha256_of(STATE) in (*lines[:1], *lines[2:])


def restored() -> list[str]:
    """The lines of `RESTORED`; none before the first snapshot or restore, and of a damaged file."""
    try:
        text = read_small(RESTORED).decode()
    except (OSError, ValueError):
        return []
    return text.removesuffix("\n").split("\n") if text else []


def is_running() -> bool:
    """Whether a run of Snakemake holds the lock of this folder, or was killed and left it.

    The lock of a killed `trailers12k run` does not count, unless jobs of it are at work on a
    cluster: the next one removes it.
    """
    if not any(run_lock.LOCKS.glob("*")):
        return False
    return not run_lock.is_abandoned() or cluster_jobs.may_be_at_work()
