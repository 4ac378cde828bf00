"""What runs cost in which jobs run but nothing is new, on the finished sample: `make bench`.

CPU seconds of Snakemake and its jobs beyond those of a run that finds nothing to do. Of two cores.
"""

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import figures

from trailers12k.jobs.outcome import read_outcome

COMMAND = [sys.executable, "-m", "snakemake", "--snakefile", str(figures.ROOT / "Snakefile")]
COMMAND += ["--cores", "2"]


def run(folder: Path, *arguments: str) -> str:
    """Run the sample in a folder; returns what Snakemake prints."""
    environment = os.environ | {"PYTHONPATH": str(figures.ROOT)}
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, env=environment
    )
    if done.returncode:
        sys.exit(done.stdout[-3000:] + done.stderr[-3000:])
    return done.stdout + done.stderr


def cpu_of(folder: Path, *arguments: str) -> tuple[float, int]:
    """The CPU seconds of a run, and the number of its jobs that put a result back.

    Ends the program when a job trained, packed, or computed a feature.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    text = run(folder, *arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    put_back = 0
    logs = re.findall(r"^    log: ([^\s,]+)", text, re.M)
    for name in logs:
        outcome = read_outcome(folder / name)
        put_back += bool(outcome and outcome.cost)
        if outcome is None or outcome.counts.get("computed"):
            sys.exit(f"{name}: not finished, or it computed something")
        if not outcome.cost and name.split("/")[1] in ("train_run", "pack_store", "map_features"):
            sys.exit(f"{name}: it put nothing back")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, put_back


def lose_stores(folder: Path) -> None:
    """One array of a store deleted, and another store wholly."""
    shutil.rmtree(next((folder / "data/trailers_i_swin_fpc24.zarr").glob("tt*")))
    shutil.rmtree(folder / "data/trailers_k_r2plus1d_fps24_fpc24.zarr")


def touch(folder: Path) -> None:
    """Every file is new."""
    for top in ("data", "build", "results"):
        for path in (folder / top).rglob("*"):
            if path.is_file() and "cache" not in path.relative_to(folder).parts:
                path.touch()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--finished", type=Path, help="a folder with the finished sample")
    finished = parser.parse_args().finished
    print(f"load before: {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "sample")
        if finished:
            subprocess.run(["cp", "-a", finished, folder], check=True)
        else:
            folder.mkdir()
        run(folder)
        start, _ = cpu_of(folder)
        retry, _ = cpu_of(folder, "--config", "retry=all")
        lose_stores(folder)
        lost, put_back = cpu_of(folder)
        subprocess.run(["cp", "-a", folder, f"{folder}-copied"], check=True)
        copied, _ = cpu_of(Path(f"{folder}-copied"))
        touch(Path(f"{folder}-copied"))
        touched, _ = cpu_of(Path(f"{folder}-copied"))
        measured = {
            "start_cpu": start,
            "retry_cpu": retry - start,
            "lost_cpu": lost - start,
            "lost_jobs": put_back,
            "job_cpu": (lost - start) / put_back,
            "copied_cpu": copied - start,
            "touched_cpu": touched - start,
        }
    for key, value in measured.items():
        print(f"{key}: {value:.4g}")
    figures.write("unchanged", measured)


if __name__ == "__main__":
    main()
