"""A training on a GPU: what it learns, what it writes, and that it resumes after a kill."""

import numpy as np
import pytest
import torch

from trailers12k.classifier import checkpoint
from trailers12k.classifier.checkpoint import TrainingSettings
from trailers12k.classifier.inference import predict
from trailers12k.classifier.packed import PackedStore
from trailers12k.classifier.training import TrainingData, TrainingRequest, TrainingState, train
from trailers12k.common.files import read_csv, write_csv
from trailers12k.common.vocabulary import GENRES

pytestmark = pytest.mark.gpu

MOVIES = 48
STREAMS = {"image": 64, "video": 32}


class Cut(Exception):
    """In place of a kill."""


@pytest.fixture
def make_data(tmp_path):
    """A device's name -> movies whose features tell their genres, packed, on it."""
    random = np.random.default_rng(0)
    mids = [f"tt{number:07d}" for number in range(MOVIES)]
    labels = (random.random((MOVIES, len(GENRES))) < 0.3).astype(np.uint8)
    clips = random.integers(2, 6, MOVIES)
    places = {"mid": mids, "offset": clips.cumsum() - clips, "clips": clips}
    for name, size in STREAMS.items():
        vectors = random.standard_normal((len(GENRES), size))
        rows = (labels @ vectors).repeat(clips, 0) + random.standard_normal((clips.sum(), size))
        np.save(tmp_path / f"{name}.npy", rows.astype(np.float32))
        index = [dict(zip(places, row, strict=True)) for row in zip(*places.values(), strict=True)]
        write_csv(tmp_path / f"{name}.csv", list(places), index)
    subsets = np.arange(MOVIES) % 4 % 3  # half of them train

    def make(device: str) -> TrainingData:
        streams = {name: PackedStore(tmp_path / f"{name}.npy", device) for name in STREAMS}
        return TrainingData(streams, mids, labels, subsets)

    return make


def trained(data, folder, state_file=None, device="cpu", **settings):
    """The test movies' probabilities, and the validation losses of all epochs."""
    quick = TrainingSettings(lr=1e-3, snippet=3, batch=8, epochs=6, **settings)
    train(data, TrainingRequest(quick, 1, device=device), folder, state_file)
    rows = read_csv(folder / "tst.csv", ("mid", *GENRES))
    losses = [float(row["val_loss"]) for row in read_csv(folder / "curves.csv", ("val_loss",))]
    return np.array([[float(row[genre]) for genre in GENRES] for row in rows]), np.array(losses)


def test_a_training_learns_what_it_learns_on_the_cpu(device, make_data, tmp_path):
    where = str(device.torch)
    expected, losses = trained(make_data("cpu"), tmp_path / "cpu", dropout=0.0)
    data = make_data(where)
    found, own = trained(data, tmp_path / "gpu", device=where, dropout=0.0)
    np.testing.assert_allclose(own, losses, rtol=1e-3)
    np.testing.assert_allclose(found, expected, atol=5e-3)
    assert own[-1] < own[0]
    # Whoever reads the model later may have no GPU.
    model, read = checkpoint.load(tmp_path / "gpu" / "best.pt")
    mids = [row["mid"] for row in read_csv(tmp_path / "gpu" / "tst.csv", ("mid",))]
    assert next(model.parameters()).device == torch.device("cpu")
    np.testing.assert_allclose(
        predict(model, make_data("cpu").streams, mids, read), found, atol=1e-4
    )


def test_a_training_that_was_cut_resumes_with_the_same_dropout(
    device, make_data, tmp_path, monkeypatch
):
    where = str(device.torch)
    data, file = make_data(where), tmp_path / "state.pt"
    monkeypatch.setattr(checkpoint, "SAVE_EVERY", 0)
    expected, losses = trained(data, tmp_path / "whole", device=where)
    end_epoch = TrainingState.end_epoch

    def cut(self, *losses):
        if len(self.curves) == 3:
            raise Cut
        end_epoch(self, *losses)

    with monkeypatch.context() as patched:
        patched.setattr(TrainingState, "end_epoch", cut)
        with pytest.raises(Cut):
            trained(data, tmp_path / "cut", file, device=where)
    assert file.exists()
    found, own = trained(data, tmp_path / "cut", file, device=where)
    np.testing.assert_allclose(own, losses, rtol=1e-4)
    np.testing.assert_allclose(found, expected, atol=1e-3)
