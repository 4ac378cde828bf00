"""The stores and runs of the preset `modern`: today's encoders beside the paper's.

Reads and writes nothing. Must not know how a preset is written.

MViT v2 has no row: it takes clips of 16 frames only, and those of the paper have 24.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from trailers12k.settings.paper import RUNS, STORES


@dataclass(frozen=True)
class Encoder:
    """A store of the preset. licence: of its weights in words; empty for those that are here."""

    store: str
    model: str
    licence: str = ""


DINOV3 = "DINOv3 licence, to be accepted"
NON_COMMERCIAL = "CC BY-NC 4.0, not commercial"
APACHE = "Apache 2.0"
NOT_STATED = "no licence stated"

IMAGES: Mapping[str, Encoder] = MappingProxyType(
    {
        "DINOv3": Encoder("trailers_i_dinov3", "timm/vit_base_patch16_dinov3.lvd1689m", DINOV3),
        "DINOv3-ConvNeXt": Encoder(
            "trailers_i_dinov3convnext", "timm/convnext_base.dinov3_lvd1689m", DINOV3
        ),
        "SigLIP2": Encoder("trailers_i_siglip2", "hf/google/siglip2-base-patch16-224", APACHE),
        "PE-Core": Encoder("trailers_i_pecore", "timm/vit_pe_core_base_patch16_224.fb", APACHE),
        "CLIP": Encoder("trailers_i_clip", "hf/openai/clip-vit-base-patch16", NOT_STATED),
        "ConvNeXtV2": Encoder(
            "trailers_i_convnextv2", "timm/convnextv2_base.fcmae_ft_in22k_in1k", NON_COMMERCIAL
        ),
    }
)
"""Run -> the encoder of images that it uses."""
VIDEOS: Mapping[str, Encoder] = MappingProxyType(
    {
        "Swin-3D-B": Encoder(
            "trailers_k_swinb", "torchvision/swin3d_b.KINETICS400_IMAGENET22K_V1", NOT_STATED
        ),
        "V-JEPA2": Encoder("trailers_v_vjepa2", "hf/facebook/vjepa2-vitl-fpc64-256", "MIT"),
        "VideoMAE": Encoder(
            "trailers_k_videomae", "hf/MCG-NJU/videomae-base-finetuned-kinetics", NON_COMMERCIAL
        ),
        "X-CLIP": Encoder("trailers_k_xclip", "hf/microsoft/xclip-base-patch32", "MIT"),
    }
)
SOUNDS: Mapping[str, Encoder] = MappingProxyType(
    {
        "CLAP": Encoder("trailers_a_clap", "hf/laion/clap-htsat-unfused", APACHE),
        "AST": Encoder(
            "trailers_a_ast", "hf/MIT/ast-finetuned-audioset-10-10-0.4593", "BSD 3-clause"
        ),
        "Log-mel": Encoder("trailers_a_logmel", "logmel/64"),
        "Speech": Encoder("trailers_a_speech", "silero/vad"),
    }
)
KINDS = (("image", "frames", IMAGES), ("video", "clips", VIDEOS), ("audio", "audio", SOUNDS))
"""Stream, the input of its stores, and its runs."""

FUSIONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "DINOv3+Swin-3D-B": {"image": "DINOv3", "video": "Swin-3D-B"},
        "SigLIP2+CLAP": {"image": "SigLIP2", "audio": "CLAP"},
        "DINOv3+Swin-3D-B+CLAP": {"image": "DINOv3", "video": "Swin-3D-B", "audio": "CLAP"},
        "SigLIP2+V-JEPA2+CLAP": {"image": "SigLIP2", "video": "V-JEPA2", "audio": "CLAP"},
    }
)
"""Run -> stream -> the run whose store it uses."""
ASKED = ("SigLIP2", "CLIP", "CLAP")
"""The runs whose stores have a row without training, too: their models also read texts."""
ZERO_SHOT = "-zero-shot"
"""Ends the names of these rows."""

NOTES = MappingProxyType(
    {
        each.store: f"Not reached from where this was made. Weights: {each.licence}."
        for _, _, encoders in KINDS
        for each in encoders.values()
        if each.licence
    }
)
"""Store -> a comment above its entry."""


def stores() -> dict[str, dict[str, Any]]:
    """The paper's stores, and those of today's encoders."""
    found: dict[str, dict[str, Any]] = {name: dict(each) for name, each in STORES.items()}
    for _, input_, encoders in KINDS:
        for each in encoders.values():
            found[each.store] = {"model": each.model, "input": input_}
    return found


def runs() -> dict[str, dict[str, Any]]:
    """The paper's runs, one for each encoder of today, fusions, and rows without training."""
    found: dict[str, dict[str, Any]] = {name: dict(each) for name, each in RUNS.items()}
    for stream, _, encoders in KINDS:
        found |= {run: {stream: each.store} for run, each in encoders.items()}
    for run, streams in FUSIONS.items():
        found[run] = {stream: found[of][stream] for stream, of in streams.items()}
    for run in ASKED:
        found[f"{run}{ZERO_SHOT}"] = found[run] | {"zero_shot": True}
    return found
