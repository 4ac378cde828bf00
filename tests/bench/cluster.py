"""What a job on a cluster costs beside its work, and what a run asks of Slurm: `make bench`.

A real Slurm on this machine runs detect_clips of a few shards, with one short trailer each, in
collections of two sizes: CPU seconds of all Python processes of a job. Then `snakemake -n` of the
full preset counts jobs and files. Wants Slurm and root, see tests/workflow/slurm.py.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

import figures
import planning
import yaml

from trailers12k.common.movie import shard_of

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from slurm import Cluster, missing
from web import video

SIZES, SHARDS = (12, 12_000), 128
MEASURED = 4
"""Jobs, each of a shard of its own."""
PLUGIN = planning.ROOT / ".venv" / "slurm"
FIRST_WAIT, LONGEST_WAIT = 40, 180
"""Seconds between two polls of the pinned plugin: after a job has ended, unless the profile says
otherwise, and at most."""
METER = """\
import atexit, os, resource
def write():
    used = resource.getrusage(resource.RUSAGE_SELF)
    with open(f"{os.environ['METER']}/{os.environ['SLURM_JOB_ID']}.{os.getpid()}", "w") as file:
        file.write(str(used.ru_utime + used.ru_stime))
if "SLURM_JOB_ID" in os.environ:
    atexit.register(write)
"""
"""sitecustomize.py: at the end of a Python process of a Slurm job, its CPU seconds."""
COUNTED = '#!/bin/sh\necho {name} >> "$METER/calls"\nexec {path} "$@"\n'
"""A command of Slurm that counts its calls."""


def measured_jobs(folder: Path, movies: int) -> tuple[list[float], int]:
    """CPU seconds of each job, and the calls of sbatch."""
    project, meter = folder / "project", folder / "meter"
    for each in (project, meter / "bin", meter / "used"):
        each.mkdir(parents=True)
    planning.make_tree(project, movies)
    config = yaml.safe_load((project / "config.yaml").read_text())
    config |= {"movies": "movies.csv", "shards": SHARDS, "downloads": {"local_files": True}}
    (project / "config.yaml").write_text(yaml.safe_dump(config))
    (project / "trailer.mp4").write_bytes(video(2))
    shards = {shard_of(f"tt{n:07}", SHARDS): n for n in reversed(range(min(SIZES)))}
    chosen = dict(sorted(shards.items())[:MEASURED])
    rows = ["mid,title,year,genres,trailer_url\n"]
    for n in range(movies):
        trailer = "trailer.mp4" if n in chosen.values() else ""
        rows.append(f"tt{n:07},Movie {n},2001,drama,{trailer}\n")
    (project / "movies.csv").write_text("".join(rows))
    (meter / "sitecustomize.py").write_text(METER)
    for name in ("sbatch", "squeue", "scontrol"):
        path = subprocess.run(["which", name], check=True, capture_output=True, text=True).stdout
        command = meter / "bin" / name
        command.write_text(COUNTED.format(name=name, path=path.strip()))
        command.chmod(0o755)
    with Cluster(folder / "cluster") as cluster:
        subprocess.run(
            [
                *(*cluster.inside(project), sys.executable, "-m", "snakemake"),
                *("--workflow-profile", "profiles/slurm"),
                *("--slurm-init-seconds-before-status-checks", "2"),
                *("--seconds-between-status-checks", "2"),
                *(f"build/clips/{shard}.csv" for shard in chosen),
                *("--quiet", "all"),
            ],
            check=True,
            env=os.environ
            | {
                "METER": str(meter / "used"),
                "PATH": f"{meter / 'bin'}:{os.environ['PATH']}",
                "PYTHONPATH": os.pathsep.join(map(str, (meter, project, PLUGIN))),
            },
        )
    used = defaultdict(float)
    for path in (meter / "used").glob("*.*"):
        used[path.stem] += float(path.read_text())
    calls = (meter / "used" / "calls").read_text().split()
    return list(used.values()), calls.count("sbatch")


def planning_costs() -> dict[str, float]:
    """CPU seconds of one of the two Snakemakes of a training by the number of movies: of all jobs,
    a training has the most jobs before it."""
    job = ["--mode", "remote", "--target-jobs", "train_run:run=ResNet,split=0"]
    job += ["--allowed-rules", "train_run", "--force", "--nolock", "--scheduler", "greedy", "-n"]
    result = {}
    for movies in SIZES:
        with tempfile.TemporaryDirectory() as name:
            planning.make_tree(Path(name), movies)
            runs = [planning.snakemake(Path(name), SHARDS, *job) for _ in range(5)]
        assert planning.jobs(runs[0][0]) == {"train_run": 1, "total": 1}, runs[0][0]
        result[f"training_{movies}_cpu"] = min(seconds for _, seconds, _ in runs)
        print(f"{movies} movies: {result[f'training_{movies}_cpu']:.2f} CPU s to plan", flush=True)
    return result


def job_costs() -> dict[str, float | int]:
    """The CPU seconds of a job by the number of movies."""
    result: dict[str, float | int] = {}
    for movies in SIZES:
        with tempfile.TemporaryDirectory() as name:
            used, calls = measured_jobs(Path(name), movies)
        assert len(used) == calls == MEASURED, (used, calls)
        result[f"job_{movies}_cpu"] = median(used)
        print(f"{movies} movies: {', '.join(f'{each:.2f}' for each in used)} CPU s", flush=True)
    small, large = (result[f"job_{movies}_cpu"] for movies in SIZES)
    return result | {"growth_cpu": max(0.0, large - small)}


def requests() -> dict[str, float | int]:
    """What a run of the full preset asks of Slurm and of the file system."""
    with tempfile.TemporaryDirectory() as name:
        planning.make_tree(Path(name), max(SIZES))
        rules = "".join(path.read_text() for path in Path(name, "rules").glob("*.smk"))
        text, _, _ = planning.snakemake(Path(name), SHARDS, "-n")
    jobs = re.findall(r"^(?:local)?(?:rule|checkpoint) (\w+):\n((?: .*\n)+)", text, re.M)
    made = [rule for rule, block in jobs if re.search(r"^ +output: ", block, re.M)]
    parts = re.split(r"^ *(?:rule|checkpoint) (\w+):$", rules, flags=re.M)
    here = {
        n for n, part in zip(parts[1::2], parts[2::2], strict=True) if "localrule: True" in part
    }
    local = sum(rule in here for rule in made)
    paths = re.findall(r"^ +(?:output|log|benchmark): (.*)$", text, re.M)
    profile = yaml.safe_load((planning.ROOT / "profiles/slurm/config.yaml").read_text())
    first = profile.get("slurm-init-seconds-before-status-checks", FIRST_WAIT)
    return {
        "slurm_jobs": len(made) - local,
        "local_jobs": local,
        "files": sum(len(line.split(", ")) for line in paths),
        "polls_most": round(3600 / first),
        "polls_least": round(3600 / LONGEST_WAIT),
    }


def main() -> None:
    if lacking := missing():
        sys.exit(f"no Slurm here: {', '.join(lacking)} (apt-get install slurm-wlm munge)")
    figures.write("cluster", job_costs() | planning_costs() | requests())


if __name__ == "__main__":
    main()
