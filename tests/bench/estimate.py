"""The figures with which `trailers12k estimate` is shipped: `make bench`, after sample.py.

Every backbone of config.yaml, the presets and `trailers12k init`, in fp32 and in the precision that
`auto` chooses here; all shot detectors; an epoch; what a job costs beside its work.
"""

import time

import figures
import numpy as np
import torch
import yaml
from transformers import ASTConfig, ASTModel

from trailers12k.classifier import speed as training_speed
from trailers12k.features import speed
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.report.embedding import places
from trailers12k.settings import load
from trailers12k.settings.files import override
from trailers12k.video.clip_detection import ClipSettings
from trailers12k.workflow.estimate_inputs import backbone_specs
from trailers12k.workflow.measured import shipped

EXAMPLE = figures.ROOT / "trailers12k/cli/examples/config.yaml"


def map_cpu(movies: int = 2_000) -> float:
    """CPU seconds of a movie in the map of a store."""
    values = np.random.default_rng(0).standard_normal((movies, 768))
    began = time.process_time()
    places(values)
    return (time.process_time() - began) / movies


def slowest_sound() -> float:
    """CPU seconds of a clip in the audio spectrogram transformer, with random weights."""
    torch.set_num_threads(1)
    network = ASTModel(ASTConfig()).eval()
    with torch.inference_mode():
        return speed._cpu_of(lambda: network(torch.zeros(1, 1024, 128)))


def main() -> None:
    default = yaml.safe_load((figures.ROOT / "config.yaml").read_text())
    configs = [default, {"movies": "trailers12k"}, yaml.safe_load(EXAMPLE.read_text())]
    specs = {}
    for config in configs:
        for precision in ("auto", "fp32"):
            settings = load(override(config, {"precision": precision}))
            specs |= backbone_specs(settings)
    measured = {"epoch": training_speed.measure()}
    for detector in ("transnetv2", "content", "adaptive"):
        measured |= speed.measure({}, ClipSettings(detector=detector))
    for name, spec in specs.items():
        measured |= speed.measure({name: spec}, ClipSettings())
        print(f"{name}: {measured[name]} CPU s", flush=True)
    for kind in ("clip", "image"):
        of_kind = [
            measured[name]
            for name, spec in specs.items()
            if not isinstance(spec, SoundSpec) and (spec.input == "clips") == (kind == "clip")
        ]
        measured[f"slowest {kind}"] = max(of_kind)
    measured["slowest sound"] = slowest_sound()
    sample, downloads = shipped("sample").figures, shipped("acquisition").figures
    measured |= {
        "download": downloads["download_cpu"],
        "job": sample["job_cpu"],
        "torch job": sample["torch_job_cpu"],
        "map": map_cpu(),
        "store": sample["store_cpu"],
        "report": sample["report_cpu"],
    }
    figures.write("estimate", measured)


if __name__ == "__main__":
    main()
