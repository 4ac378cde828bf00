"""`TrailerDataset.set_epoch` reaches persistent workers: torch, Lightning, accelerate."""

import copy
import pickle

import numpy as np
import pytest
import pytorch_lightning
import torch
import zarr
from accelerate import Accelerator
from torch.utils.data import DataLoader, Subset

from trailers12k.classifier.dataset import TrailerDataset
from trailers12k.common.files import write_csv
from trailers12k.common.vocabulary import GENRES

MIDS = [f"tt{number:07d}" for number in range(1, 9)]
CLIPS, SNIPPET, EPOCHS = 50, 3, 3


@pytest.fixture
def data(tmp_path):
    """Eight training movies; the value of a row is its clip."""
    group = zarr.open_group(tmp_path / "i.zarr", mode="w", zarr_format=2)
    for mid in MIDS:
        rows = np.arange(CLIPS, dtype=np.float32)[:, None].repeat(2, 1)
        group.create_array(mid, data=rows, chunks=rows.shape)
    rows = [{"mid": mid, "split0": 0} | dict.fromkeys(GENRES, 1) for mid in MIDS]
    write_csv(tmp_path / "mtgc.csv", ("mid", *GENRES, "split0"), rows)
    return TrailerDataset({"image": tmp_path / "i.zarr"}, tmp_path / "mtgc.csv", snippet=SNIPPET)


def expected(data):
    """The first clip of every item, one list per epoch, read without workers."""
    starts = []
    for epoch in range(EPOCHS):
        data.set_epoch(epoch)
        starts.append([int(data[item][0]["image"][0, 0]) for item in range(len(data))])
    data.set_epoch(0)
    assert len({tuple(each) for each in starts}) == EPOCHS
    return starts


def starts_of(batch):
    return batch[0]["image"][:, 0, 0].int().tolist()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_persistent_workers_draw_the_snippets_of_each_epoch(data, method):
    loader = DataLoader(
        data, 4, num_workers=2, persistent_workers=True, multiprocessing_context=method
    )
    drawn = []
    wanted = expected(data)
    for epoch in range(EPOCHS):
        data.set_epoch(epoch)
        drawn.append([start for batch in loader for start in starts_of(batch)])
    assert drawn == wanted


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda data: pickle.loads(pickle.dumps(data))])
def test_workers_of_a_copy_follow_the_copy(data, method, copied):
    wanted = expected(data)
    data.set_epoch(1)
    twin = copied(data)
    assert twin.epoch == 1
    loader = DataLoader(
        Subset(twin, range(len(twin))),
        8,
        num_workers=1,
        persistent_workers=True,
        multiprocessing_context=method,
    )
    assert [starts_of(batch) for batch in loader] == [wanted[1]]
    data.set_epoch(0)
    twin.set_epoch(2)
    assert [starts_of(batch) for batch in loader] == [wanted[2]]
    assert data.epoch == 0


class Recorder(pytorch_lightning.LightningModule):
    """A module as a user writes it, which keeps the first clips of its batches."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, len(GENRES))
        self.drawn = {}

    def on_train_epoch_start(self):
        self.trainer.train_dataloader.dataset.set_epoch(self.current_epoch)

    def training_step(self, batch, index):
        self.drawn.setdefault(self.current_epoch, []).extend(starts_of(batch))
        logits = self.layer(batch[0]["image"].mean(1))
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, batch[1])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.01)


def test_lightning_trains_on_the_snippets_of_each_epoch(data, tmp_path):
    wanted, module = expected(data), Recorder()
    trainer = pytorch_lightning.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(module, DataLoader(data, 2, num_workers=2, persistent_workers=True))
    assert [module.drawn[epoch] for epoch in range(EPOCHS)] == wanted


def test_loaders_of_accelerate_draw_the_snippets_of_each_epoch(data):
    wanted = expected(data)
    loader = DataLoader(data, 2, num_workers=2, persistent_workers=True)
    loader = Accelerator(cpu=True).prepare(loader)
    drawn = [[start for batch in loader for start in starts_of(batch)] for _ in range(EPOCHS)]
    assert drawn == wanted
