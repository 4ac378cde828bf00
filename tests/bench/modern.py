"""What the encoders of the preset `modern` cost on this CPU: `make bench`, after estimate.py.

Each has random weights in its full size, in the precision that `auto` chooses here, on one thread.
The package draws small networks for random weights of the hub. Here they have the sizes of `SIZES`;
everything else is the package's own: processor, choice of frames, pooling. Names narrow it: figures
of others are kept.
"""

import sys
from dataclasses import replace
from typing import Any

import figures
import yaml

from trailers12k.features import speed
from trailers12k.features.backbones import hub_kinds, hub_known, hub_vision_kinds, hub_vision_known
from trailers12k.settings import Settings, load
from trailers12k.video.clip_detection import ClipSettings
from trailers12k.workflow.estimate import FEATURE_STAGE, TRAINING, Collection, estimate
from trailers12k.workflow.estimate_inputs import PAPER_MOVIES, backbone_specs, shipped_figures
from trailers12k.workflow.measured import shipped

CORES = 64
VJEPA2 = "hf/facebook/vjepa2-vitl-fpc64-256 own size auto"
SIZES: dict[str, dict[str, Any]] = {
    "hf/openai/clip-vit-base-patch16": {"vision_config": {"patch_size": 16}},
    "hf/google/siglip2-base-patch16-224": {},
    "hf/facebook/vjepa2-vitl-fpc64-256": {},
    "hf/MCG-NJU/videomae-base-finetuned-kinetics": {},
    "hf/microsoft/xclip-base-patch32": {},
    "hf/laion/clap-htsat-unfused": {},
    "hf/MIT/ast-finetuned-audioset-10-10-0.4593": {},
}
"""Model of the hub -> where its config.json differs from the library's defaults of its kind, as far
as that costs time. From memory of the published files, which could not be fetched."""


def in_full_size(model: str) -> None:
    """Let random weights of a model's kind have its own size."""
    if found := hub_vision_known.known(model):
        seen = hub_vision_kinds.KINDS
        seen[found.kind] = replace(seen[found.kind], small=SIZES[model], small_processor={})
    elif heard := hub_known.known(model):
        own = hub_kinds.KINDS
        # CLAP's extractor cuts windows as its configuration says, and its default fuses four.
        kept = {"truncation": "rand_trunc"} if heard.kind == "clap" else {}
        own[heard.kind] = replace(own[heard.kind], small=SIZES[model], small_processor=kept)


def of_collection(settings: Settings, measured: dict[str, float]) -> dict[str, float]:
    """What `trailers12k estimate` says of the preset, for the documentation. In hours and GB."""
    size = Collection(PAPER_MOVIES, youtube=PAPER_MOVIES, web=0)
    costs = estimate(settings, size, shipped_figures() | measured, CORES)
    features = next(each for each in costs.stages if each.stage == FEATURE_STAGE)
    return {
        "features_hours": features.cpu / 3600,
        "vjepa2_hours": size.movies * size.clips * measured[VJEPA2] / 3600,
        "training_hours": sum(s.cpu for s in costs.stages if s.stage == TRAINING) / 3600,
        "disk": sum(each.disk for each in costs.stages) / 1e9,
        "cores": CORES,
        "days": costs.wall / 86_400,
        "guessed": len(costs.unknown),
    }


def main() -> None:
    settings = load(yaml.safe_load((figures.ROOT / "presets/modern.yaml").read_text()))
    known = shipped("estimate").figures
    wanted = sys.argv[1:]
    measured: dict[str, float] = dict(shipped("modern").figures) if wanted else {}
    for name, spec in backbone_specs(settings, hub=True).items():
        if name in known or (wanted and not any(each in name for each in wanted)):
            continue
        if spec.model in SIZES:
            in_full_size(spec.model)
        measured[name] = speed.measure({name: spec}, ClipSettings(detector="content"))[name]
        print(f"{name}: {measured[name]} CPU s", flush=True)
    figures.write("modern", measured | of_collection(settings, measured))


if __name__ == "__main__":
    main()
