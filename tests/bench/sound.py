"""What one cheap store of sound adds to the features of frames, and the memory of a long trailer.

A trailer of 640x360 with stereo AAC goes through stores of frames and through the store of sound in
turn, on one thread; models are loaded before. Printed are the medians of the rounds' ratios of CPU
seconds, of both over the frames alone: for the six stores of the dataset, the three light ones, and
the lightest. Then the peak memory of a store of sound for an hour beside that for a minute. `make
bench` runs it; `--seconds` (of the trailer), `--rounds` and `--hour` narrow it.
"""

import argparse
import multiprocessing
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import av
import figures
import numpy as np
import torch
from features import BRIEF, LIGHT, SIX, cpu_of, load, render

from trailers12k.features.backbones import devices, sound
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.features.extraction import extract_trailer, keep_memory
from trailers12k.features.recipe import Sampling
from trailers12k.features.sound_extraction import extract_sound
from trailers12k.video.clip_detection import ClipSettings, detect_clips
from trailers12k.video.clips import Clip
from trailers12k.video.probe import probe

CHEAP = SoundSpec("logmel/64", "none")
RATE = 44_100
GROUPS = {"six": SIX, "light": LIGHT, "lightest": LIGHT[:1]}
SMALL = (160, 90)


def add_sound(silent: Path, path: Path, seconds: int) -> Path:
    """The same video with stereo AAC, as of YouTube's files: tones over noise that come and go."""
    random = np.random.default_rng(0)
    with av.open(str(silent)) as source, av.open(str(path), "w") as container:
        video = container.add_stream_from_template(source.streams.video[0])
        audio = container.add_stream("aac", rate=RATE, layout="stereo", bit_rate=96_000)
        packets = (packet for packet in source.demux(video=0) if packet.dts is not None)
        for packet in packets:
            packet.stream = video
            container.mux(packet)
        times = np.arange(RATE) / RATE
        for second in range(seconds):
            tone = np.sin(2 * np.pi * random.uniform(80, 2000) * times)
            wave = random.uniform(0.1, 0.5) * tone + random.normal(0, 0.05, (2, RATE))
            frame = av.AudioFrame.from_ndarray(wave.astype(np.float32), "fltp", "stereo")
            frame.sample_rate, frame.pts = RATE, second * RATE
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path


def measure_cost(folder: Path, seconds: int, rounds: int) -> dict[str, float]:
    """Group of stores -> percent of the CPU of their frames that the sound takes more."""
    long, brief = (cut_of(folder, each) for each in (seconds, min(BRIEF, seconds)))
    hearing = {"": sound.load(CHEAP, 0)}
    own = float(np.median([cpu_of(lambda: extract_sound(hearing, *long)) for _ in range(6)]))
    measured = {"trailer_seconds": seconds, "cpu_ms_per_second": 1000 * own / seconds}
    print(f"{measured['cpu_ms_per_second']:.2f} CPU ms for a second of sound")
    for group, stores in GROUPS.items():
        trailer, cut = brief if group == "six" else long
        networks = {
            store: (load(store, "auto", devices.cpu()), Sampling(24, 24)) for store in stores
        }
        decoder = probe(trailer).decoder
        ratios = paired(
            partial(extract_trailer, networks, trailer, decoder, cut),
            partial(extract_sound, hearing, trailer, cut),
            rounds,
        )
        measured[f"{group}_percent"] = 100 * (float(np.median(ratios)) - 1)
        print(f"{group}: {measured[f'{group}_percent']:.2f} % more CPU with sound", flush=True)
    return measured


def cut_of(folder: Path, seconds: int) -> tuple[Path, list[Clip]]:
    """A trailer of so many seconds, and its clips."""
    frames = render(folder / f"frames{seconds}.mp4", seconds, (640, 360))
    trailer = add_sound(frames, folder / f"trailer{seconds}.mp4", seconds)
    probed = probe(trailer)
    return trailer, detect_clips(trailer, probed.decoder, probed.duration, ClipSettings())[0]


def paired(frames: Callable[[], object], heard: Callable[[], object], rounds: int) -> list[float]:
    """Each round's CPU of frames and sound over that of the frames."""
    frames()
    pairs = [(cpu_of(frames), cpu_of(heard)) for _ in range(rounds)]
    return [1 + sound / pictures for pictures, sound in pairs]


def peak(trailer: Path, seconds: int, answer) -> None:
    """Peak memory of a process that computes a store of sound, in MB."""
    keep_memory()
    torch.set_num_threads(1)
    cut = [Clip(number, number, float(number), number + 1.0) for number in range(seconds)]
    extract_sound({"": sound.load(CHEAP, 0)}, trailer, cut)
    # Not getrusage, whose peak a process takes over from its parent.
    status = Path("/proc/self/status").read_text()
    answer.put(int(status.partition("VmHWM:")[2].split()[0]) / 1024)


def peak_of(trailer: Path, seconds: int) -> float:
    context = multiprocessing.get_context("spawn")
    answer = context.SimpleQueue()
    process = context.Process(target=peak, args=(trailer, seconds, answer))
    process.start()
    value = answer.get()
    process.join()
    return value


def measure_memory(folder: Path, hour: int) -> dict[str, float]:
    """Peak memory of a minute and of a long file, in MB."""
    peaks = []
    for seconds in (60, hour):
        silent = render_still(folder / f"still{seconds}.mp4", seconds)
        trailer = add_sound(silent, folder / f"long{seconds}.mp4", seconds)
        peaks.append(peak_of(trailer, seconds))
    small, large = peaks
    print(f"peak memory: {large:.0f} MB for {hour} s, {small:.0f} MB for 60 s: {large / small:.3f}")
    return {
        "memory_long_seconds": hour,
        "memory_60_s_mb": small,
        "memory_long_mb": large,
        "memory_ratio": large / small,
    }


def render_still(path: Path, seconds: int) -> Path:
    """A frame a second, all grey."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=1)
        stream.width, stream.height, stream.pix_fmt = *SMALL, "yuv420p"
        grey = np.full((SMALL[1], SMALL[0], 3), 128, np.uint8)
        for _ in range(seconds):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--hour", type=int, default=3600, help="seconds of the long file")
    args = parser.parse_args()
    keep_memory()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measured = measure_cost(folder, args.seconds, args.rounds) | measure_memory(
            folder, args.hour
        )
    if (args.seconds, args.hour) == (8, 3600):
        figures.write("sound", measured)
    else:
        print("not kept: another length")


if __name__ == "__main__":
    main()
