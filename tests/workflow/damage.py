"""Damages files of a finished collection and runs it again: `make damage`.

Works on copies of a small collection. Writes a table, and trailers12k/workflow/figures/. The right
answer to every damage is either a run that makes the products again, byte for byte, or one line
that names the file and a command after which the next run does. One run answers for several damaged
files, but only for those that no other can have hidden, see `Answer.left`.
"""

import argparse
import json
import math
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

import yaml

from .damage_answers import Answer, Jobs, answer, products, repair, run
from .damages import DAMAGES, Pair, pairs_of

ROOT = Path(__file__).parents[2]
TOGETHER = 40
"""Most files that are damaged at once."""


def collection(folder: Path) -> None:
    """Lay out the sample with few movies and small networks, for frames, clips and posters."""
    from .conftest import IMAGE, SMALL, TINY, VIDEO, Project

    posters = {"model": "torchvision/shufflenet_v2_x1_0", "input": "posters", "batch": 8} | SMALL
    streams = {"image": IMAGE, "video": VIDEO, "poster": "posters_i"}
    config = TINY | {
        "backbones": TINY["backbones"] | {"posters_i": posters},
        "runs": {"fusion": streams},
        "training": {"epochs": 2},
    }
    project = Project(folder, config)
    (folder / "config.yaml").write_text(yaml.safe_dump(project.config, sort_keys=False))


def batches(
    pairs: Sequence[Pair], size: int, are_apart: Callable[[Pair, Pair], bool]
) -> list[list[Pair]]:
    """Groups of pairs of different files, each apart from all others, in the order of the pairs."""
    groups: list[list[Pair]] = []
    for pair in pairs:
        fits = (
            group
            for group in groups
            if len(group) < size
            and all(pair.file != each.file and are_apart(pair, each) for each in group)
        )
        group = next(fits, None)
        if group is None:
            groups.append(group := [])
        group.append(pair)
    return groups


def rows_of(pairs: Sequence[Pair], outcomes: Mapping[Pair, str]) -> list[dict[str, str | int]]:
    """A row per damage for docs/reliability.md. pairs: all. outcomes: remade, named or lost."""
    rows = []
    for damage in DAMAGES:
        all_pairs = [pair for pair in pairs if pair.damage == damage]
        of_damage = [outcomes[pair] for pair in all_pairs if pair in outcomes]
        counts = {name: of_damage.count(name) for name in ("remade", "named", "lost")}
        rows.append({"damage": damage, "pairs": len(all_pairs), "tried": len(of_damage)} | counts)
    return rows


class Trial:
    """Tries pairs on copies of one finished collection; keeps what it learns in a file.

    outcomes: "remade", "named" or "lost". commands: of pairs that were named; not yet called.
    """

    def __init__(self, finished: Path, log: Path):
        self.finished, self.log = finished, log
        self.jobs = Jobs(finished)
        self.expected = products(finished)
        self.outcomes: dict[Pair, str] = {}
        self.commands: dict[Pair, tuple[str, ...]] = {}
        if log.exists():
            for line in log.read_text().splitlines():
                row = json.loads(line)
                self._learn(Pair(row["file"], row["damage"]), row["outcome"], row["commands"])

    def __call__(
        self,
        pairs: Sequence[Pair],
        together: int = TOGETHER,
        workers: int = 1,
        end: float = math.inf,
    ) -> None:
        """Try pairs, some together, until all have an outcome or the time has come."""
        are_apart = self.are_apart
        while time.monotonic() < end:
            todo = [pair for pair in pairs if not {pair} & {*self.outcomes, *self.commands}]
            work: list[Callable[[], None]] = [
                partial(self._ask, group) for group in batches(todo, together, are_apart)
            ]
            if not todo:
                named = sorted(self.commands, key=lambda pair: (self.commands[pair], pair.file))
                groups = batches(named, together, self.have_same_command)
                work = [partial(self._repair, group) for group in groups]
            if not work:
                return
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(lambda each: time.monotonic() < end and each(), work))
            are_apart = self._are_apart

    def _ask(self, pairs: Sequence[Pair]) -> None:
        """Run with damages; in halves if the answer to all is wrong. Some may be left."""
        result = answer(self.finished, self.expected, pairs, self.jobs)
        if result.fault and (half := len(pairs) // 2):
            self._ask(pairs[:half])
            self._ask(pairs[half:])
            return
        for pair in pairs:
            if result.fault:
                self._keep(pair, "lost", result)
            elif pair in result.commands:
                self._keep(pair, "to repair", result)
            elif pair not in result.left:
                self._keep(pair, "remade", result)

    def _repair(self, pairs: Sequence[Pair]) -> None:
        """Run with damages, the commands that were named, and again; as `_ask`."""
        result = repair(self.finished, self.expected, {pair: self.commands[pair] for pair in pairs})
        if result.fault and (half := len(pairs) // 2):
            self._repair(pairs[:half])
            self._repair(pairs[half:])
            return
        for pair in pairs:
            if pair in result.left:
                self._repair([pair])
            else:
                self._keep(pair, "lost" if result.fault else "named", result)

    def are_apart(self, pair: Pair, other: Pair) -> bool:
        """Whether one run will most probably answer for both.

        As `Jobs.are_apart`; or both are files that no job reads, which are seldom made again. Files
        that no job declares are seldom named: what names another would leave them.
        """
        if self.jobs.is_declared(pair.file) != self.jobs.is_declared(other.file):
            return False
        read = self.jobs.is_read(pair.file) or self.jobs.is_read(other.file)
        deleted = "deleted" in (pair.damage, other.damage)
        return self._are_apart(pair, other) or not (read or deleted)

    def _are_apart(self, pair: Pair, other: Pair) -> bool:
        return self.jobs.are_apart(pair.file, other.file)

    def have_same_command(self, pair: Pair, other: Pair) -> bool:
        return self.commands[pair] == self.commands[other]

    def _keep(self, pair: Pair, outcome: str, result: Answer) -> None:
        commands = result.commands.get(pair, ())
        self._learn(pair, outcome, commands)
        row = asdict(pair) | {"outcome": outcome, "commands": commands, "fault": result.fault}
        if result.fault:
            row["text"] = result.text
        with self.log.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(f"{outcome:9} {pair.file}  {pair.damage}  {result.fault}", flush=True)

    def _learn(self, pair: Pair, outcome: str, commands: Sequence[str]) -> None:
        if outcome == "to repair":
            self.commands[pair] = tuple(commands)
        else:
            self.outcomes[pair] = outcome
            self.commands.pop(pair, None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--finished", type=Path, help="a finished collection, else one is built")
    parser.add_argument("--files", default="", help="only files that this expression matches")
    parser.add_argument("--damages", default="", help="only damages that this expression matches")
    parser.add_argument("--minutes", type=float, default=600, help="begin nothing after this time")
    parser.add_argument(
        "--together", type=int, default=TOGETHER, help="files damaged at once, at most"
    )
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
            if re.search(arguments.files, pair.file) and re.search(arguments.damages, pair.damage)
        ]
        random.Random(arguments.seed).shuffle(wanted)

        trial(wanted, arguments.together, arguments.workers, end)
    rows = rows_of(pairs, trial.outcomes)
    print(f"\n{'damage':24}{'pairs':>8}{'tried':>8}{'remade':>8}{'named':>8}{'lost':>8}")
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
