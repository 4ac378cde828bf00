"""What the built-in sample costs, from nothing to the report, on two cores: `make bench`.

A whole run in a temporary folder, and a second one, which finds nothing to do; with --against, also
a run of another commit's code, first. CPU is that of all processes, and of the jobs that of all
processes that Snakemake starts. A rule's is without the end of its processes, in which modules are
unloaded. Memory is the peak of the largest job. Wall times count only on an idle machine, whose
load is printed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import figures

from trailers12k.common.files import read_csv

ROOT = figures.ROOT
LIGHT = "list_movies", "merge_clips", "merge_ledger", "write_config", "check_failures"
HEAVY = "train_run", "extract_features"
"""Rules whose jobs load torch, of which the cheapest one does little else."""
PER_STORE = "map_features", "pack_store", "merge_store"
REPORTING = ("draw_report", "draw_curves", "describe_run", "score_runs", "plot_splits")
REPORTING += ("summarize_results", "make_splits", "flag_trailers", "write_review")

# Python imports this file at the start of every process. A job's program is tmpXXXX.RULE.py.
ACCOUNT = """
import atexit, os, resource, sys

def account():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cells = [os.path.basename(sys.argv[0]), *(each.ru_utime + each.ru_stime for each in used)]
    with open(os.environ["ACCOUNTS"], "a") as file:
        print(*cells, used[0].ru_maxrss, sep="\\t", file=file)

atexit.register(account)
"""


@dataclass(frozen=True)
class Run:
    """A run of Snakemake: wall seconds, CPU seconds of its own process and of all that it starts.

    jobs: rule -> CPU seconds of each of its jobs. peak_mb: memory of the largest process.
    """

    wall: float
    own: float
    below: float
    jobs: dict[str, list[float]]
    peak_mb: float


def run(tree: Path, folder: Path) -> Run:
    """Run the sample of the code in `tree` in a folder, on two cores."""
    with tempfile.TemporaryDirectory() as name:
        accounts = Path(name) / "accounts"
        (Path(name) / "sitecustomize.py").write_text(ACCOUNT)
        paths = [name, str(tree), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = os.environ | {"ACCOUNTS": str(accounts), "PYTHONPATH": os.pathsep.join(paths)}
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(tree / "Snakefile")]
        command += ["--directory", str(folder), "--cores", "2"]
        began = time.monotonic()
        # The folder, since Python looks for modules in the working directory first.
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)
        wall = time.monotonic() - began
        if done.returncode:
            sys.exit(done.stdout[-3000:] + done.stderr[-3000:])
        rows = [line.split("\t") for line in accounts.read_text().splitlines()]
    jobs: dict[str, list[float]] = {}
    for program, own, below, _ in rows:
        if program.startswith("tmp"):
            rule = program.split(".")[1]
            jobs.setdefault(rule, []).append(float(own) + float(below))
    # Snakemake ends last.
    _, own, below, _ = rows[-1]
    peak = max(int(row[3]) for row in rows) / 1024
    return Run(wall, float(own), float(below), jobs, peak)


@contextmanager
def tree_of(commit: str) -> Iterator[Path]:
    """The files of a commit, in a temporary folder."""
    with tempfile.TemporaryDirectory() as name:
        git = subprocess.Popen(["git", "-C", str(ROOT), "archive", commit], stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", name], stdin=git.stdout, check=True)
        if git.wait():
            sys.exit(f"git archive {commit}: failed")
        yield Path(name)


def size_of(folder: Path) -> int:
    files = [Path(top, name) for top, _, names in os.walk(folder) for name in names]
    return sum(path.lstat().st_size for path in files)


def print_rules(now: Run, before: Run | None) -> None:
    """CPU seconds and jobs of every rule, the largest first."""
    runs = [now] if before is None else [before, now]
    rules = {rule for each in runs for rule in each.jobs}
    for rule in sorted(rules, key=lambda rule: -sum(runs[0].jobs.get(rule, []))):
        cells = [(sum(each.jobs.get(rule, [])), len(each.jobs.get(rule, []))) for each in runs]
        print(f"{rule:22}", *(f"{cpu:7.1f} s in {count:2}" for cpu, count in cells))
    for title, part in (("all jobs", "below"), ("Snakemake itself", "own"), ("wall", "wall")):
        print(f"{title:22}", *(f"{getattr(each, part):7.1f} s      " for each in runs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", metavar="COMMIT", help="measure the code of this commit, too")
    against = parser.parse_args().against
    print(f"load before: {os.getloadavg()[0]:.1f}", flush=True)
    before = None
    if against:
        with tree_of(against) as tree, tempfile.TemporaryDirectory() as name:
            before = run(tree, Path(name))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        now = run(ROOT, folder)
        again = run(ROOT, folder)
        jobs = {rule: sum(of_rule) for rule, of_rule in now.jobs.items()}
        count = sum(map(len, now.jobs.values()))
        total = now.own + now.below
        measured = {
            "movies": len(read_csv(folder / "data/movies.csv")),
            "jobs": count,
            "wall_minutes": now.wall / 60,
            "cpu_minutes": total / 60,
            "jobs_cpu_minutes": now.below / 60,
            "two_cores_minutes": total / 60 / 2,
            "peak_mb": now.peak_mb,
            "again_wall": again.wall,
            "again_cpu": again.own + again.below,
            "products_mb": sum(size_of(folder / part) for part in ("data", "results")) / 1e6,
            "folder_mb": size_of(folder) / 1e6,
            "venv_gb": size_of(Path(sys.prefix)) / 1e9,
            # For `trailers12k estimate`.
            "job_cpu": (total - sum(jobs.values())) / count
            + mean(cpu for rule in LIGHT for cpu in now.jobs[rule]),
            "torch_job_cpu": min(cpu for rule in HEAVY for cpu in now.jobs[rule]),
            "store_cpu": sum(jobs[rule] for rule in PER_STORE) / len(now.jobs["merge_store"]),
            "report_cpu": sum(jobs.get(rule, 0.0) for rule in REPORTING),
        }
    print_rules(now, before)
    if before:
        measured["before"] = against
        measured["before_jobs_cpu_minutes"] = before.below / 60
        measured["jobs_cpu_share"] = now.below / before.below
    for key, value in measured.items():
        print(f"{key}: {value if isinstance(value, str) else f'{value:.4g}'}")
    figures.write("sample", measured)


if __name__ == "__main__":
    main()
