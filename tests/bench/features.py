"""What features cost: decoding, cropping and all else beside the bare forward passes.

A two-minute trailer of 640x360, panned over photographs with hard cuts, goes through every
backbone of config.yaml at its model's own size and all 24 frames, as in presets/trailers12k.yaml.
Printed for each, from rounds of both in turn, since the machine is noisy:

  forward   CPU seconds a clip, of forward passes over tensors that are in memory already
  total     CPU of extract_trailer, from the file to the features, over that of the forward passes
  overlap   with two threads: the wall time over the larger of decoding alone and computing alone
  start-up  CPU seconds of loading the model, paid once a job

then the same trailer in two processes at once, and the memory of an hour beside that of a minute.
`make bench` runs it. `--precision fp32` (or bf16), `--seconds 30` (of the trailer), `--brief 4`,
and names of stores, narrow it.
"""

import argparse
import multiprocessing
import tempfile
import time
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
from trailers12k.video.clips import Clip

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
CLIPS = {
    key: value
    for key, value in CONFIG["clips"].items()
    if key in {field.name for field in fields(ClipSettings)}
}
HEAVY, BRIEF = 0.2, 10
"""CPU seconds a clip from which on a trailer of so many seconds is enough. Not a part of the long
one: decord decodes ahead, and all of that would count."""

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


def wall_of(work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(
    store: str, precision: str, long: Cut, brief: Cut, rounds: int
) -> dict[str, float | str]:
    """The figures of a store: CPU seconds a clip of the forward passes alone and of all, the
    precision, and the columns of the table."""
    device = devices.cpu()
    loaded = []
    start_up = cpu_of(lambda: loaded.append(load(store, precision, device)))
    backbone = loaded[0]
    trailer, cut = long
    decoder = probe.probe(trailer).decoder
    sampling = Sampling(CLIPS["fps"], CLIPS["fpc"])

    networks = {store: (backbone, sampling)}

    def batches(part):
        for crops in read_clips(networks, trailer, decoder, part):
            yield crops[store][None]

    def inputs(part):
        """Tensors as the network takes them."""
        for crops in batches(part):
            pixels = crops if backbone._net.video else crops.flatten(0, 1)
            for few in pixels.split(backbone.batch):
                ready = backbone._net.normalize(few)
                yield ready.contiguous(memory_format=backbone._layout)

    def forward(tensors):
        half = backbone.attributes["precision"] == "bf16"
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            for tensor in tensors:
                backbone._module(tensor).float().numpy()

    def extract(ahead=False):
        return extract_trailer(networks, trailer, decoder, cut, ahead)

    few = list(inputs(cut[:2]))
    forward(few)
    if cpu_of(lambda: forward(few)) / 2 > HEAVY:
        trailer, cut = brief
    tensors = list(inputs(cut))
    pairs = [(cpu_of(lambda: forward(tensors)), cpu_of(extract)) for _ in range(rounds)]
    alone, whole = map(sum, zip(*pairs, strict=True))
    ratios = []
    for _ in range(rounds):
        decoding = wall_of(lambda: [None for _ in batches(cut)])
        computing = wall_of(lambda: forward(tensors))
        ratios.append(wall_of(lambda: extract(ahead=True)) / max(decoding, computing))
    per_clip = [seconds / rounds / len(cut) for seconds in (alone, whole)]
    return {
        "precision": str(backbone.attributes["precision"]),
        "forward_cpu": per_clip[0],
        "total_cpu": per_clip[1],
        "total_ratio": whole / alone,
        "overlap": float(np.median(ratios)),
        "start_cpu": start_up,
    }


def one_process(trailer: Path, cut: list[Clip], store: str, answer) -> None:
    keep_memory()
    torch.set_num_threads(1)
    backbone = load(store, "fp32", devices.cpu())
    networks = {store: (backbone, Sampling(24, 24))}
    answer.put(cpu_of(lambda: extract_trailer(networks, trailer, "decord", cut)))


def together(trailer: Path, cut: list[Clip], store: str, count: int) -> float:
    """CPU seconds of each of so many processes at once."""
    context = multiprocessing.get_context("spawn")
    answer = context.SimpleQueue()
    arguments = (trailer, cut, store, answer)
    running = [context.Process(target=one_process, args=arguments) for _ in range(count)]
    for process in running:
        process.start()
    total = sum(answer.get() for _ in running)
    for process in running:
        process.join()
    return total / count


def peak(trailer: Path, seconds: int, store: str, answer) -> None:
    """Peak memory of detecting clips and computing features, in MB."""
    keep_memory()
    torch.set_num_threads(1)
    decoder = probe.probe(trailer).decoder
    cut, _ = detect_clips(trailer, decoder, seconds, ClipSettings(**CLIPS))
    backbone = load(store, "fp32", devices.cpu())
    extract_trailer({store: (backbone, Sampling(24, 24))}, trailer, decoder, cut)
    # Not getrusage, whose peak a process takes over from its parent.
    status = Path("/proc/self/status").read_text()
    answer.put(int(status.partition("VmHWM:")[2].split()[0]) / 1024)


def peak_of(trailer: Path, seconds: int, store: str) -> float:
    context = multiprocessing.get_context("spawn")
    answer = context.SimpleQueue()
    process = context.Process(target=peak, args=(trailer, seconds, store, answer))
    process.start()
    value = answer.get()
    process.join()
    return value


def read_all(trailer: Path, decoder: str, times: np.ndarray, size: int | None) -> None:
    for _ in video.read_frames(trailer, decoder, times, size):
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stores", nargs="*")
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16"])
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--brief", type=int, default=BRIEF, help="seconds for slow backbones")
    parser.add_argument("--hour", type=int, default=3600, help="seconds of the long file")
    args = parser.parse_args()
    keep_memory()
    torch.set_num_threads(1)
    names = [s for s, spec in CONFIG["backbones"].items() if spec["input"] != "posters"]
    with tempfile.TemporaryDirectory() as folder:
        trailer = render(Path(folder) / "trailer.mp4", args.seconds, (640, 360))
        probed = probe.probe(trailer)
        cut, _ = detect_clips(trailer, probed.decoder, probed.duration, ClipSettings(**CLIPS))
        print(f"{probed.duration:.0f} s, {len(cut)} clips, {trailer.stat().st_size / 1e6:.1f} MB")
        times = np.arange(round(probed.duration * 24)) / 24
        measured: dict[str, float | int | str] = {
            "trailer_seconds": round(probed.duration),
            "trailer_clips": len(cut),
            "trailer_mb": trailer.stat().st_size / 1e6,
        }
        for size in (256, 128, 27):
            read = cpu_of(lambda size=size: read_all(trailer, probed.decoder, times, size))
            measured[f"read_{size}_ms_per_frame"] = 1000 * read / len(times)
            print(f"reading at short side {size}: {1000 * read / len(times):.2f} CPU ms a frame")
        print("| store | precision | forward | total | overlap | start-up |")
        print("|---|---|---|---|---|---|")
        few = render(Path(folder) / "brief.mp4", args.brief, (640, 360))
        brief = few, detect_clips(few, probed.decoder, args.brief, ClipSettings(**CLIPS))[0]
        sums = [0.0, 0.0]
        for store in args.stores or names:
            row = measure(store, args.precision, (trailer, cut), brief, args.rounds)
            measured |= {f"{store}_{name}": value for name, value in row.items()}
            sums = [sums[0] + row["forward_cpu"], sums[1] + row["total_cpu"]]
            precision, forward, _, *ratios = row.values()
            cells = [f"{forward:.3f}", *(f"{value:.2f}" for value in ratios)]
            print(f"| {store} | {precision} | {' | '.join(cells)} |", flush=True)
        print(f"| all of them | | {sums[0]:.3f} | {sums[1] / sums[0]:.2f} | | |")
        measured |= {"all_forward_cpu": sums[0], "all_total_cpu": sums[1]}
        measured["all_total_ratio"] = sums[1] / sums[0]
        light = "trailers_k_shufflenet_fps24_fpc24"
        alone, both = (together(trailer, cut, light, count) for count in (1, 2))
        print(f"two processes at once: {both / alone:.2f} of the CPU of one, each")
        short = render(Path(folder) / "short.mp4", 60, (160, 90))
        long = render(Path(folder) / "long.mp4", args.hour, (160, 90))
        small, large = peak_of(short, 60, light), peak_of(long, args.hour, light)
        print(f"peak memory: {large:.0f} MB for {args.hour} s, {small:.0f} MB for 60 s: ", end="")
        print(f"{large / small:.2f}")
        measured |= {
            "two_processes_ratio": both / alone,
            f"memory_{args.hour}_s_mb": large,
            "memory_60_s_mb": small,
        }
    if args.stores or args.precision != "auto":
        print("not kept: a part of the stores, or another precision")
    else:
        figures.write("features", measured)


if __name__ == "__main__":
    main()
