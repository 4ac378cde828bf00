"""Models of pictures of the hub equal the library's own forward pass, and run no code of theirs."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from trailers12k.common.errors import UserError
from trailers12k.features import weights_fetch
from trailers12k.features.backbones import hub_processor
from trailers12k.features.backbones.hub_processor import processing_of
from trailers12k.features.backbones.hub_vision_kinds import KINDS
from trailers12k.features.backbones.hub_vision_known import KNOWN
from trailers12k.features.backbones.loading import load
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.features.recipes import recipe_of
from trailers12k.features.weights_fetch import WeightsSource

transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.usefixtures("one_thread")

PARITY = 1e-4
CLIPS = {"fps": 24, "fpc": 24}
WHOLE = {"clip": "CLIPModel", "siglip": "SiglipModel"}
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
    return network.eval(), auto.from_pretrained(folder, local_files_only=True)


@torch.inference_mode()
def reference(folder: Path, kind: str, pictures: np.ndarray) -> np.ndarray:
    """The library's own features of frames, averaged over them."""
    network, processor = reference_of(folder, kind)
    inputs = processor(images=list(pictures), return_tensors="pt")
    return network.get_image_features(**inputs).pooler_output.mean(0).numpy()


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
