"""What collections of several sizes cost, by the formulas of `trailers12k estimate`: `make bench`.

Measures nothing; reads the figures that estimate.py measured, so that docs/scale.md and the command
agree. The paper's settings on 16 cores without a GPU, and `trailers12k init`'s on 4.
"""

import figures
import yaml

from trailers12k.settings import Settings, load
from trailers12k.settings.files import override
from trailers12k.workflow import estimate as formulas
from trailers12k.workflow import estimate_text
from trailers12k.workflow.estimate_inputs import shipped_figures
from trailers12k.workflow.measured import shipped

EXAMPLE = figures.ROOT / "trailers12k/cli/examples/config.yaml"
PAPER_CORES, OWN_CORES = 16, 4
SIZES = {500: 5, 12_000: 128, 120_000: 1_000, 1_000_000: 1_000}
"""Movies -> shards."""


def settings_of(**keys: object) -> Settings:
    return load(override({"movies": "trailers12k", "device": "cpu"}, keys))


def of_size(movies: int, shards: int, values: dict[str, float]) -> dict[str, float]:
    """The figures of one size, each with the size at the end of its name."""
    size = formulas.Collection(movies, youtube=movies, web=0)
    settings = settings_of(shards=shards)
    costs = formulas.estimate(settings, size, values, PAPER_CORES)
    stages = {stage.stage: stage for stage in costs.stages}
    downloads, features = stages[formulas.DOWNLOADS], stages[formulas.FEATURE_STAGE]
    transnet = formulas.estimate(
        settings_of(shards=shards, clips={"detector": "transnetv2"}), size, values, PAPER_CORES
    )
    slow = next(stage for stage in transnet.stages if stage.stage == formulas.CLIPS)
    hours = {
        "downloads_wall": downloads.wall,
        "downloads_cpu": downloads.cpu,
        "shots_cpu": stages[formulas.CLIPS].cpu,
        "transnetv2_cpu": slow.cpu,
        "features_cpu": features.cpu,
        "features_wall": features.wall,
        "decoding_cpu": movies * size.clips * values["decode"],
        "training_cpu": stages[formulas.TRAINING].cpu,
        "training_wall": stages[formulas.TRAINING].wall,
        "all_wall": costs.wall,
    }
    packed = features.disk / (1 + 1 / formulas.published.PACKED)
    amounts = {
        "videos_gb": downloads.disk,
        "stores_gb": features.disk - packed,
        "packed_gb": packed,
        "sheets_gb": stages[formulas.CLIPS].disk,
        "disk_gb": sum(stage.disk for stage in costs.stages),
    }
    result = {f"{name}_hours_{movies}": seconds / 3600 for name, seconds in hours.items()}
    result |= {
        f"{name}_days_{movies}": seconds / 86400
        for name, seconds in hours.items()
        if name.endswith("wall")
    }
    result |= {f"{name}_{movies}": size / 1e9 for name, size in amounts.items()}
    return result


def text(settings: Settings, movies: int, cores: int) -> str:
    """What the command prints for a collection from YouTube."""
    measured = shipped("estimate")
    size = formulas.Collection(movies, youtube=movies, web=0)
    costs = formulas.estimate(settings, size, shipped_figures(), cores)
    origin = f"measured on {measured.date}, {measured.machine}"
    has_gpu, of_trailer = settings.device != "cpu", formulas.trailer_bytes(settings, size)
    return estimate_text.describe(costs, size, cores, origin, 1e15, has_gpu, of_trailer)


def main() -> None:
    values = shipped_figures()
    result: dict[str, float | int | str] = {
        "cores": PAPER_CORES,
        "own_cores": OWN_CORES,
        "trailer_seconds": formulas.TRAILER_SECONDS,
        "trailer_clips": round(formulas.TRAILER_SECONDS * formulas.CLIPS_PER_SECOND),
        "trailer_mb": formulas.TRAILER_SECONDS * formulas.TRAILER_BYTES / 1e6,
        "downloads_per_hour": round(formulas.GUEST_RATE * 3600),
    }
    for movies, shards in SIZES.items():
        result |= of_size(movies, shards, values)
    own = yaml.safe_load(EXAMPLE.read_text()) | {"shards": SIZES[500], "device": "cpu"}
    result["estimate_500"] = text(load(own), 500, OWN_CORES)
    result["estimate_12000"] = text(settings_of(shards=SIZES[12_000]), 12_000, PAPER_CORES)
    print(result["estimate_500"], result["estimate_12000"], sep="\n\n")
    figures.write("scale", result)


if __name__ == "__main__":
    main()
