"""What must agree between the project's own files."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def pins(lines):
    return dict(re.fullmatch(r"([\w.-]+)(?:\[.*\])?==(\S+)", line).groups() for line in lines)


REQUIREMENTS = pins(
    line
    for line in (ROOT / "requirements.txt").read_text().splitlines()
    if line and not line.startswith("#")
)


def test_every_dependency_is_pinned_and_nothing_else_is():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = [
        name.split("[")[0]
        for name in project["dependencies"] + project["optional-dependencies"]["dev"]
    ]
    assert sorted(names, key=str.lower) == sorted(REQUIREMENTS, key=str.lower)


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda p: p.stem)
def test_the_pins_of_an_environment_are_the_projects(path):
    packages = yaml.safe_load(path.read_text())["dependencies"][-1]["pip"]
    assert pins(packages).items() <= REQUIREMENTS.items()


def test_every_rule_has_the_script_of_its_name_and_an_environment():
    rules = {}
    for path in sorted((ROOT / "rules").glob("*.smk")):
        # Some stand below an `if`, deeper by a step.
        blocks = re.split(r"^( *)(?:rule|checkpoint) (\w+):\n", path.read_text(), flags=re.M)[1:]
        for indent, name, block in zip(*(blocks[place::3] for place in range(3)), strict=True):
            rules[name] = re.sub(f"^{indent}", "", block, flags=re.M)
    for name, block in rules.items():
        assert f'script:\n        "../scripts/{name}.py"' in block, name
        env = re.search(r'conda:\n        "../(envs/\w+\.yaml)"', block)
        assert (ROOT / env.group(1)).is_file(), name
        # measure_record says why it has none.
        params = ["params:"] if name != "measure_record" else []
        for directive in ("log:", "benchmark:", *params):
            assert f"    {directive}\n" in block, (name, directive)
    assert set(rules) == {path.stem for path in (ROOT / "scripts").glob("*.py")}


def test_dvc_reads_dvc_yaml():
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "stage", "list", "--all"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "snakemake" in done.stdout


def test_planning_imports_nothing_slow():
    code = (
        "import sys, trailers12k.plan; "
        "print([m for m in ('torch', 'pandas', 'numpy', 'av', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
