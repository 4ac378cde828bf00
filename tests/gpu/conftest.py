"""The device of these tests: a GPU, or the CPU with `--device cpu`.

    pytest -m gpu tests/gpu

needs the package, pytest, hypothesis and a machine with CUDA; without one the tests are skipped.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from trailers12k.features.backbones.devices import Device

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

import gpu as bench


def pytest_addoption(parser) -> None:
    parser.addoption("--device", default="cuda", help="cuda, cuda:N, or cpu")


@pytest.fixture(scope="session")
def requested(request) -> str:
    """The device of the command line; skips where it does not exist."""
    name = request.config.getoption("--device")
    if not bench.is_there(name):
        pytest.skip(bench.NONE)
    return name


@pytest.fixture(scope="session")
def size(requested) -> int | None:
    """Of the networks' input: their own on a GPU, small on the CPU."""
    return 32 if requested == "cpu" else None


@pytest.fixture
def device(requested) -> Iterator[Device]:
    """Claimed for one test, so that the jobs of another can claim it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with bench.claimed(requested) as claimed:
        yield claimed
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def trailer(tmp_path_factory, requested) -> Path:
    """Four seconds of 640x360."""
    return bench.render(tmp_path_factory.mktemp("trailer") / "trailer.mp4", 4)
