"""Each backbone computes what its source says it does, from reproducible weights."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision.models import get_model, get_model_weights

from trailers12k.common.errors import UserError
from trailers12k.common.seeds import seed_for
from trailers12k.features.backbones import common, loading, shufflenet3d, torchvision_nets
from trailers12k.features.backbones.spec import BackboneSpec, family_of
from trailers12k.features.weights_fetch import WeightsSource, fetch

RESNET = "torchvision/resnet50"
MODEL_3D = "shufflenet3d/1.0x"


pytestmark = pytest.mark.usefixtures("one_thread")


def load(model: str, input: str = "frames", seed: int = 0, weights_file=None, **options):
    spec = {"model": model, "weights": "random", "input": input, "precision": "fp32"} | options
    return loading.load(BackboneSpec(**spec), seed, weights_file)


def textures(count: int, length: int) -> np.ndarray:
    """uint8 (count, length, 72, 128, 3): squares of a colour, size and speed of their own."""
    videos = []
    for i in range(count):
        random = np.random.default_rng(i)
        squares = np.kron(random.uniform(-60, 60, (9, 16, 1)), np.ones((8, 8, 1)))
        picture = np.clip(random.uniform(0, 255, 3) + squares, 0, 255).astype(np.uint8)
        videos.append([np.roll(picture, i * t, 1) for t in range(length)])
    return np.array(videos)


@pytest.mark.parametrize(
    ("model", "input", "features"),
    [
        ("torchvision/shufflenet_v2_x1_0", "frames", 1024),
        (RESNET, "posters", 2048),
        ("torchvision/swin_t", "frames", 768),
        ("timm/swin_tiny_patch4_window7_224.ms_in1k", "posters", 768),
        ("timm/tf_efficientnet_lite0", "frames", 1280),
        ("shufflenet3d/1.0x", "clips", 1024),
        ("torchvision/r2plus1d_18", "clips", 512),
        ("torchvision/swin3d_t", "clips", 768),
    ],
)
def test_random_features_differ_between_inputs(model, input, features):
    small = {"size": 56} if input == "clips" else {}
    backbone = load(model, input, **small)
    length = 8 if input == "clips" else 1
    values = backbone(textures(4, length))
    assert backbone.num_features == features
    assert values.shape == (4, features) and values.dtype == np.float32
    assert np.isfinite(values).all() and 0.01 < np.abs(values).mean() < 100
    spread = np.linalg.norm(values - values.mean(0)) / np.linalg.norm(values)
    assert spread > 0.05
    assert not backbone.attributes["pretrained"] and "seed 0" in backbone.attributes["weights"]


def test_random_weights_follow_the_seed_and_keep_the_global_state():
    def sha256(seed: int) -> str:
        return load("shufflenet3d/1.0x", "clips", seed, size=56).attributes["weights_sha256"]

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    assert sha256(1) == sha256(1) != sha256(2)
    assert torch.equal(torch.rand(3), expected)


def test_random_weights_are_seeded_by_seed_for():
    with common.seeded(3, "weights", "a"):
        drawn = torch.rand(4)
    torch.manual_seed(seed_for(3, "weights", "a"))
    assert torch.equal(drawn, torch.rand(4))


def test_shufflenet3d_has_the_layout_of_the_published_checkpoint(tmp_path):
    net = shufflenet3d.ShuffleNet3D()
    assert sum(parameter.numel() for parameter in net.parameters()) == 1_914_180
    state = net.state_dict()
    assert state["conv1.0.weight"].shape == (24, 3, 3, 3, 3)
    assert state["features.0.banch1.2.weight"].shape == (58, 24, 1, 1, 1)
    assert state["features.1.banch2.3.weight"].shape == (58, 1, 3, 3, 3)
    assert state["features.15.banch2.5.weight"].shape == (232, 232, 1, 1, 1)
    assert state["conv_last.1.running_mean"].shape == (1024,)
    assert state["classifier.1.weight"].shape == (600, 1024)
    file = tmp_path / "published.pth"
    torch.save({"state_dict": {f"module.{key}": state[key] for key in state}, "epoch": 1}, file)
    weights_file = fetch(WeightsSource(MODEL_3D, str(file)), tmp_path)
    backbone = load(MODEL_3D, "clips", weights_file=weights_file, weights="pretrained")
    frames = textures(1, 16)
    resized = [
        Image.fromarray(frame).resize((199, 112), Image.Resampling.BILINEAR) for frame in frames[0]
    ]
    crops = np.stack([np.array(image)[:, 44:156, ::-1] for image in resized])
    clip = torch.tensor(crops - np.array([114.7748, 107.7354, 99.4750]), dtype=torch.float32)
    net.classifier = nn.Identity()
    with torch.no_grad():
        expected = net.eval()(clip.permute(3, 0, 1, 2)[None]).numpy()
    np.testing.assert_allclose(backbone(frames), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "name",
    [
        *("alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "maxvit_t"),
        *("mnasnet0_5", "mobilenet_v3_small", "s3d", "squeezenet1_0", "swin_v2_t", "vgg11"),
        *("vit_b_16", "vit_h_14", "mc3_18"),
    ],
)
def test_the_features_of_any_model_of_torchvision_are_what_its_classifier_takes(name):
    """On shapes alone, without numbers: 73 of its models, in all, were looked at so."""
    enum = get_model_weights(name).DEFAULT
    size, *_ = enum.transforms().crop_size
    options = torchvision_nets.options(name, enum)
    if name == "googlenet":
        options |= {"init_weights": False}
    with torch.device("meta"):
        net = get_model(name, weights=None, **options).eval()
        features = common.remove_head(net, name)
        clip = (16,) if name in ("s3d", "mc3_18") else ()
        assert net(torch.empty(2, 3, *clip, size, size)).shape == (2, features)


def test_the_error_about_an_unsuitable_clip_is_one_line():
    """MViT is made for 16 frames."""
    backbone = load("torchvision/mvit_v2_s", "clips")
    with pytest.raises(UserError, match="cannot take an input of .1, 24, 224, 224, 3.") as caught:
        backbone(textures(1, 24))
    assert "\n" not in str(caught.value)


def test_a_unit_shuffles_its_branches():
    unit = shufflenet3d.Unit(4, 4, stride=1).eval()
    unit.banch2 = nn.Identity()
    x = torch.arange(4.0).view(1, 4, 1, 1, 1)
    assert unit(x).flatten().tolist() == [0, 2, 1, 3]


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("keras/resnet50", {}, "torchvision, timm, shufflenet3d"),
        ("torchvision/resnet51", {}, "no model 'resnet51'"),
        ("torchvision/resnet50.V7", {}, "IMAGENET1K_V2"),
        ("timm/nothing", {}, "Unknown model"),
        (RESNET, {"weights": "package"}, "random or pretrained"),
        (RESNET, {"input": "clips"}, "network for images"),
        ("timm/resnet18", {"weights": "package"}, "tf_efficientnet_lite0"),
        (RESNET, {"weights": "pretrained"}, "snakemake weights"),
    ],
)
def test_the_error_about_an_unknown_model_or_weights_is_one_line(model, options, words):
    with pytest.raises(UserError) as caught:
        load(model, **options)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_names_need_no_torch():
    assert family_of("timm/resnet18") == "timm"
    code = (
        "import sys, trailers12k.features.backbones.names;"
        "import trailers12k.video.reader, trailers12k.video.clips;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
