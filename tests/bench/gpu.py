"""What a GPU does with the paper's backbones, and which part of the pass is slowest.

Needs the package and a machine with CUDA, nothing else; without one it says so and ends with exit
code 2. A synthetic trailer of 640x360 goes through the six backbones of trailers at full size,
with random weights, on which no time depends. Printed, in frames a second:

  decoding  of one core, and of all threads together
  copying   whole frames to the device
  alone     a network's forward passes, in batches of the size that is fastest
  files     from files to features: each network, and all six from one decode; `needed` is the
            share of this time in which the networks alone would compute as many frames, `passes`
            the share in which a transform or a pass was under way, `trailer` the seconds for one of
            2.5 minutes, and `memory` the most GB of the device in use
  cosine    the least, of a clip's features to those of the CPU in fp32
  training  seconds for an epoch of DIViTA, on the device and on one core

    python tests/bench/gpu.py

writes trailers12k/workflow/figures/gpu.json. `--device cpu` tries the same pass on the CPU, at
`--size 32` in seconds, and writes only where `--json` says. Names of stores narrow it.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import av
import figures
import numpy as np
import torch
import training

from trailers12k.features import batch_sizes
from trailers12k.features.backbones import devices
from trailers12k.features.backbones.common import Backbone
from trailers12k.features.backbones.devices import Device
from trailers12k.features.backbones.loading import load
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.features.backbones.transfer import Transfer
from trailers12k.features.extraction import extract_trailer, keep_memory
from trailers12k.features.recipe import Sampling
from trailers12k.settings.paper import STORES
from trailers12k.video import reader
from trailers12k.video.clips import Clip, frame_times
from trailers12k.workflow import measured

FPC = 24
SIZE = (640, 360)
SHOT = 40
"""Frames of a shot of the synthetic trailer."""
COMPARED = 2
"""Clips whose features are compared with the CPU's."""
TRAILER = 150
"""Seconds of a trailer, for `trailer`; the benchmarks of scale.md have the same."""
EPOCHS = 3
NONE = (
    "no CUDA device: nothing is measured here (nvidia-smi shows whether the driver sees one; "
    "--device cpu tries the program)"
)


@dataclass(frozen=True)
class Trial:
    """What is measured. size: of the networks' input, None for their own. threads: that decode."""

    device: Device
    trailer: Path
    clips: Sequence[Clip]
    threads: int
    trailers: int
    size: int | None
    folder: Path

    @property
    def frames(self) -> int:
        """Of all trailers."""
        return self.trailers * len(self.clips) * FPC


def is_there(requested: str) -> bool:
    """Whether the requested device can be measured."""
    return requested == "cpu" or torch.cuda.is_available()


@contextmanager
def claimed(requested: str) -> Iterator[Device]:
    """A GPU; or the CPU, with the copies of a GPU between two parts of its memory."""
    if requested != "cpu":
        with devices.claimed(requested) as device:
            yield device
        return
    device = devices.cpu()
    yield replace(device, transfer=Transfer(device.torch, device.meter, pinned=False))


def render(path: Path, seconds: int) -> Path:
    """Hard cuts between coarse random textures, which move, with grain, at 24 fps."""
    random = np.random.default_rng(0)
    width, height = SIZE
    grain = random.normal(0, 4, (8, height, width, 1))
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=24, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(seconds * 24):
            if number % SHOT == 0:
                coarse = random.integers(0, 256, (height // 20 + 4, width // 20 + 4, 3))
                texture = coarse.repeat(20, 0).repeat(20, 1)
            shift = number % SHOT
            frame = texture[shift : shift + height, shift : shift + width] + grain[number % 8]
            picture = av.VideoFrame.from_ndarray(
                np.clip(frame, 0, 255).astype(np.uint8), format="rgb24"
            )
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def clips_of(seconds: int) -> list[Clip]:
    return [Clip(number, 0, float(number), number + 1.0) for number in range(seconds)]


def stores() -> list[str]:
    """The paper's stores of trailers."""
    return [name for name, keys in STORES.items() if keys["input"] != "posters"]


def backbone(
    store: str, device: Device, size: int | None = None, precision: str = "auto"
) -> tuple[Backbone, BackboneSpec]:
    """A store's network with random weights, in batches of the CPU's size.

    Its statistics are computed once, for all devices: those of r2plus1d_18 take 20 s of a core.
    """
    keys: Any = STORES[store]
    spec = BackboneSpec(keys["model"], "random", keys["input"], precision, size)
    with all_cores():
        network = load(spec, 0, device=device, statistics=_statistics.get((store, size)))
    _statistics.setdefault((store, size), network.statistics)
    return network, spec


_statistics: dict[tuple[str, int | None], dict[str, np.ndarray]] = {}


@contextmanager
def all_cores() -> Iterator[None]:
    """torch computes on all cores, as nothing else does meanwhile."""
    threads = torch.get_num_threads()
    torch.set_num_threads(measured.cores())
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def of_the_cpu(store: str, size: int | None, trailer: Path, clips: Sequence[Clip]) -> np.ndarray:
    """The features of a store's network in fp32 on the CPU."""
    network, _ = backbone(store, devices.cpu(), size, "fp32")
    with all_cores():
        return extract({store: network}, trailer, clips)[store]


def extract(networks: dict[str, Backbone], trailer: Path, clips: Sequence[Clip]) -> dict:
    """Store -> features of the clips."""
    sampled = {store: (network, Sampling(24, FPC)) for store, network in networks.items()}
    return extract_trailer(sampled, trailer, "pyav", clips)


def least_cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Of the rows of two arrays."""
    a, b = a.astype(float), b.astype(float)
    return float(((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).min())


def wait(device: Device) -> None:
    if device.torch.type == "cuda":
        torch.cuda.synchronize(device.torch)


def seconds_of(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def decoding(trial: Trial) -> dict[str, float]:
    """Frames a second of one thread, and of all at once."""
    times = np.concatenate([frame_times(clip, 24, FPC) for clip in trial.clips])

    def read(_: int) -> None:
        for _frame in reader.read_frames(trial.trailer, "pyav", times):
            pass

    one = len(times) / seconds_of(lambda: read(0))
    with ThreadPoolExecutor(trial.threads) as pool:
        together = seconds_of(lambda: list(pool.map(read, range(trial.threads))))
    return {"decode_one_core": one, "decode_all": trial.threads * len(times) / together}


def copying(trial: Trial) -> dict[str, float]:
    """Frames and bytes a second, from the host's memory to the device's."""
    chunk = list(np.random.default_rng(0).integers(0, 255, (FPC, SIZE[1], SIZE[0], 3), np.uint8))
    rounds = 8 * len(trial.clips)

    def copy() -> None:
        with trial.device.sending() as send:
            for _ in range(rounds):
                send(chunk)
        wait(trial.device)

    copy()
    frames = rounds * FPC / seconds_of(copy)
    return {"copy": frames, "copy_gb": frames * chunk[0].nbytes / 1e9}


class FromFiles(NamedTuple):
    """From files to features. files: frames a second. passes: percentage of the time in which a
    transform or a pass was under way, from its first launch to its end; the device may wait for
    more launches meanwhile. trailer: seconds for a trailer of `TRAILER` seconds. memory: the most
    GB of the GPU that tensors filled at once, 0 on the CPU."""

    files: float
    passes: float
    trailer: float
    memory: float

    @property
    def cells(self) -> list[str]:
        return [
            f"{self.files:.0f}",
            f"{self.passes:.0f} %",
            f"{self.trailer:.2f}",
            f"{self.memory:.1f}",
        ]


def from_files(trial: Trial, networks: dict[str, Backbone]) -> FromFiles:
    work = [trial.trailer] * trial.trailers
    on_gpu = trial.device.torch.type == "cuda"
    if on_gpu:
        trial.device.free()
        torch.cuda.reset_peak_memory_stats(trial.device.torch)
    with ThreadPoolExecutor(trial.threads) as pool:
        extract(networks, trial.trailer, trial.clips[:1])
        busy = trial.device.meter.busy
        seconds = seconds_of(
            lambda: list(pool.map(lambda file: extract(networks, file, trial.clips), work))
        )
    share = (trial.device.meter.busy - busy) / seconds / (1 if on_gpu else trial.threads)
    memory = torch.cuda.max_memory_allocated(trial.device.torch) / 1e9 if on_gpu else 0.0
    files = trial.frames / seconds
    return FromFiles(files, 100 * share, TRAILER * FPC / files, memory)


def training_figures(trial: Trial) -> dict[str, float]:
    """Seconds for an epoch of DIViTA, the least of several, on the device and on one core."""
    subsets = training.make_stores(trial.folder)
    found = {}
    for name, where in {"epoch": str(trial.device.torch), "epoch_one_core": "cpu"}.items():
        epoch = training.our_epoch(trial.folder, subsets, where)
        found[name] = min(seconds_of(epoch) for _ in range(EPOCHS))
    return found


def network_figures(trial: Trial, store: str, network: Backbone, spec: BackboneSpec) -> dict:
    """The figures of one network."""
    file = trial.folder / "devices.json"
    network.batch, rates = batch_sizes.known_or_measured(network, spec, FPC, file)
    alone = rates[network.batch] * (FPC if network.video else 1)
    measured_files = from_files(trial, {store: network})
    few = trial.clips[:COMPARED]
    expected = of_the_cpu(store, trial.size, trial.trailer, few)
    found = extract({store: network}, trial.trailer, few)[store]
    return {
        "precision": str(network.attributes["precision"]),
        "batch": network.batch,
        "alone": alone,
        "needed": 100 * measured_files.files / alone,
        **measured_files._asdict(),
        "cosine": f"{least_cosine(expected, found):.5f}",
    }


def measure(trial: Trial, names: Sequence[str]) -> dict[str, float | int | str]:
    """All figures; the table is printed as it grows."""
    values: dict[str, float | int | str] = {
        "device": trial.device.name,
        "torch": torch.__version__,
        "threads": trial.threads,
        "frames": trial.frames,
    }
    values |= decoding(trial) | copying(trial)
    threads = "1 thread" if trial.threads == 1 else f"{trial.threads} threads"
    print(f"{trial.device.name}, {threads}; frames a second of 640x360:")
    print(
        f"decoding: {values['decode_one_core']:.0f} on one core, {values['decode_all']:.0f} on all"
    )
    print(f"copying: {values['copy']:.0f} ({values['copy_gb']:.1f} GB a second)")
    columns = ("precision", "batch", "alone", "needed", *FromFiles._fields, "cosine")
    print(f"| store | {' | '.join(columns)} |")
    print("|---" * (1 + len(columns)) + "|")
    networks, slowness = {}, 0.0
    for store in names:
        networks[store], spec = backbone(store, trial.device, trial.size)
        row = network_figures(trial, store, networks[store], spec)
        values |= {f"{store}_{name}": value for name, value in row.items()}
        slowness += 1 / row["alone"]
        cells = [row["precision"], row["batch"], f"{row['alone']:.0f}", f"{row['needed']:.0f} %"]
        cells += FromFiles(*(row[name] for name in FromFiles._fields)).cells + [row["cosine"]]
        print(f"| {store} | {' | '.join(map(str, cells))} |", flush=True)
    together = from_files(trial, networks)
    needed = 100 * together.files * slowness
    cells = [f"{1 / slowness:.0f}", f"{needed:.0f} %", *together.cells]
    print(f"| all | | | {' | '.join(cells)} | |")
    ratio = together.files / min(float(values["decode_all"]), 1 / slowness)
    print(f"from files: {ratio:.2f} of the slower of decoding and computing")
    values |= {f"all_{name}": value for name, value in together._asdict().items()}
    return values | {"all_alone": 1 / slowness, "all_needed": needed, "all_ratio": ratio}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stores", nargs="*", help="of the paper; by default the six of trailers")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N, or cpu")
    parser.add_argument("--seconds", type=int, default=60, help="of the trailer")
    parser.add_argument("--threads", type=int, default=measured.cores())
    parser.add_argument("--trailers", type=int, help="by default four a thread")
    parser.add_argument("--size", type=int, help="of the networks' input; by default their own")
    parser.add_argument("--json", type=Path, help="where the figures are written")
    args = parser.parse_args()
    if not is_there(args.device):
        print(NONE, file=sys.stderr)
        sys.exit(2)
    keep_memory()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, claimed(args.device) as device:
        trial = Trial(
            device,
            render(Path(folder) / "trailer.mp4", args.seconds),
            clips_of(args.seconds),
            args.threads,
            args.trailers or 4 * args.threads,
            args.size,
            Path(folder),
        )
        values = measure(trial, args.stores or stores())
        if not args.stores:
            epochs = training_figures(trial)
            print(f"training, an epoch of {training.MOVIES['training']} movies: ", end="")
            print(f"{epochs['epoch']:.2f} s, on one core {epochs['epoch_one_core']:.2f} s")
            values |= epochs | {"epoch_movies": training.MOVIES["training"]}
    if args.json:
        figures.write_to(args.json, values)
    elif device.torch.type == "cuda" and not args.stores and not args.size:
        figures.write("gpu", values)
    else:
        print("not kept: the CPU, a part of the stores, or another size")


if __name__ == "__main__":
    main()
