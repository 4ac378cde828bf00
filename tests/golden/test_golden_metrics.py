"""The metrics equal those of the published evaluation, also with ties and with an empty genre."""

from pathlib import Path

import numpy as np
import pytest

from trailers12k.common.vocabulary import GENRES, METRICS
from trailers12k.evaluation.metrics import scores


@pytest.mark.parametrize(
    ("labels", "probabilities", "expected"),
    [
        ("labels", "probabilities", "uap_map_wap_iap_genres"),
        ("labels", "tied_probabilities", "tied"),
        ("labels_without_genre0", "probabilities", "without_genre0"),
    ],
)
def test_scores(labels, probabilities, expected):
    golden = np.load(Path(__file__).parent / "metrics.npz")
    result = scores(golden[labels], golden[probabilities])
    assert list(result) == [*METRICS, *GENRES]
    np.testing.assert_allclose(list(result.values()), golden[expected], rtol=0, atol=1e-6)
