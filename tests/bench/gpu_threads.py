"""How many threads of one process feed a GPU, and what as many processes decode.

Needs what gpu.py needs. A synthetic trailer of 20 seconds goes through the lightest video network
of the paper, which the GPU computes much faster than anything decodes. Written to
trailers12k/workflow/figures/gpu_threads.json, or to `--json`, in frames a second:

  threads_N_decode, threads_N_files   N threads decode alone, and decode for the network
  threads_N_passes, threads_N_needed  as `passes` and `needed` of gpu.py
  processes_decode                    one process for each core decodes

    python tests/bench/gpu_threads.py
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import figures
import gpu
import torch

from trailers12k.features import batch_sizes
from trailers12k.features.extraction import keep_memory
from trailers12k.workflow import measured

STORE = "trailers_k_shufflenet_fps24_fpc24"
BATCH = 64
SECONDS = 20
DECODE = """
import sys, time
sys.path.insert(0, sys.argv[1])
import gpu
import numpy as np
from trailers12k.video import reader
times = np.concatenate([gpu.frame_times(c, 24, gpu.FPC) for c in gpu.clips_of(int(sys.argv[3]))])
began = time.time()
for _ in range(3):
    for frame in reader.read_frames(sys.argv[2], "pyav", times):
        pass
print(3 * len(times) / (time.time() - began))
"""


def by_processes(trailer: Path, processes: int, seconds: int) -> float:
    """Frames a second that processes decode at the same time, together."""
    command = [sys.executable, "-c", DECODE, str(Path(__file__).parent), str(trailer), str(seconds)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    return sum(float(each.communicate()[0]) for each in running)


def measure(device: gpu.Device, folder: Path, seconds: int, size: int | None) -> dict:
    """All figures, which are printed as they come."""
    trailer, clips = gpu.render(folder / "trailer.mp4", seconds), gpu.clips_of(seconds)
    cores = measured.cores()
    network, spec = gpu.backbone(STORE, device, size)
    _, rates = batch_sizes.known_or_measured(network, spec, gpu.FPC, folder / "devices.json")
    network.batch = BATCH if BATCH in rates else max(rates)
    alone = rates[network.batch] * gpu.FPC
    values: dict[str, float | int | str] = {"device": device.name, "alone": alone}
    for threads in sorted({1, 4, 8, cores} & set(range(1, cores + 1))):
        trial = gpu.Trial(device, trailer, clips, threads, 4 * threads, size, folder)
        found = gpu.from_files(trial, {STORE: network})
        values |= {
            f"threads_{threads}_decode": gpu.decoding(trial)["decode_all"],
            f"threads_{threads}_files": found.files,
            f"threads_{threads}_passes": found.passes,
            f"threads_{threads}_needed": 100 * found.files / alone,
        }
        print(f"{threads} threads: {found.files:.0f} from files, passes {found.passes:.0f} %")
    values |= {"processes": cores, "processes_decode": by_processes(trailer, cores, seconds)}
    print(f"{cores} processes decode {values['processes_decode']:.0f}")
    return values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N, or cpu")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of the trailer")
    parser.add_argument("--size", type=int, help="of the network's input; by default its own")
    parser.add_argument("--json", type=Path, default=figures.FOLDER / "gpu_threads.json")
    args = parser.parse_args()
    if not gpu.is_there(args.device):
        print(gpu.NONE, file=sys.stderr)
        sys.exit(2)
    keep_memory()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, gpu.claimed(args.device) as device:
        values = measure(device, Path(folder), args.seconds, args.size)
    figures.write_to(args.json, values)


if __name__ == "__main__":
    main()
