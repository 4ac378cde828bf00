"""Reads unpacked stores as the loader of the paper's authors does (DIViTA, data.py), with zarr 2.

Called with a folder that holds mtgc.csv and unpacked stores, and the names of a store of frames and
of one of clips. The calls on pandas, zarr and torch are the loader's; its code is not copied.
"""

import hashlib
import json
import random
import sys
from os.path import join

import numpy as np
import pandas as pd
import torch
import zarr
from torch.utils.data import DataLoader, Dataset

CLIPS = 2
"""Of a snippet; the authors' 30 is longer than a trailer of the sample."""
BATCH = 4


class Reference(Dataset):
    """The movies of a subset: random snippets of training movies, all windows of others."""

    def __init__(self, folder, split, subset, stores):
        labels = pd.read_csv(join(folder, "mtgc.csv"))
        labels = labels[labels[f"split{split}"] == subset]
        labels = labels.iloc[:, 0:11]
        self.is_training = subset == 0
        self.mids = labels["mid"].to_list()
        self.genres = labels.iloc[:, 1:].to_numpy(dtype=float)
        self.stores = [zarr.open(join(folder, store), mode="r") for store in stores]
        self.features = [store.attrs["num_features"] for store in self.stores]
        self.clips = {mid: self.stores[0][mid].shape[0] for mid in self.mids}

    def __len__(self):
        return len(self.mids)

    def __getitem__(self, i):
        mid = self.mids[i]
        start = random.randint(0, self.clips[mid] - CLIPS) if self.is_training else 0
        x = [self.load(store[mid], start) for store in self.stores]
        return x, np.repeat([self.genres[i]], x[0].shape[0], axis=0)

    def load(self, array, start):
        """(windows, features, CLIPS) of one movie."""
        if self.is_training:
            return np.expand_dims(np.transpose(array[start : start + CLIPS], (1, 0)), axis=0)
        windows = np.split(array, np.arange(CLIPS, array.shape[0], CLIPS))
        if missing := CLIPS - windows[-1].shape[0]:
            padding = np.zeros((missing, windows[-1].shape[1]), dtype=np.float32)
            windows[-1] = np.concatenate([windows[-1], padding])
        return np.concatenate([np.expand_dims(np.transpose(each, (1, 0)), 0) for each in windows])


def collate(batch):
    """One tensor per store, and one of labels."""
    streams = zip(*(x for x, _ in batch), strict=True)
    labels = torch.from_numpy(np.concatenate([y for _, y in batch]))
    return [torch.from_numpy(np.concatenate(each)) for each in streams], labels


def main(folder, *stores):
    """Print the version of zarr, and of each subset: movies, windows and a hash of all values."""
    found = {"zarr": zarr.__version__}
    for split in range(3):
        for subset in range(3):
            data = Reference(folder, split, subset, stores)
            random.seed(0)
            batches = [*DataLoader(data, batch_size=BATCH, collate_fn=collate)]
            streams = zip(*(x for x, _ in batches), strict=True)
            values = [torch.cat(each).numpy() for each in streams]
            assert [each.shape[1] for each in values] == data.features
            assert {each.dtype for each in values} == {np.dtype("float32")}
            labels = torch.cat([y for _, y in batches]).numpy().astype(np.float32)
            found[f"{split}{subset}"] = [
                len(data),
                len(labels),
                *(hashlib.sha256(each.tobytes()).hexdigest() for each in [labels, *values]),
            ]
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
