"""The path of a GPU, without one: claims between processes, and a second device that is made up.

The made-up device computes on the CPU but counts what goes to it, takes one batch at a time, and
runs out of memory like a real one; all other code is that of a real GPU.
"""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch

from trailers12k.common.errors import UserError
from trailers12k.features.backbones import devices, loading
from trailers12k.features.backbones.devices import Device
from trailers12k.features.backbones.spec import BackboneSpec

FRAMES = {
    "model": "torchvision/shufflenet_v2_x0_5",
    "weights": "random",
    "input": "frames",
    "size": 64,
    "batch": 8,
}
CLIPS = {
    "model": "shufflenet3d/1.0x",
    "weights": "random",
    "input": "clips",
    "size": 56,
    "batch": 8,
}

pytestmark = pytest.mark.usefixtures("one_thread")


class MadeUp(Device):
    """A device of its own memory, in batches, and with a record of what happens on it."""

    def __init__(self, holds: int = 1000):
        super().__init__(torch.device("cpu"), "cpu", has_fast_bf16=True, turn=threading.Lock())
        self.holds, self.sizes, self.freed, self.at_once = holds, [], 0, 0

    def put(self, pixels):
        assert pixels.dtype == torch.uint8, "floats are four times the traffic"
        self.sizes.append(len(pixels))
        if len(pixels) > self.holds:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB")
        return pixels

    def free(self):
        self.freed += 1


def clips(count: int, length: int = 4) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (count, length, 80, 96, 3), np.uint8)


@pytest.mark.parametrize(
    ("spec", "sizes"), [(FRAMES, [8, 4] + 10 * [2]), (CLIPS, [5, 2, 2, 1])], ids=["frames", "clips"]
)
def test_out_of_memory_halves_the_batch_and_goes_on(spec, sizes, caplog):
    spec = spec | {"precision": "fp32"}
    expected = loading.load(BackboneSpec(**spec), 0)(clips(5))
    device = MadeUp(holds=3)
    backbone = loading.load(BackboneSpec(**spec), 0, device=device)
    values = backbone(clips(5))
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)
    assert device.sizes == sizes and backbone.batch == 2
    assert device.freed == sum(size > 3 for size in sizes)
    assert "out of memory with a batch of" in caplog.text
    before = len(device.sizes)
    backbone(clips(1))
    assert max(device.sizes[before:]) <= 2, "it has learnt"


def test_a_device_too_small_for_a_single_image_is_an_error():
    backbone = loading.load(BackboneSpec(**FRAMES), 0, device=MadeUp(holds=0))
    with pytest.raises(UserError, match="not even a batch of one fits"):
        backbone(clips(2))


def test_auto_is_bf16_where_the_device_has_it():
    assert (
        loading.load(BackboneSpec(**FRAMES), 0, device=MadeUp()).attributes["precision"] == "bf16"
    )
    slow = Device(torch.device("cpu"), "cpu", has_fast_bf16=False)
    assert loading.load(BackboneSpec(**FRAMES), 0, device=slow).attributes["precision"] == "fp32"
    fixed = loading.load(BackboneSpec(**(FRAMES | {"precision": "fp32"})), 0, device=MadeUp())
    assert fixed.attributes["precision"] == "fp32"


def test_a_gpu_computes_one_batch_at_a_time_for_many_threads():
    device = MadeUp()
    backbone = loading.load(BackboneSpec(**FRAMES), 0, device=device)
    inside, most, forward = [0], [0], backbone._module.forward

    def watched(inputs):
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.02)
        try:
            return forward(inputs)
        finally:
            inside[0] -= 1

    backbone._module.forward = watched
    expected = backbone(clips(2))
    results = [None] * 4
    threads = [
        threading.Thread(target=lambda n=n: results.__setitem__(n, backbone(clips(2))))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 1
    assert all(np.array_equal(result, expected) for result in results)


CLAIM = """
import sys, time, torch
from trailers12k.features.backbones import devices
devices.names = lambda: {0: sys.argv[1] + "a", 1: sys.argv[1] + "b"}
devices.cuda = lambda number: number
devices.PAUSE = 0.05
with devices.claimed("auto") as number:
    print(number, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def claim():
    """Begins a process that claims one of two GPUs and keeps it until its input is closed."""
    started = []

    def begin() -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", CLAIM, f"GPU-{os.getpid()}-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()


def test_each_job_has_a_gpu_of_its_own_and_a_killed_job_releases_it(claim):
    first, second = claim(), claim()
    taken = {process.stdout.readline().strip(): process for process in (first, second)}
    assert set(taken) == {"0", "1"}
    third = claim()
    numbers = []
    waiting = threading.Thread(target=lambda: numbers.append(third.stdout.readline().strip()))
    waiting.start()
    waiting.join(timeout=8)
    assert not numbers, "both are taken"
    taken["1"].kill()
    waiting.join(timeout=20)
    assert numbers == ["1"]


def test_a_missing_gpu_is_an_error_unless_the_device_is_auto(monkeypatch):
    monkeypatch.setattr(devices, "names", dict)
    with devices.claimed("auto") as device:
        assert device.torch.type == "cpu" and device.transfer is None
    for requested in ("cuda", "cuda:3"):
        error = pytest.raises(UserError, match=f"device: {requested} does not exist")
        with error, devices.claimed(requested):
            pass


def test_a_numbered_gpu_is_the_one_that_is_claimed(monkeypatch):
    monkeypatch.setattr(devices, "names", lambda: {0: f"a{os.getpid()}", 1: f"b{os.getpid()}"})
    monkeypatch.setattr(devices, "cuda", lambda number: number)
    with devices.claimed("cuda:1") as number:
        assert number == 1
        with devices.claimed("auto") as other:
            assert other == 0
    with devices.claimed("cuda:1") as number:
        assert number == 1


def test_convolutions_on_a_gpu_keep_all_bits_of_fp32(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    for capability, is_fast in (((7, 5), False), ((8, 0), True), ((9, 0), True)):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _, c=capability: c)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "H100")
        monkeypatch.setattr(devices, "Transfer", lambda *_: None)
        device = devices.cuda(1)
        assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32
        assert device.has_fast_bf16 is is_fast and device.name == "cuda (H100)"
        assert device.torch == torch.device("cuda:1") and device.autocast == "cuda"
