import logging
import shutil

import numpy as np
import pytest
import torch
import zarr

from trailers12k.classifier.dataset import TrailerDataset
from trailers12k.classifier.labels import load_split, read_labels
from trailers12k.classifier.packed import PackedStore
from trailers12k.classifier.packing import open_array, pack
from trailers12k.classifier.snippets import (
    common_movies,
    evaluation_batches,
    random_start,
    training_batches,
    whole_trailers,
)
from trailers12k.common.files import read_csv, write_csv
from trailers12k.common.seeds import seed_for
from trailers12k.common.vocabulary import GENRES

CLIPS = {"tt0000003": 7, "tt0000001": 12, "tt10000000": 3, "tt0000002": 5}


def features(mid, clips, size):
    """Values that identify movie, clip and column; none is zero."""
    movie = int(mid[2:]) % 9 + 1
    return (movie * 1e4 + np.arange(1, clips + 1)[:, None] * 1e2 + np.arange(size)).astype("f4")


def make_store(path, clips=CLIPS, size=4):
    group = zarr.open_group(path, mode="w", zarr_format=2, attributes={"num_features": size})
    for mid, count in clips.items():
        rows = features(mid, count, size)
        group.create_array(mid, data=rows, chunks=rows.shape)
    return path


def make_labels(path, subsets):
    rows = [
        {"mid": mid, "split0": subset, "split1": 0, "split2": 0}
        | {genre: int(g == i % 10) for g, genre in enumerate(GENRES)}
        for i, (mid, subset) in enumerate(sorted(subsets.items()))
    ]
    write_csv(path, ("mid", *GENRES, "split0", "split1", "split2"), rows)
    return path


@pytest.fixture
def streams(tmp_path):
    """Two packed stores of the same movies."""
    result = {}
    for name, size in (("image", 4), ("video", 3)):
        pack(make_store(tmp_path / f"{name}.zarr", size=size), None, tmp_path / f"{name}.npy")
        result[name] = PackedStore(tmp_path / f"{name}.npy")
    return result


def test_pack_keeps_every_row_under_its_movie(tmp_path, streams):
    packed = streams["image"]
    assert packed.mids == sorted(CLIPS)
    assert packed.features == 4
    for mid, clips in CLIPS.items():
        np.testing.assert_array_equal(packed.rows(mid), features(mid, clips, 4))
    assert [row["offset"] for row in read_csv(tmp_path / "image.csv")] == ["0", "12", "17", "24"]
    assert not list(tmp_path.glob("*.partial"))


def test_the_index_differs_when_only_the_fingerprints_differ(tmp_path):
    store = make_store(tmp_path / "s.zarr")
    indexes = []
    for fingerprint in ("a", "b"):
        rows = [
            {"mid": mid, "clips": count, "fingerprint": fingerprint} for mid, count in CLIPS.items()
        ]
        write_csv(tmp_path / "m.csv", ("mid", "clips", "fingerprint"), rows)
        pack(store, tmp_path / "m.csv", tmp_path / "out.npy")
        indexes.append((tmp_path / "out.csv").read_text())
    assert indexes[0] != indexes[1]


def test_pack_copies_the_movies_of_the_manifest(tmp_path):
    store = make_store(tmp_path / "s.zarr")
    rows = [{"mid": m, "clips": CLIPS[m], "fingerprint": "x"} for m in ("tt0000002", "tt0000001")]
    empty = {"mid": "tt0000009", "clips": 0, "fingerprint": "x"}
    write_csv(tmp_path / "m.csv", ("mid", "clips", "fingerprint"), [*rows, empty])
    pack(store, tmp_path / "m.csv", tmp_path / "out.npy")
    assert PackedStore(tmp_path / "out.npy").clips == {"tt0000001": 12, "tt0000002": 5}


def with_value(value):
    def damage(store):
        rows = features("tt0000002", 5, 4)
        rows[2, 1] = value
        zarr.open_group(store, mode="a")["tt0000002"][:] = rows

    return damage


def other_type(store):
    group = zarr.open_group(store, mode="a")
    del group["tt0000002"]
    group.create_array("tt0000002", data=np.ones((5, 4)))


def group_instead(store):
    group = zarr.open_group(store, mode="a")
    del group["tt0000002"]
    group.create_group("tt0000002")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (group_instead, "tt0000002.* no .zarray"),
        (with_value(np.nan), "tt0000002.* NaN"),
        (with_value(np.inf), "tt0000002.* NaN or infinity"),
        (lambda store: (store / "tt0000002" / "0.0").unlink(), "tt0000002.* chunk is missing"),
        (lambda store: shutil.rmtree(store / "tt0000002"), "tt0000002.* not in the store"),
        (lambda store: make_store(store, CLIPS | {"tt0000002": 6}), r"tt0000002.* \(6, 4\), not"),
        (other_type, "tt0000002.* float64"),
    ],
)
def test_pack_stops_at_a_damaged_movie_and_writes_nothing(tmp_path, damage, message):
    store = make_store(tmp_path / "s.zarr")
    rows = [{"mid": mid, "clips": clips} for mid, clips in CLIPS.items()]
    write_csv(tmp_path / "m.csv", ("mid", "clips"), rows)
    damage(store)
    with pytest.raises(ValueError, match=message):
        pack(store, tmp_path / "m.csv", tmp_path / "out.npy")
    assert not list(tmp_path.glob("out*"))


def test_a_group_in_the_place_of_an_array_is_named(tmp_path):
    store = make_store(tmp_path / "s.zarr")
    group_instead(store)
    with pytest.raises(ValueError, match="tt0000002 of .* is not an array; move it out"):
        open_array(zarr.open_group(store, mode="r"), "tt0000002")


def test_pack_needs_a_movie(tmp_path):
    with pytest.raises(ValueError, match="no movie"):
        pack(make_store(tmp_path / "s.zarr", {}), None, tmp_path / "out.npy")


def test_an_index_of_another_packing_is_refused(tmp_path, streams):
    write_csv(tmp_path / "image.csv", ("mid", "offset", "clips"), [])
    with pytest.raises(ValueError, match="different packings"):
        PackedStore(tmp_path / "image.npy")


def test_labels_and_their_order(tmp_path):
    path = make_labels(tmp_path / "mtgc.csv", {"tt0000001": 2, "tt0000002": 1})
    mids, labels, splits = read_labels(path)
    assert mids == ["tt0000001", "tt0000002"]
    np.testing.assert_array_equal(labels, np.eye(10, dtype=np.uint8)[:2])
    np.testing.assert_array_equal(splits, [[2, 0, 0], [1, 0, 0]])
    assert labels.dtype == splits.dtype == np.uint8


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("comedy", "funny", "no column comedy"),
        ("split", "fold", "no column split0"),
        ("tt0000002", "tt0000001", "occurs twice"),
        ("tt0000001,1", "tt0000001,x", "'tt0000001' has action='x'"),
        ("2,0,0", "3,0,0", "'tt0000001' has split0='3'"),
    ],
)
def test_bad_labels(tmp_path, old, new, message):
    path = make_labels(tmp_path / "mtgc.csv", {"tt0000001": 2, "tt0000002": 1})
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ValueError, match=message):
        read_labels(path)


def test_only_movies_of_all_streams():
    clips = {"image": {"a": 1, "b": 2, "c": 3}, "video": {"b": 2, "a": 1, "d": 4}}
    assert common_movies(clips, ["d", "b", "a"]) == ["b", "a"]
    clips["video"]["b"] = 3
    with pytest.raises(ValueError, match="b has 2 clips in image but 3 in video"):
        common_movies(clips, ["a", "b"])
    assert common_movies(clips, ["a"]) == ["a"]


def test_a_training_epoch_has_every_movie_once_at_the_same_clips_of_both_streams(streams):
    mids = sorted(CLIPS)
    batches = list(training_batches(streams, mids, 3, 4, np.random.default_rng(0)))
    assert [len(batch.movies) for batch in batches] == [3, 1]
    assert sorted(torch.cat([batch.movies for batch in batches]).tolist()) == [0, 1, 2, 3]
    for batch in batches:
        for place, movie in enumerate(batch.movies):
            image, video = (batch.snippets[name][place] for name in ("image", "video"))
            rows = features(mids[movie], CLIPS[mids[movie]], 4)
            start = int(image[0, 0] % 1e4) // 100 - 1
            expected = rows[start : start + 4]
            np.testing.assert_array_equal(image[: len(expected)], expected)
            np.testing.assert_array_equal(video, image[:, :3])
            # tt10000000 has three clips: its snippet ends in a row of zeros.
            assert len(expected) == min(4, len(rows))
            assert not image[len(expected) :].any()


def test_batches_are_gathered_on_the_device_of_the_array(tmp_path, streams):
    """The device "meta" replaces a GPU here: it has shapes and no memory."""
    far = {"image": PackedStore(tmp_path / "image.npy", "meta")}
    (batch,) = evaluation_batches(far, sorted(CLIPS), 32, 5)
    (near,) = evaluation_batches({"image": streams["image"]}, sorted(CLIPS), 32, 5)
    assert batch.snippets["image"].device.type == batch.valid.device.type == "meta"
    assert batch.snippets["image"].shape == near.snippets["image"].shape


def test_an_array_that_does_not_fit_on_the_device_stays_on_the_cpu(
    tmp_path, streams, monkeypatch, caplog
):
    def no_room(self, device):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(torch.Tensor, "to", no_room)
    packed = PackedStore(tmp_path / "image.npy", "cuda")
    monkeypatch.undo()
    assert torch.equal(packed.rows("tt0000001"), streams["image"].rows("tt0000001"))
    assert "do not fit on cuda" in caplog.text


def test_posters_have_one_row_for_every_snippet_length(tmp_path, streams):
    posters = make_store(tmp_path / "p.zarr", dict.fromkeys(CLIPS, 1), 6)
    pack(posters, None, tmp_path / "p.npy")
    streams["poster"] = PackedStore(tmp_path / "p.npy")
    mids = sorted(CLIPS)
    assert common_movies({name: packed.clips for name, packed in streams.items()}, mids) == mids
    sizes = []
    for batch in training_batches(streams, mids, 3, 4, np.random.default_rng(0)):
        sizes.append(len(batch.movies))
        assert batch.snippets["poster"].shape == (len(batch.movies), 1, 6)
        assert batch.snippets["video"].shape == (len(batch.movies), 4, 3)
        for movie, row in zip(batch.movies, batch.snippets["poster"], strict=True):
            np.testing.assert_array_equal(row, features(mids[movie], 1, 6))
    assert sizes == [4], "a last batch of one poster joins the batch before"
    (batch,) = evaluation_batches(streams, ["tt0000001"], 1, 5)
    assert batch.snippets["poster"].shape == (3, 1, 6)
    assert batch.valid.sum(1).tolist() == [5, 5, 2]
    only = {"poster": streams["poster"]}
    (batch,) = evaluation_batches(only, mids, 32, 5)
    assert len(batch.movies) == 4 and batch.valid.all()


def test_whole_trailers_have_one_snippet_each(streams):
    batches = list(whole_trailers(streams, ["tt0000003", "tt0000001"]))
    for batch, mid in zip(batches, ("tt0000003", "tt0000001"), strict=True):
        np.testing.assert_array_equal(batch.snippets["image"][0], features(mid, CLIPS[mid], 4))
        assert batch.valid.all()


def starts(streams, seed):
    generator = np.random.default_rng(seed)
    batches = [next(training_batches(streams, ["tt0000002"], 1, 4, generator)) for _ in range(40)]
    return [int(batch.snippets["image"][0, 0, 0] % 1e4) // 100 - 1 for batch in batches]


def test_training_snippets_start_at_random_clips_of_the_generator(streams):
    assert set(starts(streams, 0)) == {0, 1}  # of 5 clips, 4 fit twice
    assert starts(streams, 0) == starts(streams, 0) != starts(streams, 1)


def test_a_single_last_row_joins_the_batch_before(streams):
    def sizes(snippet):
        batches = training_batches(streams, sorted(CLIPS), 3, snippet, np.random.default_rng(0))
        return [len(batch.movies) for batch in batches]

    assert sizes(1) == [4]
    assert sizes(2) == [3, 1]


def test_evaluation_has_every_clip_once_in_order_and_pads_the_last_window(streams):
    mids = ["tt0000003", "tt0000001"]
    (batch,) = evaluation_batches(streams, mids, 32, 5)
    assert batch.movies.tolist() == [0, 0, 1, 1, 1]
    windows = batch.snippets["image"]
    np.testing.assert_array_equal(windows[:2].reshape(-1, 4)[:7], features("tt0000003", 7, 4))
    assert not windows[1, 2:].any()
    np.testing.assert_array_equal(windows[2:].reshape(-1, 4)[:12], features("tt0000001", 12, 4))
    assert not windows[4, 2:].any()
    # The batch size counts movies, not windows.
    assert [len(batch.movies) for batch in evaluation_batches(streams, mids, 1, 5)] == [2, 3]


@pytest.fixture
def stores(tmp_path):
    return {
        "image": make_store(tmp_path / "i.zarr"),
        "video": make_store(tmp_path / "v.zarr", size=3),
    }


def test_users_training_items(tmp_path, stores, caplog):
    caplog.set_level(logging.INFO)
    mtgc = make_labels(tmp_path / "mtgc.csv", dict.fromkeys(CLIPS, 0) | {"tt0000009": 0})
    data = TrailerDataset(stores, mtgc, split=0, subset="training", snippet=4)
    assert len(data) == 4
    assert data.epoch == 0
    assert data.mids == sorted(CLIPS)
    assert data.padded == 1
    assert "4 of 5 movies" in caplog.text
    for item, mid in enumerate(data.mids):
        snippets, labels, name = data[item]
        assert name == mid
        image, video = snippets["image"], snippets["video"]
        assert image.shape == (4, 4)
        assert image.dtype == labels.dtype == torch.float32
        np.testing.assert_array_equal(video, image[:, :3])
        start = int(image[0, 0] % 1e4) // 100 - 1
        expected = features(mid, CLIPS[mid], 4)[start : start + 4]
        np.testing.assert_array_equal(image[: len(expected)], expected)
        np.testing.assert_array_equal(labels, read_labels(mtgc)[1][read_labels(mtgc)[0].index(mid)])


def test_a_split_is_loaded_with_its_labels(tmp_path):
    mtgc = make_labels(tmp_path / "mtgc.csv", dict.fromkeys(CLIPS, 0) | {"tt0000003": 1})
    mids, labels = load_split(mtgc, 0, "validation")
    assert mids == ["tt0000003"] and labels.shape == (1, 10)
    assert sorted([*load_split(mtgc, 0)[0], *mids]) == sorted(CLIPS)
    with pytest.raises(ValueError, match="split=3"):
        load_split(mtgc, 3)


def test_a_data_loader_returns_the_mids(tmp_path, stores):
    data = TrailerDataset(stores, make_labels(tmp_path / "mtgc.csv", dict.fromkeys(CLIPS, 0)))
    loader = torch.utils.data.DataLoader(data, batch_size=3, num_workers=1)
    assert [mid for _, _, mids in loader for mid in mids] == data.mids


def test_users_training_items_change_with_the_epoch_and_not_with_workers(tmp_path, stores):
    data = TrailerDataset(
        stores, make_labels(tmp_path / "mtgc.csv", dict.fromkeys(CLIPS, 0)), snippet=2
    )

    def epoch(number, workers):
        data.set_epoch(number)
        loader = torch.utils.data.DataLoader(data, batch_size=4, num_workers=workers)
        return next(iter(loader))[0]["image"]

    assert torch.equal(epoch(0, workers=0), epoch(0, workers=1))
    assert not torch.equal(epoch(0, workers=0), epoch(1, workers=0))


def test_users_training_snippets_are_drawn_with_the_seed_of_epoch_and_movie(tmp_path, stores):
    mtgc = make_labels(tmp_path / "mtgc.csv", dict.fromkeys(CLIPS, 0))
    data = TrailerDataset(stores, mtgc, snippet=2, seed=5)
    data.set_epoch(3)
    for item, mid in enumerate(data.mids):
        generator = np.random.default_rng(seed_for(5, "snippet", 3, item))
        start = random_start(CLIPS[mid], 2, generator)
        expected = features(mid, CLIPS[mid], 4)[start : start + 2]
        np.testing.assert_array_equal(data[item][0]["image"], expected)


def test_users_evaluation_items_are_windows(tmp_path, stores):
    subsets = dict.fromkeys(CLIPS, 0) | {"tt0000003": 2, "tt0000001": 2}
    data = TrailerDataset(stores, make_labels(tmp_path / "mtgc.csv", subsets), 0, "test", 5)
    assert data.mids == ["tt0000001", "tt0000003"]
    assert data.movies == [0, 0, 0, 1, 1]
    windows = torch.stack([data[item][0]["image"] for item in range(len(data))])
    np.testing.assert_array_equal(windows[:3].reshape(-1, 4)[:12], features("tt0000001", 12, 4))
    np.testing.assert_array_equal(windows[3:].reshape(-1, 4)[:7], features("tt0000003", 7, 4))
    assert not windows[2, 2:].any()
    assert not windows[4, 2:].any()


def test_users_posters(tmp_path, stores):
    stores["poster"] = make_store(tmp_path / "p.zarr", dict.fromkeys(CLIPS, 1), 6)
    data = TrailerDataset(stores, make_labels(tmp_path / "mtgc.csv", dict.fromkeys(CLIPS, 0)))
    snippets, _, mid = data[1]
    assert {name: tuple(rows.shape) for name, rows in snippets.items()} == {
        "image": (30, 4),
        "video": (30, 3),
        "poster": (1, 6),
    }
    np.testing.assert_array_equal(snippets["poster"], features(mid, 1, 6))


def test_users_sound_is_of_the_same_clips_and_movies_without_it_are_left_out(tmp_path, stores):
    heard = {mid: count for mid, count in CLIPS.items() if mid != "tt0000002"}
    stores["audio"] = make_store(tmp_path / "a.zarr", heard, 5)
    mtgc = make_labels(tmp_path / "mtgc.csv", dict.fromkeys(CLIPS, 0))
    data = TrailerDataset(stores, mtgc, snippet=2)
    assert data.mids == sorted(heard)
    for snippets, _, _ in map(data.__getitem__, range(len(data))):
        assert snippets["audio"].shape == (2, 5)
        np.testing.assert_array_equal(snippets["audio"][:, :4], snippets["image"])


def test_users_errors(tmp_path, stores):
    mtgc = make_labels(tmp_path / "mtgc.csv", dict.fromkeys(CLIPS, 0))
    with pytest.raises(ValueError, match="^subset='tst' must be one of training, valid.*, test$"):
        TrailerDataset(stores, mtgc, subset="tst")
    with pytest.raises(ValueError, match="^split=3 must be the number, from 0, of one of the 3 sp"):
        TrailerDataset(stores, mtgc, split=3)
    with pytest.raises(ValueError, match="no validation movie of split 0"):
        TrailerDataset(stores, mtgc, subset="validation")
    make_store(stores["video"], CLIPS | {"tt0000002": 6})
    with pytest.raises(ValueError, match="tt0000002 has 5 clips in image but 6 in video"):
        TrailerDataset(stores, mtgc)
