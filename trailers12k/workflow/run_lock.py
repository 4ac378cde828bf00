"""Which process holds Snakemake's lock of a folder, so that the lock of a gone one can be removed.

Snakemake's lock names no process. Reads .snakemake/locks and /proc; reads and writes
.snakemake/lock_holder.json; removes locks that it has a record of. Standard library and common
only; must not import Snakemake.
"""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import read_small, shown_path
from trailers12k.common.files import inside, write_json

LOCKS = Path(".snakemake/locks")
HOLDER = Path(".snakemake/lock_holder.json")
STARTING = Path(".snakemake/lock_holder.starting")
"""Held (flock) by a process of this host that takes the lock or removes one."""
PATIENCE = 5.0
"""Seconds in which the jobs of a killed Snakemake end: they look for it once a second."""
RECENT = 12 * 3600.0
"""Seconds in which a time of day says when."""
ENDED = ("Z", "X")
"""States of a process in /proc that has ended."""


@dataclass(frozen=True)
class Process:
    """A process of some host.

    host: name and machine id. boot: id of the kernel's start. namespace: of process ids, which
    differs between containers. start: of the process, in ticks of the kernel's clock.
    """

    host: str
    boot: str
    namespace: str
    pid: int
    start: int


def this_process() -> Process | None:
    """This process; None where the system has no /proc."""
    try:
        return Process(
            f"{socket.gethostname()} {_text('/etc/machine-id')}",
            Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip(),
            os.readlink("/proc/self/ns/pid"),
            os.getpid(),
            _started(os.getpid()) or 0,
        )
    except (OSError, ValueError):
        return None


def _text(path: str) -> str:
    with suppress(OSError, ValueError):
        return Path(path).read_text(encoding="ascii").strip()
    return ""


def _started(pid: int) -> int | None:
    """When a process started, in ticks; None when there is none."""
    try:
        # The name of the program, in parentheses, may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0].decode() in ENDED else int(fields[19])


def is_gone(process: Process) -> bool:
    """Whether a process has certainly ended; False for one that cannot be seen from here."""
    here = this_process()
    if here is None or process.host != here.host:
        return False
    if process.boot != here.boot:
        return True
    return process.namespace == here.namespace and _started(process.pid) != process.start


def at_work() -> str:
    """Who holds the lock, in words, if its record names a process of this host that lives; else an
    empty text. Writes nothing."""
    process, here = _recorded_holder(), this_process()
    if process is None or here is None:
        return ""
    place = process.host, process.boot, process.namespace
    if place != (here.host, here.boot, here.namespace) or _started(process.pid) != process.start:
        return ""
    return (
        f"another run (process {process.pid}{_since()}) is at work in this folder; wait until it "
        "ends"
    )


def at_work_elsewhere() -> str:
    """Who holds the lock, in words, if its record names a process that cannot be seen from here;
    else an empty text. Writes nothing."""
    process = _recorded_holder()
    if process is None or is_gone(process) or at_work():
        return ""
    host = shown_path(process.host.split(" ")[0])
    return (
        f"a run on {host} (process {process.pid}{_since()}) took the lock of this folder; wait "
        "until it ends, or if it is not at work there: trailers12k run --unlock"
    )


def _recorded_holder() -> Process | None:
    """The process that took the present lock; None without a record of it."""
    found = _read_holder()
    return found[0] if found and found[1] == _lock_files() else None


def _since() -> str:
    """When the present lock was taken, in words."""
    try:
        since = HOLDER.stat().st_mtime
    except OSError:
        return ""
    form = "%H:%M" if time.time() - since < RECENT else "%Y-%m-%d %H:%M"
    return f", since {time.strftime(form, time.localtime(since))}"


def is_abandoned() -> bool:
    """Whether the lock of this folder is the one that a gone process took. Writes nothing."""
    process = _recorded_holder()
    return process is not None and is_gone(process)


def _lock_files() -> dict[str, list[int]]:
    """The files of Snakemake's lock: name -> inode, modification time in ns, and size."""
    try:
        with os.scandir(LOCKS) as entries:
            states = {entry.name: entry.stat(follow_symlinks=False) for entry in entries}
    except OSError:
        return {}
    return {
        name: [state.st_ino, state.st_mtime_ns, state.st_size] for name, state in states.items()
    }


def _read_holder(folder: Path = Path()) -> tuple[Process, dict[str, list[int]]] | None:
    """The process that took the lock, and the files of it; None without a readable record."""
    try:
        content = json.loads(read_small(folder / HOLDER))
        process, locks = Process(**content["process"]), content["locks"]
        texts, numbers = (process.host, process.boot, process.namespace), [process.pid]
        numbers += [process.start, *(number for state in locks.values() for number in state)]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    is_sound = all(type(each) is str for each in texts) and all(type(n) is int for n in numbers)
    return (process, locks) if is_sound and locks and process.pid > 0 else None


def release_abandoned() -> None:
    """Remove the lock that a gone process of this host took, and no other.

    Waits until the jobs of that process have ended too. For the caller of `exclusively`.
    """
    if not is_abandoned():
        return
    found = _read_holder()
    if found is None or not _group_ends(found[0]):
        return
    for name, state in found[1].items():
        path = inside(LOCKS, name)
        if _lock_files().get(name) == state:
            path.unlink(missing_ok=True)
    HOLDER.unlink(missing_ok=True)


def _group_ends(leader: Process) -> bool:
    """Whether the processes that a gone one started have ended, or do so within `PATIENCE`."""
    here, until = this_process(), time.monotonic() + PATIENCE
    while here and leader.boot == here.boot and _has_group(leader.pid):
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def _has_group(leader: int) -> bool:
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def record_lock() -> None:
    """Record that this process has just taken the lock; survives the loss of power."""
    process, locks = this_process(), _lock_files()
    if process is None or not locks:
        return
    for name in locks:
        _keep(inside(LOCKS, name))
    content: dict[str, Any] = {"process": asdict(process), "locks": locks}
    with suppress(IsADirectoryError):  # then nothing removes the lock
        write_json(HOLDER, content)
    for path in (HOLDER, LOCKS, HOLDER.parent):
        _keep(path)


def _keep(path: Path) -> None:
    """Have the system write a file or folder to the disk."""
    with suppress(OSError):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def forget_lock() -> None:
    """Remove the record of this process, which has given the lock back."""
    found = _read_holder()
    if found and found[0] == this_process():
        HOLDER.unlink(missing_ok=True)


@contextmanager
def exclusively() -> Iterator[None]:
    """Let no other process of this host take or remove the lock meanwhile, if it uses this too."""
    number = os.open(STARTING, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        with suppress(OSError):  # a file system without such locks
            fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)
