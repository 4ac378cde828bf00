"""What the baselines cost: the paper's eight sets of stores on three splits of 12,000 movies.

Writes trailers12k/workflow/figures/baselines.json. Features are simulated: 200 latent dimensions of
falling variance and noise, from which the genres follow too.
"""

import time
import warnings
from pathlib import Path

import figures
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from trailers12k.classifier.baselines import Pooled, fit_splits
from trailers12k.classifier.labels import LabelTable
from trailers12k.evaluation.rows import KNN, LINEAR

MOVIES = 12_000
SIZES = {"shuffle2d": 1024, "shuffle3d": 1024, "resnet": 2048, "r2plus1d": 512, "swin": 768}
SETS = (
    *(("shuffle2d",), ("shuffle3d",), ("shuffle2d", "shuffle3d")),
    *(("resnet",), ("r2plus1d",), ("resnet", "r2plus1d"), ("swin",), ("swin3d",)),
)
SHARES = (0.45, 0.4, 0.35, 0.25, 0.2, 0.15, 0.15, 0.1, 0.08, 0.05)
"""Of the genres, about those of Trailers12k."""


def simulated() -> tuple[dict[str, Pooled], LabelTable]:
    random = np.random.default_rng(0)
    hidden = random.standard_normal((MOVIES, 200)) * np.arange(1, 201) ** -0.5
    scores = 2 * hidden @ random.standard_normal((200, 10))
    scores += 2 * random.standard_normal((MOVIES, 10))
    least = [np.quantile(column, 1 - share) for column, share in zip(scores.T, SHARES, strict=True)]
    mids = [f"tt{number:07}" for number in range(MOVIES)]
    stores = {}
    for name, size in (SIZES | {"swin3d": 768}).items():
        values = hidden @ random.standard_normal((200, size))
        values += 0.3 * random.standard_normal(values.shape)
        stores[name] = Pooled(mids, values.astype(np.float32))
    draws = [random.permutation(np.repeat([0, 1, 2], [8400, 1200, 2400])) for _ in range(3)]
    splits = np.stack(draws, axis=1).astype(np.uint8)
    return stores, LabelTable(mids, (scores > least).astype(np.uint8), splits)


def main() -> None:
    warnings.simplefilter("ignore", ConvergenceWarning)
    stores, table = simulated()
    seconds = dict.fromkeys((LINEAR, KNN), 0.0)
    with threadpool_limits(1):
        for used in SETS:
            for classifier in seconds:
                began = time.process_time()
                own = {name: stores[name] for name in used}
                facts = fit_splits(classifier, own, table, Path("build/bench", *used, classifier))
                took = time.process_time() - began
                seconds[classifier] += took
                chosen = [split["value"] for split in facts["splits"].values()]
                print(f"{' + '.join(used)} {classifier}: {took:.1f} CPU s, {chosen}", flush=True)
    features = MOVIES * sum(map(_size, SETS))
    measured = dict(
        movies=f"{MOVIES:,}",
        sets=len(SETS),
        linear=float(seconds[LINEAR]),
        knn=float(seconds[KNN]),
        minutes=round(sum(seconds.values()) / 60, 1),
        linear_feature=seconds[LINEAR] / features,
        knn_feature=seconds[KNN] / features,
    )
    figures.write("baselines", measured)


def _size(used: tuple[str, ...]) -> int:
    return sum((SIZES | {"swin3d": 768})[name] for name in used)


if __name__ == "__main__":
    main()
