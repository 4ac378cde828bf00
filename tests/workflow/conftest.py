"""A copy of the project in a folder of its own, and runs of the real rules on tiny data."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from trailers12k.jobs import read_audit

ROOT = Path(__file__).parents[2]
PARTS = [
    "Snakefile",
    "config.yaml",
    "rules",
    "scripts",
    "trailers12k",
    "snakemake_logger_plugin_trailers12k",
    "profiles",
    "presets",
    "envs",
    "captions",
]

COSTS = [f"results/{name}" for name in ("costs.csv", "leaderboard.csv", "report/index.html")]
COSTS += [f"results/figures/costs.{kind}" for kind in ("svg", "png")]
IMAGE, VIDEO = "trailers_i_shufflenet_fpc24", "trailers_k_shufflenet_fps24_fpc24"
SMALL = {"size": 48}
"""Pixels, to save time; no test looks at what the networks see."""
TINY = {
    "sample": {"movies": 10},
    "backbones": {
        IMAGE: SMALL | {"model": "torchvision/shufflenet_v2_x1_0", "input": "frames", "batch": 8},
        VIDEO: SMALL | {"model": "shufflenet3d/1.0x", "input": "clips", "batch": 4},
    },
    "training": {"epochs": 3},
    # Every project of the tests would wait for one more job, and for intervals.
    "evaluation": {"baselines": [], "resamples": 200},
    "runs": {"image": {"image": IMAGE}, "video": {"video": VIDEO}},
}
LONGEST = (
    *("versions", "reruns", "slurm", "modern", "features", "envs", "damage", "sources"),
    *("published", "curation", "empty_stages", "ten_movies", "params", "cli"),
)
"""Files of tests that take longest. They begin first, so that no process waits for another at the
end; xdist alone would begin with those of many tests."""
LOCAL = {"movies": "movies.csv", "downloads": {"local_files": True}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests of this folder by `LONGEST`; others, and those of one file, stay in order."""
    places = {f"test_{name}": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@dataclass
class Run:
    """What one call of snakemake did: its exit code, what it printed, and the jobs it ran."""

    code: int
    text: str

    @property
    def jobs(self) -> Counter:
        """How many jobs of each rule were started."""
        rules = re.findall(r"^(?:local)?(?:rule|checkpoint) (\w+):$", self.text, flags=re.M)
        targets = {
            "all",
            "metadata",
            "trailers",
            "posters",
            "clips",
            "features",
            "evaluate",
            "report",
            "predict",
        }
        return Counter(rule for rule in rules if rule not in targets)

    def wildcards(self, rule: str, name: str) -> set[str]:
        """The values of a wildcard in the jobs of a rule."""
        blocks = re.findall(rf"^(?:local)?rule {rule}:\n((?: .*\n)+)", self.text, flags=re.M)
        return {re.search(rf"wildcards: .*\b{name}=([^,\s]+)", block).group(1) for block in blocks}


class Project:
    """A copy of the project with a configuration of its own."""

    def __init__(self, folder: Path, config: dict):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / part)
        whole = yaml.safe_load((ROOT / "config.yaml").read_text())
        # Sections are laid over the default's; backbones and runs replace them.
        for key, value in config.items():
            replace = key in ("backbones", "runs") or not isinstance(value, dict)
            whole[key] = value if replace else whole[key] | value
        self.config = deepcopy(whole)

    @classmethod
    def copied(cls, source: Path, folder: Path) -> "Project":
        """A built project once more."""
        shutil.copytree(source, folder, symlinks=True)
        project = cls.__new__(cls)
        project.folder = folder
        project.config = yaml.safe_load((folder / "config.yaml").read_text())
        return project

    def environment(self) -> dict[str, str]:
        """The environment of commands that use this copy of the package."""
        return os.environ | {"PYTHONPATH": str(self.folder)}

    def start(
        self,
        *arguments: str,
        cores: str = "2",
        python: Sequence[str] = (sys.executable,),
        env: Mapping[str, str] | None = None,
    ) -> subprocess.Popen:
        """Begin snakemake, as the leader of a process group.

        cores: of a small machine; none where the cluster's count. python: the command that runs
            it. env: what its environment has beside or instead of this one's.
        """
        (self.folder / "config.yaml").write_text(yaml.safe_dump(self.config, sort_keys=False))
        limit = ["--cores", cores] if cores else []
        return subprocess.Popen(
            [*python, "-m", "snakemake", *limit, *arguments],
            cwd=self.folder,
            env=self.environment() | dict(env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **how) -> Run:
        """Call snakemake to its end; `how` as for `start`."""
        running = self.start(*arguments, **how)
        text, _ = running.communicate()
        return Run(running.returncode, text)

    def build(self, *arguments: str, **how) -> Run:
        """Call snakemake, which must succeed; `how` as for `start`."""
        run = self.run(*arguments, **how)
        assert run.code == 0, run.text[-5000:]
        return run

    def command(self, *arguments: str) -> Run:
        """Call the command `trailers12k` of this copy in its folder."""
        (self.folder / "config.yaml").write_text(yaml.safe_dump(self.config, sort_keys=False))
        done = subprocess.run(
            [Path(sys.executable).with_name("trailers12k"), *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return Run(done.returncode, done.stdout)

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that stands once in a file of the project."""
        path = self.folder / file
        text = path.read_text()
        assert text.count(old) == 1, (file, old, text.count(old))
        path.write_text(text.replace(old, new))

    def log(self, name: str) -> str:
        return (self.folder / "logs" / name).read_text()

    def products(self, costs: bool = True) -> dict[str, bytes]:
        """Every file of data/ and results/, but for stores' folders of attributes.

        costs: also the files that hold the times of jobs, which differ in every run.
        """
        left_out = () if costs else COSTS
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for top in ("data", "results")
            for path in sorted((self.folder / top).rglob("*"))
            if path.is_file() and path.relative_to(self.folder).as_posix() not in left_out
        }


def built_once(tmp_path_factory, worker_id: str, name: str, make: Callable[[Path], Project]):
    """A built project, made by the first of pytest's processes that asks; each has its own copy.

    Its jobs record in the folder of `audit_of` what they read.
    """
    audit = audit_of(tmp_path_factory, worker_id, name)
    first = audit.with_suffix("")
    with FileLock(f"{first}.lock"):
        if not first.with_suffix(".done").exists():
            make(first).build(env={read_audit.FOLDER: str(audit)})
            first.with_suffix(".done").touch()
    return Project.copied(first, tmp_path_factory.mktemp(name) / "project")


def audit_of(tmp_path_factory, worker_id: str, name: str) -> Path:
    """The folder of what the jobs of a built project read, see `jobs.read_audit`."""
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent
    return shared / f"built-{name}.audit"


@pytest.fixture(scope="session")
def sample(tmp_path_factory, worker_id) -> Project:
    """The tiny sample, built by the real rules. For reading: a test that runs it takes a copy."""
    return built_once(tmp_path_factory, worker_id, "sample", lambda path: Project(path, TINY))


def write_table(sample: Project, project: Project) -> None:
    """Give a project a table of the sample's movies, see `of_table`."""
    lines = (sample.folder / "data" / "movies.csv").read_text().splitlines()
    bad = ("tt9999901", "tt9999902", "tt9999903")
    table = "\n".join(line for line in lines if not line.startswith(bad))
    table = table.replace("build/sample/posters/tt9999904.jpg", "")
    table = table.replace("build/sample/", f"{sample.folder}/build/sample/")
    (project.folder / "movies.csv").write_text(table + "\n")


@pytest.fixture(scope="session")
def of_table(tmp_path_factory, worker_id, sample) -> Project:
    """A project that takes movies from a table of the user's; built once.

    They are the sample's, but for those without a trailer, which could be all of a tiny subset, and
    without the poster that does not exist, which would be refused. For reading, too.
    """

    def make(path: Path) -> Project:
        project = Project(path, TINY | LOCAL)
        write_table(sample, project)
        return project

    return built_once(tmp_path_factory, worker_id, "table", make)
