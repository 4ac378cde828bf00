"""Generates the conda environments of the rules, one per set of packages in pyproject.toml.

Reads pyproject.toml and requirements.txt; writes envs/NAME.yaml, or with --check only compares.
Must not know the rules.
"""

import argparse
import re
import sys
import tomllib
from difflib import unified_diff
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PURPOSES = {
    "download": "rules that download: no torch on a download node",
    "tables": "rules that write tables and pictures: movies, merges, splits, scores, the report",
    "torch": "rules that run models: weights, features, training, and shots by TransNetV2",
    "video": "rules that read videos: the sample's rendering, shots and clips",
}
SETS = {"torch": ("torch", "hf")}
"""The sets of packages of an environment; by default the one of its name."""
TEMPLATE = """\
# For {purpose}.
# Generated from pyproject.toml and requirements.txt by `make envs`.
name: trailers12k-{name}
channels: [conda-forge]
dependencies:
  - python=3.11
  - pip
  - pip:
{packages}
"""


def package_name(requirement: str) -> str:
    """The package of a requirement such as `decord==0.6.0; platform_machine == 'x86_64'`."""
    return re.split(r"[\[=;\s]", requirement, maxsplit=1)[0]


def environments() -> dict[Path, str]:
    """The content of each environment file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = {package_name(line): line for line in lines if line and not line.startswith("#")}
    files = {}
    for name, purpose in PURPOSES.items():
        wanted = list(project["dependencies"])
        for own in SETS.get(name, (name,)):
            wanted += project["optional-dependencies"][own]
        names = sorted(map(package_name, wanted), key=str.lower)
        packages = "\n".join(f"      - {pins[each]}" for each in names)
        content = TEMPLATE.format(purpose=purpose, name=name, packages=packages)
        files[ROOT / "envs" / f"{name}.yaml"] = content
    return files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="exit 1 on a difference")
    check = parser.parse_args().check
    stale = False
    for path, content in environments().items():
        present = path.read_text(encoding="utf-8") if path.exists() else ""
        if present == content:
            continue
        stale = True
        if check:
            sides = present.splitlines(True), content.splitlines(True)
            sys.stdout.writelines(unified_diff(*sides, f"envs/{path.name}", "as generated"))
        else:
            path.write_text(content, encoding="utf-8")
    if check and stale:
        sys.exit("error: envs/ differs from pyproject.toml and requirements.txt; run `make envs`")


if __name__ == "__main__":
    main()
