"""The kinds of models of pictures of transformers that give features, and how each is pooled.

Reads and writes nothing. Must not import transformers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

MOST_SIDE, MOST_FRAMES = 1024, 128
"""Pixels of a picture's side, and frames of a clip; known models have 512 and 96 or fewer."""
MOST_POSITIONS = 40_000
"""Patches that a network sees at once; V-JEPA 2 with 64 frames of 384 pixels sees 18,432."""

MOST_NUMBERS = 40_000_000
"""Patches times the length of a patch's vector; V-JEPA 2 ViT-g has 18,432 times 1408, 26 million.
VideoMAE makes a table of them before its weights are looked at."""


@dataclass(frozen=True)
class Shape:
    """What a network sees at once, by its configuration.

    side: of a square picture, in pixels. patch: side of a patch. frames: of a clip; 0 for a network
    of single images. tubelet: frames of a patch.
    """

    side: int
    patch: int
    frames: int = 0
    tubelet: int = 1


@dataclass(frozen=True)
class VisionKind:
    """What the models of one `model_type` have in common.

    config: the name of a class of transformers. network: the same, by the configuration.
    processors: names of classes that its repositories name, without the ending of a variant.
    narrow: the network's configuration within that of the model; it raises ValueError where the
        model gives no such features.
    prefixes: of the names of its tensors in a file, see `hub_nets.load_network`.
    shape: by the narrow configuration.
    features: length of a vector, by the narrow configuration.
    seen: (network, pictures) -> features, float (N, features). Pictures are float32 (N, 3, H, W),
        or (N, T, 3, H, W) of clips. pooling: says that in words, by the configuration.
    small, small_processor: values of a configuration of a small network, and of its processor, for
        random weights.
    sees_clips: whether the network sees a clip, not single images.
    idle: names of its parts that have no share in the features.
    """

    config: str
    network: Callable[[Any], str]
    processors: tuple[str, ...]
    narrow: Callable[[Any], Any]
    prefixes: Mapping[str, str]
    shape: Callable[[Any], Shape]
    features: Callable[[Any], int]
    seen: Callable[[Any, Tensor], Tensor]
    pooling: Callable[[Any], str]
    small: Mapping[str, Any]
    small_processor: Mapping[str, Any] = field(default_factory=dict)
    sees_clips: bool = False
    idle: tuple[str, ...] = ()


def _clip_vision(config: Any) -> Any:
    """The projection is as long as the whole model's configuration says."""
    config.vision_config.projection_dim = config.projection_dim
    return config.vision_config


def _siglip_vision(config: Any) -> Any:
    if not config.vision_config.vision_use_head:
        raise ValueError("it has no pooled output (vision_use_head)")
    return config.vision_config


def _x_clip(config: Any) -> Any:
    """The whole model: its video embedding joins several of its parts."""
    config.hidden_size = config.vision_config.hidden_size  # of its largest vector, see hub_nets
    return config


def _video_mae(config: Any) -> Any:
    """Without a classifier, whose size no configuration states here."""
    config.num_labels = 0
    return config


def _of_video_mae(network: Any, clips: Tensor) -> Tensor:
    """The mean over all patches; with the norm before the classifier in fine-tuned weights."""
    if network.config.use_mean_pooling:
        pooled: Tensor = network(pixel_values=clips).logits
        return pooled
    mean: Tensor = network(pixel_values=clips).last_hidden_state.mean(1)
    return mean


def _image(config: Any) -> Shape:
    return Shape(config.image_size, config.patch_size)


SMALL_TOWER = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}
SMALL_TEXT = SMALL_TOWER | {"num_hidden_layers": 1, "vocab_size": 64}
SMALL_CROP = {"size": {"shortest_edge": 64}, "crop_size": {"height": 64, "width": 64}}

KINDS = {
    "clip": VisionKind(
        config="CLIPConfig",
        network=lambda config: "CLIPVisionModelWithProjection",
        processors=("CLIPImageProcessor",),
        narrow=_clip_vision,
        prefixes={"vision_model.": "vision_model.", "visual_projection.": "visual_projection."},
        shape=_image,
        features=lambda config: config.projection_dim,
        seen=lambda network, pictures: network(pixel_values=pictures).image_embeds,
        pooling=lambda config: "the network's own image_embeds: class token, projected",
        small={
            "projection_dim": 32,
            "vision_config": SMALL_TOWER | {"image_size": 64, "patch_size": 16},
            "text_config": SMALL_TEXT,
        },
        small_processor={"size": {"shortest_edge": 64}, "crop_size": 64},
    ),
    "siglip": VisionKind(
        config="SiglipConfig",
        network=lambda config: "SiglipVisionModel",
        processors=("SiglipImageProcessor",),
        narrow=_siglip_vision,
        prefixes={"vision_model.": ""},
        shape=_image,
        features=lambda config: config.hidden_size,
        seen=lambda network, pictures: network(pixel_values=pictures).pooler_output,
        pooling=lambda config: "the network's own pooler_output: attention pooling",
        small={
            "vision_config": SMALL_TOWER | {"image_size": 64, "patch_size": 16},
            "text_config": SMALL_TEXT,
        },
        small_processor={"size": {"height": 64, "width": 64}},
    ),
    "vjepa2": VisionKind(
        config="VJEPA2Config",
        network=lambda config: "VJEPA2Model",
        processors=("VJEPA2VideoProcessor",),
        narrow=lambda config: config,
        prefixes={"vjepa2.": "", "encoder.": "encoder.", "predictor.": "predictor."},
        shape=lambda config: Shape(
            config.crop_size, config.patch_size, config.frames_per_clip, config.tubelet_size
        ),
        features=lambda config: config.hidden_size,
        seen=lambda network, clips: network(
            pixel_values_videos=clips, skip_predictor=True
        ).last_hidden_state.mean(1),
        pooling=lambda config: "mean of the encoder's last hidden states over all patches",
        small={
            "hidden_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "mlp_ratio": 2,
            "pred_hidden_size": 48,
            "pred_num_attention_heads": 2,
            "pred_num_hidden_layers": 1,
            "pred_num_mask_tokens": 1,
            "crop_size": 64,
            "frames_per_clip": 8,
        },
        small_processor={"crop_size": 64},
        sees_clips=True,
        idle=("predictor",),
    ),
    "videomae": VisionKind(
        config="VideoMAEConfig",
        network=lambda config: (
            "VideoMAEForVideoClassification" if config.use_mean_pooling else "VideoMAEModel"
        ),
        processors=("VideoMAEImageProcessor", "VideoMAEVideoProcessor"),
        narrow=_video_mae,
        prefixes={},
        shape=lambda config: Shape(
            config.image_size, config.patch_size, config.num_frames, config.tubelet_size
        ),
        features=lambda config: config.hidden_size,
        seen=_of_video_mae,
        pooling=lambda config: (
            "mean of the last hidden states over all patches"
            + (", then the norm before the classifier" if config.use_mean_pooling else "")
        ),
        small=SMALL_TOWER | {"image_size": 64},
        small_processor=SMALL_CROP,
        sees_clips=True,
    ),
    "timesformer": VisionKind(
        config="TimesformerConfig",
        network=lambda config: "TimesformerModel",
        processors=("VideoMAEImageProcessor", "TimesformerVideoProcessor"),
        narrow=lambda config: config,
        prefixes={"timesformer.": "", "embeddings.": "embeddings.", "encoder.": "encoder."}
        | {"layernorm.": "layernorm."},
        shape=lambda config: Shape(config.image_size, config.patch_size, config.num_frames),
        features=lambda config: config.hidden_size,
        seen=lambda network, clips: network(pixel_values=clips).last_hidden_state[:, 0],
        pooling=lambda config: "the class token",
        small=SMALL_TOWER | {"image_size": 64},
        small_processor=SMALL_CROP,
        sees_clips=True,
    ),
    "xclip": VisionKind(
        config="XCLIPConfig",
        network=lambda config: "XCLIPModel",
        processors=("VideoMAEImageProcessor", "CLIPImageProcessor"),
        narrow=_x_clip,
        prefixes={},
        shape=lambda config: Shape(
            config.vision_config.image_size,
            config.vision_config.patch_size,
            config.vision_config.num_frames,
        ),
        features=lambda config: config.projection_dim,
        seen=lambda network, clips: network.get_video_features(clips).pooler_output,
        pooling=lambda config: "the network's own video embedding: frames projected, then joined",
        small={
            "projection_dim": 32,
            "prompt_num_attention_heads": 2,
            "vision_config": SMALL_TOWER
            | {"image_size": 64, "patch_size": 16, "mit_hidden_size": 32}
            | {"mit_intermediate_size": 64, "mit_num_attention_heads": 2}
            | {"mit_num_hidden_layers": 1},
            "text_config": SMALL_TEXT,
        },
        small_processor=SMALL_CROP,
        sees_clips=True,
        idle=("text_model", "text_projection", "logit_scale", "prompts_generator")
        + ("prompts_visual_layernorm", "prompts_visual_projection"),
    ),
}
"""`model_type` of a configuration -> its kind."""
