"""Kills snapshots and restores, and goes between versions of every kind: `make versions`.

Builds a small collection in a temporary folder, with a dozen versions. Kills each command at many
moments and calls again; restores ordered pairs of versions. After each, the products must be those
of the version, byte for byte, with nothing left to do. Writes a table.
"""

import argparse
import csv
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path

import yaml

from .conftest import IMAGE, LOCAL, SMALL, TINY, VIDEO, Project, write_table
from .test_versions import Repository

MORE = "trailers_i_more_fpc24"
Rows = list[dict[str, str]]


@dataclass
class Version:
    """What defines a version: its configuration, and tables as rows."""

    config: dict
    movies: Rows
    decisions: Rows = field(default_factory=list)

    def write(self, folder: Path) -> None:
        text = yaml.safe_dump(self.config, sort_keys=False)
        (folder / "config.yaml").write_text(text)
        _write_rows(folder / "movies.csv", self.movies)
        (folder / "curation.csv").unlink(missing_ok=True)
        if self.decisions:
            _write_rows(folder / "curation.csv", self.decisions)


def _write_rows(path: Path, rows: Rows) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _store(version: Version, name: str, model: str, *others: str) -> None:
    """Give a version a backbone, and a run of it; others: backbones and runs that it loses."""
    backbone = SMALL | {"model": model, "input": "frames", "batch": 8}
    version.config["backbones"][name] = backbone
    version.config["runs"]["more"] = {"image": name}
    for other in others:
        version.config["backbones"].pop(other, None)
        version.config["runs"].pop(other, None)


def _set(key: str, value: object) -> Callable[[Version], None]:
    def change(version: Version) -> None:
        section, _, name = key.rpartition(".")
        (version.config[section] if section else version.config)[name] = value

    return change


def _genres(version: Version) -> None:
    genres = version.movies[0]["genres"]
    version.movies[0]["genres"] = "horror" if genres != "horror" else "drama"


def _all(version: Version) -> None:
    for change in (_genres, *(CHANGES[name] for name in ("removed", "renamed", "seed", "run"))):
        change(version)


CHANGES: dict[str, Callable[[Version], None]] = {
    "first": lambda version: None,
    "removed": lambda version: version.movies.pop(),
    "renamed": lambda version: version.movies[1].update(mid="tt9990001"),
    "store": lambda version: _store(
        version, MORE, "torchvision/shufflenet_v2_x0_5", VIDEO, "video"
    ),
    "model": lambda version: _store(version, IMAGE, "torchvision/shufflenet_v2_x0_5"),
    "labels": _genres,
    "splits": _set("splits.tries", 3),
    "clips": _set("clips.min_shot", 7),
    "decisions": lambda version: version.decisions.append(
        {"mid": version.movies[2]["mid"], "decision": "reject"}
    ),
    "seed": _set("seed", 7),
    "training": _set("training.epochs", 2),
    "shards": _set("shards", 3),
    "run": lambda version: version.config["runs"].pop("video"),
    "all": _all,
}
"""Name of a version -> how it differs from the first."""


class Collection(Repository):
    """A collection with versions, in a folder beside the clone."""

    def run_all(self) -> None:
        self.trailers12k("run", "--cores", "2")

    def all_products(self) -> dict[str, bytes]:
        """Every file of data/ and results/, hidden ones too."""
        files = (path for top in ("data", "results") for path in (self.folder / top).rglob("*"))
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in files
            if path.is_file()
        }

    def copy(self, folder: Path) -> "Collection":
        subprocess.run(["cp", "-a", str(self.folder), str(folder)], check=True)
        return Collection(folder, self.source)


def first_version(collection: Collection) -> Version:
    """Lay out a collection without versions, and its clone; what defines the first version."""
    films = Project(collection.folder.with_name("films"), TINY)
    films.build("metadata", "trailers")
    clone = Project(collection.source, TINY | LOCAL)
    write_table(films, clone)
    Repository(collection.source.parent, collection.source).run(
        "trailers12k", "init", collection.folder.name
    )
    with (clone.folder / "movies.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return Version(clone.config, rows)


def make_versions(collection: Collection, first: Version) -> dict[str, dict[str, bytes]]:
    """Run and keep each of the versions; name -> products."""
    made = {}
    for name, change in CHANGES.items():
        version = deepcopy(first)
        change(version)
        version.write(collection.folder)
        began = time.monotonic()
        collection.run_all()
        collection.trailers12k("snapshot", "--version", name)
        # Without what an earlier run left, which is in no file of this version.
        made[name] = {
            path: data
            for path, data in collection.products().items()
            if path.startswith(("data/", "results/"))
        }
        print(f"{name}: made in {time.monotonic() - began:.0f} s", flush=True)
    return made


def restore_all(collection: Collection) -> dict[str, dict[str, bytes]]:
    """The versions that a collection has; name -> products. The last one is here then."""
    made = {}
    for name in collection.run("git", "tag", "--sort=creatordate").split():
        collection.trailers12k("restore", name)
        made[name] = collection.all_products()
    return made


def differences(expected: Mapping[str, bytes], found: Mapping[str, bytes]) -> list[str]:
    names = {*expected, *found}
    return sorted(name for name in names if expected.get(name) != found.get(name))


class Tally:
    """Counts trials, and what went wrong in them."""

    def __init__(self) -> None:
        self.tried, self.wrong = Counter[str](), list[str]()

    def add(self, kind: str, trial: str, *faults: object) -> None:
        self.tried[kind] += 1
        shown = [str(fault)[-1500:] for fault in faults if fault]
        print(f"{kind}: {trial}: {'; '.join(shown) or 'as it was'}", flush=True)
        self.wrong += [f"{kind}: {trial}: {fault}" for fault in shown]


@dataclass(frozen=True)
class Trials:
    """What all parts share. made: the products of each version."""

    collection: Collection
    made: Mapping[str, Mapping[str, bytes]]
    chance: random.Random
    tally: Tally


def go_between(trials: Trials, count: int) -> None:
    """Restore ordered pairs of versions, each pair once; after some, change the training."""
    collection, made = trials.collection, trials.made
    chance, tally = trials.chance, trials.tally
    left = list(permutations(made, 2))
    here = next(reversed(made))
    for number in range(count):
        choices = [pair for pair in left if pair[0] == here] or left
        before, after = chance.choice(choices)
        left.remove((before, after))
        if before != here:
            collection.trailers12k("restore", before)
        text = collection.trailers12k("restore", after)
        tally.add(
            "pair",
            f"{before} -> {after}",
            differences(made[after], collection.all_products())[:5],
            "Nothing to be done" not in text and text,
            not collection.is_clean() and "dvc status is not clean",
        )
        here = after
        if number % 6 == 5:
            _change_training(collection, after, number % 12 == 11, tally)
            collection.trailers12k("restore", after, "--force")
            tally.add(
                "after a change",
                after,
                differences(made[after], collection.all_products())[:5],
            )


def _change_training(collection: Collection, name: str, really: bool, tally: Tally) -> None:
    """Another number of epochs trains every run in three splits, and computes no feature."""
    config = yaml.safe_load((collection.folder / "config.yaml").read_text())
    collection.configure("training.epochs", config["training"]["epochs"] + 1)
    options = ("--verbose", "--cores", "2") if really else ("-n", "--verbose")
    text = collection.trailers12k("run", *options)
    jobs = Counter(re.findall(r"^(?:local)?rule (\w+):$", text, re.M))
    early = {"download_trailers", "detect_clips", "extract_features", "pack_store", "make_splits"}
    tally.add(
        "change",
        f"{name}, {'run' if really else 'planned'}",
        jobs["train_run"] != 3 * len(config["runs"]) and f"{jobs['train_run']} trainings",
        sorted(early & {*jobs}),
    )


def killed(collection: Collection, arguments: list[str], after: float) -> tuple[bool, float]:
    """Kill a command and all that it started after so many seconds, unless it ends before.

    Whether it was killed, and how long it ran."""
    began = time.monotonic()
    running = collection.start("trailers12k", *arguments)
    try:
        running.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        return True, after
    return False, time.monotonic() - began


def kill_restores(trials: Trials, count: int) -> None:
    """Kill restores at moments spread over their time, and call again, of any version."""
    collection, made = trials.collection, trials.made
    chance, tally = trials.chance, trials.tally
    names = list(made)
    here, took = names[-1], 0.0
    for number in range(-1, count):
        there = chance.choice([name for name in names if name != here])
        # The first is not killed, but measured.
        moment = took * (number + chance.random()) / count if took else 600.0
        was_killed, lasted = killed(collection, ["restore", there], moment)
        record = collection.folder / "build/state.sha256"
        has_begun = record.read_text().startswith("begun")
        faults: list[object] = []
        if has_begun and number % 3 == 0:
            faults += _refusals(collection, there)
            faults += _protected(collection, collection.folder / "results/summary.md")
        goal = chance.choice([*names, ""]) if has_begun else chance.choice(names)
        began = time.monotonic()
        text = collection.trailers12k("restore", *([goal] if goal else []))
        took = time.monotonic() - began
        here = goal or there
        faults.append(differences(made[here], collection.all_products())[:5])
        faults.append("Nothing to be done" not in text and text)
        state = f"{was_killed=}, {has_begun=}"
        trial = f"{number}: to {there} for {lasted:.1f} s, {state}, then {goal or 'on'}"
        tally.add("restore", trial, *faults)


def _refusals(collection: Collection, version: str) -> list[str]:
    """Snapshot and run name the command that finishes the restore."""
    faults = []
    for arguments in (["snapshot"], ["run", "-n"]):
        command = [str(Path(sys.executable).with_name("trailers12k")), *arguments]
        done = subprocess.run(
            command,
            cwd=collection.folder,
            env=collection.environment(),
            capture_output=True,
            text=True,
        )
        if f"finish it: trailers12k restore {version}" not in done.stdout + done.stderr:
            faults.append(f"{arguments}: {done.stdout[-500:]} {done.stderr[-500:]}")
    return faults


def _protected(collection: Collection, note: Path) -> list[str]:
    """A file that the user wrote after the kill is named, and stays."""
    before = note.read_bytes() if note.exists() else None
    note.write_text("my own notes\n")
    text = collection.trailers12k("restore", code=2)
    faults = [] if note.name in text and note.read_text() == "my own notes\n" else [text]
    note.unlink() if before is None else note.write_bytes(before)
    return faults


def kill_snapshots(trials: Trials, count: int) -> None:
    """Kill snapshots of new products at moments spread over their time, and call again."""
    collection, made = trials.collection, trials.made
    chance, tally = trials.chance, trials.tally
    name = next(iter(made))
    collection.trailers12k("restore", name)
    config = yaml.safe_load((collection.folder / "config.yaml").read_text())
    collection.configure("training.epochs", config["training"]["epochs"] + 2)
    collection.run_all()
    expected = collection.all_products()
    with tempfile.TemporaryDirectory(dir=collection.folder.parent) as place:
        whole = collection.copy(Path(place) / "whole")
        began = time.monotonic()
        whole.trailers12k("snapshot", "--version", "kept")
        took = time.monotonic() - began
        for number in range(count):
            copy = collection.copy(Path(place) / f"copy{number}")
            moment = took * (number + chance.random()) / count
            was_killed, _ = killed(copy, ["snapshot", "--version", "kept"], moment)
            trial = f"{number}: {moment:.1f} of {took:.1f} s, {was_killed=}"
            faults: list[object] = []
            if was_killed and "kept" not in copy.run("git", "tag").split():
                copy.trailers12k("snapshot", "--version", "kept")
            faults.append(differences(expected, copy.all_products())[:5])
            faults.append(not copy.is_clean() and "dvc status is not clean")
            kept = (
                copy.run("git", "show", "kept:dvc.lock") == (copy.folder / "dvc.lock").read_text()
            )
            faults.append(not kept and "the tag has another dvc.lock")
            if number % 4 == 0:
                for version, products in ((name, made[name]), ("kept", expected)):
                    text = copy.trailers12k("restore", version)
                    faults.append("Nothing to be done" not in text and text)
                    faults.append(differences(products, copy.all_products())[:5])
            tally.add("snapshot", trial, *faults)
            shutil.rmtree(copy.folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="of snapshots, and of restores")
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=["pairs", "restores", "snapshots"])
    parser.add_argument("--folder", type=Path, help="work here; versions that are there are used")
    arguments = parser.parse_args()
    tally = Tally()
    parts = {"pairs": go_between, "restores": kill_restores, "snapshots": kill_snapshots}
    with tempfile.TemporaryDirectory() as temporary:
        place = arguments.folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        collection = Collection(place / "collection", place / "clone")
        if collection.folder.exists():
            made = restore_all(collection)
        else:
            made = make_versions(collection, first_version(collection))
        trials = Trials(collection, made, random.Random(arguments.seed), tally)
        for name, part in parts.items():
            if arguments.only in (None, name):
                count = arguments.pairs if name == "pairs" else arguments.kills
                part(trials, count)
    for kind, number in tally.tried.items():
        wrong = sum(line.startswith(f"{kind}:") for line in tally.wrong)
        print(f"{kind:20} {number:4} tried, {wrong:4} wrong")
    sys.exit("\n".join(tally.wrong))


if __name__ == "__main__":
    main()
