"""Disturbs real runs and counts what was lost: `make faults`.

Builds a small collection again and again in a temporary folder. Kills runs and jobs, fills the
disk, changes file times, starts two runs at once, cuts what a power failure would. After each fault
the same command must give the products of an undisturbed run, byte for byte. Writes a table, and
the key `faults` of trailers12k/workflow/figures/reliability.json.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from .damage import ROOT, collection
from .damage_answers import call, differences, products

MADE = ("data", "build", "results", "logs", "benchmarks", ".snakemake")
RECORD = re.compile(r"tt\d{7,}\.(json|csv|mp4|jpg)", re.ASCII)
"""Files that a job keeps of each finished movie."""
YEAR = 365 * 86400


@dataclass
class Row:
    """What became of one kind of fault.

    tried: how many. builds: in how many builds; the products are compared at the end of each.
    survived: the faults of builds whose products were equal after one more call of the same
    command. lost: movies whose finished work was done once more, and files that were removed or
    changed.
    """

    fault: str
    tried: int = 0
    builds: int = 0
    survived: int = 0
    lost: int = 0
    notes: list[str] = field(default_factory=list)

    def add_lost(self, before: dict[str, tuple[int, int]], now: dict[str, tuple[int, int]]) -> None:
        """Count the movies one of whose files was written again."""
        again = sorted(file for file, state in before.items() if now.get(file) != state)
        self.lost += len({Path(file).stem for file in again})
        self.notes += [f"done again: {file}" for file in again]


class Runs:
    """A folder in which one collection is built, disturbed and built again."""

    def __init__(self, folder: Path, seed: int):
        self.folder = folder
        self.random = random.Random(seed)
        self.expected: dict[str, bytes] = {}
        self.took = 60.0
        """Seconds of an undisturbed build."""

    def start(self) -> subprocess.Popen[str]:
        """Begin a run, in a session of its own."""
        program = str(Path(sys.executable).with_name("trailers12k"))
        return subprocess.Popen(
            [program, "run", "--cores", "2"],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self) -> tuple[int, str]:
        """Run to the end; after a kill a plain Snakemake would need --unlock first."""
        running = self.start()
        text, _ = running.communicate(timeout=600)
        return running.returncode, text

    def build(self) -> None:
        """The undisturbed run, whose products are expected ever after."""
        began = time.monotonic()
        code, text = self.run()
        if code:
            sys.exit(text[-3000:])
        self.took = time.monotonic() - began
        self.expected = products(self.folder)

    def clear(self) -> None:
        """Remove all that runs made."""
        for name in MADE:
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def finished_movies(self) -> dict[str, tuple[int, int]]:
        """Each file of a finished movie: its inode and time."""
        found = {}
        for path in (self.folder / "build").rglob("tt*"):
            # The sample's own films are rendered a movie at a time, poster first.
            if RECORD.fullmatch(path.name) and not {"damaged", "sample"} & {*path.parts}:
                state = path.lstat()
                found[path.relative_to(self.folder).as_posix()] = (state.st_ino, state.st_mtime_ns)
        return found

    def wait(self, running: subprocess.Popen[str], most: float) -> bool:
        """Wait a random time; whether the run is still at work."""
        with suppress(subprocess.TimeoutExpired):
            running.wait(self.random.uniform(1.5, most))
        return running.poll() is None


def members(session: int) -> list[int]:
    """The processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(path.parent.name))
    return found


def kill_all(running: subprocess.Popen[str], runs: Runs) -> None:
    for process in members(running.pid):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def kill_job(running: subprocess.Popen[str], runs: Runs) -> None:
    """kill -9 of one process that executes a script of a rule."""
    for _ in range(100):
        jobs = [
            process
            for process in members(running.pid)
            if b".snakemake/scripts" in _command_line(process)
        ]
        if jobs:
            with suppress(ProcessLookupError):
                os.kill(runs.random.choice(jobs), signal.SIGKILL)
            return
        time.sleep(0.05)


def cut_power(running: subprocess.Popen[str], runs: Runs) -> None:
    """As `kill_all`; then temporary files are cut, as they are when the disk had only a part."""
    kill_all(running, runs)
    running.wait()
    for path in runs.folder.rglob("*.partial"):
        if path.is_file() and runs.folder in path.parents:
            os.truncate(path, runs.random.randrange(path.stat().st_size + 1))


def send(number: int) -> Callable[[subprocess.Popen[str], Runs], None]:
    def disturb(running: subprocess.Popen[str], runs: Runs) -> None:
        running.send_signal(number)

    return disturb


def _command_line(process: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""


def while_running(
    runs: Runs,
    name: str,
    count: int,
    disturb: Callable[[subprocess.Popen[str], Runs], None],
) -> Row:
    """Disturb builds at random moments, `count` times in all, and finish each build."""
    row = Row(name)
    while row.tried < count:
        runs.clear()
        in_this_build, done = 0, {}
        while row.tried < count:
            running = runs.start()
            # About four faults in a build.
            if not runs.wait(running, runs.took / 3):
                text, _ = running.communicate()
                break
            disturb(running, runs)
            text, _ = running.communicate(timeout=600)
            row.tried += 1
            in_this_build += 1
            now = runs.finished_movies()
            row.add_lost(done, now)
            done = now
            if "Traceback (most recent call last)" in text:
                row.notes.append(text[-2000:])
        _finish(runs, row, done)
        row.survived += in_this_build if _is_right(runs, row) else 0
    return row


def _finish(runs: Runs, row: Row, done: dict[str, tuple[int, int]]) -> None:
    """Run to the end with the same command."""
    code, text = runs.run()
    if code and "--unlock" in text:
        row.notes.append("needed --unlock")
        program = str(Path(sys.executable).with_name("trailers12k"))
        call(runs.folder, program, "run", "--unlock")
        code, text = runs.run()
    if code:
        row.notes.append(text[-2000:])
    row.add_lost(done, runs.finished_movies())


def _is_right(runs: Runs, row: Row) -> bool:
    row.builds += 1
    changed = differences(runs.expected, products(runs.folder))
    if changed:
        row.notes.append(f"other products: {sorted(changed)[:5]}")
    return not changed


def full_disk(runs: Runs, count: int) -> Row:
    """Builds on a file system that is full before the end; then it is made larger."""
    row = Row("disk full")
    sources = [path for path in runs.folder.iterdir() if path.name not in MADE]
    used = _size(runs.folder) // 2**20
    code = sum(_size(path) for path in sources) // 2**20
    for _ in range(count):
        with tempfile.TemporaryDirectory() as place, _small_disk(Path(place), code + 2) as grow:
            if grow is None:
                row.notes.append("no file system can be mounted here")
                return row
            other = Runs(Path(place) / "run", 0)
            other.folder.mkdir()
            for path in sources:
                copy = shutil.copytree if path.is_dir() else shutil.copy
                copy(path, other.folder / path.name)
            other.expected = runs.expected
            grow(runs.random.randint(code + 3, max(code + 4, used - 2)))
            status, text = other.run()
            if not status:
                continue
            row.tried += 1
            if "Traceback (most recent call last)" in text:
                row.notes.append(text[-3000:])
            done = other.finished_movies()
            grow(4 * used + 200)
            _finish(other, row, done)
            row.survived += _is_right(other, row)
    return row


@contextmanager
def _small_disk(place: Path, size: int) -> Iterator[Callable[[int], None] | None]:
    """A file system of so many MB; gives a function that changes its size."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(place)])
    if mounted.returncode:
        yield None
        return

    def grow(megabytes: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={megabytes}m", str(place)], check=True)

    try:
        yield grow
    finally:
        subprocess.run(["umount", str(place)], check=True)


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(each.lstat().st_size for each in files if each.is_file())


def other_times(runs: Runs, name: str, count: int, shift: float) -> Row:
    """Files of a finished run get times in the future, or in the past."""
    row = Row(name)
    for _ in range(count):
        files = [path for top in MADE[:3] for path in (runs.folder / top).rglob("*")]
        # Without the sample's films: a failed one of another time counts as another file of the
        # user's, and is tried again.
        films = runs.folder / "build" / "sample"
        files = [path for path in sorted(files) if path.is_file() and films not in path.parents]
        for path in runs.random.sample(files, len(files) // 3):
            os.utime(path, (time.time() + shift, time.time() + shift))
        before = _contents_of_movies(runs)
        row.tried += 1
        code, text = runs.run()
        if code or "Traceback (most recent call last)" in text:
            row.notes.append(text[-2000:])
        after = _contents_of_movies(runs)
        row.add_lost(before, after)
        row.survived += _is_right(runs, row)
    return row


def _contents_of_movies(runs: Runs) -> dict[str, tuple[int, int]]:
    """As `finished_movies`, without times, which a job may set to now."""
    return {file: (state[0], 0) for file, state in runs.finished_movies().items()}


def two_at_once(runs: Runs, count: int) -> Row:
    """A second run starts while the first is at work: one of them is refused in a line."""
    row = Row("two runs at once")
    for _ in range(count):
        runs.clear()
        first = runs.start()
        time.sleep(runs.random.uniform(0, 5))
        second = runs.start()
        texts = [each.communicate(timeout=600)[0] for each in (second, first)]
        row.tried += 1
        for text in texts:
            if "Traceback (most recent call last)" in text:
                row.notes.append(text[-2000:])
        if not (first.returncode == 0 or second.returncode == 0):
            row.notes.append(f"both failed: {texts[0][-700:]} {texts[1][-700:]}")
        row.survived += _is_right(runs, row)
    return row


def measure(runs: Runs, count: int, only: str) -> list[Row]:
    few = max(1, count // 4)
    kinds: dict[str, Callable[[str], Row]] = {
        "kill -9 of a run and its jobs": lambda n: while_running(runs, n, count, kill_all),
        "kill -9 of one job": lambda n: while_running(runs, n, few, kill_job),
        "SIGTERM": lambda n: while_running(runs, n, few, send(signal.SIGTERM)),
        "SIGHUP": lambda n: while_running(runs, n, few, send(signal.SIGHUP)),
        "Ctrl-C": lambda n: while_running(runs, n, few, send(signal.SIGINT)),
        "power cut: temporary files are cut": lambda n: while_running(runs, n, few, cut_power),
        "file times in the future": lambda n: other_times(runs, n, max(1, few // 2), YEAR),
        "file times set back": lambda n: other_times(runs, n, max(1, few // 2), -YEAR),
        "two runs at once": lambda n: two_at_once(runs, few),
        "disk full": lambda n: full_disk(runs, few),
    }
    rows = []
    for name, disturb in kinds.items():
        if not re.search(only, name):
            continue
        row = disturb(name)
        rows.append(row)
        print(f"{name:40} {row.tried:4} {row.survived:4} {row.lost:4}", flush=True)
        for note in row.notes:
            print(f"    {note}", flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="kills; a quarter of other faults")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="an expression that names faults")
    parser.add_argument("--collection", type=Path, help="in place of the sample; may be finished")
    parser.add_argument("--to", type=Path, help="add the rows to this file; write no figures")
    parser.add_argument(
        "--sum", type=Path, help="write the figures of such a file; disturb nothing"
    )
    arguments = parser.parse_args()
    if arguments.sum:
        _write(summed(arguments.sum))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "run"
        if arguments.collection:
            subprocess.run(["cp", "-a", str(arguments.collection), str(folder)], check=True)
        else:
            collection(folder)
        runs = Runs(folder, arguments.seed)
        if (folder / "results/report/index.html").exists():
            runs.expected = products(folder)
        else:
            runs.clear()
            runs.build()
        rows = measure(runs, arguments.count, arguments.only)
    shown = [{k: v for k, v in vars(row).items() if k != "notes"} for row in rows]
    if arguments.to:
        with arguments.to.open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in shown)
    else:
        _write(shown)
    bad = [row for row in rows if row.survived < row.tried]
    if bad:
        sys.exit(f"not survived: {', '.join(row.fault for row in bad)}")


def summed(file: Path) -> list[dict[str, str | int]]:
    """The rows of a file that `--to` has written, those of one fault as one."""
    rows: dict[str, dict[str, str | int]] = {}
    for line in file.read_text().splitlines():
        row = json.loads(line)
        earlier = rows.setdefault(row["fault"], {"fault": row["fault"]})
        for name in ("tried", "builds", "survived", "lost"):
            earlier[name] = earlier.get(name, 0) + row[name]
    return list(rows.values())


def _write(rows: list[dict[str, str | int]]) -> None:
    from figures import update

    update("reliability", {"faults": rows})


if __name__ == "__main__":
    sys.path.append(str(ROOT / "tests" / "bench"))
    main()
