"""Contributions of clips, on models whose output can be computed by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from trailers12k.classifier import prediction
from trailers12k.classifier.checkpoint import (
    BestEpoch,
    ModelSpec,
    TrainingSettings,
    save_model,
)
from trailers12k.classifier.divita import DIViTA
from trailers12k.common.errors import Failure, UserError
from trailers12k.common.vocabulary import GENRES
from trailers12k.downloads import trailers as download
from trailers12k.downloads.settings import DownloadSettings
from trailers12k.features import store as stores
from trailers12k.features.sound_recipe import SoundRecipe
from trailers12k.video.clips import Clip


class MeanFeature(torch.nn.Module):
    """The logit of genre g is the mean of feature g over the clips."""

    def forward(self, snippets):
        return snippets["image"][:, :, : len(GENRES)].mean(1)


def test_the_clips_that_show_a_genre_contribute_to_it():
    rows = np.zeros((7, 12), np.float32)
    rows[1, 2] = rows[5, 2] = 6.0
    rows[4, 7] = -6.0
    probabilities, contributions = prediction.attribute_by_occlusion(
        MeanFeature(), {"image": rows}, snippet=3
    )
    assert probabilities.shape == (10,) and contributions.shape == (7, 10)
    assert set(np.flatnonzero(contributions[:, 2] > 0.05)) == {1, 5}
    assert np.argmin(contributions[:, 7]) == 4

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    windows = [rows[:3, 2].mean(), rows[3:6, 2].mean(), 0.0]
    assert probabilities[2] == pytest.approx(sigmoid(np.array(windows)).mean())
    assert contributions[1, 2] == pytest.approx((sigmoid(2.0) - sigmoid(0.0)) / 3)
    assert contributions[0, 2] == pytest.approx((sigmoid(2.0) - sigmoid(3.0)) / 3)


def test_probabilities_are_those_of_the_evaluation_for_two_streams_and_one_clip():
    torch.manual_seed(0)
    model = DIViTA({"image": 6, "video": 4}).eval()
    rows = {
        n: np.random.default_rng(1).random((1, s), np.float32)
        for n, s in (("image", 6), ("video", 4))
    }
    for snippet in (1, 4):
        probabilities, contributions = prediction.attribute_by_occlusion(model, rows, snippet)
        pcontributions = {
            n: torch.from_numpy(np.pad(r, ((0, snippet - 1), (0, 0))))[None]
            for n, r in rows.items()
        }
        with torch.no_grad():
            expected = model(pcontributions).sigmoid()[0].numpy()
        np.testing.assert_allclose(probabilities, expected, atol=1e-6)
        assert contributions.shape == (1, 10) and np.isfinite(contributions).all()


@pytest.mark.parametrize("fusion", ["late", "early"])
@pytest.mark.parametrize("order", [("image", "audio"), ("audio", "image")])
def test_a_sound_contributes_by_what_its_absence_changes(fusion, order):
    """As computed by hand: the mean sound of training instead of one clip's."""
    torch.manual_seed(0)
    sizes = {"image": 6, "audio": 4}
    model = DIViTA({name: sizes[name] for name in order}, hidden=8, heads=2, fusion=fusion)
    generator = np.random.default_rng(1)
    batch = {
        name: torch.from_numpy(generator.random((5, 3, s), np.float32)) + 2
        for name, s in sizes.items()
    }
    for _ in range(200):
        model(batch)
    model.eval()
    rows = {name: generator.random((4, s), np.float32) for name, s in sizes.items()}
    sounds = prediction.attribute_to_sounds(model, rows, snippet=3)
    assert sounds.shape == (4, 10)
    mean = batch["audio"].mean((0, 1)).numpy()
    for clip in range(4):
        changed = {name: own.copy() for name, own in rows.items()}
        changed["audio"][clip] = mean
        whole, without = (
            prediction.attribute_by_occlusion(model, each, snippet=3)[0] for each in (rows, changed)
        )
        np.testing.assert_allclose(sounds[clip], whole - without, atol=1e-4)
    # A sound like all others says nothing.
    rows["audio"][:] = mean
    assert np.abs(prediction.attribute_to_sounds(model, rows, snippet=3)).max() < 1e-4


def test_a_run_with_sound_says_which_sounds_spoke(tmp_path):
    torch.manual_seed(0)
    spec = ModelSpec({"image": 6, "audio": 4}, TrainingSettings(snippet=2, hidden=8, heads=2))
    save_model(tmp_path / "best.pt", BestEpoch(1, 0.5, spec.build().state_dict()), spec)
    rows = {
        name: np.random.default_rng(1).random((3, size), np.float32)
        for name, size in spec.features.items()
    }
    clips = [Clip(i, 0, float(i), float(i + 1)) for i in range(3)]
    chosen = prediction.ChosenRun("Both", 1, 0.7, str(tmp_path / "best.pt"), "y")
    predicted = prediction.predict_trailer("a.mp4", chosen, "words", clips, rows)
    for clip, values in zip(predicted.record()["clips"], predicted.sounds, strict=True):
        assert list(clip["sound"]) == list(GENRES)
        np.testing.assert_allclose([*clip["sound"].values()], values, atol=1e-6)
    table = predicted.table()
    assert prediction.SOUNDS_HEAD in table and prediction.MUFFLED in table
    predicted = prediction.TrailerPrediction(
        "a.mp4", chosen, "words", clips, predicted.probabilities, predicted.contributions
    )
    assert prediction.SOUNDS_HEAD not in predicted.table()
    assert "sound" not in predicted.record()["clips"][0]


def test_a_trailer_without_sound_is_refused_by_a_run_that_hears(monkeypatch):
    def silent(*_):
        raise Failure("no_sound", "silent: nothing can be heard")

    monkeypatch.setattr(prediction, "extract_sound", silent)
    monkeypatch.setattr(SoundRecipe, "load", lambda *_: None)
    trailer = SimpleNamespace(file="a.mp4", decoder="pyav")
    with pytest.raises(UserError) as error:
        prediction.compute_features(trailer, [], "bars", SoundRecipe.__new__(SoundRecipe), "cpu")
    assert str(error.value) == (
        "the trailer has no sound, which the best run of this collection needs (silent: nothing "
        "can be heard); name another file of it"
    )


def test_a_trailer_is_predicted_by_the_checkpoint_of_the_chosen_run(tmp_path):
    torch.manual_seed(0)
    spec = ModelSpec({"image": 6}, TrainingSettings(snippet=2, hidden=8, heads=2))
    model = spec.build().eval()
    save_model(tmp_path / "best.pt", BestEpoch(1, 0.5, model.state_dict()), spec)
    rows = {"image": np.random.default_rng(1).random((3, 6), np.float32)}
    clips = [Clip(i, 0, float(i), float(i + 1)) for i in range(3)]
    chosen = prediction.ChosenRun("Swin", 1, 0.7, str(tmp_path / "best.pt"), "y")
    predicted = prediction.predict_trailer("a.mp4", chosen, "words", clips, rows)
    probabilities, contributions = prediction.attribute_by_occlusion(model, rows, snippet=2)
    np.testing.assert_array_equal(predicted.probabilities, probabilities)
    np.testing.assert_array_equal(predicted.contributions, contributions)


def test_the_table_names_genres_by_falling_probability_and_their_clips():
    clips = [Clip(i, 0, float(i), float(i + 1)) for i in range(4)]
    probabilities = np.linspace(0.1, 0.9, 10)
    contributions = np.zeros((4, 10))
    contributions[2, 9], contributions[1, 9], contributions[:, 8] = 0.25, 0.01, -0.1
    chosen = prediction.ChosenRun("Swin", 1, 0.7571, "x", "y")
    predicted = prediction.TrailerPrediction(
        "a <b>.mp4", chosen, "words", clips, probabilities, contributions
    )
    record = predicted.record()
    assert list(record["genres"])[:2] == ["thriller", "sci-fi"]
    assert record["clips"][2]["thriller"] == 0.25
    assert (record["run"], record["trailer"]) == ("Swin", "a <b>.mp4")
    table = predicted.table().splitlines()
    assert table[0] == "a <b>.mp4: 4 clips"
    assert "Swin, split 1 (validation µAP 75.7 %, backbone weights: words)" in table[1]
    first, second = (line for line in table if line.startswith(("| thriller", "| sci-fi")))
    assert "90.0 %" in first and "2.0-3.0 (+25.0), 1.0-2.0 (+1.0)" in first
    assert second.endswith("| -")


def test_numbers_of_the_record_have_six_decimals():
    chosen = prediction.ChosenRun("Swin", 1, 0.7571, "x", "y")
    probabilities, contributions = np.full(10, 1 / 3), np.full((1, 10), -2 / 3)
    predicted = prediction.TrailerPrediction(
        "a.mp4", chosen, "words", [Clip(0, 0, 0.0, 1.0)], probabilities, contributions
    )
    record = predicted.record()
    assert list(record["genres"].items()) == [(genre, 0.333333) for genre in GENRES]
    assert record["clips"] == [{"start": 0.0, "end": 1.0} | dict.fromkeys(GENRES, -0.666667)]
    assert record["backbone_weights"] == "words"
    assert "| -" in predicted.table(), "a clip that speaks against a genre does not show it"


def test_features_of_a_new_trailer_are_computed_by_one_thread_like_those_of_a_store(monkeypatch):
    """A store's values do not depend on the number of cores."""
    threads = []
    monkeypatch.setattr(
        prediction,
        "extract_trailer",
        lambda *_, bars: {"": threads.append((torch.get_num_threads(), bars))},
    )

    class Recipe:
        def __init__(self, crop_bars):
            self.sampling = SimpleNamespace(crop_bars=crop_bars)

        def load(self, device):
            assert device.torch == torch.device("cpu")

    class Posters:
        sampling = None

    trailer = SimpleNamespace(file="a.mp4", decoder="pyav")
    torch.set_num_threads(2)
    for crop_bars in (False, True):
        prediction.compute_features(trailer, [], "bars", Recipe(crop_bars), "cpu")
    assert threads == [(1, None), (1, "bars")]
    with pytest.raises(ValueError, match="a recipe of posters"):
        prediction.compute_features(trailer, [], "bars", Posters(), "cpu")


def test_a_store_computed_in_another_way_is_refused(tmp_path):
    store = tmp_path / "s.zarr"
    stores.create(store, {"num_features": 3})
    prediction.check_store(store, {"spec": 1})  # the authors' own stores do not record it
    stores.create(store, {"determined_by": {"spec": 1, "seed": 2}})
    prediction.check_store(store, {"spec": 1, "seed": 2})
    with pytest.raises(
        UserError, match="s.zarr was computed with another seed than the configuration"
    ):
        prediction.check_store(store, {"spec": 1, "seed": 3})


def test_a_file_that_is_no_video_is_refused_in_one_line(tmp_path):
    path = tmp_path / "x.mp4"
    path.write_text("no video")
    settings = DownloadSettings(max_megabytes=1, retries=0, timeout=1, retry_pause=0, pause={})
    with pytest.raises(UserError, match="the trailer cannot be used: not_video"):
        download.trailer_of(str(path), settings, tmp_path)
