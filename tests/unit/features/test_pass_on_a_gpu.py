"""Nothing of a pass on a GPU touches the host, where each touch would make the host wait.

torch's fake tensors have a device and a shape and no numbers, so the very transforms and networks
run as on a GPU. A copy between host and device, and a tensor of the host among those of the device,
are seen.
"""

from contextlib import nullcontext
from dataclasses import replace
from importlib.util import find_spec

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from trailers12k.features.backbones import (
    common,
    devices,
    hub_frames,
    hub_vision_known,
    loading,
    transforms,
)
from trailers12k.features.backbones.hub_vision_kinds import KINDS
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.settings.paper import STORES

GPU = torch.device("cuda", 0)
STORES_OF_TRAILERS = [name for name, keys in STORES.items() if keys["input"] != "posters"]

pytestmark = pytest.mark.usefixtures("one_thread")


class OnlyOnTheDevice(TorchDispatchMode):
    """Fails at an operation on a tensor of the host; numbers without dimensions may be there."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        results = func(*args, **(kwargs or {}))
        tensors = [x for x in tree_leaves((args, kwargs, results)) if isinstance(x, torch.Tensor)]
        assert {x.device.type for x in tensors if x.dim()} <= {"cuda"}, f"{func} is on the host"
        return results


@pytest.fixture
def fake_gpu():
    def clear():
        common.row_of.cache_clear()
        transforms._matrices.cache_clear()
        hub_frames._index.cache_clear()

    clear()
    with FakeTensorMode():
        yield
    clear()


def move(module: torch.nn.Module) -> None:
    """Replace all tensors of a module by fake ones on a GPU, which has none of their bytes."""
    for part in module.modules():
        for name, own in list(part._parameters.items()):
            if own is not None:
                fake = torch.empty(own.shape, dtype=own.dtype, device=GPU)
                part._parameters[name] = torch.nn.Parameter(fake, requires_grad=False)
        for name, own in list(part._buffers.items()):
            if own is not None:
                part._buffers[name] = torch.empty(own.shape, dtype=own.dtype, device=GPU)


@pytest.fixture
def networks():
    """Before the fake mode begins."""
    return {
        store: loading.load(BackboneSpec(keys["model"], "random", keys["input"], "fp32", 64), 0)
        for store, keys in STORES.items()
        if store in STORES_OF_TRAILERS
    } | hub_networks()


def hub_networks():
    """A small network of each kind of models of pictures of the hub; none without transformers."""
    if find_spec("transformers") is None:
        return {}
    models = {known.kind: model for model, known in hub_vision_known.KNOWN.items()}
    inputs = {kind: "clips" if own.sees_clips else "frames" for kind, own in KINDS.items()}
    return {
        kind: loading.load(BackboneSpec(model, "random", inputs[kind], "fp32"), 0)
        for kind, model in models.items()
    }


def test_a_pass_stays_on_the_gpu(networks, fake_gpu):
    meter = devices.cpu().meter
    meter.computing = lambda device: nullcontext()  # events want a real GPU
    gpu = replace(devices.cpu(), torch=GPU, autocast="cuda", meter=meter)
    for network in networks.values():
        move(network._module)
        network.device = gpu
        frames = torch.empty(4, 90, 160, 3, dtype=torch.uint8, device=GPU)
        # Constants and matrices are copied by the first pass and kept.
        network.compute(network.transform(frames)[None])
        with OnlyOnTheDevice():
            crops = network.transform(frames)
            features = network.compute(crops[None])
        assert features.shape == (1, network.num_features)
        assert features.dtype == torch.float32 and features.device == GPU
