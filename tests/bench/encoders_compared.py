"""Compares encoders with the forward pass, the transform and the pooling of their own library.

Used by encoders.py, for all, and by tests/unit/features/test_encoders.py for the small ones.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import timm
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.models import get_model

from trailers12k.features.backbones import loading
from trailers12k.features.backbones.common import Backbone
from trailers12k.features.backbones.pooling import ATTENTION, AVERAGE, CLASS, PATCHES
from trailers12k.features.backbones.spec import BackboneSpec

DINOV3, NON_COMMERCIAL = "dinov3-license", "cc-by-nc-4.0"
ENCODERS = {
    "vit_small_patch16_dinov3.lvd1689m": (384, PATCHES, DINOV3),
    "vit_base_patch16_dinov3.lvd1689m": (768, PATCHES, DINOV3),
    "convnext_tiny.dinov3_lvd1689m": (768, AVERAGE, DINOV3),
    "vit_small_patch14_reg4_dinov2.lvd142m": (384, CLASS, "apache-2.0"),
    "vit_base_patch16_siglip_224.webli": (768, ATTENTION, "apache-2.0"),
    "vit_base_patch16_siglip_224.v2_webli": (768, ATTENTION, "apache-2.0"),
    "naflexvit_base_patch16_siglip.v2_webli": (768, ATTENTION, "apache-2.0"),
    "vit_pe_core_tiny_patch16_384.fb": (192, ATTENTION, "apache-2.0"),
    "vit_pe_spatial_tiny_patch16_512.fb": (192, PATCHES, "apache-2.0"),
    "vit_pe_lang_large_patch14_448.fb": (1024, PATCHES, "apache-2.0"),
    "hiera_tiny_224.mae_in1k_ft_in1k": (768, AVERAGE, NON_COMMERCIAL),
    "convnextv2_atto.fcmae_ft_in1k": (320, AVERAGE, NON_COMMERCIAL),
    "convnext_base.clip_laion2b": (1024, AVERAGE, "apache-2.0"),
    "vit_base_patch32_clip_224.openai": (768, CLASS, "apache-2.0"),
    "vit_base_patch32_clip_224.laion2b": (768, CLASS, "apache-2.0"),
    "vit_base_patch16_clip_224.dfn2b": (768, CLASS, "apple-ascl"),
    "vit_base_patch16_clip_224.metaclip_400m": (768, CLASS, NON_COMMERCIAL),
    "resnet50_clip.openai": (2048, ATTENTION, "mit"),
    "eva02_tiny_patch14_336.mim_in22k_ft_in1k": (192, PATCHES, "mit"),
    "eva02_base_patch16_clip_224.merged2b": (768, CLASS, "mit"),
    "aimv2_large_patch14_224.apple_pt_dist": (1024, PATCHES, "apple-ascl"),
    "mobilenetv4_conv_small.e2400_r224_in1k": (1280, AVERAGE, "apache-2.0"),
    "fastvit_t8.apple_in1k": (768, AVERAGE, "fastvit-license"),
    "fastvit_mci0.apple_mclip2_dfndr2b": (1024, AVERAGE, "apple-amlr"),
    "tiny_vit_5m_224.dist_in22k_ft_in1k": (320, AVERAGE, "apache-2.0"),
    "maxvit_nano_rw_256.sw_in1k": (512, AVERAGE, "apache-2.0"),
    "swinv2_tiny_window8_256.ms_in1k": (768, AVERAGE, "mit"),
    "regnety_002.pycls_in1k": (368, AVERAGE, "mit"),
    "efficientnet_b0.ra_in1k": (1280, AVERAGE, "apache-2.0"),
    "vit_tiny_patch16_dinov3_qkvb.eupe_lvd1689m": (
        *(192, PATCHES, "fair-noncommercial-research-license"),
    ),
}
"""Model of timm -> length of its features, pooling and licence, as the model's page states them."""
FORBIDDING = (NON_COMMERCIAL, "apple-amlr", "fair-noncommercial-research-license")
"""Those of the licences that forbid commercial use."""
VIDEO = {
    "mc3_18": (16, 56),
    "r3d_18": (16, 56),
    "r2plus1d_18": (16, 56),
    "s3d": (16, 224),
    "mvit_v1_b": (16, 224),
    "mvit_v2_s": (16, 224),
    "swin3d_t": (16, 56),
    "swin3d_s": (16, 56),
    "swin3d_b": (16, 56),
}
"""Video network of torchvision -> frames, and side in pixels, with which it is compared."""


@dataclass(frozen=True)
class Comparison:
    """How far an encoder is from its library.

    levels: the greatest difference of pixels, of 255. beyond: the share of their values that differ
        by more than one level. apart: the greatest difference of features of equal pixels, as a
        share of the largest feature. spread: the difference of the features of two pictures, as the
        same share.
    """

    levels: int
    beyond: float
    apart: float
    spread: float

    @property
    def sees_the_same(self) -> bool:
        """Pixels differ by one level, but for one of 100,000 at most, which differs by two.

        Of maxvit_nano's bicubic resize, one value of 393,216 does.
        """
        return self.levels <= 2 and self.beyond <= 1e-5

    @property
    def is_equal(self) -> bool:
        """Whether both agree, and about features that say something about a picture."""
        return self.sees_the_same and self.apart <= min(1e-4, self.spread / 10)


@cache
def pictures() -> np.ndarray:
    """Two pictures, uint8 (2, 270, 480, 3): a few colours, and coarse noise."""
    random = np.random.default_rng(0)
    flat, fine = random.integers(0, 256, (3, 4, 3)), random.integers(0, 256, (27, 48, 3))
    tiles = [np.kron(flat, np.ones((90, 120, 1))), np.kron(fine, np.ones((10, 10, 1)))]
    return np.array(tiles).astype(np.uint8)


def load(model: str, **options) -> Backbone:
    spec = {"model": model, "weights": "random", "input": "frames", "precision": "fp32"} | options
    return loading.load(BackboneSpec(**spec), 0)


@torch.inference_mode()
def compare_image(name: str) -> tuple[Comparison, str]:
    """An image network of timm and its own forward pass, and how it pools."""
    backbone = load(f"timm/{name}")
    theirs = timm.create_model(name, num_classes=0).eval()
    theirs.load_state_dict(backbone._module.state_dict())
    config = timm.data.resolve_data_config(model=theirs)
    seen = backbone._net.normalize(backbone.transform(torch.from_numpy(pictures())))
    found = _comparison(backbone(pictures()[:, None]), theirs(seen).numpy(), apart_of(seen, config))
    return found, pooling_of(theirs, seen[:1])


def apart_of(seen: Tensor, config: dict[str, Any]) -> Tensor:
    """How far `pictures`, as a network sees them, are from timm's own transform, in levels."""
    transform = timm.data.create_transform(**config, is_training=False)
    theirs = torch.stack([transform(Image.fromarray(picture)) for picture in pictures()])
    deviation = torch.tensor(config["std"])[:, None, None]
    return ((seen - theirs) * deviation * 255).round().abs()


@torch.inference_mode()
def compare_video(name: str) -> Comparison:
    """A video network of torchvision and the logits of its own forward pass."""
    frames, side = VIDEO[name]
    backbone = load(f"torchvision/{name}", input="clips", size=side)
    theirs = get_model(name, weights=None).eval()
    last = [part for part in theirs.modules() if isinstance(part, nn.Linear | nn.Conv3d)][-1]
    classifier = {
        place: value
        for place, value in theirs.state_dict().items()
        if place not in backbone._module.state_dict()
    }
    theirs.load_state_dict(backbone._module.state_dict() | classifier)
    clips = np.stack([np.roll(pictures(), 8 * n, 2) for n in range(frames)], 1)
    crops = backbone.transform(torch.from_numpy(clips).flatten(0, 1))
    logits = theirs(backbone._net.normalize(crops.unflatten(0, (2, frames))))
    features = torch.from_numpy(backbone(clips))
    weights = last.weight.flatten(1)
    return _comparison((features @ weights.T + last.bias).numpy(), logits.numpy())


def _comparison(ours: np.ndarray, theirs: np.ndarray, pixels: Tensor | None = None) -> Comparison:
    """pixels: the differences of what networks see; None where they saw the same."""
    values = torch.zeros(1) if pixels is None else pixels
    largest = float(np.abs(theirs).max())
    apart, spread = np.abs(ours - theirs).max(), np.abs(theirs[0] - theirs[1]).max()
    return Comparison(
        levels=int(values.max()),
        beyond=float((values > 1).float().mean()),
        apart=float(apart) / largest,
        spread=float(spread) / largest,
    )


def pooling_of(net: nn.Module, image: Tensor) -> str:
    """How a network of timm pools, seen from outside: by which tokens its features change."""
    tokens = torch.randn(net.forward_features(image).shape, generator=torch.manual_seed(0))
    axis = -1 if tokens.ndim == 3 else tokens.shape.index(net.num_features, 1)

    def changes(*places: tuple[int, float]) -> bool:
        own = tokens.movedim(axis, -1)
        rows = own.flatten(1, -2).clone()
        for place, sign in places:
            rows[:, place] += sign * step
        changed = rows.view(own.shape).movedim(-1, axis).contiguous()
        return not torch.allclose(net.forward_head(changed), plain, rtol=1e-3, atol=1e-5)

    step = 3 * torch.randn(net.num_features, generator=torch.manual_seed(1))
    plain = net.forward_head(tokens)
    first, last = changes((0, 1)), changes((-1, 1))
    if changes((-1, 1), (-2, -1)):  # no mean changes by it
        return ATTENTION
    if not last:
        return CLASS
    is_tokens = hasattr(net, "num_prefix_tokens")
    assert first != bool(getattr(net, "num_prefix_tokens", 0))
    return PATCHES if is_tokens else AVERAGE
