"""Models of pictures of the hub equal the library's own forward pass, and run no code of theirs."""

import json
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from trailers12k.common.errors import UserError
from trailers12k.features import weights_fetch
from trailers12k.features.backbones import hub_processor, sound
from trailers12k.features.backbones.hub_frames import Frames
from trailers12k.features.backbones.hub_processor import processing_of
from trailers12k.features.backbones.hub_vision import build
from trailers12k.features.backbones.hub_vision_kinds import KINDS
from trailers12k.features.backbones.hub_vision_known import KNOWN
from trailers12k.features.backbones.loading import load
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.features.recipes import recipe_of
from trailers12k.features.weights_fetch import WeightsSource

transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.usefixtures("one_thread")

PARITY = 1e-4
CLIPS = {"fps": 24, "fpc": 24}
WHOLE = {
    "clip": "CLIPModel",
    "siglip": "SiglipModel",
    "vjepa2": "VJEPA2ForVideoClassification",
    "videomae": "VideoMAEForVideoClassification",
    "timesformer": "TimesformerForVideoClassification",
    "xclip": "XCLIPModel",
}
"""Kind -> the class whose files people publish, with parts that give no features."""
SIZES = ((90, 160), (101, 64), (64, 64), (333, 171))
"""Heights and widths of frames: wide, tall, exact, and with odd margins."""


def save(folder: Path, kind: str, **changed) -> Path:
    """Publish a small network of a kind, with random weights, as its library does."""
    own = KINDS[kind]
    torch.manual_seed(7)
    config = getattr(transformers, own.config)(**(dict(own.small) | changed))
    network = getattr(transformers, WHOLE[kind])(config)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)  # far from the zeros that some begin with
    network.save_pretrained(folder)
    getattr(transformers, own.processors[0])(**own.small_processor).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    """A folder with a model of each kind as OWNER/NAME, and where they are fetched to."""
    folder = tmp_path_factory.mktemp("mirror")
    for kind in KINDS:
        save(folder / "someone" / kind, kind)
    return folder, tmp_path_factory.mktemp("fetched")


def spec_of(kind: str, model: str = "", weights: str = "pretrained") -> BackboneSpec:
    takes = "clips" if KINDS[kind].sees_clips else "frames"
    return BackboneSpec(model or f"hf/someone/{kind}", weights, takes, precision="fp32")


@pytest.fixture(scope="module")
def loaded(mirror):
    @cache
    def of_kind(kind: str):
        source = WeightsSource(f"hf/someone/{kind}")
        weights = weights_fetch.fetch(source, mirror[1], str(mirror[0]))
        return load(spec_of(kind), 0, weights)

    return of_kind


def frames(count: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    """uint8 (count, height, width, 3): coarse colours with noise."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 200, (1, 8, 8, 3)) // 3 * random.uniform(0, 3, (count, 1, 1, 1))
    rows, columns = np.arange(height) * 8 // height, np.arange(width) * 8 // width
    noise = random.integers(0, 56, (count, height, width, 3))
    return (coarse[:, rows][:, :, columns] + noise).astype(np.uint8)


@cache
def reference_of(folder: Path, kind: str):
    """The library's own network and processor, loaded by its own means."""
    network = getattr(transformers, WHOLE[kind]).from_pretrained(folder, local_files_only=True)
    auto = transformers.AutoImageProcessor
    if kind == "vjepa2":
        auto = transformers.AutoVideoProcessor
    return network.eval(), auto.from_pretrained(folder, local_files_only=True)


@torch.inference_mode()
def reference(folder: Path, kind: str, pictures: np.ndarray) -> np.ndarray:
    """The library's own features: of frames, averaged over them, or of evenly spaced frames."""
    network, processor = reference_of(folder, kind)
    if not KINDS[kind].sees_clips:
        inputs = processor(images=list(pictures), return_tensors="pt")
        return network.get_image_features(**inputs).pooler_output.mean(0).numpy()
    config = network.config
    count = getattr(config, "vision_config", config)
    count = count.frames_per_clip if kind == "vjepa2" else count.num_frames
    chosen = list(pictures[((np.arange(count) + 0.5) * len(pictures) / count).astype(int)])
    if kind == "vjepa2":
        inputs = processor(np.stack(chosen), return_tensors="pt").pixel_values_videos
        return network.vjepa2.get_vision_features(inputs)[0].mean(0).numpy()
    inputs = processor(chosen, return_tensors="pt").pixel_values.reshape(1, count, 3, 64, 64)
    if kind == "xclip":
        return network.get_video_features(inputs).pooler_output[0].numpy()
    states = network.base_model(inputs).last_hidden_state
    return (states[0, 0] if kind == "timesformer" else network.fc_norm(states.mean(1))[0]).numpy()


@pytest.mark.parametrize("kind", KINDS)
def test_features_equal_the_librarys_own(kind, mirror, loaded):
    net, folder = loaded(kind), mirror[0] / "someone" / kind
    found = []
    for seed, (height, width) in enumerate(SIZES):
        clips = np.stack([frames(24, height, width, 2 * seed + k) for k in range(2)])
        own = net(clips)
        assert own.dtype == np.float32 and own.shape == (2, net.num_features)
        for clip, features in zip(clips, own, strict=True):
            assert np.abs(features - reference(folder, kind, clip)).max() < PARITY
        found.append(own)
    assert np.abs(found[0] - found[1]).max() > 100 * PARITY  # otherwise nothing is compared


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_records_files_processor_and_pooling(kind, loaded):
    attributes = loaded(kind).attributes
    assert "config.json" in attributes["weights_files"] and len(attributes["weights_files"]) == 2
    assert attributes["pooling"] and attributes["processor"]["crop_size"] == [64, 64]
    assert attributes["transformers"] == transformers.__version__
    json.dumps(attributes)


@pytest.mark.parametrize("model", {known.kind: model for model, known in KNOWN.items()}.values())
def test_the_parameters_are_those_that_have_a_share_in_the_features(model):
    net = build(spec_of(KNOWN[model].kind, model, "random"), 0, None)
    clip = torch.from_numpy(frames(24, net.side, net.side))
    net.module(net.normalize(clip[None] if net.video else clip)).sum().backward()
    with_gradients = (each for each in net.module.parameters() if each.grad is not None)
    assert net.attributes["parameters"] == sum(each.numel() for each in with_gradients) > 0


@pytest.mark.parametrize("model", {known.kind: model for model, known in KNOWN.items()}.values())
def test_random_weights_need_no_file_and_depend_on_the_seed_alone(model):
    spec = spec_of(KNOWN[model].kind, model, "random")
    first, again, other = (load(spec, seed) for seed in (1, 1, 2))
    clip = frames(24, 90, 160)[None]
    assert (first(clip) == again(clip)).all()
    assert (first(clip) != other(clip)).any()
    assert first.attributes["pretrained"] is False


def test_features_depend_on_the_files_beside_the_weights(mirror, tmp_path):
    weights = weights_fetch.fetch(WeightsSource("hf/someone/clip"), tmp_path, str(mirror[0]))
    backbone = {"model": "hf/someone/clip", "weights": "pretrained", "input": "frames"}
    recipe = recipe_of(backbone, CLIPS, "code", 0, weights)
    assert recipe.determined_by["weights_files"] == weights.beside
    assert recipe.sampling.fps == 24
    config = Path(weights.file).with_name("config.json")
    config.write_text(config.read_text().replace("quick_gelu", "relu"))
    with pytest.raises(UserError, match="config.json is gone or changed; fetch it again"):
        load(recipe.spec, 0, weights)


@pytest.mark.parametrize("size, crop", [((64,), 64), ((70,), 65), ((64, 64), 64), ((40,), 65)])
@pytest.mark.parametrize("resample", [2, 3])
def test_crops_are_the_librarys_own(size, crop, resample, monkeypatch):
    """Those of a GPU, by other arithmetic, have the same place and are within two levels."""
    names = ("shortest_edge",) if len(size) == 1 else ("height", "width")
    values = {"size": dict(zip(names, size, strict=True)), "crop_size": crop, "resample": resample}
    values |= {"do_normalize": False}
    transform = processing_of(transformers, ("CLIPImageProcessor",), values, "", "").transform
    processor = transformers.CLIPImageProcessor(**values, do_rescale=False)
    for height, width in (*SIZES, (65, 90), (90, 67)):
        pictures = frames(2, height, width)
        expected = processor(list(pictures), return_tensors="np").pixel_values.transpose(0, 2, 3, 1)
        found = transform(torch.from_numpy(pictures)).numpy()
        assert (found == expected).all()
        with monkeypatch.context() as patch:
            patch.setattr(hub_processor, "LONG", 0)
            other = transform(torch.from_numpy(pictures)).numpy()
        assert np.abs(other.astype(int) - expected).max() <= 2


@pytest.mark.parametrize(
    "count, rate, fps, fpc, expected",
    [
        (4, None, 24, 24, [3, 9, 15, 21]),
        (4, 4, 24, 24, [3, 9, 15, 21]),  # just long enough: a second
        (4, 8, 24, 24, [7, 10, 13, 16]),  # half a second in the middle
        (4, 2, 24, 24, [3, 9, 15, 21]),  # two seconds: too long, so the whole clip
        (8, None, 24, 4, [0, 0, 1, 1, 2, 2, 3, 3]),
        (4, 48, 24, 24, [11, 11, 12, 12]),  # faster than the clip
        (3, 4, 0, 24, [4, 12, 20]),  # an unknown rate of the clip
        (16, 7.5, 25, 60, [5, 8, 11, 15, 18, 21, 25, 28, 31, 35, 38, 41, 45, 48, 51, 55]),
        (64, 4, 24, 24, [int((n + 0.5) * 24 / 64) for n in range(64)]),  # V-JEPA 2
    ],
)
def test_the_frames_are_those_of_the_training_where_the_clip_is_long_enough(
    count, rate, fps, fpc, expected
):
    frames = Frames(count, rate)
    assert list(frames.numbers(fps, fpc)) == expected
    pixels = torch.arange(fpc)[None, :, None]
    assert frames.of(pixels, fps)[0, :, 0].tolist() == expected
    at_rate = rate is not None and fps > 0 and count / rate <= fpc / fps
    seen = frames.described(fps, fpc)
    assert ("rate of the training" in seen["frames_rule"]) == at_rate
    assert seen["frames_seen"] == count


def test_a_clips_rate_reaches_the_network_and_its_store():
    model = "hf/MCG-NJU/videomae-base"
    backbone = {"model": model, "weights": "random", "input": "clips", "precision": "fp32"}
    long = recipe_of(backbone, {"fps": 24, "fpc": 60}, "code", 0, None)
    short = recipe_of(backbone, {"fps": 24, "fpc": 24}, "code", 0, None)
    assert long.determined_by["settings"] != short.determined_by["settings"]
    clip = frames(60, 64, 64)[None]
    nets = [load(recipe.spec, 0) for recipe in (long, short)]
    rules = [net.attributes["frames_rule"] for net in nets]
    assert rules == ["at the rate of the training, in the clip's centre"] + [
        "evenly spaced over the whole clip"
    ]
    ends = clip.copy()
    ends[:, :3], ends[:, -3:] = 0, 0  # 51 of the 60 frames are within the 16 steps
    assert (nets[0](ends) == nets[0](clip)).all()
    assert (nets[0](clip[:, 6:]) != nets[0](clip)).any()


def refusal(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        source = WeightsSource("hf/me/odd", str(folder / "model.safetensors"))
        weights_fetch.fetch(source, folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def change(path: Path, **values) -> None:
    content = json.loads(path.read_text())
    vision = content.get("vision_config", {})
    of_vision = set(values) <= set(vision) - set(content)
    content |= {"vision_config": vision | values} if of_vision else values
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    "kind, values, message",
    [
        ("clip", {"auto_map": {"AutoModel": "odd.Model"}}, "names code of its repository"),
        ("clip", {"model_type": "siglip2"}, "not one that gives features of sound"),
        ("clip", {"image_size": 2048}, "claims too much memory, or none"),
        ("clip", {"image_size": 128}, "pictures of (64, 64), and a network for (128, 128)"),
        ("clip", {"patch_size": 0}, "claims too much memory, or none"),
        ("clip", {"patch_size": "16"}, "none of its kind"),
        ("clip", {"hidden_size": 900_000}, "claims"),
        ("clip", {"projection_dim": None}, "do not fit one another"),
        ("clip", {"num_hidden_layers": 3}, "claims"),
        ("siglip", {"vision_use_head": False}, "no pooled output"),
        ("vjepa2", {"frames_per_clip": 1000}, "claims too much memory, or none"),
        ("vjepa2", {"tubelet_size": 9}, "claims too much memory, or none"),
        ("vjepa2", {"num_hidden_layers": 3}, "claims"),
        ("videomae", {"num_frames": 17}, "claims too much memory, or none"),
        ("videomae", {"hidden_size": 400_000}, "claim too much memory"),
        ("timesformer", {"num_frames": 128}, "does not hold its weights"),
        ("xclip", {"mit_num_hidden_layers": 2}, "claims"),
    ],
)
def test_a_configuration_of_odd_claims_is_refused_in_one_line(
    kind, values, message, mirror, tmp_path
):
    folder = shutil.copytree(mirror[0] / "someone" / kind, tmp_path / "odd")
    change(folder / "config.json", **values)
    assert message in refusal(folder)


@pytest.mark.parametrize(
    "values, message",
    [
        ({"image_processor_type": "LlavaImageProcessor"}, "not of a CLIPImageProcessor"),
        ({"crop_size": {"height": 10**6, "width": 64}}, "a side is 1000000"),
        ({"size": {"shortest_edge": 10**9}}, "'shortest_edge' is 1000000000; at most 1000000"),
        ({"crop_size": 65}, "pictures of (65, 65), and a network for (64, 64)"),
        ({"do_center_crop": False}, "neither crops nor resizes to a square"),
        ({"do_resize": False}, "must resize"),
        ({"resample": 1}, "resample is 1; allowed: 2, 3"),
        ({"resample": "bicubic"}, "preprocessor_config.json"),
        ({"image_std": [0, 1, 1]}, "image_std must be above 0"),
        ({"image_mean": [0.5]}, "three finite numbers"),
        ({"image_mean": "half"}, "preprocessor_config.json"),
        ({"rescale_factor": 1}, "rescale_factor is 1; allowed: 1/255"),
        ({"rescale_factor": None, "size": [1] * 100_000}, "'size' has 100000 values"),
    ],
)
def test_a_processor_of_odd_values_is_refused_in_one_line(values, message, mirror, tmp_path):
    folder = shutil.copytree(mirror[0] / "someone" / "clip", tmp_path / "odd")
    change(folder / "preprocessor_config.json", **values)
    assert message in refusal(folder)


def test_the_users_own_file_is_read_with_those_beside_it(mirror, loaded, tmp_path):
    """V-JEPA 2's processor has a file of another name."""
    folder = shutil.copytree(mirror[0] / "someone" / "vjepa2", tmp_path / "mine")
    file = folder / "model.safetensors"
    weights = weights_fetch.fetch(WeightsSource("hf/me/mine", str(file)), tmp_path)
    assert set(weights.beside) == {"config.json", "video_preprocessor_config.json"}
    clip = frames(24, 90, 160)[None]
    found = load(spec_of("vjepa2", "hf/me/mine"), 0, weights)(clip)
    assert (found == loaded("vjepa2")(clip)).all()
    (folder / "video_preprocessor_config.json").unlink()
    with pytest.raises(UserError, match="there is no file .*/preprocessor_config.json"):
        weights_fetch.fetch(WeightsSource("hf/me/mine", str(file)), tmp_path)


def test_an_input_or_size_that_does_not_fit_is_refused(mirror, tmp_path):
    weights = weights_fetch.fetch(WeightsSource("hf/someone/clip"), tmp_path, str(mirror[0]))
    with pytest.raises(UserError, match="its input must be frames or posters, not clips"):
        load(BackboneSpec("hf/someone/clip", "pretrained", "clips"), 0, weights)
    with pytest.raises(UserError, match="size is not allowed for a model of the hub"):
        load(BackboneSpec("hf/someone/clip", "pretrained", "frames", size=64), 0, weights)
    with pytest.raises(UserError, match="not one that gives features of sound"):
        sound.load(SoundSpec("hf/someone/clip", "pretrained"), 0, weights)
