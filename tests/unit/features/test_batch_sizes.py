"""The batch of a GPU: measured once, recorded, and never on the CPU."""

import json
from dataclasses import replace

import pytest
import torch

from trailers12k.features import batch_sizes
from trailers12k.features.backbones import devices, loading
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.features.backbones.transfer import Transfer

IMAGES = {"model": "torchvision/shufflenet_v2_x0_5", "input": "frames", "size": 32}
CLIPS = {"model": "shufflenet3d/1.0x", "input": "clips", "size": 32}

pytestmark = pytest.mark.usefixtures("one_thread")


def backbone(spec, device=None):
    spec = BackboneSpec(weights="random", precision="fp32", **spec)
    return loading.load(spec, 0, device=device), spec


def staged():
    """A device with the copies of a GPU, on the CPU."""
    own = devices.cpu()
    transfer = Transfer(torch.device("cpu"), own.meter, pinned=False)
    return replace(own, transfer=transfer, name="a GPU")


@pytest.mark.parametrize(
    ("seconds", "best", "tried"),
    [
        # One pass takes as long for any batch up to 32, then grows.
        (lambda n: max(1.0, n / 32), 32, 128),
        # A step that gains nothing before one that does.
        (lambda n: {1: 1.0, 2: 1.99, 4: 2.0}.get(n, n / 2), 4, 16),
        # Memory ends before the throughput does.
        (lambda n: 1.0 if n <= 16 else None, 16, 16),
        (lambda n: float(n), 1, 4),
        (lambda n: None, 1, 0),
        (lambda n: 1.0, 1024, 1024),
    ],
)
def test_a_batch_is_doubled_until_that_gains_nothing(seconds, best, tried):
    batch, rates = batch_sizes.fastest(seconds)
    assert batch == best and max(rates, default=0) == tried


def test_the_cpus_batch_is_fixed_and_nothing_is_measured(tmp_path):
    for options, batch in ((IMAGES, 8), (CLIPS, 8)):
        net, spec = backbone(options)
        batch_sizes.set_batch(net, spec, 4, tmp_path / "devices.json")
        assert net.batch == batch == spec.initial_batch
    heavy = BackboneSpec("torchvision/swin3d_t", "random", "clips")
    assert heavy.initial_batch == 1 and replace(heavy, batch=3).initial_batch == 3
    assert not (tmp_path / "devices.json").exists()


@pytest.mark.parametrize("options", [IMAGES, CLIPS], ids=["images", "clips"])
def test_a_gpus_batch_is_measured_once_and_kept(tmp_path, monkeypatch, options):
    file = tmp_path / "devices.json"
    monkeypatch.setattr(batch_sizes, "MOST", 4)
    net, spec = backbone(options, staged())
    batch_sizes.set_batch(net, spec, 2, file)
    ((name, networks),) = json.loads(file.read_text()).items()
    ((network, entry),) = networks.items()
    assert name == "a GPU" and network.startswith(f"{spec.model} 32 px")
    assert entry["batch"] == net.batch == net.attributes["batch"]
    assert set(entry["rates"]) == {"1", "2", "4"} and min(entry["rates"].values()) > 0
    # The next job uses the recorded size.
    networks[network]["batch"] = 3
    file.write_text(json.dumps({name: networks}))
    again, _ = backbone(options, staged())
    batch_sizes.set_batch(again, spec, 2, file)
    assert again.batch == 3
    # A configured batch stays, and a damaged record is measured again.
    fixed, spec_fixed = backbone(options | {"batch": 5}, staged())
    batch_sizes.set_batch(fixed, spec_fixed, 2, file)
    assert fixed.batch == 5
    file.write_text("[")
    batch_sizes.set_batch(again, spec, 2, file)
    assert again.batch in (1, 2, 4) and json.loads(file.read_text())[name][network]
