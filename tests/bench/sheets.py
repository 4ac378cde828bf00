"""CPU cost of contact sheets: in shot detection, and relative to the feature stage.

Runs shot detection on a 640x360 trailer, as tests/bench/features.py renders it, alternately

  without sheets: frames decoded at the size of the detector
  with sheets: larger frames decoded and scaled down, images kept, statistics, the sheet written

and computes the features of a few clips with the paper's backbones as in presets/trailers12k.yaml,
from the file to the features, scaled to the number of clips. Decoding for these features is timed
alone too, because it bounds the feature stage on a GPU. `make bench` runs it.
"""

import argparse
import tempfile
from pathlib import Path

import features as bench
import figures
import numpy as np
import torch
import yaml

from trailers12k.features.backbones import devices
from trailers12k.features.extraction import extract_trailer, keep_memory
from trailers12k.features.recipe import Sampling
from trailers12k.video import contact_sheets, pyscenedetect
from trailers12k.video.clip_detection import ClipSettings, detect_clips
from trailers12k.video.clips import Clip, frame_times
from trailers12k.video.probe import Probe, probe
from trailers12k.video.reader import read_frames
from trailers12k.video.shots import DETECTION_SIZE

ROOT = Path(__file__).parents[2]
PRESET = yaml.safe_load((ROOT / "presets/trailers12k.yaml").read_text())["backbones"]
STORES = [
    store
    for store, spec in bench.CONFIG["backbones"].items()
    if spec["input"] != "posters" and store in PRESET
]
SETTINGS = ClipSettings(**bench.CLIPS | {"detector": "adaptive"})


def without_sheet(path: Path, video: Probe) -> list[int]:
    """Detects the cuts, nothing else."""
    times = np.arange(round(video.duration * SETTINGS.fps)) / SETTINGS.fps
    frames = read_frames(path, video.decoder, times, DETECTION_SIZE)
    return pyscenedetect.find_cuts(frames, "adaptive", SETTINGS.min_shot, SETTINGS.fps)


def with_sheet(path: Path, video: Probe, sheet: Path) -> list[Clip]:
    clips, detection = detect_clips(path, video.decoder, video.duration, SETTINGS)
    contact_sheets.write(sheet, detection.images)
    return clips


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16"])
    args = parser.parse_args()
    keep_memory()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        trailer, sheet = Path(folder) / "trailer.mp4", Path(folder) / "sheet.jpg"
        video = probe(bench.render(trailer, args.seconds, (640, 360)))
        clips = with_sheet(trailer, video, sheet)
        without_sheet(trailer, video)
        pairs = [
            (
                bench.cpu_of(lambda: without_sheet(trailer, video)),
                bench.cpu_of(lambda: with_sheet(trailer, video, sheet)),
            )
            for _ in range(args.rounds)
        ]
        without, total = np.median(pairs, 0)
        extra = float(np.median([after - before for before, after in pairs]))
        frames = round(video.duration * SETTINGS.fps)
        print(f"{video.duration:.0f} s, {clips[-1].shot + 1} shots, {len(clips)} clips", end="; ")
        print(f"the sheet has {sheet.stat().st_size / 1000:.0f} kB")
        print(f"CPU seconds without sheets {without:.2f}, with {total:.2f}: {extra:.2f} more,")
        print(f"{1000 * extra / frames:.3f} ms per frame")
        measured = {
            "seconds": video.duration,
            "shots": clips[-1].shot + 1,
            "clips": len(clips),
            "sheet_kb": sheet.stat().st_size / 1000,
            "without_cpu": float(without),
            "with_cpu": float(total),
            "extra_ms_per_frame": 1000 * extra / frames,
        }
        per_clip, decoding = costs_per_clip(Path(folder), args.precision)
        for name, key, seconds in (
            ("feature stage", "share_of_features", per_clip),
            ("its decoding alone", "share_of_decoding", decoding),
        ):
            stage = seconds * len(clips)
            measured[f"{key}_percent"] = 100 * extra / stage
            print(f"{name}: {stage:.1f} CPU seconds; sheets are {100 * extra / stage:.2f} % of it")
        figures.write("sheets", measured)


def costs_per_clip(folder: Path, precision: str) -> tuple[float, float]:
    """CPU seconds per clip of the feature stage, all stores together, and of decoding for it."""
    trailer = bench.render(folder / "brief.mp4", 4, (640, 360))
    video = probe(trailer)
    clips = with_sheet(trailer, video, folder / "brief.jpg")
    times = np.concatenate([frame_times(clip) for clip in clips])
    networks = {
        store: (bench.load(store, precision, devices.cpu()), Sampling(24, 24)) for store in STORES
    }

    def extract(part: list[Clip]) -> None:
        extract_trailer(networks, trailer, video.decoder, part)

    extract(clips[:1])
    total = bench.cpu_of(lambda: extract(clips)) / len(clips)
    print(f"{len(STORES)} stores: {total:.3f} CPU seconds per clip", flush=True)
    decoding = bench.cpu_of(lambda: bench.read_all(trailer, video.decoder, times, None))
    return total, decoding / len(clips)


if __name__ == "__main__":
    main()
