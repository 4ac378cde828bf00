"""What the built-in sample costs, from nothing to the report, on two cores: `make bench`.

A whole run in a temporary folder, and a second one, which finds nothing to do. CPU is that of all
processes; memory is the peak of the largest job. Wall times count only on an idle machine, whose
load is printed.
"""

import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import figures

from trailers12k.common.files import read_csv

ROOT = figures.ROOT
COMMAND = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
LIGHT = "list_movies", "merge_clips", "merge_ledger", "write_config", "check_failures"
HEAVY = "train_run", "extract_features"
"""Rules whose jobs load torch, of which the cheapest one does little else."""
PER_STORE = "map_features", "pack_store", "merge_store"
REPORTING = ("draw_report", "draw_curves", "describe_run", "score_runs", "plot_splits")
REPORTING += ("summarize_results", "make_splits", "flag_trailers", "write_review")


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a run on two cores."""
    began, before = time.monotonic(), cpu()
    done = subprocess.run(
        [*COMMAND, "--directory", str(folder), "--cores", "2"], capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stdout[-3000:] + done.stderr[-3000:])
    return time.monotonic() - began, cpu() - before


def benchmarks(folder: Path) -> dict[str, list[dict[str, float]]]:
    """Rule -> the CPU seconds and MB of its jobs."""
    rules: dict[str, list[dict[str, float]]] = {}
    for path in (folder / "benchmarks").rglob("*.tsv"):
        with path.open() as file:
            row = list(csv.DictReader(file, delimiter="\t"))[-1]
        cells = {name: float(row[name]) for name in ("cpu_time", "max_rss") if row[name] != "NA"}
        rule = path.relative_to(folder / "benchmarks").with_suffix("").parts[0]
        rules.setdefault(rule, []).append({"cpu_time": 0.0, "max_rss": 0.0} | cells)
    return rules


def size_of(folder: Path) -> int:
    files = [Path(top, name) for top, _, names in os.walk(folder) for name in names]
    return sum(path.lstat().st_size for path in files)


def main() -> None:
    print(f"load before: {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wall, total = run(folder)
        again_wall, again = run(folder)
        rules = benchmarks(folder)
        jobs = [job for of_rule in rules.values() for job in of_rule]
        own = {rule: sum(job["cpu_time"] for job in of_rule) for rule, of_rule in rules.items()}
        measured = {
            "movies": len(read_csv(folder / "data/movies.csv")),
            "jobs": len(jobs),
            "wall_minutes": wall / 60,
            "cpu_minutes": total / 60,
            "two_cores_minutes": total / 60 / 2,
            "peak_mb": max(job["max_rss"] for job in jobs),
            "again_wall": again_wall,
            "again_cpu": again,
            "products_mb": sum(size_of(folder / part) for part in ("data", "results")) / 1e6,
            "folder_mb": size_of(folder) / 1e6,
            "venv_gb": size_of(Path(sys.prefix)) / 1e9,
            # For `trailers12k estimate`.
            "job_cpu": (total - sum(own.values())) / len(jobs)
            + sum(own[rule] for rule in LIGHT) / sum(len(rules[rule]) for rule in LIGHT),
            "torch_job_cpu": min(job["cpu_time"] for rule in HEAVY for job in rules[rule]),
            "store_cpu": sum(own[rule] for rule in PER_STORE) / len(rules["merge_store"]),
            "report_cpu": sum(own.get(rule, 0.0) for rule in REPORTING),
        }
    for key, value in measured.items():
        print(f"{key}: {value:.4g}")
    figures.write("sample", measured)


if __name__ == "__main__":
    main()
