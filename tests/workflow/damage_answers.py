"""What runs and commands make of damaged files.

Damages, runs and compares copies of a finished collection. Must not know how damages are grouped
or reported.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from .damages import DAMAGES, Pair

VARYING = ("results/costs.csv", "results/report/index.html", "results/figures/costs.svg")
VARYING += ("results/figures/costs.png", "results/leaderboard.csv")
"""Products that hold the times of jobs, which differ in every run."""
COMMAND = re.compile(r"(?P<own>trailers12k [a-z][a-z -]*[a-z])|rm \S+$")
TRACEBACK = "Traceback"
REPAIR = "trailers12k verify --repair"

Products = Mapping[str, bytes]


@dataclass
class Answer:
    """What became of damages to different files, which were made together.

    commands: for each pair whose file a line named, the commands of these lines. left: pairs
    without an answer, since what another damage led to may have hidden or repaired theirs. fault:
    why the answer is wrong; empty for a right one. text: the output of all commands.
    """

    commands: dict[Pair, tuple[str, ...]] = field(default_factory=dict)
    left: list[Pair] = field(default_factory=list)
    fault: str = ""
    text: str = ""


class Jobs:
    """The jobs of a finished collection, by the files that they read and write."""

    def __init__(self, finished: Path):
        words = ["--cores", "1", "--dry-run", "--forceall", "--nolock"]
        _, text = call(finished, sys.executable, "-m", "snakemake", *words)
        self._inputs: dict[int, list[str]] = {}
        self._jobs: dict[str, int] = {}
        for number, block in enumerate(_blocks(text)):
            if not _listed("output", block):
                continue  # A target, which only names files.
            self._inputs[number] = _listed("input", block)
            self._jobs |= dict.fromkeys(_listed("output", block), number)
        if not self._jobs:
            sys.exit(text[-3000:])

    def is_declared(self, file: str) -> bool:
        """Whether a job declares that it writes a file, its product or its store."""
        return self._job_of(file) is not None

    def is_read(self, file: str) -> bool:
        """Whether a job declares that it reads a file, its product or its store."""
        product = self._product_of(file)
        return any(product in inputs for inputs in self._inputs.values())

    def may_rewrite(self, file: str, other: str) -> bool:
        """Whether making one file again may write another: one job makes both, or one after the
        other."""
        job, another = self._job_of(file), self._job_of(other)
        return None not in (job, another) and job in self._before(another)

    def are_apart(self, file: str, other: str) -> bool:
        """Whether neither damage can make a run write the other's file."""
        return not (self.may_rewrite(file, other) or self.may_rewrite(other, file))

    def written(self, text: str) -> set[int]:
        """The jobs that a run started, of what it printed."""
        files = (file for block in _blocks(text) for file in _listed("output", block))
        return {self._jobs[file] for file in files}

    def hidden(self, pairs: Sequence[Pair], text: str) -> list[Pair]:
        """The pairs whose file a run wrote, perhaps because of the damage to another."""
        ran = self.written(text)
        return [
            pair
            for pair in pairs
            if self._job_of(pair.file) in ran
            and any(each != pair and self.may_rewrite(each.file, pair.file) for each in pairs)
        ]

    def _job_of(self, file: str) -> int | None:
        return self._jobs.get(self._product_of(file))

    def _product_of(self, file: str) -> str:
        """What a job declares: the file, or the product whose record it is, or its store."""
        product = file.removeprefix("build/records/").removesuffix(".json")
        store = re.sub(r"\.zarr/.*", ".zarr/.zgroup", product)
        return next((name for name in (file, product, store) if name in self._jobs), file)

    @cache  # noqa: B019
    def _before(self, job: int) -> frozenset[int]:
        """A job and all whose products it needs."""
        direct = {self._jobs[file] for file in self._inputs[job] if file in self._jobs}
        return frozenset({job}.union(*map(self._before, direct)))


def _blocks(text: str) -> list[str]:
    """Snakemake's descriptions of the jobs that it starts."""
    return re.findall(r"^(?:local)?(?:rule|checkpoint) \w+:\n((?: .*\n)+)", text, flags=re.M)


def _listed(name: str, block: str) -> list[str]:
    """The files of a line of Snakemake's description of a job."""
    line = re.search(rf"^ +{name}: (.*)$", block, flags=re.M)
    return line[1].split(", ") if line else []


def products(folder: Path) -> dict[str, bytes]:
    """The files of data/ and results/ that are the same in all runs; others as "not a file"."""
    found = {}
    for top in ("data", "results"):
        for path in sorted((folder / top).rglob("*")):
            file = path.relative_to(folder).as_posix()
            if file in VARYING or (path.is_dir() and not path.is_symlink()):
                continue
            found[file] = _content(path) if path.is_file() else b"not a file"
    return found


def _content(path: Path) -> bytes:
    """The content of a file; of a store's own JSON what it says, for a key twice does not change
    it."""
    data = path.read_bytes()
    if path.name in (".zarray", ".zattrs", ".zgroup"):
        with suppress(ValueError):
            return json.dumps(json.loads(data), sort_keys=True).encode()
    return data


def call(folder: Path, *command: str) -> tuple[int, str]:
    """Call a command in a folder: its exit code and what it printed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=300,
    )
    return (
        done.returncode,
        f"$ {' '.join(command[-2:])}\n{done.stdout}(exit code {done.returncode})\n",
    )


def run(folder: Path) -> tuple[int, str]:
    """Run the collection; a refused file does not keep jobs from running that do not need it."""
    return call(folder, sys.executable, "-m", "snakemake", "--cores", "1", "--keep-going")


def command(folder: Path, words: str) -> tuple[int, str]:
    """Call a command as a message has it: of trailers12k, or `rm FILE`."""
    name, *arguments = words.split()
    program = str(Path(sys.executable).with_name(name)) if name == "trailers12k" else name
    return call(folder, program, *arguments)


@contextmanager
def damaged(finished: Path, pairs: Sequence[Pair]) -> Iterator[Path]:
    """A copy of a finished collection in which files are damaged."""
    with tempfile.TemporaryDirectory(dir=finished.parent) as temporary:
        work = Path(temporary) / "run"
        subprocess.run(["cp", "-a", "--reflink=auto", str(finished), str(work)], check=True)
        for pair in pairs:
            DAMAGES[pair.damage](work / pair.file)
        yield work


def answer(finished: Path, expected: Products, pairs: Sequence[Pair], jobs: Jobs) -> Answer:
    """Damage a copy of a finished collection and run it: which files are remade, which named?

    expected: its `products`. pairs: damages to different files. jobs: of the collection.
    """
    result = Answer()
    with damaged(finished, pairs) as work:
        varying = {work / pair.file for pair in pairs if pair.file in VARYING}
        before = {path: _state(path) for path in varying}
        code, result.text = run(work)
        if TRACEBACK in result.text:
            result.fault = "a traceback"
        elif code:
            result.commands = _named(result.text, pairs)
            result.left = [pair for pair in pairs if pair not in result.commands]
            if not result.commands:
                result.fault = "no line names the file and a command that helps"
        else:
            result.left = jobs.hidden(pairs, result.text)
            files = {pair.file for pair in pairs}
            changed = changes(expected, work, files)
            if others := sorted(changed - files):
                result.fault = f"other products: {', '.join(others[:5])}"
            elif changed or varying:
                lost = {path for path in varying if _state(path) in ("nothing", before[path])}
                lost_files = {path.relative_to(work).as_posix() for path in lost}
                _verify(work, pairs, changed | lost_files, result)
    return result


def _verify(work: Path, pairs: Sequence[Pair], changed: set[str], result: Answer) -> None:
    """Whether `verify` names the products that the run left damaged, since no job reads them."""
    printed = command(work, "trailers12k verify")[1]
    result.text += printed
    left = {pair.file for pair in result.left}
    unequal = changed.union(VARYING) - left
    for pair in pairs:
        if pair.file in unequal and _names(printed, pair):
            result.commands[pair] = (REPAIR,)
    if unnamed := sorted(changed - left - {pair.file for pair in result.commands}):
        result.fault = f"`verify` does not find {', '.join(unnamed)}"


def repair(finished: Path, expected: Products, commands: Mapping[Pair, Sequence[str]]) -> Answer:
    """Damage a copy of a finished collection, run it, call the commands that lines named, and run
    it again: are the products equal?

    commands: of each pair. Pairs whose file the commands left as it was damaged are in `left` when
    there are others, which may have led to its repair.
    """
    result = Answer()
    with damaged(finished, [*commands]) as work:
        before = {pair: _state(work / pair.file) for pair in commands}
        _, result.text = run(work)
        words = set().union(*commands.values())
        for _ in range(2):
            for each in sorted(words):
                result.text += command(work, each)[1]
            same = [pair for pair in commands if _state(work / pair.file) == before[pair]]
            result.left = same if len(commands) > 1 else []
            code, printed = run(work)
            result.text += printed
            words = set().union(*_named(printed, [*commands]).values())
            if not code or not words:
                break
        files = {pair.file for pair in commands}
        lost = {file for file in files if not (work / file).is_file()} & {*VARYING, *expected}
        if code or TRACEBACK in result.text:
            result.fault = "the run fails after the command"
        elif changed := changes(expected, work, set()) | lost:
            result.fault = f"other products after the command: {', '.join(sorted(changed)[:5])}"
        elif REPAIR in set().union(*commands.values()):
            printed = command(work, "trailers12k verify")[1]
            result.text += printed
            if lost := {pair.file for pair in commands if _names(printed, pair)}:
                result.fault = f"damaged after the command: {', '.join(sorted(lost))}"
    return result


def _state(path: Path) -> bytes | str:
    """The content of a file, or one word for anything else in its place."""
    if path.is_symlink():
        return "link"
    if not path.exists():
        return "nothing"
    return "folder" if path.is_dir() else path.read_bytes()


def _named(text: str, pairs: Sequence[Pair]) -> dict[Pair, tuple[str, ...]]:
    """The pairs whose file lines with a command name -> these commands."""
    named: dict[Pair, set[str]] = {}
    for line in text.splitlines():
        words = COMMAND.search(line)
        for pair in pairs if words else ():
            if _names(line, pair) and words[0] in (f"rm {pair.file}", words["own"]):
                named.setdefault(pair, set()).add(words[0])
    return {pair: tuple(sorted(words)) for pair, words in named.items()}


def _names(text: str, pair: Pair) -> bool:
    """Whether a text names a file, not one whose name goes on."""
    return bool(re.search(re.escape(pair.file) + r"(?!\.?\w|/)", text))


def changes(expected: Products, folder: Path, files: Iterable[str]) -> set[str]:
    """The products that differ from the expected ones, without what a folder in the place of one
    of `files` holds."""
    changed = differences(expected, products(folder))
    changed -= {name for name in changed for file in files if name.startswith(f"{file}/")}
    return changed | {file for file in files if file in expected and (folder / file).is_dir()}


def differences(expected: Products, present: Products) -> set[str]:
    """The products that are missing, new, or not the same."""
    names = expected.keys() | present.keys()
    return {name for name in names if expected.get(name) != present.get(name)}
