"""What contact sheets cost: the extra CPU of finding shots, and its share of the feature stage.

A trailer of 640x360, as tests/bench/features.py renders it, is looked through in turns

  without  decoded at the detector's size, for the cuts alone
  with     decoded larger and shrunk, pictures kept, black and still ones counted, the sheet written

and a few clips of it go through the paper's backbones as in presets/trailers12k.yaml, from the file
to the features, scaled by the number of clips. Last, what decoding alone costs for these: no GPU
makes the feature stage cheaper than that. `make bench` runs it.
"""

import argparse
import tempfile
from pathlib import Path

import features as bench
import numpy as np
import torch
import yaml

from trailers12k.features import extraction as features
from trailers12k.features.backbones import devices
from trailers12k.features.backbones.common import Backbone
from trailers12k.video import clips, probe, shots
from trailers12k.video import contact_sheets as sheets
from trailers12k.video import reader as video

ROOT = Path(__file__).parents[2]
PRESET = yaml.safe_load((ROOT / "presets/trailers12k.yaml").read_text())["backbones"]
STORES = [
    store
    for store, spec in bench.CONFIG["backbones"].items()
    if spec["input"] != "posters" and PRESET.get(store, {}) is not None
]


def without(path: Path, found: probe.Probe) -> list[int]:
    """The cuts as they were found before there were sheets."""
    fps = bench.CLIPS["fps"]
    times = np.arange(round(found.duration * fps)) / fps
    frames = video.read_frames(path, found.decoder, times, shots.DETECTION_SIZE)
    return shots._scenedetect_cuts(frames, "AdaptiveDetector", bench.CLIPS["min_shot"], fps)


def with_sheet(path: Path, found: probe.Probe, sheet: Path) -> list[clips.Clip]:
    settings = bench.CLIPS | {"detector": "adaptive"}
    made, seen = clips.find_clips(path, found.decoder, found.duration, settings)
    sheets.write(sheet, seen.pictures)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16"])
    args = parser.parse_args()
    features.keep_memory()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        trailer, sheet = Path(folder) / "trailer.mp4", Path(folder) / "sheet.jpg"
        found = probe.probe(bench.render(trailer, args.seconds, (640, 360)))
        cut = with_sheet(trailer, found, sheet)
        without(trailer, found)
        pairs = [
            (
                bench.cpu_of(lambda: without(trailer, found)),
                bench.cpu_of(lambda: with_sheet(trailer, found, sheet)),
            )
            for _ in range(args.rounds)
        ]
        plain, all_of_it = np.median(pairs, 0)
        extra = float(np.median([after - before for before, after in pairs]))
        frames = round(found.duration * bench.CLIPS["fps"])
        print(f"{found.duration:.0f} s, {cut[-1].shot + 1} shots, {len(cut)} clips", end="; ")
        print(f"the sheet has {sheet.stat().st_size / 1000:.0f} kB")
        print(f"CPU seconds without sheets {plain:.2f}, with {all_of_it:.2f}: {extra:.2f} more,")
        print(f"{1000 * extra / frames:.3f} ms a frame")
        brief = bench.render(Path(folder) / "brief.mp4", 4, (640, 360))
        read = probe.probe(brief).decoder
        few = with_sheet(brief, probe.probe(brief), sheet)
        times = np.concatenate([clips.frame_times(clip) for clip in few])
        a_clip = decoding = 0.0
        for store in STORES:
            net = bench.load(store, args.precision, devices.cpu())

            def extract(part: list[clips.Clip], net: Backbone = net) -> None:
                features.extract_movie(net, brief, read, part, 24, 24)

            extract(few[:1])
            cpu = bench.cpu_of(lambda extract=extract: extract(few)) / len(few)
            print(f"{store}: {cpu:.3f} CPU seconds a clip", flush=True)
            alone = bench.cpu_of(lambda side=net.side: bench.read_all(brief, read, times, side))
            a_clip, decoding = a_clip + cpu, decoding + alone / len(few)
        for words, seconds in (("the feature stage", a_clip), ("its decoding alone", decoding)):
            stage = seconds * len(cut)
            print(f"{words}: {stage:.1f} CPU seconds; sheets are {100 * extra / stage:.2f} % of it")


if __name__ == "__main__":
    main()
