"""Places the movies of a store on a plane, and finds the nearest neighbour of each.

Reads a store and its manifest; writes results/map/STORE.csv. Must not know what the features mean,
nor how the plane is drawn.
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
from trailers12k.evaluation.frames import read_frame
from trailers12k.features import store as stores

log = logging.getLogger(__name__)

COMPONENTS = 30
"""Principal components before t-SNE, as its authors used (van der Maaten and Hinton, Visualizing
Data using t-SNE, Journal of Machine Learning Research 9, 2008, section 4.2)."""
PERPLEXITY = 30
"""Within the range that its authors recommend (5 to 50, section 2 there); less for few movies."""
DECIMALS = 4


def means(store: str | Path, mids: list[str]) -> np.ndarray:
    """The mean over each movie's rows, float64 (movies, features). KeyError for a missing movie."""
    store = Path(store)
    progress = tqdm(mids, f"reading {store.name}", disable=None)
    return np.stack([stores.read(store, mid).mean(axis=0, dtype=np.float64) for mid in progress])


def standardised(values: np.ndarray) -> np.ndarray:
    """Each column with mean 0 and standard deviation 1; a constant column becomes 0."""
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)


def places(values: np.ndarray) -> np.ndarray:
    """A position on a plane for each row of `values`, float64 (movies, 2), by PCA and t-SNE.

    Similar rows are near each other. The principal components also initialise t-SNE, so that
    nothing is random. With fewer than four movies, the positions are the first two components.
    Rows that are all equal have one position.
    """
    if (values == values[0]).all():  # t-SNE would divide by their deviation
        return np.zeros((len(values), 2))
    count = min(COMPONENTS, *values.shape)
    # One thread: with several, sums are added in another order and the positions differ.
    with threadpool_limits(1):
        # The faster of the two exact solvers.
        solver = "full" if len(values) < values.shape[1] else "covariance_eigh"
        components = PCA(count, svd_solver=solver).fit_transform(values)
        if len(values) < 4 or count < 2:
            return np.pad(components, ((0, 0), (0, 2)))[:, :2]
        perplexity = min(PERPLEXITY, (len(values) - 1) / 3)
        tsne = TSNE(perplexity=perplexity, init="pca", random_state=0)
        return tsne.fit_transform(components)


def nearest(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The index of each row's nearest other row, and the Euclidean distance to it."""
    with threadpool_limits(1):
        neighbours = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(values)
        # Without an argument, no row is its own neighbour.
        distances, indices = neighbours.kneighbors()
    return indices[:, 0], distances[:, 0]


def embed(store: str | Path, manifest: str | Path) -> pd.DataFrame:
    """The embedding of the movies in a manifest: mid, x, y, nearest, distance, by mid.

    nearest: mid of the nearest other movie by standardised means over clips. distance: to it.
    Both are empty for a single movie.
    """
    rows = read_frame(manifest, ["mid", "clips"], ["clips"], ["mid"], dtype={"mid": str})
    mids = sorted(rows.loc[rows["clips"] > 0, "mid"])
    if len(mids) < 2:
        columns = {"mid": mids, "x": 0.0, "y": 0.0, "nearest": "", "distance": np.nan}
        return pd.DataFrame(columns)
    values = standardised(means(store, mids))
    indices, distances = nearest(values)
    x, y = places(values).T
    log.info("%s: embedded %d movies", Path(store).name, len(mids))
    near = [mids[index] for index in indices]
    return pd.DataFrame({"mid": mids, "x": x, "y": y, "nearest": near, "distance": distances})


def write(path: str | Path, table: pd.DataFrame) -> None:
    """Writes an embedding as CSV."""
    write_text(path, table.to_csv(index=False, float_format=f"%.{DECIMALS}f", lineterminator="\n"))


def map_features(path: str | Path, store: str | Path, manifest: str | Path) -> None:
    """Writes the embedding of a store's movies."""
    write(path, embed(store, manifest))
