"""Crops against torchvision's and timm's own transforms of whole frames, at odd sizes.

The reference is what their documentation writes: `weights.transforms()` of uint8 tensors, and
Pillow for timm and the 3D ShuffleNet.
"""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as documented

from trailers12k.features.backbones import transforms
from trailers12k.features.backbones.transforms import Resize

SIZES = [(1, 1), (2, 3), (5, 300), (100, 60), (256, 256), (270, 480), (360, 640), (640, 360)]
SIZES += [(384, 512), (534, 1280), (1080, 1920)]
TORCHVISION = [
    Resize((256,), (224, 224), "bilinear", antialias=True),
    Resize((232,), (224, 224), "bicubic", antialias=True),
    Resize((256,), (224, 224), "bilinear", antialias=False),
    Resize((128, 171), (112, 112), "bilinear", antialias=False),
    Resize((32,), (40, 36), "bilinear", antialias=True),
]
PILLOW = [
    Resize((248,), (224, 224), "bicubic", antialias=True, like_pillow=True),
    Resize((112,), (112, 112), "bilinear", antialias=True, like_pillow=True),
    Resize((232,), (224, 224), "bilinear", antialias=True, like_pillow=True),
]


def frames(height: int, width: int, count: int = 2) -> torch.Tensor:
    """Smooth colours with grain, so that values lie everywhere between two levels."""
    random = np.random.default_rng(height * 10_000 + width)
    coarse = random.integers(0, 256, (count, 9, 16, 3), np.uint8)
    smooth = [np.array(Image.fromarray(one).resize((width, height))) for one in coarse]
    grain = random.integers(-9, 10, (count, height, width, 3))
    return torch.from_numpy(np.clip(smooth + grain, 0, 255).astype(np.uint8))


def levels(ours: torch.Tensor, expected: torch.Tensor) -> tuple[int, float]:
    """The largest difference, and the share of values that differ."""
    assert ours.shape == expected.shape and ours.dtype == torch.uint8
    difference = (ours.int() - expected.int()).abs()
    return int(difference.max()), float((difference > 0).float().mean())


def by_torchvision(resize: Resize, pixels: torch.Tensor) -> torch.Tensor:
    mode = InterpolationMode(resize.interpolation)
    planes = pixels.permute(0, 3, 1, 2)
    whole = documented.resize(planes, list(resize.size), mode, antialias=resize.antialias)
    return documented.center_crop(whole, list(resize.crop)).permute(0, 2, 3, 1)


def by_pillow(resize: Resize, pixels: torch.Tensor) -> torch.Tensor:
    mode = InterpolationMode(resize.interpolation)
    crops = []
    for one in pixels:
        picture = documented.resize(Image.fromarray(one.numpy()), list(resize.size), mode)
        crops.append(np.array(documented.center_crop(picture, list(resize.crop))))
    return torch.from_numpy(np.stack(crops))


@pytest.fixture(autouse=True)
def one_thread():
    """Torch's kernel that does not average rounds otherwise where its threads meet."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("resize", TORCHVISION)
@pytest.mark.parametrize("size", SIZES)
def test_crops_are_those_of_torchvision(resize, size):
    """Bit by bit."""
    pixels = frames(*size)
    assert levels(resize(pixels), by_torchvision(resize, pixels)) == (0, 0)


@pytest.mark.parametrize("resize", PILLOW)
@pytest.mark.parametrize("size", SIZES)
def test_crops_are_within_one_level_of_pillow(resize, size):
    pixels = frames(*size)
    most, share = levels(resize(pixels), by_pillow(resize, pixels))
    assert most <= 1 and share < 0.03


def test_the_products_are_pillows_arithmetic():
    """Of bicubic resizes always, and of what a GPU computes: closer than torch's own kernel."""
    for size in [(100, 60), (360, 640)]:
        pixels = frames(*size)
        for resize in PILLOW:
            most, share = levels(resize._computed(pixels), by_pillow(resize, pixels))
            assert most <= 1 and share < 2e-2


@pytest.mark.parametrize("resize", [*TORCHVISION, *PILLOW])
def test_no_crop_depends_on_other_frames_or_on_threads(resize):
    pixels = frames(360, 640, 5)
    together = resize(pixels)
    for count in (1, 2, 4):
        torch.set_num_threads(count)
        assert torch.equal(together, torch.cat([resize(one) for one in pixels.split(2)]))
        assert torch.equal(together[3:4], resize(pixels[3:4]))


def test_a_large_frame_becomes_floats_in_parts(monkeypatch):
    pixels, resize = frames(720, 1280, 1), TORCHVISION[0]
    whole = resize(pixels)
    monkeypatch.setattr(transforms, "BAND", 100_000)
    assert torch.equal(whole, resize(pixels))


def test_a_very_long_picture_is_not_resized_whole():
    """112x3,000,000 pixels otherwise: 1 GB."""
    strip = frames(3, 80_000, 1)
    crop = PILLOW[1](strip)
    assert crop.shape == (1, 112, 112, 3)
    part = strip[:, :, 39_990:40_010]
    centre = by_pillow(Resize((112,), (112, 100), "bilinear", True, True), part)
    assert levels(crop[:, :, 6:106], centre)[0] <= 1


def test_equal_resizes_are_equal_keys():
    assert len({*TORCHVISION, *TORCHVISION, *PILLOW}) == len(TORCHVISION) + len(PILLOW)
    assert Resize((256,), (224, 224), "bilinear", True) == TORCHVISION[0]
