"""Baselines of one set of stores: fits a classifier of pooled features on every split.

Reads packed stores; writes a folder of results/baselines/. Must not know the network, nor which
sets there are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trailers12k.classifier.labels import LabelTable
from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, reading, write_csv, write_json
from trailers12k.common.vocabulary import GENRES, PREDICTION_FILES, SUBSETS
from trailers12k.evaluation.probes import Fitted, Labelled, fit
from trailers12k.evaluation.rows import CLASSIFIERS
from trailers12k.evaluation.selection import METRIC, VALIDATION

FACTS = "facts.json"


@dataclass(frozen=True)
class Pooled:
    """The mean over each movie's clips, of one store. values: (movies, features) float32."""

    mids: Sequence[str]
    values: np.ndarray

    def rows(self, mids: Sequence[str]) -> np.ndarray:
        """The values of movies, in their order. Raises KeyError for one that it lacks."""
        places = {mid: number for number, mid in enumerate(self.mids)}
        picked: np.ndarray = self.values[[places[mid] for mid in mids]]
        return picked


def pool(array: str | Path) -> Pooled:
    """The means of a packed store. array: the .npy file, with its index beside it.

    Raises `UserError` when either is damaged, or they differ in length.
    """
    array = Path(array)
    columns = ("mid", "offset", "clips")
    index = read_csv(array.with_suffix(".csv"), columns, counts=columns[1:], key=["mid"])
    with reading(array):
        rows = np.load(array, mmap_mode="r")
        if rows.ndim != 2 or rows.dtype != np.float32:
            raise ValueError(f"it holds {rows.dtype} of {rows.shape}, not float32")
    clips = [int(row["clips"]) for row in index]
    if sum(clips) != len(rows):
        raise UserError(f"{array} and its index are of different packings; pack the store again")
    values = np.empty((len(index), rows.shape[1]), np.float32)
    for number, row in enumerate(index):
        first = int(row["offset"])
        values[number] = rows[first : first + clips[number]].mean(axis=0, dtype=np.float64)
        if not np.isfinite(values[number]).all():
            raise UserError(
                f"{array.stem}: {row['mid']} holds NaN or infinity; run stores verify --repair"
            )
    return Pooled([row["mid"] for row in index], values)


def fit_splits(
    classifier: str, stores: Mapping[str, Pooled], table: LabelTable, folder: str | Path
) -> dict[str, Any]:
    """Fit one of `BASELINES` on every split, and write its predictions and facts into `folder`.

    The movies are those that all stores have, as for DIViTA. stores: name of a store -> its means,
    in the order of the streams. Returns the facts.
    """
    present = set.intersection(*(set(store.mids) for store in stores.values()))
    kept = [number for number, mid in enumerate(table.mids) if mid in present]
    mids = [table.mids[number] for number in kept]
    values = np.concatenate([store.rows(mids) for store in stores.values()], axis=1)
    movies = Labelled(mids, values, table.labels[kept])
    splits = {}
    for split, column in enumerate(table.splits[kept].T):
        subsets = {name: part(movies, column == place) for place, name in enumerate(SUBSETS)}
        places = dict(zip(mids, column.tolist(), strict=True))
        fitted = fit(classifier, subsets[SUBSETS[0]], subsets[VALIDATION], places)
        for subset, name in PREDICTION_FILES.items():
            probabilities = fitted.predict(subsets[subset].features)
            path = Path(folder) / f"split{split}" / name
            write_predictions(path, subsets[subset].mids, probabilities)
        splits[str(split)] = _facts(fitted, subsets)
    facts = {
        "classifier": CLASSIFIERS[classifier],
        "stores": list(stores),
        "features": values.shape[1],
        "metric": f"{VALIDATION} {METRIC}",
        "splits": splits,
    }
    write_json(Path(folder) / FACTS, facts)
    return facts


def part(movies: Labelled, chosen: np.ndarray) -> Labelled:
    """Some of the movies. chosen: (N,) bool."""
    kept = np.flatnonzero(chosen).tolist()
    return Labelled([movies.mids[n] for n in kept], movies.features[kept], movies.labels[kept])


def _facts(fitted: Fitted, subsets: Mapping[str, Labelled]) -> dict[str, Any]:
    """What was chosen on a split; figures are fractions with six decimals."""
    labels = subsets[SUBSETS[0]].labels
    return {
        "value": float(f"{fitted.choice.value:.6g}"),
        "tried": {f"{value:.6g}": round(f, 6) for value, f in fitted.choice.figures.items()},
        "movies": {subset: len(own.mids) for subset, own in subsets.items()},
        "constant": [GENRES[n] for n in np.flatnonzero(np.ptp(labels, axis=0) == 0)],
        "unconverged": fitted.unconverged,
    }


def write_predictions(path: str | Path, mids: Sequence[str], probabilities: np.ndarray) -> None:
    """Write a CSV with `mid` and a probability per genre, (len(mids), 10)."""
    rows = [
        {"mid": mid} | {genre: f"{p:.9g}" for genre, p in zip(GENRES, row, strict=True)}
        for mid, row in zip(mids, probabilities, strict=True)
    ]
    write_csv(path, ("mid", *GENRES), rows)
