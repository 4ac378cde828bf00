"""What a way to split does to the figures, measured with baselines beside the standard splits.

Reads mtgc.csv and stores; writes the standard splits and split_effect.csv. Must not know the
network, nor how duplicates are found.
"""

import logging
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from trailers12k.classifier.baselines import part
from trailers12k.classifier.labels import LabelTable, read_labels
from trailers12k.common.files import write_csv
from trailers12k.common.vocabulary import GENRES, METRICS, SUBSETS
from trailers12k.evaluation import metrics
from trailers12k.evaluation.probes import Labelled, fit
from trailers12k.evaluation.rows import BASELINES
from trailers12k.evaluation.split_effect import COLUMNS, STANDARD_MODE
from trailers12k.features import store as stores
from trailers12k.features import store_index
from trailers12k.splits import tables
from trailers12k.splits.assignment import SplitRequest, assign
from trailers12k.splits.duplicate_groups import Pair

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Features:
    """The pooled features of the movies that are in all stores of a row, (N, F) float32."""

    mids: Sequence[str]
    values: np.ndarray


def pooled(folder: Path, names: Iterable[str]) -> Features:
    """The mean over each movie's clips, of several stores side by side. Raises `UserError`."""
    names = list(names)
    manifests = [store_index.read_manifest(folder / f"{name}.csv") for name in names]
    mids = sorted(
        mid
        for mid in set.intersection(*map(set, manifests))
        if all(int(manifest[mid]["clips"] or 0) for manifest in manifests)
    )
    parts = []
    for name in names:
        progress = tqdm(mids, f"reading {name}", disable=None)
        read = (stores.read(folder / f"{name}.zarr", mid) for mid in progress)
        parts.append([array.mean(axis=0, dtype=np.float64) for array in read])
    # As baselines see them, so that the figures of the same splits are equal.
    return Features(mids, np.concatenate([np.array(each, np.float32) for each in parts], axis=1))


def straddling(pairs: Iterable[Pair], table: LabelTable) -> list[int]:
    """For each split, the number of pairs whose two movies are in different subsets.

    pairs: of movies of the table.
    """
    place = {mid: number for number, mid in enumerate(table.mids)}
    both = [(place[one], place[other]) for one, other in pairs]
    return [sum(bool(column[a] != column[b]) for a, b in both) for column in table.splits.T]


def scores_of(classifier: str, features: Features, table: LabelTable) -> list[dict[str, float]]:
    """For each split: `METRICS` in % and the number of test `movies`.

    A split without enough movies with features has no entry.
    """
    place = {mid: number for number, mid in enumerate(table.mids)}
    kept = [number for number, mid in enumerate(features.mids) if mid in place]
    rows = [place[features.mids[number]] for number in kept]
    mids = [features.mids[number] for number in kept]
    movies = Labelled(mids, features.values[kept], table.labels[rows])
    found = []
    for column, times in _different(table.splits[rows]):
        training, validation, test = (
            part(movies, column == subset) for subset in range(len(SUBSETS))
        )
        if min(len(each.labels) for each in (training, validation, test)) == 0:
            continue
        places = dict(zip(mids, column.tolist(), strict=True))
        # One thread: with several, sums are added in another order.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = fit(classifier, training, validation, places)
            probabilities = _as_written(fitted.predict(test.features))
        scores = metrics.scores(test.labels, probabilities)
        entry = {name: 100 * scores[name] for name in METRICS} | {"movies": len(test.labels)}
        found += [entry] * times
    return found


def _as_written(probabilities: np.ndarray) -> np.ndarray:
    """Rounded as in the predictions of baselines, where more of them are equal, which moves µAP."""
    return np.array([[float(f"{value:.9g}") for value in row] for row in probabilities])


def _different(splits: np.ndarray) -> list[tuple[np.ndarray, int]]:
    """Each different split, and how many there are of it: those by year are the same."""
    counts = Counter(column.tobytes() for column in splits.T)
    return [(np.frombuffer(column, splits.dtype), count) for column, count in counts.items()]


def compare(
    rows: Mapping[str, Features],
    mode: str,
    own: LabelTable,
    standard: LabelTable,
    pairs: Sequence[Pair],
) -> list[dict[str, object]]:
    """The rows of split_effect.csv; see docs/files.md.

    rows: name of a row -> its features. mode: of `own`. pairs: of duplicates; those of other
    movies do not count.
    """
    compared = {STANDARD_MODE: standard, mode: own}
    listed = set(own.mids)
    pairs = [pair for pair in pairs if listed.issuperset(pair)]
    apart = {name: straddling(pairs, table) for name, table in compared.items()}
    result: list[dict[str, object]] = []
    for row, features in rows.items():
        for classifier in BASELINES:
            means: dict[str, np.ndarray] = {}
            for name, table in compared.items():
                found = scores_of(classifier, features, table)
                if not found:
                    log.warning("%s: no split of %s can be scored", row, name)
                    continue
                values = np.array([[each[metric] for metric in METRICS] for each in found])
                means[name] = values.mean(axis=0)
                spread = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(len(METRICS))
                cells: dict[str, object] = {"row": row, "classifier": classifier, "splits": name}
                for number, metric in enumerate(METRICS):
                    cells[metric] = f"{means[name][number]:.2f}"
                    cells[f"{metric}_sd"] = f"{spread[number]:.2f}"
                    has = name != STANDARD_MODE and STANDARD_MODE in means
                    difference = means[name][number] - means[STANDARD_MODE][number] if has else 0
                    cells[f"{metric}_difference"] = f"{difference:.2f}" if has else ""
                cells["movies"] = sum(int(each["movies"]) for each in found)
                cells["pairs"] = len(pairs)
                cells["apart"] = f"{np.mean(apart[name]):.1f}"
                result.append(cells)
    return result


def write_standard(
    path: str | Path, mtgc: str | Path, request: SplitRequest, seed: int, broken: Collection[str]
) -> None:
    """Write the standard splits of the movies of mtgc.csv, in its form. Raises `UserError`."""
    mids, labels = tables.read_labels(mtgc, GENRES)
    standard = assign(mids, labels, request, seed, broken=broken)
    tables.write_splits(path, mids, GENRES, labels, standard.columns)


def measure_split_effect(
    path: str | Path,
    mode: str,
    mtgc: str | Path,
    standard: str | Path,
    pairs: Sequence[Pair],
    rows: Mapping[str, Sequence[str]],
    folder: Path = Path("data"),
) -> None:
    """Write split_effect.csv. rows: name -> stores in `folder`. Raises `UserError`."""
    features = {name: pooled(folder, used) for name, used in rows.items()}
    found = compare(features, mode, read_labels(mtgc), read_labels(standard), pairs)
    write_csv(path, COLUMNS, found)
