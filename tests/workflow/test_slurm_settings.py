"""What docs/cluster.md says to set for one's own site, on a real Slurm that is like that site.

Minutes of waiting for Slurm: `make cluster`.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import yaml

from .conftest import IMAGE, ROOT, TINY, Project
from .slurm import Cluster, until
from .test_slurm import PLUGIN, pytestmark  # noqa: F401  # skips without Slurm
from .test_slurm_outages import long

SITE = {"partitions": ("short", "accel"), "gpu_type": "a100"}
QUICK = {"seconds-between-status-checks": 2, "slurm-init-seconds-before-status-checks": 2}
HOME = "/proc/nobody"
"""No folder can be made there."""


def collection(folder):
    """A collection of few movies, and the Slurm profile with quick polls for it."""
    (folder / "profiles/default").mkdir(parents=True)
    write(folder / "config.yaml", Project(folder.with_name("unused"), small()).config)
    return folder, yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text()) | QUICK


@long
def test_a_site_with_names_of_its_own(tmp_path):
    """Partitions, account, QOS, a kind of GPU, and a home that cannot be written; then no GPU."""
    folder, profile = collection(tmp_path / "movies")
    profile["default-resources"] |= {
        "slurm_partition": "short",
        "slurm_account": "film",
        "qos": "long",
    }
    for rule in ("extract_features", "train_run"):
        profile["set-resources"][rule] |= {"slurm_partition": "accel", "gpu_model": "a100"}
    calls_file = tmp_path / "calls.txt"
    with Cluster(tmp_path / "cluster", **SITE) as cluster:
        write(folder / "profiles/default/config.yaml", profile)
        noted = noting(tmp_path / "bin", "sbatch", calls_file)
        text, jobs = run(cluster, folder, "features", path=noted)
        assert {words[2:] for words in jobs["detect_clips"]} == {("short", "film", "N/A")}
        assert {words[2:] for words in jobs["extract_features"]} == {
            ("accel", "film", "gres:gpu:a100:1")
        }
        # This Slurm has no database, and so no QOS: it takes the name and does nothing with it.
        calls = calls_file.read_text().splitlines()
        assert calls and all(" -A film " in call and " --qos=long " in call for call in calls)

        write(folder / "config.yaml", Project(tmp_path / "whole", TINY).config)
        del profile["default-resources"]["slurm_account"]
        for rule in ("extract_features", "train_run"):
            for key in ("gpu", "gpu_model"):
                del profile["set-resources"][rule][key]
            profile["set-resources"][rule]["slurm_partition"] = "short"
        profile["set-threads"]["extract_features"] = 1
        write(folder / "profiles/default/config.yaml", profile)
        text, jobs = run(cluster, folder, "evaluate")
        assert {words[2:] for rule in jobs for words in jobs[rule]} == {("short", "(null)", "N/A")}
        assert jobs["extract_features"] and jobs["train_run"]
        assert "account" not in text.lower(), "the plugin guesses no account"
    assert (folder / "results/summary.csv").is_file()
    assert (folder / ".snakemake/cache").is_dir(), "in place of the home's"


@long
def test_a_closed_connection_and_a_kill_while_slurm_is_away(tmp_path):
    """Both end the run in time; the next one needs no --unlock."""
    folder, profile = collection(tmp_path / "movies")
    write(folder / "profiles/default/config.yaml", profile)

    with Cluster(tmp_path / "cluster") as cluster:
        drain = ["scontrol", "update", "NodeName=c1", "Reason=test"]
        cluster.run(*drain, "State=DRAIN")  # jobs wait
        running = start(cluster, folder, "data/movies.csv")
        until(cluster.jobs)
        text = ended_by(running, signal.SIGHUP)
        assert "does not answer" not in text
        assert not cluster.jobs()

        running = start(cluster, folder, "data/movies.csv")
        until(cluster.jobs)
        cluster.kill_controller(signal.SIGTERM)
        text = ended_by(running, signal.SIGTERM)
        assert "Slurm does not answer, and jobs of this run may be at work" in text
        cluster.start_controller()
        until(cluster.jobs)

        running = start(cluster, folder, "data/movies.csv", "--running-jobs", "cancel")
        cluster.run(*drain, "State=RESUME")
        text, _ = running.communicate(timeout=200)
        ends = [job["JobState"] for job in cluster.ended()]
    assert running.returncode == 0 and "unlock" not in text, text
    assert ends == ["CANCELLED", "CANCELLED", "COMPLETED"]


def ended_by(running: subprocess.Popen, number: int) -> str:
    """What a run prints that is ended by a signal, as the shell or `kill` sends it."""
    running.send_signal(number)
    text, _ = running.communicate(timeout=35)
    assert running.returncode == 128 + number, text
    return text


def noting(folder: Path, command: str, calls: Path) -> str:
    """A PATH in which a command notes its arguments first."""
    folder.mkdir()
    program = folder / command
    program.write_text(f'#!/bin/sh\necho "$@" >> {calls}\nexec {shutil.which(command)} "$@"\n')
    program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def small() -> dict:
    """One backbone of the tiny sample."""
    model = TINY["backbones"][IMAGE]
    return TINY | {"backbones": {IMAGE: model}, "runs": {"image": {"image": IMAGE}}}


def write(path: Path, content: dict) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def start(
    cluster: Cluster, folder: Path, *arguments: str, path: str = os.environ["PATH"]
) -> subprocess.Popen:
    """Begin `trailers12k run` in the cluster."""
    return subprocess.Popen(
        [*cluster.inside(folder), Path(sys.executable).with_name("trailers12k"), "run", *arguments],
        env=os.environ | {"HOME": HOME, "PATH": path, "PYTHONPATH": f"{ROOT}:{PLUGIN}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(
    cluster: Cluster, folder: Path, *arguments: str, path: str = os.environ["PATH"]
) -> tuple[str, dict[str, list[tuple]]]:
    """What `trailers12k run` prints, and what squeue says of the jobs of each rule: id, state,
    partition, account, GPUs."""
    running = start(cluster, folder, *arguments, path=path)
    seen: dict[str, list[tuple]] = {}
    documented: set[str] = set()

    def watch() -> None:
        while running.poll() is None:
            documented.update(cluster.run("squeue", "-h", "-o", "%i %T %k").stdout.splitlines())
            columns = "JobID:|,State:|,Partition:|,Account:|,tres-per-job:|,Comment:|"
            for line in cluster.run("squeue", "-h", "-O", columns).stdout.splitlines():
                number, state, *words, comment, _ = (word.strip() for word in line.split("|"))
                rule = comment.removeprefix("rule_").split("_wildcards")[0]
                seen.setdefault(rule, []).append((number, state, *words))
            time.sleep(0.5)

    watching = threading.Thread(target=watch)
    watching.start()
    text, _ = running.communicate()
    watching.join()
    assert running.returncode == 0, text[-5000:]
    assert documented and all(line.split(" ")[2].startswith("rule_") for line in documented)
    return text, seen
