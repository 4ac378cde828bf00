"""The benchmark and the tests of a GPU: the CPU tries one; both say when no GPU is there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from trailers12k.features import batch_sizes

ROOT = Path(__file__).parents[3]
STORE = "trailers_i_shufflenet_fpc24"


@pytest.fixture
def bench(monkeypatch):
    """tests/bench/gpu.py, as a program has it."""
    monkeypatch.syspath_prepend(str(ROOT / "tests/bench"))
    import gpu

    return gpu


@pytest.mark.usefixtures("one_thread")
def test_the_cpu_can_try_the_benchmark(bench, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(batch_sizes, "MOST", 4)
    monkeypatch.setattr(bench, "COMPARED", 1)
    options = f"--device cpu --size 32 --seconds 2 --threads 2 --trailers 2 {STORE}"
    monkeypatch.setattr(
        sys, "argv", ["gpu.py", *options.split(), "--json", str(tmp_path / "gpu.json")]
    )
    bench.main()
    content = json.loads((tmp_path / "gpu.json").read_text())
    figures = content["figures"]
    assert set(content["measured"]) == {"date", "machine"} and figures["device"] == "cpu"
    speeds = ["decode_one_core", "decode_all", "copy", "all_alone", "all_files", "all_ratio"]
    speeds += [
        f"{STORE}_{name}" for name in ("alone", "needed", "files", "passes", "trailer", "cosine")
    ]
    assert all(float(figures[name]) > 0 for name in speeds)
    table = capsys.readouterr().out
    row = next(line for line in table.splitlines() if STORE in line)
    assert row.count("|") == 11 and "| all |" in table


def test_without_cuda_the_benchmark_says_so(bench, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu.py"])
    with pytest.raises(SystemExit) as end:
        bench.main()
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("no CUDA device: nothing is measured here")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU, which runs them")
def test_without_cuda_the_tests_of_a_gpu_are_skipped():
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "tests/gpu", "-rs"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0 and "no CUDA device: nothing is measured here" in run.stdout
    assert "skipped" in run.stdout.splitlines()[-1] and "passed" not in run.stdout
