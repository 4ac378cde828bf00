import numpy as np
import pytest


@pytest.fixture(scope="session")
def labels():
    """Labels of 1,000 movies, (1000, 10), whose genres are correlated as in real movies."""
    random = np.random.default_rng(0)
    mood = random.normal(size=(1000, 3)) @ random.normal(size=(3, 10))
    labels = (mood + random.normal(size=mood.shape) > 1.5).astype(int)
    labels[labels.sum(1) == 0, 4] = 1
    return labels
