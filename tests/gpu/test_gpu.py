"""The features of a GPU, and what only a GPU can show: memory that ends, and streams."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import gpu as bench
import numpy as np
import pytest
import torch

from trailers12k.common.sound_models import fixed_weights
from trailers12k.features import batch_sizes
from trailers12k.features.backbones import sound
from trailers12k.features.backbones.sound_spec import SoundSpec

pytestmark = pytest.mark.gpu

CLIPS = bench.clips_of(3)
LIGHT = "trailers_i_shufflenet_fpc24"


def only_on_a_gpu(device, why: str) -> None:
    if device.torch.type != "cuda":
        pytest.skip(f"only on a GPU: {why}")


@pytest.mark.parametrize("store", bench.stores())
def test_features_are_those_of_the_cpu_and_the_same_in_every_run(device, size, trailer, store):
    expected = bench.of_the_cpu(store, size, trailer, CLIPS)
    # bf16 is not close enough on the tiny pictures with which the CPU tries this.
    network, _ = bench.backbone(store, device, size, "auto" if size is None else "fp32")
    network.batch = 48  # two clips of an image network, all of a video network
    first, again = (bench.extract({store: network}, trailer, CLIPS)[store] for _ in range(2))
    assert first.shape == expected.shape and first.dtype == np.float32
    assert bench.least_cosine(first, expected) >= 0.999
    assert bench.least_cosine(first, again) >= 0.9999


OF_THE_HUB = (
    "hf/MIT/ast-finetuned-audioset-10-10-0.4593",
    "hf/laion/clap-htsat-unfused",
    "hf/openai/whisper-tiny",
    "hf/facebook/wav2vec2-base-960h",
)


@pytest.mark.parametrize("model", ["logmel/64", "silero/vad", *OF_THE_HUB])
def test_the_sound_of_clips_has_the_features_of_the_cpu(device, model):
    if model in OF_THE_HUB:
        pytest.importorskip("transformers")
    random = np.random.default_rng(0)
    heard = [random.normal(0, 0.1, length).astype(np.float32) for length in (16_000, 8_000, 24_000)]
    spec = SoundSpec(model, fixed_weights(model) or "random", batch=2)
    expected = sound.load(spec, 0)(heard)
    backbone = sound.load(spec, 0, device=device)
    first, again = backbone(heard), backbone(heard)
    np.testing.assert_allclose(first, expected, atol=1e-3)
    np.testing.assert_allclose(first, again, atol=1e-4)
    assert first.dtype == np.float32 and backbone.attributes["device"] == device.name


def test_all_networks_share_one_pass_and_trailers_are_in_progress_together(device, size, trailer):
    networks = {store: bench.backbone(store, device, size)[0] for store in bench.stores()}
    alone = bench.extract(networks, trailer, CLIPS)
    results: dict[int, dict] = {}

    def run(number: int) -> None:
        results[number] = bench.extract(networks, trailer, CLIPS)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results.values():
        for store, values in alone.items():
            assert bench.least_cosine(values, result[store]) >= 0.9999
    assert len(results) == 3 and device.meter.busy > 0


def test_batches_across_trailers_give_the_same_features(device, size, trailer):
    network, _ = bench.backbone(LIGHT, device, size)
    expected = bench.extract({LIGHT: network}, trailer, CLIPS)[LIGHT]
    network.fill_across(bench.FPC)
    assert network.attributes["batch_across"] is True
    values = bench.extract({LIGHT: network}, trailer, CLIPS)[LIGHT]
    assert bench.least_cosine(values, expected) >= 0.9999


def test_a_batch_that_does_not_fit_is_halved_and_the_results_stay(device, trailer):
    only_on_a_gpu(device, "the CPU's memory has no limit")
    network, _ = bench.backbone("trailers_i_resnet_fpc24", device, None, "fp32")
    network.batch = 8
    pixels = torch.randint(256, (512, 224, 224, 3), dtype=torch.uint8)
    (expected,) = device.fetched([network.compute(pixels[:, None])])
    torch.cuda.empty_cache()
    network.batch = 512
    used, total = (
        torch.cuda.memory_allocated(device.torch),
        torch.cuda.mem_get_info(device.torch)[1],
    )
    try:
        # Room for the pixels and for a part of the batch.
        torch.cuda.set_per_process_memory_fraction((used + 2 * 2**30) / total, device.torch)
        (values,) = device.fetched([network.compute(pixels[:, None])])
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device.torch)
    assert network.batch < 512
    assert bench.least_cosine(values, expected) >= 0.9999


def test_nothing_waits_for_the_device_while_batches_are_computed(device, size, trailer):
    only_on_a_gpu(device, "the CPU has no streams")
    networks = {store: bench.backbone(store, device, size)[0] for store in bench.stores()}
    # Constants and matrices of this size of frames are copied once.
    bench.extract(networks, trailer, CLIPS)
    try:
        torch.cuda.set_sync_debug_mode("error")
        bench.extract(networks, trailer, CLIPS)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_copies_reach_the_device_whole(device):
    random = np.random.default_rng(0)
    chunks = [random.integers(0, 255, (count, 36, 64, 3), np.uint8) for count in (5, 24, 3, 24, 1)]
    sums = []
    with device.sending() as send:
        for chunk in chunks * 4:
            sums.append(send(list(chunk)).sum((1, 2, 3)))
    for chunk, found in zip(chunks * 4, device.fetched(sums), strict=True):
        assert np.array_equal(found, chunk.sum((1, 2, 3)))


def test_the_batch_is_measured_once(device, size, tmp_path, monkeypatch):
    if device.torch.type != "cuda":
        monkeypatch.setattr(batch_sizes, "MOST", 4)
    file = tmp_path / "devices.json"
    network, spec = bench.backbone(LIGHT, device, size)
    batch_sizes.set_batch(network, spec, 24, file)
    ((name, networks),) = json.loads(file.read_text()).items()
    assert name == device.name and [entry["batch"] for entry in networks.values()] == [
        network.batch
    ]


JOB = """
import sys, time
import numpy as np
sys.path.insert(0, sys.argv[1])
import gpu as bench
from pathlib import Path
with bench.claimed(sys.argv[2]) as device:
    began = time.time()
    network, _ = bench.backbone(sys.argv[3], device, int(sys.argv[5]) or None)
    values = bench.extract({"store": network}, Path(sys.argv[4]), bench.clips_of(3))["store"]
    np.save(sys.argv[6], values)
    print(began, time.time(), device.name)
"""


def test_two_jobs_take_one_device_in_turn(requested, size, trailer, tmp_path):
    arguments = [str(Path(bench.__file__).parent), requested, LIGHT, str(trailer), str(size or 0)]
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", JOB, *arguments, str(tmp_path / f"{number}.npy")],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    outputs = [job.communicate(timeout=300)[0] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0]
    first, second = (np.load(tmp_path / f"{number}.npy") for number in range(2))
    assert bench.least_cosine(first, second) >= 0.9999
    times = sorted(tuple(map(float, output.split()[:2])) for output in outputs)
    names = {output.split(maxsplit=2)[2] for output in outputs}
    if requested == "cuda" and torch.cuda.device_count() > 1 and len(names) == 1:
        return  # Two equal devices: each job has one.
    if requested != "cpu":
        assert times[0][1] <= times[1][0], "the second begins when the first has ended"
