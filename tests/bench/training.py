"""Costs of an epoch of training, compared with a plain implementation of the model: `make bench`.

The plain one uses torch.nn.MultiheadAttention, a Dataset that reads zarr for each item, and a
DataLoader. There are two stores of 1024 features and a tenth of Trailers12k's movies. Both run in
turns on one thread, and their CPU seconds are compared.
"""

import statistics
import tempfile
import time
from pathlib import Path

import figures
import numpy as np
import torch
import zarr
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as loss_of

from trailers12k.classifier.checkpoint import ModelSpec, TrainingSettings
from trailers12k.classifier.inference import validation_loss
from trailers12k.classifier.packed import PackedStore
from trailers12k.classifier.packing import pack
from trailers12k.classifier.snippets import training_batches
from trailers12k.classifier.training import TrainingState
from trailers12k.features import store as stores

MOVIES = {"training": 840, "validation": 120}
FEATURES = 1024
ROUNDS = 5
STREAMS = ("image", "video")


class PlainStream(nn.Module):
    """One stream as one would write it from the paper: (B, F, S) -> (B, 10)."""

    def __init__(self):
        super().__init__()
        self.norm_in = nn.BatchNorm1d(FEATURES)
        self.project = nn.Linear(FEATURES, 128)
        self.attention = nn.MultiheadAttention(128, 4, bias=False, batch_first=True)
        self.norm1, self.norm2 = nn.LayerNorm(128), nn.LayerNorm(128)
        self.feedforward = nn.Sequential(nn.Linear(128, 768), nn.ReLU(), nn.Linear(768, 128))
        self.dropout1, self.dropout2 = nn.Dropout(0.25), nn.Dropout(0.25)
        self.classify = nn.Linear(128, 10)

    def forward(self, x):
        x = self.project(self.norm_in(x).permute(0, 2, 1))
        x = self.dropout1(self.norm1(self.attention(x, x, x)[0] + x))
        x = self.dropout2(self.norm2(self.feedforward(x) + x))
        return self.classify(x.mean(1))


class PlainModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.streams = nn.ModuleList(PlainStream() for _ in STREAMS)

    def forward(self, snippets):
        return torch.stack([s(x) for s, x in zip(self.streams, snippets, strict=True)]).mean(0)


class PlainDataset(torch.utils.data.Dataset):
    def __init__(self, folder, mids, labels, is_training):
        self.groups = [zarr.open_group(folder / f"{name}.zarr", mode="r") for name in STREAMS]
        self.mids, self.labels, self.is_training = mids, labels, is_training

    def __len__(self):
        return len(self.mids)

    def __getitem__(self, item):
        arrays = [group[self.mids[item]] for group in self.groups]
        clips = arrays[0].shape[0]
        if self.is_training:
            start = np.random.randint(clips - 30 + 1)
            windows = [torch.from_numpy(array[start : start + 30].T) for array in arrays]
            return windows, self.labels[item]
        padded = [np.pad(array[:], ((0, -clips % 30), (0, 0))) for array in arrays]
        windows = [torch.from_numpy(rows.reshape(-1, 30, FEATURES)) for rows in padded]
        return [rows.transpose(1, 2) for rows in windows], self.labels[item]


def windows_together(items):
    """A batch of all windows of some movies."""
    counts = [len(windows[0]) for windows, _ in items]
    labels = torch.stack([label for _, label in items]).repeat_interleave(torch.tensor(counts), 0)
    together = zip(*(windows for windows, _ in items), strict=True)
    return [torch.cat(stream) for stream in together], labels


def make_stores(folder):
    """Both stores, packed and not; the mids and labels of each subset."""
    generator = np.random.default_rng(0)
    mids = [f"tt{number:07}" for number in range(sum(MOVIES.values()))]
    clips = generator.integers(60, 220, len(mids))
    for name in STREAMS:
        store = folder / f"{name}.zarr"
        stores.create(store, {"num_features": FEATURES})
        for mid, count in zip(mids, clips, strict=True):
            values = generator.standard_normal((count, FEATURES), dtype=np.float32)
            stores.write(store, mid, values, {})
        pack(store, None, folder / f"{name}.npy")
    labels = torch.from_numpy((generator.random((len(mids), 10)) < 0.25).astype(np.float32))
    first = MOVIES["training"]
    return {
        "training": (mids[:first], labels[:first]),
        "validation": (mids[first:], labels[first:]),
    }


def plain_epoch(folder, subsets):
    model = PlainModel()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, amsgrad=True)
    loaders = {
        name: torch.utils.data.DataLoader(
            PlainDataset(folder, *subsets[name], name == "training"),
            batch_size=32,
            shuffle=name == "training",
            collate_fn=windows_together if name == "validation" else None,
        )
        for name in subsets
    }

    def epoch():
        model.train()
        for snippets, labels in loaders["training"]:
            loss = loss_of(model(snippets), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            return np.mean(
                [loss_of(model(x), labels).item() for x, labels in loaders["validation"]]
            )

    return epoch


def our_epoch(folder, subsets, device="cpu"):
    streams = {name: PackedStore(folder / f"{name}.npy", device) for name in STREAMS}
    settings = TrainingSettings()
    model = ModelSpec(dict.fromkeys(STREAMS, FEATURES), settings).build().to(device)
    state = TrainingState(model, settings)
    generator = np.random.default_rng(0)
    mids = {name: listed for name, (listed, _) in subsets.items()}
    targets = {name: labels.to(device) for name, (_, labels) in subsets.items()}

    def epoch():
        batches = training_batches(streams, mids["training"], 32, 30, generator)
        state.train_epoch(batches, targets["training"])
        return validation_loss(model, streams, mids["validation"], targets["validation"], settings)

    return epoch


def main():
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subsets = make_stores(folder)
        epochs = {"plain": plain_epoch(folder, subsets), "ours": our_epoch(folder, subsets)}
        seconds = {name: [] for name in epochs}
        for _ in range(ROUNDS):
            for name, epoch in epochs.items():
                begun = time.process_time()
                loss = epoch()
                seconds[name].append(time.process_time() - begun)
                print(f"{name}: {seconds[name][-1]:.2f} CPU s, validation loss {loss:.3f}")
    median = {name: statistics.median(values) for name, values in seconds.items()}
    ratio = median["ours"] / median["plain"]
    print(
        f"an epoch of {MOVIES['training']} movies: {median['ours']:.2f} CPU s, {ratio:.2f} of plain"
    )
    figures.write(
        "training",
        {
            "movies": MOVIES["training"],
            "streams": len(STREAMS),
            "features": FEATURES,
            "epoch_cpu": median["ours"],
            "plain_epoch_cpu": median["plain"],
            "ratio": ratio,
        },
    )


if __name__ == "__main__":
    main()
