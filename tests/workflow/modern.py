"""The preset `modern` in a reduced form: random weights, small pictures, movies of the sample.

    PYTHONPATH=tests python -m workflow.modern

runs all of its rows to the end, in a folder of its own; `make modern` does so.
"""

import argparse
import csv
import tempfile
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from trailers12k.common.sound_models import HUB_FAMILY
from trailers12k.common.vocabulary import SPLITS

from .conftest import ROOT, Project

PRESET = "presets/modern.yaml"
SIDE = 32
"""Pixels of pictures. Networks of the hub have small ones of their own with random weights."""
TAKEN = ("backbones", "runs", "evaluation", "zero_shot")
"""Sections of the preset that say which rows there are."""


def preset() -> dict[str, Any]:
    """The preset as a configuration."""
    config: dict[str, Any] = yaml.safe_load((ROOT / PRESET).read_text())
    return config


def reduced(rows: Collection[str] | None = None, more: Collection[str] = ()) -> dict[str, Any]:
    """The sections `TAKEN` for some of its runs, and the stores that these use. None: for all.

    more: other stores.
    """
    config = {name: preset()[name] for name in TAKEN}
    if rows is not None:
        config["runs"] = {name: config["runs"][name] for name in rows}
        used = {*more, *(store for run in config["runs"].values() for store in run.values())}
        stores = config["backbones"].items()
        config["backbones"] = {name: store for name, store in stores if name in used}
    for store in config["backbones"].values():
        store.pop("file", None)
        if store["input"] != "audio" and not store["model"].startswith(f"{HUB_FAMILY}/"):
            store["size"] = SIDE
    return config


def whole(movies: int) -> dict[str, Any]:
    """The whole preset on so many movies of the sample."""
    config = preset() | reduced()
    config |= {"movies": "sample", "sample": {"movies": movies}, "weights": "random", "shards": 2}
    return config | {"image_frames": 2, "training": config["training"] | {"epochs": 2}}


def scored(project: Project) -> dict[tuple[str, str], set[str]]:
    """Run and classifier -> the splits on which its test movies are scored."""
    found: dict[tuple[str, str], set[str]] = {}
    with (project.folder / "results/transfer/tst.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["classifier"]:
                found.setdefault((row["run"], row["classifier"]), set()).add(row["split"])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--movies", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="a new folder; by default a temporary one")
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        project = Project(args.folder or Path(temporary) / "project", {})
        project.config = whole(args.movies)
        run = project.build("--keep-going")
        rows = scored(project)
        assert {name for name, _ in rows} >= set(project.config["runs"])
        assert all(splits == {*SPLITS} for splits in rows.values())
        jobs, stores = sum(run.jobs.values()), len(project.config["backbones"])
        print(
            f"{jobs} jobs, {stores} stores, {len(project.config['runs'])} runs and {len(rows)} "
            f"rows on {args.movies} movies: {time.monotonic() - began:.0f} s"
        )


if __name__ == "__main__":
    main()
