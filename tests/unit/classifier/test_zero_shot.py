"""Scores without training: means over clips of cosines, of each movie by itself."""

import numpy as np
import pytest

from trailers12k.classifier import zero_shot
from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import GENRES
from trailers12k.evaluation.frames import read_predictions
from trailers12k.features import store as stores
from trailers12k.settings.zero_shot import PHRASES, PICTURES, SOUND

FEATURES = 16


class Letters:
    """Embeds a text by how often it has each of 16 letters."""

    def embed(self, texts):
        counts = [[text.count(letter) for letter in "abcdefghijklmnop"] for text in texts]
        return np.array(counts, np.float32)


@pytest.fixture
def embeddings():
    return zero_shot.embed_genres(Letters(), zero_shot.Prompts(PICTURES, PHRASES))


def test_a_genre_is_the_mean_over_all_its_texts(embeddings):
    texts = [t.replace("{genre}", p) for t in PICTURES for p in PHRASES["horror"]]
    vectors = Letters().embed(texts).astype(float)
    mean = np.mean([each / np.linalg.norm(each) for each in vectors], axis=0)
    expected = mean / np.linalg.norm(mean)
    assert np.allclose(embeddings[GENRES.index("horror")], expected)
    assert embeddings.shape == (len(GENRES), FEATURES)
    assert len({tuple(row) for row in embeddings.round(9).tolist()}) == len(GENRES)


def test_a_phrase_with_the_words_of_a_template_stays_as_it_is():
    assert zero_shot.Prompts(["a {genre} b"], {"drama": ["x"]}).texts("drama") == ["a x b"]


@pytest.mark.parametrize("templates", [PICTURES, SOUND])
def test_the_defaults_name_each_genre(templates):
    assert {*PHRASES} == {*GENRES}
    for genre in GENRES:
        texts = zero_shot.Prompts(templates, PHRASES).texts(genre)
        assert len({*texts}) == len(templates) * len(PHRASES[genre]) and "{" not in "".join(texts)


def test_a_score_is_the_mean_cosine_of_the_clips(embeddings):
    features = np.random.default_rng(0).normal(size=(5, FEATURES)).astype(np.float32)
    cosines = [
        [float(clip @ e) / np.linalg.norm(clip) / np.linalg.norm(e) for e in embeddings]
        for clip in features.astype(float)
    ]
    expected = (1 + np.mean(cosines, axis=0)) / 2
    assert np.allclose(zero_shot.scores(features, embeddings), expected, atol=1e-12)
    # The length of a clip's vector and the order of clips count for nothing.
    longer = (features * np.arange(1, 6)[:, None])[::-1]
    assert np.allclose(zero_shot.scores(longer, embeddings), expected, atol=1e-12)


def test_scores_stay_within_bounds(embeddings):
    for features in (embeddings, -embeddings, np.zeros_like(embeddings)):
        found = zero_shot.scores(features[:1], embeddings)
        assert (found >= 0).all() and (found <= 1).all()
    assert (found == 0.5).all()


def written(folder, mids, width=FEATURES):
    store = folder / "own.zarr"
    stores.create(store, {"num_features": width})
    for number, mid in enumerate(mids):
        values = np.random.default_rng(number).normal(size=(number + 1, width))
        stores.write(store, mid, values.astype(np.float32), {})
    return store


def test_each_split_has_its_own_movies(tmp_path, embeddings):
    mids = [f"tt900000{n}" for n in range(6)]
    probabilities = zero_shot.score_store(written(tmp_path, mids), mids, embeddings)
    zero_shot.write_split(tmp_path / "split0", mids, np.array([0, 1, 2, 2, 0, 1]), probabilities)
    test = read_predictions(tmp_path / "split0/tst.csv")
    validation = read_predictions(tmp_path / "split0/val.csv")
    assert [*test.index] == mids[2:4] and [*validation.index] == [mids[1], mids[5]]
    assert np.allclose(test[list(GENRES)].to_numpy(), probabilities[2:4], atol=1e-8)


def test_a_store_of_another_model_is_refused(tmp_path, embeddings):
    store = written(tmp_path, ["tt9000001"], width=8)
    with pytest.raises(UserError, match=r"has vectors of \(8,\), and texts of \(16,\)"):
        zero_shot.score_store(store, ["tt9000001"], embeddings)
