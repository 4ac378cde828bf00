"""envs/: each group of rules runs with its own packages only, and Snakemake with its own."""

import os
import re
import subprocess

import pytest

from . import linked
from .conftest import ROOT, TINY, Project

CORE = ["numpy", "pydantic", "PyYAML", "tqdm", "typer"]
HEAVY = {
    "download": ["torch", "timm", "pandas", "sklearn", "snakemake"],
    "tables": ["torch", "timm", "av", "yt_dlp", "snakemake"],
    "video": ["torch", "timm", "pandas", "yt_dlp", "snakemake"],
    "torch": ["sklearn", "yt_dlp", "snakemake"],
}
"""Packages that a group has no use for."""


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[Project, set[str]]:
    """The tiny sample, built with an environment a group of rules, and the rules that ran."""
    folder = tmp_path_factory.mktemp("envs")
    conda = linked.install_conda(folder / "conda")
    linked.make(folder / "main", ["snakemake", *CORE])
    project = Project(folder / "project", TINY)
    path = f"{conda}:{os.environ['PATH']}"
    # The package is not installed in any of them, nor named in the environment.
    how = {"python": [folder / "main/bin/python"], "env": {"PYTHONPATH": "", "PATH": path}}
    return project, set(project.build("--sdm", "conda", **how).jobs)


def environments(project: Project) -> dict[str, str]:
    """The folders of the environments that Snakemake has made, by their names."""
    files = (project.folder / ".snakemake" / "conda").glob("*.yaml")
    named = {re.search(r"name: trailers12k-(\w+)", f.read_text())[1]: f for f in files}
    return {name: str(file.with_suffix("")) for name, file in named.items()}


def test_the_products_are_those_of_one_environment_for_all(built, sample):
    here, there = sample.products(costs=False), built[0].products(costs=False)
    assert here.keys() == there.keys()
    assert [name for name in here if here[name] != there[name]] == []


def test_an_environment_has_what_its_scripts_import_and_nothing_heavy_beside(built):
    project, ran = built
    made = environments(project)
    # Made for the rules that ran; shots by `transnetv2` would want torch's for the clips too.
    assert set(made) == set(HEAVY)
    for group, packages in HEAVY.items():
        found = f"[n for n in {packages} if u.find_spec(n)]"
        assert asked(project, made[group], f"import importlib.util as u; print({found})") == "[]"
    rules = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    for rule, group in re.findall(
        r"(?:rule|checkpoint) (\w+):\n(?:(?!\n *(?:rule|checkpoint) ).)*?envs/(\w+)\.yaml\"\n",
        rules,
        flags=re.S,
    ):
        if rule in ran:  # which has imported all that it needs
            continue
        lines = (ROOT / "scripts" / f"{rule}.py").read_text().splitlines()
        imports = "\n".join(line for line in lines if line.startswith(("import ", "from ")))
        assert asked(project, made[group], f"{imports}\nprint('ok')") == "ok", (rule, group)


def asked(project: Project, environment: str, code: str) -> str:
    """What a piece of Python prints in an environment; its errors where it fails."""
    done = subprocess.run(
        [f"{environment}/bin/python", "-c", code],
        cwd=project.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(project.folder)},
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() + done.stderr
