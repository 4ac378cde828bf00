"""Times an epoch of training on this machine's CPU.

Writes made-up features into a temporary folder. Must not know collections or their settings.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from trailers12k.classifier.checkpoint import ModelSpec, TrainingSettings
from trailers12k.classifier.inference import validation_loss
from trailers12k.classifier.packed import PackedStore
from trailers12k.classifier.packing import pack
from trailers12k.classifier.snippets import training_batches
from trailers12k.classifier.training import TrainingState
from trailers12k.common.vocabulary import GENRES
from trailers12k.features import store as stores

MOVIES, VALIDATION = 112, 16
CLIPS, FEATURES = 150, 1024


def measure() -> float:
    """CPU seconds of an epoch per movie and stream, with the paper's training settings.

    One core; per movie of the training and validation subsets, which are 7 to 1.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _measure(Path(folder))
    finally:
        torch.set_num_threads(threads)


def _measure(folder: Path) -> float:
    generator = np.random.default_rng(0)
    mids = [f"tt{number:07}" for number in range(MOVIES + VALIDATION)]
    stores.create(folder / "one.zarr", {"num_features": FEATURES})
    for mid in mids:
        values = generator.standard_normal((CLIPS, FEATURES), dtype=np.float32)
        stores.write(folder / "one.zarr", mid, values, {})
    pack(folder / "one.zarr", None, folder / "one.npy")
    labels = torch.from_numpy((generator.random((len(mids), len(GENRES))) < 0.25).astype("f4"))
    streams = {"image": PackedStore(folder / "one.npy")}
    settings = TrainingSettings()
    model = ModelSpec({"image": FEATURES}, settings).build()
    state = TrainingState(model, settings)

    def epoch() -> None:
        batches = training_batches(
            streams, mids[:MOVIES], settings.batch, settings.snippet, generator
        )
        state.train_epoch(batches, labels[:MOVIES])
        validation_loss(model, streams, mids[MOVIES:], labels[MOVIES:], settings)

    epoch()
    times = []
    for _ in range(3):
        began = time.process_time()
        epoch()
        times.append(time.process_time() - began)
    return float(f"{min(times) / len(mids):.4g}")
