"""Times decoding, shot detection and the passes of backbones on this machine's CPU.

Writes a synthetic trailer into a temporary folder. Must not know collections or their settings.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch

from trailers12k.common.files import sha256_of
from trailers12k.features.backbones import devices
from trailers12k.features.backbones.loading import load
from trailers12k.features.backbones.sound import load as load_sound
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.features.extraction import keep_memory, read_clips
from trailers12k.features.recipe import Sampling
from trailers12k.video.clip_detection import ClipSettings, detect_clips
from trailers12k.video.clips import Clip, frame_times
from trailers12k.video.probe import probe
from trailers12k.video.reader import read_frames
from trailers12k.video.sound_measures import measure_sound
from trailers12k.video.sound_track import Listening, read_sound

SECONDS, SIZE, FPS, RATE = 8, (640, 360), 24, 44_100
"""Of the synthetic trailer: as YouTube's of 360 lines."""
HEARD_RATE = 16_000
"""Samples a second that models of sound hear."""
SHOT = 40
"""Frames of each of its shots."""
IMAGES = 8
"""Images of an image network in one measured pass."""
LEAST = 0.5
"""CPU seconds for which passes are repeated."""


def measure(specs: Mapping[str, BackboneSpec | SoundSpec], clips: ClipSettings) -> dict[str, float]:
    """CPU seconds on one core, rounded to four digits.

    specs: name -> backbone; random weights take their place, since no time depends on them.
    Returns `verify` and `shots DETECTOR` per second of video, `listen` and `measure` per second of
    sound, `decode` per clip, and each name's per image (of an image network) or per clip, decoding
    aside. Raises `UserError`.
    """
    keep_memory()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            trailer = _render(Path(folder) / "trailer.mp4")
            figures = _video_figures(trailer, clips)
            figures |= {
                name: _heard(spec) if isinstance(spec, SoundSpec) else _forward(trailer, spec)
                for name, spec in specs.items()
            }
    finally:
        torch.set_num_threads(threads)
    return {name: float(f"{value:.4g}") for name, value in figures.items()}


def _video_figures(trailer: Path, settings: ClipSettings) -> dict[str, float]:
    probed = probe(trailer)  # once unmeasured, since it loads the decoders
    clips, _ = detect_clips(trailer, probed.decoder, probed.duration, settings)
    times = [_cpu_of(lambda: (probe(trailer), sha256_of(trailer)))]
    times.append(_cpu_of(lambda: detect_clips(trailer, probed.decoder, probed.duration, settings)))
    frames = np.concatenate([frame_times(clip, settings.fps, settings.fpc) for clip in clips])

    def read() -> None:
        for _ in read_frames(trailer, probed.decoder, frames):
            pass

    spans = [(clip.start, clip.end) for clip in clips]

    def listen() -> None:
        for _ in read_sound(trailer, {"": Listening(HEARD_RATE, spans)}, spans[-1][1]):
            pass

    return {
        "verify": times[0] / probed.duration,
        f"shots {settings.detector}": times[1] / probed.duration,
        "decode": _cpu_of(read) / len(clips),
        "listen": _cpu_of(listen) / probed.duration,
        "measure": _cpu_of(lambda: measure_sound(trailer, probed.duration)) / probed.duration,
    }


def _forward(trailer: Path, spec: BackboneSpec) -> float:
    """CPU seconds of an image or a clip."""
    values = vars(spec) | {"weights": "random"}
    backbone = load(BackboneSpec(**values), 0, device=devices.cpu())
    is_video = spec.input == "clips"
    count = 24 if is_video else IMAGES
    clip = Clip(0, 0, 0.0, count / FPS)
    (crops,) = read_clips({"": (backbone, Sampling(FPS, count))}, trailer, "pyav", [clip])
    passed = _cpu_of(lambda: backbone.compute(crops[""][None]))
    return passed / (1 if is_video else count)


def _heard(spec: SoundSpec) -> float:
    """CPU seconds of the sound of a clip."""
    random_weights = replace(spec, weights="random") if spec.weights == "pretrained" else spec
    backbone = load_sound(random_weights, 0)
    samples = round((1 + 2 * backbone.context) * backbone.rate)
    noise = np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)
    return _cpu_of(lambda: backbone([noise] * backbone.batch)) / backbone.batch


def _cpu_of(work: Callable[[], Any]) -> float:
    """CPU seconds of one call: the least of several, after one that is not counted."""
    work()
    times: list[float] = []
    while not times or sum(times) < LEAST:
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def _render(path: Path) -> Path:
    """Hard cuts between coarse random textures, which move, with grain, and noise to hear."""
    random = np.random.default_rng(0)
    width, height = SIZE
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        sound: Any = container.add_stream("aac", rate=RATE, layout="stereo")
        for number in range(SECONDS * FPS):
            if number % SHOT == 0:
                coarse = random.integers(0, 256, (height // 20 + 4, width // 20 + 4, 3))
                texture = coarse.repeat(20, 0).repeat(20, 1)
            shift = number % SHOT
            frame = texture[shift : shift + height, shift : shift + width]
            noisy = np.clip(frame + random.normal(0, 4, (height, width, 1)), 0, 255)
            picture = av.VideoFrame.from_ndarray(noisy.astype(np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
        noise = random.normal(0, 0.1, (2, SECONDS * RATE)).astype(np.float32)
        heard = av.AudioFrame.from_ndarray(noise, format="fltp", layout="stereo")
        heard.sample_rate = RATE
        container.mux(sound.encode(heard))
        container.mux(sound.encode(None))
    return path
