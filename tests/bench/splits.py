"""How even splits are, compared with other splitters: `make bench`.

Prints for each table of labels the means over three splits of seeds 0 to 4: the largest relative
deviation of a label of at least ten movies, that of rarer labels in movies, that of pairs, and the
CPU seconds of a split. The others are iterative-stratification's ten folds (labels only), and
scikit-multilearn-ng's second order, if it is installed (`pip install scikit-multilearn-ng`).
`--published mtgc.csv` takes the published labels in their order; without it, in random order.
"""

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path

import figures
import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold

from trailers12k.common.vocabulary import GENRES
from trailers12k.splits.stratification import SHARES, deviations, make_splits
from trailers12k.splits.tables import read_labels

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "splits"))

from label_tables import tables

SEEDS = range(5)


def ours(labels: np.ndarray, seed: int) -> np.ndarray:
    return make_splits(labels, SHARES, seed)


def first_order(labels: np.ndarray, seed: int) -> np.ndarray:
    columns = np.zeros((len(labels), 3), np.int64)
    for number, column in enumerate(columns.T):
        folds = MultilabelStratifiedKFold(10, shuffle=True, random_state=3 * seed + number)
        for fold, (_, inside) in enumerate(folds.split(labels, labels)):
            column[inside] = [0, 0, 0, 0, 0, 0, 0, 1, 2, 2][fold]
    return columns


def second_order(labels: np.ndarray, seed: int) -> np.ndarray:
    from skmultilearn.model_selection import IterativeStratification

    columns = np.zeros((len(labels), 3), np.int64)
    for number, column in enumerate(columns.T):
        # Its own seed has no effect.
        order = np.random.default_rng(3 * seed + number).permutation(len(labels))
        rows = labels[order]
        folds = IterativeStratification(3, 2, sample_distribution_per_fold=list(SHARES.values()))
        for fold, (_, inside) in enumerate(folds.split(rows, rows)):
            column[order[inside]] = fold
    return columns


def measure(split: Callable[[np.ndarray, int], np.ndarray], labels: np.ndarray) -> np.ndarray:
    """Label, rare and pair deviation, and the CPU seconds of a split: (4,) means."""
    began = time.process_time()
    splits = [column for seed in SEEDS for column in split(labels, seed).T]
    seconds = (time.process_time() - began) / len(splits)
    return np.array([*np.mean([deviations(labels, s) for s in splits], axis=0), seconds])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--published", type=Path)
    path = parser.parse_args().published
    splitters = {"ours": ours, "first order": first_order}
    if importlib.util.find_spec("skmultilearn"):
        splitters["second order"] = second_order
    print(f"{'labels':14} {'splitter':13} {'label':>8} {'rare':>6} {'pair':>8} {'seconds':>8}")
    measured: dict[str, float] = {}
    for name, labels in tables(read_labels(path, GENRES)[1] if path else None).items():
        for splitter, split in splitters.items():
            label, rare, pair, seconds = measure(split, labels)
            cells = f"{label:8.4f} {rare:6.2f} {pair:8.5f} {seconds:8.2f}"
            print(f"{name:14} {splitter:13} {cells}", flush=True)
            key = f"{name} {splitter}".replace(",", "").replace(" ", "_")
            measured |= {
                f"{key}_label": label,
                f"{key}_rare": rare,
                f"{key}_pair": pair,
                f"{key}_cpu": seconds,
            }
    figures.write("splits", {key: float(value) for key, value in measured.items()})


if __name__ == "__main__":
    main()
