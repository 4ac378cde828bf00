"""A map of a store's movies: where each lies among the others, and which is the nearest.

Reads a store and its manifest. Must not know what the numbers mean, nor how a map is drawn.
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from trailers12k.common.files import write_text
from trailers12k.features import store as stores

log = logging.getLogger(__name__)

COMPONENTS = 30
"""Principal components that t-SNE sees: as many as its authors took (van der Maaten and Hinton,
Visualizing Data using t-SNE, Journal of Machine Learning Research 9, 2008, section 4.2)."""
PERPLEXITY = 30
"""Neighbours that count, of the typical values (5 to 50, section 2 there); fewer of few movies."""
DECIMALS = 4


def means(store: str | Path, mids: list[str]) -> np.ndarray:
    """The mean of each movie's rows, float64 (movies, features). KeyError when one is not there."""
    store = Path(store)
    told = tqdm(mids, f"reading {store.name}", disable=None)
    return np.stack([stores.read(store, mid).mean(axis=0, dtype=np.float64) for mid in told])


def standardised(values: np.ndarray) -> np.ndarray:
    """Each column with mean 0 and standard deviation 1; 0 where it is constant."""
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)


def draw(values: np.ndarray) -> np.ndarray:
    """Places on a plane, float64 (movies, 2), near to each other where the rows of `values` are:
    t-SNE on the principal components, which are its first guess, too, so that nothing is drawn by
    lot.

    Of fewer than four movies the first two components, since there is nothing to arrange.
    """
    count = min(COMPONENTS, *values.shape)
    # One thread: the sums of several would come in another order, and another map of them.
    with threadpool_limits(1):
        # The faster of the two exact ways.
        way = "full" if len(values) < values.shape[1] else "covariance_eigh"
        parts = PCA(count, svd_solver=way).fit_transform(values)
        if len(values) < 4 or count < 2:
            return np.pad(parts, ((0, 0), (0, 2)))[:, :2]
        perplexity = min(PERPLEXITY, (len(values) - 1) / 3)
        draw = TSNE(perplexity=perplexity, init="pca", random_state=0)
        return draw.fit_transform(parts)


def nearest(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The number of each row's nearest other row, and the Euclidean distance to it."""
    with threadpool_limits(1):
        finder = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(values)
        distances, places = finder.kneighbors()  # without an argument, no row is its own neighbour
    return places[:, 0], distances[:, 0]


def of_store(store: str | Path, manifest: str | Path) -> pd.DataFrame:
    """The map of the movies in a manifest: mid, x, y, nearest, distance, by mid.

    nearest: another movie, the nearest by the means over clips, each feature standardised;
    distance: to it. Empty where there is no other.
    """
    listed = pd.read_csv(manifest, dtype={"mid": str})
    mids = sorted(listed.loc[listed["clips"] > 0, "mid"])
    if len(mids) < 2:
        only = {"mid": mids, "x": 0.0, "y": 0.0, "nearest": "", "distance": np.nan}
        return pd.DataFrame(only)
    values = standardised(means(store, mids))
    places, distances = nearest(values)
    x, y = draw(values).T
    log.info("%s: %d movies on the map", Path(store).name, len(mids))
    near = [mids[place] for place in places]
    return pd.DataFrame({"mid": mids, "x": x, "y": y, "nearest": near, "distance": distances})


def write(path: str | Path, table: pd.DataFrame) -> None:
    """Write a map as CSV."""
    write_text(path, table.to_csv(index=False, float_format=f"%.{DECIMALS}f", lineterminator="\n"))
