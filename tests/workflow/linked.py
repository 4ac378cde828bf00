"""Environments that hold some of this one's packages, and what those need, and no others.

Packages are linked, so that one is made in a second. Called as a program this is all of conda that
Snakemake asks for: conda itself cannot be installed where these tests run.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from itertools import pairwise
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def closure(wanted: Iterable[str]) -> set[str]:
    """The names of packages and of all that they need."""
    found: set[tuple[str, str]] = set()
    left = [Requirement(text) for text in wanted]
    left = [each for each in left if each.marker is None or each.marker.evaluate()]
    while left:
        requirement = left.pop()
        for extra in {"", *requirement.extras}:
            key = canonicalize_name(requirement.name), extra
            if key in found:
                continue
            found.add(key)
            for text in distribution(requirement.name).requires or []:
                needed = Requirement(text)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    left.append(needed)
    return {name for name, _ in found}


def make(prefix: Path, wanted: Iterable[str]) -> None:
    """An environment in a folder. PackageNotFoundError for what is not installed here."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", prefix], check=True)
    site = next(prefix.glob("lib/python*/site-packages"))
    for name in closure(wanted):
        package = distribution(name)
        root = Path(package.locate_file("")).resolve()
        for file in package.files or []:
            # What lies outside is a program, `../../../bin/deno`.
            outside = file.parts[0] == ".."
            source = Path(root / file) if outside else root / file.parts[0]
            target = prefix / "bin" / file.name if outside else site / file.parts[0]
            if not target.exists() and source.exists():
                target.symlink_to(source.resolve())


def install_conda(folder: Path) -> Path:
    """A `conda` in a folder of its own, to be put on the PATH: its folder."""
    bin_ = folder / "bin"
    bin_.mkdir(parents=True)
    program = bin_ / "conda"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{folder}" "$@"\n')
    program.chmod(0o755)
    (bin_ / "activate").write_text('export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n')
    return bin_


def main(root: str, *arguments: str) -> None:
    match arguments:
        case ["--version"]:
            print("conda 25.1.0")
        case ["info", "--json"]:
            print(json.dumps({"conda_prefix": root, "platform": "linux-64"}))
        case ["config", *_]:
            print(json.dumps({"get": {"channel_priority": "strict"}}))
        case ["env", "create", *options]:
            values = {n.removeprefix("--"): v for n, v in pairwise(options)}
            needed = yaml.safe_load(Path(values["file"]).read_text())["dependencies"]
            make(Path(values["prefix"]), needed[-1]["pip"])
        case ["clean", *_]:
            pass
        case _:
            sys.exit(f"conda {arguments}: Snakemake did not ask for this before")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except PackageNotFoundError as error:
        sys.exit(f"{os.path.basename(__file__)}: {error}")
