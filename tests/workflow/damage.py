"""Damages files of a finished collection, one at a time, and runs it again: `make damage`.

Works on copies of a small collection. Writes a table, and trailers12k/workflow/figures/. The right
answer to every damage is either a run that makes the products again, byte for byte, or one line
that names the file and a command after which the next run does.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]

PARTS = ("data", "build", "results", "logs", "benchmarks")
VARYING = ("results/costs.csv", "results/report/index.html", "results/figures/costs.svg")
VARYING += ("results/figures/costs.png",)
"""Products that hold the time of jobs, which is another in every run."""
COMMAND = re.compile(r"trailers12k [a-z][a-z -]*[a-z]")
TRACEBACK = "Traceback"


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


@dataclass
class Answer:
    """What runs made of damages to different files, which were made together.

    named: the files that a line named. fault: what is wrong with the answer; empty when it is
    right. text: all that the runs printed.
    """

    pairs: Sequence[Pair]
    named: set[str] = field(default_factory=set)
    fault: str = ""
    text: str = ""


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
    """Run the collection."""
    return call(folder, sys.executable, "-m", "snakemake", "--cores", "1")


def command(folder: Path, words: str) -> tuple[int, str]:
    """Call a command of trailers12k as a message has it."""
    program = str(Path(sys.executable).with_name("trailers12k"))
    return call(folder, program, *words.split()[1:])


def answer(finished: Path, expected: dict[str, bytes], pairs: Sequence[Pair]) -> Answer:
    """Damage a copy of a finished collection, run it again, and judge what happened.

    expected: its `products`. pairs: damages to different files.
    """
    result = Answer(pairs)
    with tempfile.TemporaryDirectory(dir=finished.parent) as temporary:
        work = Path(temporary) / "run"
        subprocess.run(["cp", "-a", "--reflink=auto", str(finished), str(work)], check=True)
        for pair in pairs:
            DAMAGES[pair.damage](work / pair.file)
        try:
            _run_and_judge(work, expected, result)
        except subprocess.TimeoutExpired as error:
            result.fault = f"took more than {error.timeout:.0f} s"
    return result


def _run_and_judge(work: Path, expected: dict[str, bytes], result: Answer) -> None:
    """Run, call the commands that its messages name, run again; writes into `result`."""
    damaged = {pair.file for pair in result.pairs}
    for again in (True, True, False):
        code, printed = run(work)
        result.text += printed
        if TRACEBACK in printed:
            result.fault = "a traceback"
            return
        if not code:
            break
        refusals = _refusals(printed, damaged)
        result.named |= {file for line in refusals for file in damaged if file in line}
        commands = sorted({COMMAND.search(line)[0] for line in refusals})
        if not commands or not again:
            result.fault = "no line names the file and a command that helps"
            return
        for words in commands:
            result.text += command(work, words)[1]
    changed = differences(expected, products(work))
    # Also what lies in a folder that took the place of a file.
    changed -= {name for name in changed for file in damaged if name.startswith(f"{file}/")}
    folders = {file for file in damaged & expected.keys() if (work / file).is_dir()}
    if others := sorted(changed - damaged):
        result.fault = f"other products: {', '.join(others[:5])}"
    elif changed or folders or damaged.intersection(VARYING):
        _verify_and_judge(work, expected, changed | folders, result)


def _verify_and_judge(
    work: Path, expected: dict[str, bytes], changed: set[str], result: Answer
) -> None:
    """Judge products that the run left damaged, since no job reads them."""
    found = command(work, "trailers12k verify")[1]
    result.text += found
    varying = {pair.file for pair in result.pairs}.intersection(VARYING)
    result.named |= {file for file in changed | varying if file in found}
    if unnamed := sorted(changed - result.named):
        result.fault = f"`verify` does not find {', '.join(unnamed)}"
        return
    result.text += command(work, "trailers12k verify --repair")[1]
    code, printed = run(work)
    result.text += printed
    again = command(work, "trailers12k verify")[1]
    if code:
        result.fault = "the run fails after `verify --repair`"
    elif changed := differences(expected, products(work)):
        result.fault = f"other products after `verify --repair`: {', '.join(sorted(changed)[:5])}"
    elif lost := [file for file in varying if file in again or not (work / file).is_file()]:
        result.fault = f"damaged or missing after `verify --repair`: {', '.join(lost)}"


def _refusals(text: str, damaged: Iterable[str]) -> list[str]:
    """The lines of a text that name a damaged file and a command."""
    lines = [line for line in text.splitlines() if COMMAND.search(line)]
    return [line for line in lines if any(file in line for file in damaged)]


def differences(expected: dict[str, bytes], present: dict[str, bytes]) -> set[str]:
    """The products that are missing, new, or not the same."""
    names = expected.keys() | present.keys()
    return {name for name in names if expected.get(name) != present.get(name)}


def collection(folder: Path) -> None:
    """Lay out the sample with few movies and small networks, for frames, clips and posters."""
    from conftest import IMAGE, SMALL, TINY, VIDEO, Project

    posters = {"model": "torchvision/shufflenet_v2_x1_0", "input": "posters", "batch": 8} | SMALL
    streams = {"image": IMAGE, "video": VIDEO, "poster": "posters_i"}
    config = TINY | {
        "backbones": TINY["backbones"] | {"posters_i": posters},
        "runs": {"fusion": streams},
        "training": {"epochs": 2},
    }
    project = Project(folder, config)
    (folder / "config.yaml").write_text(yaml.safe_dump(project.config, sort_keys=False))


def batches(pairs: Sequence[Pair], size: int) -> list[list[Pair]]:
    """Groups of pairs of different files, in the order of the pairs."""
    groups: list[list[Pair]] = []
    for pair in pairs:
        fits = (
            group
            for group in groups
            if len(group) < size and pair.file not in {each.file for each in group}
        )
        group = next(fits, None)
        if group is None:
            groups.append(group := [])
        group.append(pair)
    return groups


def rows_of(outcomes: Mapping[Pair, str]) -> list[dict[str, str | int]]:
    """A row per damage for docs/reliability.md. outcomes: remade, named or lost."""
    rows = []
    for damage in DAMAGES:
        of_damage = [outcome for pair, outcome in outcomes.items() if pair.damage == damage]
        counts = {name: of_damage.count(name) for name in ("remade", "named", "lost")}
        rows.append({"damage": damage, "tried": len(of_damage)} | counts)
    return rows


class Trial:
    """Tries pairs on copies of one finished collection; keeps the outcomes in a file."""

    def __init__(self, finished: Path, log: Path):
        self.finished, self.log = finished, log
        self.expected = products(finished)
        self.outcomes: dict[Pair, str] = {}
        if log.exists():
            for line in log.read_text().splitlines():
                row = json.loads(line)
                self.outcomes[Pair(row["file"], row["damage"])] = row["outcome"]

    def __call__(self, pairs: Sequence[Pair]) -> None:
        """Try pairs together, and one by one if the answer to all is wrong."""
        result = answer(self.finished, self.expected, pairs)
        if result.fault and len(pairs) > 1:
            for pair in pairs:
                self([pair])
            return
        for pair in pairs:
            outcome = "named" if pair.file in result.named else "remade"
            self._keep(pair, "lost" if result.fault else outcome, result)

    def _keep(self, pair: Pair, outcome: str, result: Answer) -> None:
        self.outcomes[pair] = outcome
        row = asdict(pair) | {"outcome": outcome, "fault": result.fault}
        if result.fault:
            row["text"] = result.text
        with self.log.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(f"{outcome:7} {pair.file}  {pair.damage}  {result.fault}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--finished", type=Path, help="a finished collection, else one is built")
    parser.add_argument("--files", default="", help="only files that this expression matches")
    parser.add_argument("--damages", default="", help="only damages that this expression matches")
    parser.add_argument("--minutes", type=float, default=600, help="begin nothing after this time")
    parser.add_argument("--together", type=int, default=5, help="files damaged at once")
    parser.add_argument("--workers", type=int, default=2, help="runs at once")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--log",
        type=Path,
        default=Path("build/damages.jsonl"),
        help="outcomes; pairs in it are done",
    )
    arguments = parser.parse_args()
    end = time.monotonic() + 60 * arguments.minutes
    with tempfile.TemporaryDirectory() as temporary:
        finished = arguments.finished or Path(temporary) / "finished"
        if not arguments.finished:
            collection(finished)
            code, text = run(finished)
            if code:
                sys.exit(text[-3000:])
        pairs = pairs_of(finished)
        arguments.log.parent.mkdir(parents=True, exist_ok=True)
        trial = Trial(finished.resolve(), arguments.log)
        wanted = [
            pair
            for pair in pairs
            if re.search(arguments.files, pair.file)
            and re.search(arguments.damages, pair.damage)
            and pair not in trial.outcomes
        ]
        random.Random(arguments.seed).shuffle(wanted)

        def attempt(group: Sequence[Pair]) -> None:
            if time.monotonic() < end:
                trial(group)

        with ThreadPoolExecutor(arguments.workers) as pool:
            list(pool.map(attempt, batches(wanted, arguments.together)))
    rows = rows_of({pair: trial.outcomes[pair] for pair in pairs if pair in trial.outcomes})
    print(f"\n{'damage':24}{'tried':>8}{'remade':>8}{'named':>8}{'lost':>8}")
    for row in rows:
        print(f"{row['damage']:24}" + "".join(f"{count:8}" for count in [*row.values()][1:]))
    if len(trial.outcomes) < len(pairs):
        print(f"{len(trial.outcomes)} of {len(pairs)} pairs were tried")
    if not (arguments.files or arguments.damages):
        from figures import update

        update("reliability", {"damages": rows})
    if lost := sum(int(row["lost"]) for row in rows):
        sys.exit(f"{lost} damages had no right answer")


if __name__ == "__main__":
    sys.path.append(str(ROOT / "tests" / "bench"))
    main()
