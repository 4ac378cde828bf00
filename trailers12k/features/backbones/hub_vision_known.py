"""Models of pictures of the hub that `trailers12k backbones` lists; others of their kinds work too.

Reads and writes nothing. Must not import torch. Written down by hand from the models' own pages and
papers, since a list is no reason to ask a network.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class KnownVision:
    """A model of the hub. kind: `model_type` in its configuration. features: length of a vector.

    license: as its page states it; empty where none is stated.
    rate: frames a second that it was trained on; None for a network of single images, and for one
        trained on frames evenly spaced over a whole clip.
    """

    kind: str
    features: int
    license: str
    rate: float | None = None


V_JEPA = 4.0
"""V-JEPA 2: clips at 4 frames a second. Assran et al., arXiv:2506.09985, section 2; `fps` in
configs/train of its repository."""
VIDEO_MAE = 30 / 4
"""VideoMAE on Kinetics: each 4th frame of videos of 30 frames a second. Tong et al.,
arXiv:2203.12602, section 4; that of Something-Something V2 is trained on evenly spaced frames."""
TIMESFORMER = 30 / 32
"""TimeSformer on Kinetics: each 32nd frame. Bertasius et al., arXiv:2102.05095, section 4. X-CLIP
is trained on evenly spaced frames: Ni et al., arXiv:2208.02816, section 4."""
TIMESFORMER_HR = 30 / 16
"""TimeSformer-HR: each 16th frame. The same paper, section 4.3."""
NON_COMMERCIAL = "cc-by-nc-4.0"

KNOWN = {
    "hf/openai/clip-vit-base-patch32": KnownVision("clip", 512, ""),
    "hf/openai/clip-vit-base-patch16": KnownVision("clip", 512, ""),
    "hf/openai/clip-vit-large-patch14": KnownVision("clip", 768, ""),
    "hf/laion/CLIP-ViT-B-32-laion2B-s34B-b79K": KnownVision("clip", 512, "mit"),
    "hf/laion/CLIP-ViT-L-14-laion2B-s32B-b82K": KnownVision("clip", 768, "mit"),
    "hf/google/siglip-base-patch16-224": KnownVision("siglip", 768, "apache-2.0"),
    "hf/google/siglip-so400m-patch14-384": KnownVision("siglip", 1152, "apache-2.0"),
    "hf/google/siglip2-base-patch16-224": KnownVision("siglip", 768, "apache-2.0"),
    "hf/google/siglip2-large-patch16-256": KnownVision("siglip", 1024, "apache-2.0"),
    "hf/google/siglip2-so400m-patch14-384": KnownVision("siglip", 1152, "apache-2.0"),
    "hf/facebook/vjepa2-vitl-fpc64-256": KnownVision("vjepa2", 1024, "mit", V_JEPA),
    "hf/facebook/vjepa2-vith-fpc64-256": KnownVision("vjepa2", 1280, "mit", V_JEPA),
    "hf/facebook/vjepa2-vitg-fpc64-256": KnownVision("vjepa2", 1408, "apache-2.0", V_JEPA),
    "hf/facebook/vjepa2-vitg-fpc64-384": KnownVision("vjepa2", 1408, "apache-2.0", V_JEPA),
    "hf/MCG-NJU/videomae-base": KnownVision("videomae", 768, NON_COMMERCIAL, VIDEO_MAE),
    "hf/MCG-NJU/videomae-large": KnownVision("videomae", 1024, NON_COMMERCIAL, VIDEO_MAE),
    "hf/MCG-NJU/videomae-base-finetuned-kinetics": KnownVision(
        "videomae", 768, NON_COMMERCIAL, VIDEO_MAE
    ),
    "hf/MCG-NJU/videomae-large-finetuned-kinetics": KnownVision(
        "videomae", 1024, NON_COMMERCIAL, VIDEO_MAE
    ),
    "hf/MCG-NJU/videomae-base-finetuned-ssv2": KnownVision("videomae", 768, NON_COMMERCIAL),
    "hf/facebook/timesformer-base-finetuned-k400": KnownVision(
        "timesformer", 768, NON_COMMERCIAL, TIMESFORMER
    ),
    "hf/facebook/timesformer-base-finetuned-k600": KnownVision(
        "timesformer", 768, NON_COMMERCIAL, TIMESFORMER
    ),
    "hf/facebook/timesformer-hr-finetuned-k400": KnownVision(
        "timesformer", 768, NON_COMMERCIAL, TIMESFORMER_HR
    ),
    "hf/microsoft/xclip-base-patch32": KnownVision("xclip", 512, "mit"),
    "hf/microsoft/xclip-base-patch16": KnownVision("xclip", 512, "mit"),
    "hf/microsoft/xclip-large-patch14": KnownVision("xclip", 768, "mit"),
}
"""The name of a model, without its revision -> its entry. The fixed-size models of SigLIP 2 are of
the kind siglip."""


def known(model: str) -> KnownVision | None:
    """What is known of a model, whatever its revision; None for others."""
    return KNOWN.get(model.partition("@")[0])
