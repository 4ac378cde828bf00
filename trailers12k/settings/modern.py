"""The stores and runs of the preset `modern`: today's encoders beside the paper's.

Reads and writes nothing. Must not know how a preset is written.
"""

from types import MappingProxyType
from typing import Any

from trailers12k.settings.paper import RUNS, STORES

IMAGES = MappingProxyType(
    {
        "DINOv3": ("trailers_i_dinov3", "timm/vit_base_patch16_dinov3.lvd1689m"),
        "DINOv3-ConvNeXt": ("trailers_i_dinov3convnext", "timm/convnext_base.dinov3_lvd1689m"),
        "SigLIP2": ("trailers_i_siglip2", "timm/vit_base_patch16_siglip_224.v2_webli"),
        "PE-Core": ("trailers_i_pecore", "timm/vit_pe_core_base_patch16_224.fb"),
        "CLIP": ("trailers_i_clip", "timm/vit_base_patch16_clip_224.openai"),
        "ConvNeXtV2": ("trailers_i_convnextv2", "timm/convnextv2_base.fcmae_ft_in22k_in1k"),
    }
)
"""Run -> store and model of networks of images."""
VIDEOS = MappingProxyType(
    {"Swin-3D-B": ("trailers_k_swinb", "torchvision/swin3d_b.KINETICS400_IMAGENET22K_V1")}
)
SOUNDS = MappingProxyType(
    {
        "CLAP": ("trailers_a_clap", "hf/laion/clap-htsat-unfused"),
        "AST": ("trailers_a_ast", "hf/MIT/ast-finetuned-audioset-10-10-0.4593"),
        "Log-mel": ("trailers_a_logmel", "logmel/64"),
        "Speech": ("trailers_a_speech", "silero/vad"),
    }
)
FUSIONS: dict[str, dict[str, str]] = {
    "DINOv3+Swin-3D-B": {"image": "DINOv3", "video": "Swin-3D-B"},
    "SigLIP2+CLAP": {"image": "SigLIP2", "audio": "CLAP"},
    "DINOv3+Swin-3D-B+CLAP": {"image": "DINOv3", "video": "Swin-3D-B", "audio": "CLAP"},
}
"""Run -> stream -> the run whose store it uses."""


def stores() -> dict[str, dict[str, Any]]:
    """The paper's stores, and those of today's encoders."""
    found: dict[str, dict[str, Any]] = {name: dict(each) for name, each in STORES.items()}
    for input_, models in (("frames", IMAGES), ("clips", VIDEOS), ("audio", SOUNDS)):
        found |= {store: {"model": model, "input": input_} for store, model in models.values()}
    return found


def runs() -> dict[str, dict[str, Any]]:
    """The paper's runs, one for each encoder of today, and fusions."""
    found: dict[str, dict[str, Any]] = {name: dict(each) for name, each in RUNS.items()}
    for stream, models in (("image", IMAGES), ("video", VIDEOS), ("audio", SOUNDS)):
        found |= {run: {stream: store} for run, (store, _) in models.items()}
    own = {run: store for models in (IMAGES, VIDEOS, SOUNDS) for run, (store, _) in models.items()}
    for run, streams in FUSIONS.items():
        found[run] = {stream: own[of] for stream, of in streams.items()}
    return found
