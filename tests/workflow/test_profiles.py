"""profiles/gpu-workstation, as far as it goes without a GPU: what jobs are given."""

import re

import pytest

from .conftest import TINY, Project

PROFILE = ["--workflow-profile", "profiles/gpu-workstation"]


def given(text: str, rule: str) -> set[tuple[str, str]]:
    """Threads and GPUs of a rule's jobs."""
    blocks = re.findall(rf"^rule {rule}:\n((?: .*\n)+)", text, flags=re.M)
    found = set()
    for block in blocks:
        threads = re.search(r"threads: (\d+)", block)
        gpus = re.search(r"gpu=(\d+)", block)
        found.add((threads[1] if threads else "1", gpus[1] if gpus else "0"))
    return found


@pytest.mark.parametrize(("gpus", "cores", "decoders"), [(1, 16, "14"), (2, 16, "7"), (4, 4, "1")])
def test_a_job_on_networks_has_a_gpu_and_its_share_of_the_cores(tmp_path, gpus, cores, decoders):
    project = Project(tmp_path / "project", TINY)
    limits = ["--resources", f"gpu={gpus}", "trailer_jobs=1", "poster_jobs=1", "record_jobs=1"]
    text = project.build("--dry-run", *PROFILE, *limits, cores=str(cores)).text
    assert given(text, "extract_features") == {(decoders, "1")}
    assert given(text, "train_run") == {("1", "1")}
    assert given(text, "detect_clips") == given(text, "download_trailers") == {("1", "0")}


def test_without_gpus_nothing_asks_for_one(tmp_path):
    text = Project(tmp_path / "project", TINY).build("--dry-run").text
    assert given(text, "extract_features") == given(text, "train_run") == {("1", "0")}
