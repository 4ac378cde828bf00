"""Three jobs of the same shard at once: `make twins` starts those of every rule, with many delays.

Each is started as Slurm's nodes start it. The products must be those of one job, byte for byte, and
nothing else may be left.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .conftest import TINY, Project

COUNT = 3
LONGEST_DELAY = 2.0
"""Seconds between the starts of two jobs."""
STORES = "*_shufflenet_*"


@dataclass(frozen=True)
class Twins:
    """A job that is started several times at once.

    target: the rule, and its wildcards. products: patterns of what it makes, which must be equal.
    own: patterns of what it keeps for itself, such as records with times. shared: patterns of what
    jobs of other shards make, too; they must be equal, and are not removed before.
    """

    target: str
    products: tuple[str, ...]
    own: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        return self.target.partition(":")[0]


JOBS = (
    Twins("render_sample:shard=000", ("build/sample",)),
    Twins(
        "download_trailers:shard=000",
        ("build/ledger/trailers/000.csv", "build/trailers/*.mp4", "build/trailers/*.m*"),
        ("build/trailers",),
    ),
    Twins(
        "download_posters:shard=000",
        ("build/ledger/posters/000.csv", "build/posters/*.jpg"),
        ("build/posters",),
    ),
    Twins(
        "detect_clips:shard=000",
        (
            *("build/ledger/clips/000.csv", "build/clips/000.csv", "build/clips/000"),
            "build/ledger/sound/000.csv",
        ),
        ("build/ledger/clips/000", "build/ledger/sound/000"),
        ("build/sheets", "build/waveforms"),
    ),
    Twins(
        "extract_features:shard=000",
        (f"build/ledger/{STORES}/000.csv", f"build/features/{STORES}/000.zarr"),
        (f"build/ledger/{STORES}/000", f"build/stores/{STORES}/000.csv"),
    ),
    Twins(
        "merge_store:store=trailers_i_shufflenet_fpc24",
        ("data/trailers_i_shufflenet_fpc24.csv", "data/trailers_i_shufflenet_fpc24.zarr"),
        ("build/stores/trailers_i_shufflenet_fpc24.csv",),
    ),
    Twins(
        "pack_store:store=trailers_i_shufflenet_fpc24",
        ("build/packed/trailers_i_shufflenet_fpc24.csv",),
        ("build/packed/trailers_i_shufflenet_fpc24.npy",),
    ),
    Twins("train_run:run=image,split=0", ("results/runs/image/split0",), ("build/training",)),
)


def command(project: Project, job: Twins) -> list[str]:
    """The command line of a job as Snakemake writes it for a node of a cluster."""
    return [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(project.folder / "Snakefile")),
        *("--target-jobs", job.target, "--allowed-rules", job.rule, "--cores", "1"),
        *("--attempt", "1", "--force-use-threads", "--force", "--retries", "0", "--no-hooks"),
        *("--target-files-omit-workdir-adjustment", "--max-inventory-time", "0", "--nolock"),
        *("--ignore-incomplete", "--nocolor", "--rerun-triggers", "mtime", "params", "input"),
        *("--latency-wait", "5", "--scheduler", "greedy", "--mode", "remote"),
    ]


def run_together(project: Project, job: Twins, delays: Sequence[float]) -> list[str]:
    """Start the same job after each delay, while the others run; what is wrong afterwards."""
    expected = _contents(project, job)
    assert expected, f"{job.target} has made nothing"
    for pattern in (*job.products, *job.own, "build/cache", "build/records"):
        for path in project.folder.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    running = []
    for delay in delays:
        time.sleep(delay)
        running.append(
            subprocess.Popen(
                command(project, job),
                cwd=project.folder,
                env=project.environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    said = [each.communicate()[0] for each in running]
    wrong = [
        f"exit {each.returncode}: {text[-3000:]}"
        for each, text in zip(running, said, strict=True)
        if each.returncode
    ]
    got = _contents(project, job)
    names = sorted(expected.keys() | got.keys())
    wrong += [f"differs: {name}" for name in names if got.get(name) != expected.get(name)]
    left = project.folder.rglob("*.partial")
    return wrong + [f"left: {path.relative_to(project.folder)}" for path in left]


def _contents(project: Project, job: Twins) -> dict[str, bytes]:
    return {
        path.relative_to(project.folder).as_posix(): path.read_bytes()
        for path in _files(project.folder, (*job.products, *job.shared))
    }


def _files(folder: Path, patterns: Sequence[str]) -> Iterator[Path]:
    for pattern in patterns:
        for path in folder.glob(pattern):
            yield from (each for each in [path, *path.rglob("*")] if each.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rules", nargs="*", default=[job.rule for job in JOBS])
    options = parser.parse_args()
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        built = Project(Path(folder) / "built", TINY | {"shards": 1})
        built.build()
        for job in (each for each in JOBS if each.rule in options.rules):
            for seed in range(options.seeds):
                draw = random.Random(f"{job.target} {seed}")
                delays = [0.0, *(draw.choice([0, draw.random() * LONGEST_DELAY]) for _ in "12")]
                project = Project.copied(built.folder, Path(folder) / "project")
                began = time.monotonic()
                wrong = run_together(project, job, delays)
                seconds = time.monotonic() - began
                faults += bool(wrong)
                shown = ", ".join(f"{delay:.2f}" for delay in delays)
                print(
                    f"{job.rule} after {shown} s: {'; '.join(wrong) or 'as one'} ({seconds:.0f} s)"
                )
                shutil.rmtree(project.folder)
    sys.exit(f"{faults} of {options.seeds * len(options.rules)} differ" if faults else 0)


if __name__ == "__main__":
    main()
