"""What must agree between the project's own files."""

import ast
import re
import runpy
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import trailers12k

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "rules").glob("*.smk"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SETS = PROJECT["optional-dependencies"]


def requirements(lines):
    """The requirement of each package, by its normalized name."""
    parsed = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


PINS = requirements((ROOT / "requirements.txt").read_text().splitlines())
LOCK = (ROOT / "lock.txt").read_text().splitlines()


def test_the_citation_has_the_version_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == trailers12k.__version__
    assert "version" in PROJECT["dynamic"]


def test_every_dependency_is_pinned_and_nothing_else_is():
    wanted = {name for several in (PROJECT["dependencies"], *SETS.values()) for name in several}
    wanted -= set(SETS["all"])
    assert requirements(wanted).keys() == PINS.keys()


def test_decord_is_required_where_it_has_wheels_only():
    required = [text for several in SETS.values() for text in several if "decord" in text]
    assert len(required) == 3
    for requirement in [*map(Requirement, required), PINS["decord"]]:
        assert str(requirement.marker) == 'platform_machine == "x86_64"'


def test_the_lock_agrees_with_the_pins_and_names_no_address():
    locked = dict(re.fullmatch(r"([a-z0-9-]+)==([\w.+]+)", line).groups() for line in LOCK)
    assert list(locked) == sorted(locked) and len(locked) == len(LOCK)
    pinned = {name: str(pin.specifier).removeprefix("==") for name, pin in PINS.items()}
    assert {name: locked.get(name) for name in pinned} == pinned


def test_the_lock_has_every_package_that_the_pinned_ones_need():
    # Slurm's plugins are not in this environment: see the Makefile.
    several = [texts for name, texts in SETS.items() if name not in ("all", "slurm")]
    left = [Requirement(text) for texts in (PROJECT["dependencies"], *several) for text in texts]
    needed = set()
    while left:
        requirement = left.pop()
        if requirement.marker and not requirement.marker.evaluate():
            continue
        for extra in {"", *requirement.extras}:
            key = canonicalize_name(requirement.name), extra
            if key in needed:
                continue
            needed.add(key)
            for each in map(Requirement, distribution(requirement.name).requires or []):
                if each.marker is None or each.marker.evaluate({"extra": extra}):
                    each.marker = None
                    left.append(each)
    names = {name for name, _ in needed}
    assert len(names) > 200
    assert names - requirements(LOCK).keys() == set()


def test_the_tools_of_readers_have_every_package_that_they_need():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = requirements(line.removeprefix("#tools ") for line in lines if line.startswith("#tools"))
    installed = list(distributions(path=[str(ROOT / ".venv" / "tools")]))
    versions = {canonicalize_name(each.name): f"=={each.version}" for each in installed}
    assert versions == {name: str(pin.specifier) for name, pin in pins.items()}
    needed = {
        canonicalize_name(each.name)
        for tool in installed
        for each in map(Requirement, tool.requires or [])
        if each.marker is None or each.marker.evaluate({"extra": ""})
    }
    # requirements.txt says why.
    assert needed - pins.keys() - requirements(LOCK).keys() == {"pandas-stubs"}


def test_the_environments_are_generated_and_each_has_its_sets():
    script = runpy.run_path(str(ROOT / "envs" / "generate.py"))
    generated = script["environments"]()
    files = sorted((ROOT / "envs").glob("*.yaml"))
    assert {path: path.read_text() for path in files} == generated
    for path in files:
        packages = requirements(yaml.safe_load(path.read_text())["dependencies"][-1]["pip"])
        assert packages.items() <= PINS.items()
        sets = script["SETS"].get(path.stem, [path.stem])
        own = [each for name in sets for each in SETS[name]]
        assert packages.keys() == requirements(PROJECT["dependencies"] + own).keys()
        assert path.stem in Requirement(SETS["all"][0]).extras


@pytest.mark.parametrize("name", ["slurm", "gpu-workstation"])
def test_a_profile_has_what_everyone_wants(name):
    common, own = (
        yaml.safe_load((ROOT / "profiles" / each / "config.yaml").read_text())
        for each in ("default", name)
    )
    limits = set(common.pop("resources"))
    assert limits <= set(own["resources"])
    if name == "slurm":
        # It would cap what is asked of the cluster.
        assert "cores" not in own and common.pop("cores")
    assert common.items() <= own.items()
    rules = re.findall(r'"../scripts/(\w+)\.py"', "".join(map(Path.read_text, RULES)))
    assert own.get("set-resources", {}).keys() <= set(rules)


def test_every_rule_has_the_script_of_its_name_and_an_environment():
    rules = {}
    for path in RULES:
        # Some stand below an `if`, or a loop that names them, deeper by a step.
        blocks = re.split(r"^( *)(?:rule|checkpoint) ?(\w*):\n", path.read_text(), flags=re.M)[1:]
        for indent, name, block in zip(*(blocks[place::3] for place in range(3)), strict=True):
            script = re.search(r'"../scripts/(\w+)\.py"', block)
            if name or script:  # targets have neither
                rules[name or script[1]] = re.sub(f"^{indent}", "", block, flags=re.M)
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
    assert "metadata" in done.stdout and "data/movies.csv" in done.stdout


def test_planning_imports_nothing_slow():
    code = (
        "import sys, trailers12k.workflow.targets, trailers12k.workflow.source_plan; "
        "print([m for m in ('torch', 'pandas', 'numpy', 'av', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
FILE_TYPES = {"csv", "gz", "html", "js", "json", "jsonl", "md", "py", "smk", "tsv", "yaml", "zarr"}
"""What follows the point in the name of a file, such as curation.csv."""


def keys_in(text):
    """The dotted keys of the configuration that a text names."""
    sections = "|".join(name for name, value in CONFIG.items() if isinstance(value, dict))
    pattern = rf"(?<![\w./-])(?:{sections})(?:\.[a-z_]+)+\b(?![(/])"
    keys = re.findall(pattern, text)
    return {key for key in keys if key.split(".")[-1] not in FILE_TYPES}


def is_key(key):
    value = CONFIG
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True


def messages_of(path):
    """The string constants of a module that hold several words, without docstrings."""
    tree = ast.parse(path.read_text())
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in alone:
            continue
        if isinstance(node.value, str) and " " in node.value:
            yield node.value


def test_every_key_named_in_a_message_exists():
    """A message advised to set `trailers.pause`; the key is `downloads.pause`."""
    paths = [*(ROOT / "trailers12k").rglob("*.py"), *(ROOT / "scripts").glob("*.py")]
    named = {(path.name, key) for path in paths for s in messages_of(path) for key in keys_in(s)}
    assert {"downloads.pause", "clips.fpc"} <= {key for _, key in named}
    assert [(where, key) for where, key in sorted(named) if not is_key(key)] == []


def test_the_map_of_the_code_names_files_and_constants_that_exist():
    text = (ROOT / "docs/architecture.md").read_text()
    named = re.findall(r"`([^`\s]+)`", text)
    paths = [name for name in named if re.fullmatch(r"[\w./-]+(\.(py|smk|txt|md|yaml)|/)", name)]
    assert len(paths) > 40
    runs_make = ("build/", "results/", "data/", "rules/STAGE.smk", "scripts/RULE.py")
    missing = [
        path
        for path in paths
        if not path.startswith(runs_make)
        and not (ROOT / path).exists()
        and not (ROOT / "trailers12k" / path).exists()
    ]
    assert not missing, missing
    code = "\n".join(path.read_text() for path in (ROOT / "trailers12k").rglob("*.py"))
    constants = [name for name in named if re.fullmatch(r"[A-Z_]{4,}|[A-Z]\w+Settings", name)]
    assert len(constants) > 8
    assert not [name for name in constants if not re.search(rf"\b{name}\b", code)]
