import copy
import json
import logging
import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from trailers12k.classifier import checkpoint
from trailers12k.classifier.checkpoint import (
    ModelSpec,
    TrainingCheckpoint,
    TrainingSettings,
    load,
)
from trailers12k.classifier.inference import predict, predict_test, write_predictions
from trailers12k.classifier.packed import PackedStore
from trailers12k.classifier.snippets import training_batches
from trailers12k.classifier.training import (
    TrainingData,
    TrainingRequest,
    TrainingState,
    train,
)
from trailers12k.common import vocabulary
from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, write_csv
from trailers12k.common.vocabulary import GENRES, METRICS
from trailers12k.evaluation.metrics import chance, scores

MOVIES = 40
SUBSETS = np.array([0] * 28 + [1] * 4 + [2] * 8)
"""The size of the built-in sample."""
SAMPLE = TrainingSettings(lr=1e-3, snippet=5, epochs=60)
QUICK = TrainingSettings(lr=1e-3, snippet=3, batch=8, epochs=3)
SLOWER = TrainingSettings(lr=5e-4, snippet=3, batch=8, epochs=3)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def make_packed(path, rows):
    """A packed store of mid -> rows."""
    np.save(path, np.concatenate(list(rows.values())).astype(np.float32))
    index, offset = [], 0
    for mid, movie in rows.items():
        index.append({"mid": mid, "offset": offset, "clips": len(movie)})
        offset += len(movie)
    write_csv(path.with_suffix(".csv"), ("mid", "offset", "clips"), index)
    return PackedStore(path)


def make_data(folder, sizes=(("image", 64),), noise=1.0):
    """Trailers of 2 to 5 clips whose features are a sum of their genres' vectors, and noise."""
    generator = np.random.default_rng(0)
    mids = [f"tt{i:07d}" for i in range(MOVIES)]
    labels = (generator.random((MOVIES, 10)) < 0.25).astype(np.uint8)
    labels[np.arange(10), np.arange(10)] = 1
    labels[-10:][np.arange(10), np.arange(10)] = 1
    clips = generator.integers(2, 6, MOVIES)
    streams = {}
    for name, size in sizes:
        vectors = generator.standard_normal((10, size))
        rows = {
            mid: label @ vectors + noise * generator.standard_normal((count, size)) + 5
            for mid, label, count in zip(mids, labels, clips, strict=True)
        }
        streams[name] = make_packed(folder / f"{name}.npy", rows)
    return TrainingData(streams, mids, labels, SUBSETS)


def predictions(path):
    rows = read_csv(path)
    probabilities = [[float(row[genre]) for genre in GENRES] for row in rows]
    return [row["mid"] for row in rows], np.array(probabilities)


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    data = make_data(tmp_path, (("image", 16), ("video", 12)))
    for folder, seed in (("a", 1), ("elsewhere/b", 1), ("c", 2)):
        train(data, TrainingRequest(QUICK, seed), tmp_path / folder)
    names = ["best.pt", "curves.csv", "run.json", "tst.csv", "val.csv"]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == names
    for name in names:
        first = (tmp_path / "a" / name).read_bytes()
        assert first == (tmp_path / "elsewhere/b" / name).read_bytes(), name
        assert first != (tmp_path / "c" / name).read_bytes(), name


@pytest.mark.parametrize("sizes", [(("image", 64),), (("image", 64), ("video", 32))])
def test_a_sample_sized_training_beats_chance_and_shuffled_labels_do_not(tmp_path, sizes):
    data = make_data(tmp_path, sizes)
    tested = data.labels[SUBSETS == 2]
    by_chance = chance(data.labels[SUBSETS == 0], tested, draws=50)
    result = {}
    for shuffled in (False, True):
        folder = tmp_path / str(shuffled)
        train(data, TrainingRequest(SAMPLE, 0, shuffle_labels=shuffled), folder)
        names, probabilities = predictions(folder / "tst.csv")
        assert names == data.mids[-8:]
        result[shuffled] = scores(tested, probabilities)
    for metric in METRICS:
        assert result[False][metric] > by_chance[metric] + 0.25, metric
        assert result[True][metric] < by_chance[metric] + 0.2, metric


def test_predictions_and_loss_are_those_of_the_best_epoch_as_published(tmp_path):
    data = make_data(tmp_path, (("image", 16), ("video", 12)), noise=5.0)
    streams, mids, labels = data.streams, data.mids, data.labels
    settings = TrainingSettings(lr=1e-2, snippet=2, batch=3, epochs=8, dropout=0.0)
    summary = train(data, TrainingRequest(settings, 0), tmp_path)
    model, loaded = load(tmp_path / "best.pt")
    assert loaded == settings
    assert set(model.streams) == {"image", "video"}

    # Movie by movie and window by window, without the code that makes batches.
    def logits_of(mid):
        windows = []
        for start in range(0, streams["image"].clips[mid], 2):
            rows = {name: packed.rows(mid)[start : start + 2] for name, packed in streams.items()}
            rows = {n: np.pad(r, ((0, 2 - len(r)), (0, 0)))[None] for n, r in rows.items()}
            with torch.no_grad():
                windows.append(model({n: torch.from_numpy(r) for n, r in rows.items()}))
        return torch.cat(windows)

    for subset, number in (("val", 1), ("tst", 2)):
        names, probabilities = predictions(tmp_path / f"{subset}.csv")
        assert names == [mid for mid, s in zip(mids, SUBSETS, strict=True) if s == number]
        expected = [logits_of(mid).sigmoid().mean(0).numpy() for mid in names]
        np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-6)
        again = predict(model, streams, names, settings)
        np.testing.assert_array_equal(again, probabilities.astype(np.float32))

    # Four validation movies in batches of three: the fourth has the weight of the other three.
    losses = []
    for movies in (range(28, 31), range(31, 32)):
        logits = [logits_of(mids[movie]) for movie in movies]
        truth = [torch.tensor(labels[m]).expand_as(x) for m, x in zip(movies, logits, strict=True)]
        loss = binary_cross_entropy_with_logits(torch.cat(logits), torch.cat(truth).float())
        losses.append(loss.item())
    curve = [float(row["val_loss"]) for row in read_csv(tmp_path / "curves.csv")]
    assert summary.best_val_loss == pytest.approx(np.mean(losses), abs=1e-6)
    assert min(curve) == pytest.approx(summary.best_val_loss)
    assert curve.index(min(curve)) + 1 == summary.best_epoch
    # Otherwise the test could not tell which epoch is kept.
    assert summary.best_epoch < summary.epochs


def state_after(losses, settings):
    state = TrainingState(torch.nn.Linear(1, 1), settings)
    for loss in losses:
        assert not state.is_over
        state.end_epoch(0.5, loss)
    return state


def test_stops_after_twenty_epochs_without_a_lower_loss():
    state = state_after([1.0, 0.9, *[0.9] * 19], TrainingSettings())
    assert not state.is_over
    state.end_epoch(0.5, 0.95)
    assert state.is_over
    assert state.best.epoch == 2


def test_the_learning_rate_falls_after_eleven_epochs_without_a_lower_loss():
    state = state_after([1.0] * 12, TrainingSettings())
    assert state.optimizer.lr == pytest.approx(1e-5)
    assert {row.lr for row in state.curves} == {1e-4}


def test_the_learning_rate_follows_the_validation_loss_and_not_the_training_loss():
    settings = TrainingSettings()
    overfitting, generalising = (
        TrainingState(torch.nn.Linear(1, 1), settings),
        TrainingState(torch.nn.Linear(1, 1), settings),
    )
    for epoch in range(12):
        overfitting.end_epoch(1.0 - epoch / 20, 1.0)
        generalising.end_epoch(1.0, 1.0 - epoch / 20)
    assert overfitting.optimizer.lr == pytest.approx(1e-5)
    assert generalising.optimizer.lr == 1e-4
    assert (overfitting.best.epoch, generalising.best.epoch) == (1, 12)


def test_stops_after_the_last_epoch():
    assert state_after([1.0, 0.9, 0.8], TrainingSettings(epochs=3)).is_over


def test_movies_missing_from_a_stream_are_left_out_and_counted(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    (tmp_path / "less").mkdir()
    data = make_data(tmp_path, (("image", 8), ("video", 6)))
    streams, mids = data.streams, data.mids
    lost = {mids[0], mids[5], mids[-1]}
    rows = {mid: streams["video"].rows(mid) for mid in mids if mid not in lost}
    streams["video"] = make_packed(tmp_path / "less" / "video.npy", rows)
    summary = train(data, TrainingRequest(QUICK, 0), tmp_path)
    assert summary.movies == {"training": 26, "validation": 4, "test": 7}
    assert summary.movies_in_split == {"training": 28, "validation": 4, "test": 8}
    assert asdict(summary) == json.loads((tmp_path / "run.json").read_text())
    clips = [streams["image"].clips[mid] for mid in mids[:28] if mid not in lost]
    assert summary.padded == sum(count < 3 for count in clips) > 0
    assert "training: 26 of 28 movies are in all stores; 2 not in video" in caplog.text
    assert "validation: 4 of 4 movies are in all stores\n" in caplog.text
    assert mids[-1] not in predictions(tmp_path / "tst.csv")[0]


def test_shuffling_permutes_the_labels_of_training_and_validation_movies(tmp_path, monkeypatch):
    # The genres of a movie are its number in binary, so that rows of labels can be recognised.
    labels = (np.arange(MOVIES)[:, None] >> np.arange(10) & 1).astype(np.uint8)
    data = replace(make_data(tmp_path), labels=labels)
    seen = []
    train_epoch = TrainingState.train_epoch

    def record_targets(self, batches, targets):
        seen.append(targets)
        return train_epoch(self, batches, targets)

    monkeypatch.setattr(TrainingState, "train_epoch", record_targets)
    settings = TrainingSettings(snippet=3, epochs=1)
    for shuffled in (False, True, True):
        train(data, TrainingRequest(settings, 0, shuffle_labels=shuffled), tmp_path)
    unshuffled, first, second = ((rows.numpy() @ 2 ** np.arange(10)).tolist() for rows in seen)
    assert unshuffled == list(range(28))
    assert first == second
    assert sum(a == b for a, b in zip(first, unshuffled, strict=True)) < 5
    assert len(set(first)) == 28
    assert max(first) < 32  # none of the test movies'
    np.testing.assert_array_equal(labels @ 2 ** np.arange(10), np.arange(MOVIES))


def test_too_few_movies(tmp_path):
    data = make_data(tmp_path)
    request = TrainingRequest(QUICK, 0, split=1)

    def message(lost=0, **fields):
        """Of a training whose first `lost` movies have no features."""
        mids = [mid.replace("tt0", "tt9") if n < lost else mid for n, mid in enumerate(data.mids)]
        with pytest.raises(UserError) as error:
            train(replace(data, mids=mids, **fields), request, tmp_path / "run")
        return str(error.value)

    for number, subset in enumerate(vocabulary.SUBSETS):
        subsets = SUBSETS.copy()
        subsets[subsets == number] = (number + 1) % 3
        least = 2 if number == 0 else 1
        expected = (
            f"split 1: no movie for {subset}, at least {least} needed; add movies to the table"
        )
        assert message(subsets=subsets) == expected
    why = "features in image (data/ledger.csv says why); add movies to the table"
    first = "tt9000000, tt9000001, tt9000002"
    assert message(40) == (
        f"split 1: none of its 28 training movies ({first} and 25 more) has {why}"
    )
    assert message(27) == (
        "split 1: only 1 of its 28 training movies is left, at least 2 needed: "
        f"{first} and 24 more have no {why}"
    )
    for own, other in ((1, 2), (2, 1)):
        subsets = SUBSETS * 0
        subsets[0], subsets[-1] = own, other
        subset = vocabulary.SUBSETS[own]
        assert message(1, subsets=subsets) == (
            f"split 1: its only {subset} movie, tt9000000, has no {why}"
        )
    subsets = SUBSETS * 0
    subsets[:3] = 1
    assert message(3, subsets=subsets) == (
        f"split 1: none of its 3 validation movies ({first}) has {why}"
    )
    subsets = SUBSETS * 0 + 1
    subsets[:2] = 0
    assert message(1, subsets=subsets) == (
        "split 1: only 1 of its 2 training movies is left, at least 2 needed: "
        f"tt9000000 has no {why}"
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("movie", "message"), [(0, "epoch 1: training loss nan"), (39, "prediction of tt0000039")]
)
def test_features_that_are_not_finite_stop_the_training(tmp_path, movie, message):
    data = make_data(tmp_path)
    rows = {mid: data.streams["image"].rows(mid).numpy() for mid in data.mids}
    rows[data.mids[movie]][:] = np.nan
    (tmp_path / "bad").mkdir()
    data.streams["image"] = make_packed(tmp_path / "bad" / "image.npy", rows)
    with pytest.raises(ValueError, match=message):
        train(data, TrainingRequest(QUICK, 0), tmp_path / "run")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"lr": "1e-4"}, "lr='1e-4': write it as 1.0e-4"),
        ({"epochs": 0}, "epochs=0 must be positive"),
        ({"dropout": -0.1}, "dropout=-0.1 must be positive"),
    ],
)
def test_bad_settings(values, message):
    with pytest.raises(ValueError, match=message):
        TrainingSettings(**values)


def test_training_does_not_import_pandas_sklearn_torchvision_or_snakemake():
    code = "import sys, trailers12k.classifier.training; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "torch" in loaded
    assert not {"pandas", "sklearn", "torchvision", "snakemake"} & loaded


@pytest.mark.parametrize("epoch", [1, 4, 9])
def test_a_killed_training_resumes_and_gives_the_same_bytes(tmp_path, monkeypatch, epoch, caplog):
    """Killed after an epoch, in its own process, with dropout and both generators in use."""
    settings = TrainingSettings(lr=1e-3, snippet=3, batch=8, epochs=10, plateau_patience=1)
    request = TrainingRequest(settings, 1)
    data = make_data(tmp_path, (("image", 16), ("video", 12)))
    train(data, request, tmp_path / "whole")
    state_file = tmp_path / "state.pt"
    monkeypatch.setattr(checkpoint.time, "monotonic", iter(range(0, 10**6, 10)).__next__)

    if (child := os.fork()) == 0:
        save = TrainingCheckpoint.save

        def save_and_die(self, state, generator):
            save(self, state, generator)
            if len(state["curves"]) == epoch:
                os.kill(os.getpid(), signal.SIGKILL)

        TrainingCheckpoint.save = save_and_die
        train(data, request, tmp_path / "cut", state_file)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and state_file.exists()
    assert not (tmp_path / "cut").exists()

    caplog.set_level(logging.INFO)
    train(data, request, tmp_path / "cut", state_file)
    assert f"resuming after epoch {epoch}" in caplog.text and not state_file.exists()
    for path in sorted((tmp_path / "whole").iterdir()):
        assert path.read_bytes() == (tmp_path / "cut" / path.name).read_bytes(), path.name


@pytest.mark.parametrize(
    ("request_changes", "data_changes"),
    [({"seed": 2}, {}), ({}, {"fingerprint": "other features"}), ({"settings": SLOWER}, {})],
)
def test_the_checkpoint_of_another_training_is_ignored(
    tmp_path, monkeypatch, request_changes, data_changes, caplog
):
    data = replace(make_data(tmp_path), fingerprint="features")
    request = TrainingRequest(QUICK, 1)
    monkeypatch.setattr(checkpoint.time, "monotonic", iter(range(0, 10**6, 10)).__next__)
    monkeypatch.setattr(TrainingCheckpoint, "remove", lambda self: None)
    state_file = tmp_path / "state.pt"
    train(data, request, tmp_path / "a", state_file)
    caplog.set_level(logging.INFO)
    other = replace(data, **data_changes), replace(request, **request_changes)
    train(*other, tmp_path / "b", state_file)
    assert "another training: starting from the first epoch" in caplog.text
    state_file.write_bytes(state_file.read_bytes()[:1000])
    train(data, request, tmp_path / "c", state_file)
    for name in ("best.pt", "tst.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "c" / name).read_bytes()


def test_evaluation_variants_predict_with_the_same_checkpoint(tmp_path):
    data = make_data(tmp_path, (("image", 16),), noise=5.0)
    streams, mids = data.streams, data.mids
    settings = TrainingSettings(lr=1e-2, snippet=2, batch=3, epochs=2, dropout=0.0)
    train(data, TrainingRequest(settings, 0), tmp_path)
    model, _ = load(tmp_path / "best.pt")

    def by_hand(mid, variant):
        rows, probabilities, clips = streams["image"].rows(mid), [], []
        step = len(rows) if variant == "whole" else 2
        for start in range(0, len(rows), step):
            window = rows[start : start + step]
            clips.append(len(window))
            if variant == "weighted":
                window = torch.cat([window, torch.zeros(step - len(window), 16)])
            with torch.no_grad():
                probabilities.append(model({"image": window[None]}).sigmoid()[0].numpy())
        weights = clips if variant == "weighted" else None
        return np.average(probabilities, axis=0, weights=weights)

    published = predict(model, streams, mids, settings)
    assert any(streams["image"].clips[mid] % 2 for mid in mids)
    for variant in ("masked", "whole", "weighted"):
        predicted = predict(model, streams, mids, settings, variant)
        expected = np.array([by_hand(mid, variant) for mid in mids])
        np.testing.assert_allclose(predicted, expected, atol=1e-6)
        assert not np.allclose(predicted, published, atol=1e-4), variant

    rows = [
        {"mid": m} | dict.fromkeys(GENRES, 0) | {"split0": s}
        for m, s in zip(mids, SUBSETS, strict=True)
    ]
    write_csv(tmp_path / "mtgc.csv", list(rows[0]), rows)
    predict_test(
        tmp_path / "best.pt", streams, tmp_path / "mtgc.csv", 0, "whole", tmp_path / "out.csv"
    )
    names, probabilities = predictions(tmp_path / "out.csv")
    assert names == mids[-8:]
    np.testing.assert_allclose(probabilities, predict(model, streams, names, settings, "whole"))


@pytest.mark.parametrize("others", [(), ("image",), ("video",), ("image", "video"), ("poster",)])
@pytest.mark.parametrize("fusion", ["late", "early"])
def test_sound_joins_any_streams(tmp_path, fusion, others):
    """Late fusion is the mean of the streams' logits; early fusion is one network on all."""
    if fusion == "early" and not others:
        pytest.skip("a single stream has nothing to be fused with")
    names = [name for name in others if name != "poster"]
    data = make_data(tmp_path, [(name, 8 + len(name)) for name in [*names, "audio"]])
    streams = data.streams
    if "poster" in others:
        posters = {mid: label[None] for mid, label in zip(data.mids, data.labels, strict=True)}
        streams["poster"] = make_packed(tmp_path / "poster.npy", posters)
    quick = replace(QUICK, epochs=1)
    train(data, TrainingRequest(quick, 0, fusion=fusion), tmp_path / "run")
    model, settings = load(tmp_path / "run" / "best.pt")
    assert model.inputs == list(streams)
    mids, probabilities = predictions(tmp_path / "run" / "tst.csv")
    np.testing.assert_allclose(predict(model, streams, mids, settings), probabilities, atol=1e-7)


@pytest.mark.parametrize("fusion", ["late", "early"])
def test_posters_and_early_fusion_train_and_load(tmp_path, fusion):
    data = make_data(tmp_path, (("image", 16), ("video", 12)))
    streams = data.streams
    vectors = np.random.default_rng(1).standard_normal((10, 8))
    posters = {
        mid: label[None] @ vectors for mid, label in zip(data.mids, data.labels, strict=True)
    }
    streams["poster"] = make_packed(tmp_path / "poster.npy", posters)
    train(data, TrainingRequest(QUICK, 0, fusion=fusion), tmp_path / fusion)
    model, settings = load(tmp_path / fusion / "best.pt")
    names, probabilities = predictions(tmp_path / fusion / "tst.csv")
    np.testing.assert_allclose(predict(model, streams, names, settings), probabilities, atol=1e-7)
    assert list(model.streams) == (["together"] if fusion == "early" else list(streams))


def test_a_restored_state_goes_on_like_the_saved_one():
    """All that changes: the model, the optimiser's moments, the plateau's count, the best epoch."""
    settings = TrainingSettings(plateau_patience=3, patience=9)
    torch.manual_seed(0)
    state = TrainingState(torch.nn.Linear(1, 1), settings)
    x = torch.ones(4, 1)

    def step(state, loss):
        state.optimizer.zero_grad()
        ((state.model(x) - 3) ** 2).mean().backward()
        state.optimizer.step()
        state.end_epoch(loss, loss)

    for loss in (1.0, 0.5, 0.6, 0.7):
        step(state, loss)
    saved = copy.deepcopy(state.state_dict())
    torch.manual_seed(1)
    restored = TrainingState(torch.nn.Linear(1, 1), settings)
    restored.load_state_dict(saved)
    assert restored.best.epoch == 2 and restored.curves == state.curves
    for loss in (0.6, 0.6, 0.6):
        for each in (state, restored):
            step(each, loss)
    assert [row.lr for row in restored.curves] == [row.lr for row in state.curves]
    assert restored.optimizer.lr == pytest.approx(1e-5)
    for name, value in state.model.state_dict().items():
        torch.testing.assert_close(restored.model.state_dict()[name], value, rtol=0, atol=0)


def test_the_training_loss_is_the_mean_over_the_movies(tmp_path):
    data = make_data(tmp_path)
    settings = TrainingSettings(lr=1e-12, snippet=3, batch=5, dropout=0.0)
    torch.manual_seed(0)
    model = ModelSpec({"image": data.streams["image"].features}, settings).build()
    targets = torch.from_numpy(data.labels[:28].astype(np.float32))
    generator = np.random.default_rng(0)
    batches = list(training_batches(data.streams, data.mids[:28], 5, 3, generator))
    losses = []
    model.train()
    for batch in batches:
        with torch.no_grad():
            logits = model(batch.snippets)
        losses += [
            binary_cross_entropy_with_logits(logit, targets[movie]).item()
            for logit, movie in zip(logits, batch.movies, strict=True)
        ]
    assert len(losses) == 28
    loss = TrainingState(model, settings).train_epoch(batches, targets)
    assert loss == pytest.approx(np.mean(losses), rel=1e-4)


def test_every_tenth_epoch_is_logged(caplog):
    caplog.set_level(logging.INFO)
    state_after([1.0 - n / 100 for n in range(20)], TrainingSettings())
    assert [line[:9] for line in caplog.messages] == ["epoch 10:", "epoch 20:"]
    assert caplog.messages[0] == "epoch 10: training 0.5000, validation 0.9100"


def test_a_checkpoint_that_holds_code_is_refused(tmp_path):
    """torch.load would call what a pickle names."""
    train(make_data(tmp_path), TrainingRequest(QUICK, 0), tmp_path)
    saved = torch.load(tmp_path / "best.pt", weights_only=True)
    for hostile in (Path("/"), subprocess.Popen):
        torch.save(saved | {"epoch": hostile}, tmp_path / "hostile.pt")
        with pytest.raises(UserError, match="is no part of a tensor"):
            load(tmp_path / "hostile.pt")


def test_a_prediction_for_each_movie_and_genre_is_written_or_none(tmp_path):
    probabilities = np.full((2, 10), 1 / 3, np.float32)
    write_predictions(tmp_path / "tst.csv", ["tt0000001", "tt0000002"], probabilities)
    names, read = predictions(tmp_path / "tst.csv")
    assert names == ["tt0000001", "tt0000002"]
    np.testing.assert_array_equal(read.astype(np.float32), probabilities)
    for wrong in (probabilities[:1], probabilities[:, :9]):
        with pytest.raises(ValueError, match="zip"):
            write_predictions(tmp_path / "other.csv", ["tt0000001", "tt0000002"], wrong)
    assert not (tmp_path / "other.csv").exists()
