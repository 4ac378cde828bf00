"""What features cost: decoding, resizing and all else beside the bare forward passes.

A trailer of 640x360, panned over photographs with hard cuts, goes through every backbone of
config.yaml at its model's own size and all 24 frames, as in presets/trailers12k.yaml: each alone,
the six of the dataset in one pass, and the three light ones in one pass. Printed are medians of
rounds that measure both in turn, since the machine is noisy, on one thread:

  forward   CPU seconds a clip, of forward passes over tensors that are in memory already
  total     CPU of extract_trailer, from the file to the features, over that of the forward passes
  start-up  CPU seconds of loading the model, paid once a job

then the CPU of two processes at once over that of one, and the memory of the six for an hour beside
that for a minute. `make bench` runs it. `--precision fp32` (or bf16), `--seconds 30` (of the
trailer), `--brief 4`, `--rounds`, and names of stores, narrow it.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import av
import figures
import numpy as np
import torch
import yaml
from PIL import Image
from skimage import data
from sklearn.datasets import load_sample_image

from trailers12k.features.backbones import devices
from trailers12k.features.backbones.common import Backbone
from trailers12k.features.backbones.loading import load as load_backbone
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.features.extraction import extract_trailer, keep_memory, read_clips
from trailers12k.features.recipe import Sampling
from trailers12k.video import probe
from trailers12k.video import reader as video
from trailers12k.video.clip_detection import ClipSettings, detect_clips
from trailers12k.video.clips import Clip, frame_times

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
CLIPS = {
    key: value
    for key, value in CONFIG["clips"].items()
    if key in {field.name for field in fields(ClipSettings)}
}
BRIEF = 2
"""Seconds of a trailer that are enough for slow backbones."""
SIX = [
    "trailers_i_shufflenet_fpc24",
    "trailers_i_resnet_fpc24",
    "trailers_i_swin_fpc24",
    "trailers_k_shufflenet_fps24_fpc24",
    "trailers_k_r2plus1d_fps24_fpc24",
    "trailers_ik_swin_fps24_fpc24",
]
LIGHT = [SIX[0], SIX[3], "trailers_i_efficientnet_fpc24"]

Cut = tuple[Path, list[Clip]]


def render(path: Path, seconds: int, size: tuple[int, int], seed: int = 0) -> Path:
    """Shots of 15 to 100 frames over photographs, with grain, at 24 fps."""
    random = np.random.default_rng(seed)
    photos = [data.astronaut(), data.coffee(), data.chelsea(), load_sample_image("china.jpg")]
    width, height = size
    large = [Image.fromarray(p).resize((width * 3 // 2, height * 2)) for p in photos]
    grain = random.normal(0, 4, (8, height, width, 1))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        left = seconds * 24
        while left > 0:
            photo, length = large[random.integers(4)], min(left, int(random.integers(15, 100)))
            x, y = random.uniform(0, width // 4), random.uniform(0, height // 2)
            dx, dy = random.uniform(0, 1.2, 2) * width / 640
            for i in range(length):
                box = (x + dx * i, y + dy * i, x + dx * i + width, y + dy * i + height)
                pixels = np.asarray(photo.crop(tuple(map(int, box)))) + grain[i % 8]
                frame = np.clip(pixels, 0, 255).astype(np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            left -= length
        container.mux(stream.encode(None))
    return path


def load(store: str, precision: str, device: devices.Device) -> Backbone:
    """The backbone of a store as the real preset has it, but with random weights."""
    spec = {key: value for key, value in CONFIG["backbones"][store].items() if key != "size"}
    spec = {"weights": "random", "precision": precision} | spec
    return load_backbone(BackboneSpec(**spec), 0, device=device)


def cpu_of(work) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


class Pass:
    """Some backbones over one trailer. stores: their names."""

    def __init__(self, backbones: dict[str, Backbone], trailer: Path, cut: list[Clip]):
        self._backbones, self._trailer, self._cut = backbones, trailer, cut
        self._decoder = probe.probe(trailer).decoder
        sampling = Sampling(CLIPS["fps"], CLIPS["fpc"])
        self._networks = {store: (net, sampling) for store, net in backbones.items()}
        self._inputs = {store: list(self._tensors(store)) for store in backbones}

    def _tensors(self, store: str) -> Iterator[torch.Tensor]:
        """What the network takes, in the batches that a trailer makes."""
        net = self._backbones[store]
        own = {store: self._networks[store]}
        crops = [crops[store] for crops in read_clips(own, self._trailer, self._decoder, self._cut)]
        count = net.clips_at_a_time(CLIPS["fpc"])
        for first in range(0, len(crops), count):
            pixels = torch.stack(crops[first : first + count])
            for few in (pixels if net.video else pixels.flatten(0, 1)).split(net.batch):
                yield net._net.normalize(few).contiguous(memory_format=net._layout)

    @torch.inference_mode()
    def forward(self) -> None:
        for store, net in self._backbones.items():
            half = net.attributes["precision"] == "bf16"
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                for tensor in self._inputs[store]:
                    net._module(tensor).float().numpy()

    def extract(self) -> None:
        extract_trailer(self._networks, self._trailer, self._decoder, self._cut)

    def measure(self, rounds: int) -> dict[str, float]:
        """Medians of rounds of both in turn: CPU seconds a clip, and the ratio."""
        self.forward()
        self.extract()
        pairs = [(cpu_of(self.forward), cpu_of(self.extract)) for _ in range(rounds)]
        alone, whole = (float(np.median(own)) / len(self._cut) for own in zip(*pairs, strict=True))
        ratio = float(np.median([whole / alone for alone, whole in pairs]))
        return {"forward_cpu": alone, "total_cpu": whole, "total_ratio": ratio}


def one_process(trailer: Path, cut: list[Clip], stores: list[str], answer) -> None:
    keep_memory()
    torch.set_num_threads(1)
    loaded = {store: load(store, "fp32", devices.cpu()) for store in stores}
    networks = {store: (net, Sampling(24, 24)) for store, net in loaded.items()}
    answer.put(cpu_of(lambda: extract_trailer(networks, trailer, "decord", cut)))


def together(trailer: Path, cut: list[Clip], stores: list[str], count: int) -> float:
    """CPU seconds of each of so many processes at once."""
    context = multiprocessing.get_context("spawn")
    answer = context.SimpleQueue()
    arguments = (trailer, cut, stores, answer)
    running = [context.Process(target=one_process, args=arguments) for _ in range(count)]
    for process in running:
        process.start()
    total = sum(answer.get() for _ in running)
    for process in running:
        process.join()
    return total / count


def peak(trailer: Path, seconds: int, stores: list[str], image_frames: int, answer) -> None:
    """Peak memory of detecting clips and computing features, in MB."""
    keep_memory()
    torch.set_num_threads(1)
    decoder = probe.probe(trailer).decoder
    cut, _ = detect_clips(trailer, decoder, seconds, ClipSettings(**CLIPS))
    networks = {}
    for store in stores:
        net = load(store, "auto", devices.cpu())
        networks[store] = net, Sampling(24, 24, None if net.video else image_frames)
    extract_trailer(networks, trailer, decoder, cut)
    # Not getrusage, whose peak a process takes over from its parent.
    status = Path("/proc/self/status").read_text()
    answer.put(int(status.partition("VmHWM:")[2].split()[0]) / 1024)


def peak_of(trailer: Path, seconds: int, stores: list[str], image_frames: int = 24) -> float:
    context = multiprocessing.get_context("spawn")
    answer = context.SimpleQueue()
    arguments = (trailer, seconds, stores, image_frames, answer)
    process = context.Process(target=peak, args=arguments)
    process.start()
    value = answer.get()
    process.join()
    return value


def read_all(trailer: Path, decoder: str, times: np.ndarray, size: int | None) -> None:
    for _ in video.read_frames(trailer, decoder, times, size):
        pass


def measure_costs(folder: Path, args: argparse.Namespace) -> dict[str, float | str]:
    """Reading, each backbone alone, and groups of them in one pass."""
    trailer, cut = trailer_of(folder / "trailer.mp4", args.seconds)
    brief, few = trailer_of(folder / "brief.mp4", args.brief)
    decoder = probe.probe(trailer).decoder
    times = np.concatenate([frame_times(clip) for clip in cut])
    measured: dict[str, float | str] = {
        "trailer_seconds": args.seconds,
        "trailer_clips": len(cut),
        "trailer_mb": trailer.stat().st_size / 1e6,
        "group_seconds": args.brief,
        "group_clips": len(few),
    }
    for name, size in {"whole": None, "256": 256, "128": 128, "27": 27}.items():
        read = 1000 * cpu_of(lambda size=size: read_all(trailer, decoder, times, size)) / len(times)
        measured[f"read_{name}_ms_per_frame"] = read
        print(f"reading frames ({name}): {read:.2f} CPU ms a frame")
    print("| store | precision | forward | total | start-up |")
    print("|---|---|---|---|---|")
    loaded: dict[str, Backbone] = {}
    for store in args.stores or [*SIX, *LIGHT[2:]]:
        began = time.process_time()
        loaded[store] = load(store, args.precision, devices.cpu())
        start_up = time.process_time() - began
        own = (trailer, cut) if store in LIGHT else (brief, few)
        row = Pass({store: loaded[store]}, *own).measure(args.rounds)
        precision = str(loaded[store].attributes["precision"])
        measured |= {f"{store}_{name}": value for name, value in row.items()}
        measured |= {f"{store}_precision": precision, f"{store}_start_cpu": start_up}
        cells = f"{row['forward_cpu']:.3f} | {row['total_ratio']:.3f} | {start_up:.2f}"
        print(f"| {store} | {precision} | {cells} |", flush=True)
    for name, stores, own in (("light", LIGHT, (trailer, cut)), ("all", SIX, (brief, few))):
        if not loaded.keys() >= set(stores):
            continue
        row = Pass({store: loaded[store] for store in stores}, *own).measure(args.rounds)
        measured |= {f"{name}_{key}": value for key, value in row.items()}
        print(f"| {name}: {len(stores)} in one pass | | {row['forward_cpu']:.3f} | ", end="")
        print(f"{row['total_ratio']:.3f} | |", flush=True)
    return measured


def trailer_of(path: Path, seconds: int) -> Cut:
    render(path, seconds, (640, 360))
    return path, detect_clips(path, probe.probe(path).decoder, seconds, ClipSettings(**CLIPS))[0]


def measure_processes(folder: Path, args: argparse.Namespace) -> dict[str, float]:
    """Pairs of one process and two at once; the median of their ratios."""
    trailer, cut = trailer_of(folder / "pairs.mp4", args.seconds)
    ratios = []
    for _ in range(args.pairs):
        alone, both = (together(trailer, cut, LIGHT, count) for count in (1, 2))
        ratios.append(both / alone)
    print(f"two processes at once: {np.median(ratios):.2f} of the CPU of one, each", flush=True)
    return {"two_processes_ratio": float(np.median(ratios))}


def measure_memory(folder: Path, args: argparse.Namespace) -> dict[str, float]:
    """The six in one pass; of a long file with one frame a clip for networks of images."""
    brief, _ = trailer_of(folder / "peak.mp4", args.brief)
    six = peak_of(brief, args.brief, SIX)
    short = render(folder / "short.mp4", 60, (160, 90))
    long = render(folder / "long.mp4", args.hour, (160, 90))
    small, large = (peak_of(*own, LIGHT, 1) for own in ((short, 60), (long, args.hour)))
    print(f"peak memory: {six:.0f} MB for the six; of the light ones {large:.0f} MB for ", end="")
    print(f"{args.hour} s, {small:.0f} MB for 60 s: {large / small:.2f}")
    return {
        "memory_six_mb": six,
        "memory_long_seconds": args.hour,
        "memory_long_mb": large,
        "memory_60_s_mb": small,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stores", nargs="*")
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16"])
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=5, help="of one process and two at once")
    parser.add_argument("--brief", type=int, default=BRIEF, help="seconds for slow backbones")
    parser.add_argument("--hour", type=int, default=3600, help="seconds of the long file")
    args = parser.parse_args()
    keep_memory()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measured = measure_costs(folder, args)
        if not args.stores:
            measured |= measure_processes(folder, args) | measure_memory(folder, args)
    if args.stores or args.precision != "auto":
        print("not kept: a part of the stores, or another precision")
    else:
        figures.write("features", measured)


if __name__ == "__main__":
    main()
