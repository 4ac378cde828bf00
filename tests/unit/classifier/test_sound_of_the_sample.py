"""What a run with sound learns from the sample's looks and sounds, without files between.

The small form of `make sound`, which runs the whole pipeline on a larger sample.
"""

import numpy as np
import pytest
import torch

from trailers12k.classifier.checkpoint import TrainingSettings
from trailers12k.classifier.training import TrainingData, TrainingRequest, train
from trailers12k.common.files import read_csv
from trailers12k.common.vocabulary import GENRES
from trailers12k.evaluation.metrics import chance, scores
from trailers12k.features.backbones.sound import load
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.movies.sources import sample
from trailers12k.movies.sources.sample_rendering import _picture, _takes
from trailers12k.movies.sources.sample_sounds import RATE, play

from .test_training import make_packed

MOVIES, SEED = 240, 7
SUBSETS = np.array([0] * 140 + [1] * 20 + [2] * 80)
SETTINGS = TrainingSettings(lr=1e-3, batch=16, snippet=3, epochs=25, patience=10)
SECONDS = 0.5
"""Heard of each shot, to save time."""


def rows_of(movie, hear):
    """A row for each shot of a trailer: a tiny picture in the middle, and what a model hears."""
    takes = _takes(movie, SEED)
    pictures = [_picture(take, (take.first + take.end) // 2, (12, 7)).ravel() for take in takes]
    sounds = [play(take.sound, round(SECONDS * RATE), take.layout) for take in takes]
    return np.array(pictures), hear(sounds)


@pytest.fixture(scope="module")
def many_plain():
    """Of every five movies, one has a plain look and another a plain sound: twice the sample's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample, "PLAIN_EVERY", 5)
        patch.setattr(sample, "PLAIN_LOOK", 0)
        patch.setattr(sample, "PLAIN_SOUND", 3)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory, many_plain):
    """The streams of many movies, their labels, and which have a plain look, or a plain sound."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("sample")
    movies = sample.movies(MOVIES, SEED)[:MOVIES]
    # The tempo and the pitch of all sounds are those of `play` times 16 / 22: no matter here.
    hear = load(SoundSpec("logmel/64", "none"), 0)
    rows = {movie.mid: rows_of(movie, hear) for movie in movies}
    streams = {
        name: make_packed(folder / f"{name}.npy", {mid: own[place] for mid, own in rows.items()})
        for place, name in enumerate(("image", "audio"))
    }
    labels = np.array([[genre in movie.genres for genre in GENRES] for movie in movies], np.uint8)
    return TrainingData(streams, [*rows], labels, SUBSETS)


@pytest.fixture(scope="module")
def predicted(data, tmp_path_factory):
    """Run -> probabilities of the test movies, (80, 10)."""
    made = {}
    for run, names, how in (
        ("image", ["image"], {}),
        ("audio", ["audio"], {}),
        ("late", ["image", "audio"], {}),
        ("early", ["image", "audio"], {"fusion": "early"}),
        ("control", ["audio"], {"shuffle_labels": True}),
    ):
        folder = tmp_path_factory.mktemp(run)
        streams = {name: data.streams[name] for name in names}
        of_run = TrainingData(streams, data.mids, data.labels, data.subsets)
        train(of_run, TrainingRequest(SETTINGS, 0, **how), folder)
        rows = read_csv(folder / "tst.csv")
        made[run] = np.array([[float(row[genre]) for genre in GENRES] for row in rows])
    return made


def test_a_run_on_sound_beats_chance_clearly_and_the_control_does_not(data, predicted):
    labels = data.labels[SUBSETS == 2]
    by_chance = chance(data.labels[SUBSETS == 0], labels, seed=0)
    for metric in ("uap", "map"):
        assert scores(labels, predicted["audio"])[metric] > by_chance[metric] + 0.25, metric
        assert scores(labels, predicted["control"])[metric] < by_chance[metric] + 0.15, metric


@pytest.mark.parametrize("fusion", ["late", "early"])
def test_fusion_beats_picture_and_sound_on_movies_of_which_one_says_nothing(
    data, predicted, fusion
):
    mids = np.array(data.mids)[SUBSETS == 2]
    plain = np.array([sample.plain_parts(mid) for mid in mids])
    labels = data.labels[SUBSETS == 2]

    def uap(run, movies):
        return scores(labels[movies], predicted[run][movies])["uap"]

    mixed = plain.any(1)
    assert mixed.sum() == 32
    for alone in ("image", "audio"):
        assert uap(fusion, mixed) > uap(alone, mixed) + 0.04
        assert uap(fusion, slice(None)) > uap(alone, slice(None))
    # Each hears or sees what the other cannot.
    assert uap("audio", plain[:, 0]) > uap("image", plain[:, 0]) + 0.2
    assert uap("image", plain[:, 1]) > uap("audio", plain[:, 1]) + 0.2
