"""How often 95 % intervals of the results table hold the truth, how often equal rows are called
different, and what all of them cost.

Each simulation draws a collection of movies from a population whose figures are known, and three
overlapping test sets of it, as Trailers12k has; the predictions are those of one fixed model. It
counts how often the interval of the mean over the splits holds the population's figure. Equal rows
are models whose true figures are the same; a simulation errs when any pair of them differs. The
cost is that of 2,000 resamples of 24 rows on three splits of 2,400 test movies, all four figures,
on one thread, and of all their comparisons. `make coverage` runs it.
"""

import argparse
import time
from collections.abc import Iterable
from functools import cache, partial
from itertools import combinations

import figures
import numpy as np

from trailers12k.common.vocabulary import METRICS
from trailers12k.evaluation import metrics, resampling
from trailers12k.evaluation.differences import LEVEL

PEOPLE = 400_000
MOVIES, TESTS = 12_000, 2_400
ROWS, RESAMPLES = 24, 2_000
FEW = (50, 100, 200, 500)
"""Test movies of a split, of the simulations with few movies."""
EQUAL_ROWS, EQUAL_TESTS = 5, 300
PREVALENCE = np.linspace(0.08, 0.45, 10)


def random_labels(generator: np.random.Generator, count: int) -> np.ndarray:
    """Genres of movies, (count, 10), at least one each."""
    labels = (generator.random((count, 10)) < PREVALENCE).astype(int)
    labels[labels.sum(1) == 0, 4] = 1
    return labels


def probabilities(labels: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Of a model that is right in part. noise: standard normal, of the shape of `labels`."""
    logits = np.log(PREVALENCE / (1 - PREVALENCE)) + 1.8 * (labels - 0.5)
    return 1 / (1 + np.exp(-logits - noise))


@cache
def population() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels and probabilities, (PEOPLE, 10), and their figures by `METRICS`."""
    generator = np.random.default_rng(5)
    labels = random_labels(generator, PEOPLE)
    values = probabilities(labels, generator.normal(size=labels.shape))
    known = metrics.scores(labels, values)
    return labels, values, np.array([known[name] for name in METRICS])


def test_sets(generator: np.random.Generator, tests: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Three overlapping test sets, each a fifth of the movies, and their union."""
    own = [np.sort(generator.choice(5 * tests, tests, replace=False)) for _ in range(3)]
    return own, np.unique(np.concatenate(own))


def resampled(
    labels: np.ndarray,
    values: np.ndarray,
    own: list[np.ndarray],
    union: np.ndarray,
    counts: np.ndarray,
) -> resampling.Resampled:
    splits = [
        resampling.SplitTests(labels[each], values[each], np.searchsorted(union, each))
        for each in own
    ]
    return resampling.resample(splits, counts)


def holds(tests: int, resamples: int, seed: int) -> np.ndarray:
    """Whether the interval of a simulation holds the truth, by `METRICS`."""
    generator = np.random.default_rng([5, tests, seed])
    labels, values, truth = population()
    picked = generator.integers(0, PEOPLE, 5 * tests)
    own, union = test_sets(generator, tests)
    counts = resampling.draw_counts(len(union), resamples, seed)
    row = resampled(labels[picked], values[picked], own, union, counts)
    low, high = resampling.interval(row.mean, row.means)
    return (low <= truth) & (truth <= high)


def errs(tests: int, resamples: int, seed: int) -> np.ndarray:
    """Whether any two of `EQUAL_ROWS` equal rows are called different, by `METRICS`."""
    generator = np.random.default_rng([6, tests, seed])
    labels = random_labels(generator, 5 * tests)
    shared = generator.normal(size=labels.shape)
    own, union = test_sets(generator, tests)
    counts = resampling.draw_counts(len(union), resamples, seed)
    rows = []
    for _ in range(EQUAL_ROWS):
        noise = np.sqrt(0.5) * (shared + generator.normal(size=labels.shape))
        rows.append(resampled(labels, probabilities(labels, noise), own, union, counts))
    return np.array([(each.p_adjusted < LEVEL).any() for each in compared(rows)])


def compared(rows: list[resampling.Resampled]) -> list[resampling.Comparison]:
    """All pairs of rows, by `METRICS`."""
    found = []
    for number in range(len(METRICS)):
        pairs = list(combinations(rows, 2))
        draws = np.stack([a.means[:, number] - b.means[:, number] for a, b in pairs], axis=1)
        differences = np.array([a.mean[number] - b.mean[number] for a, b in pairs])
        found.append(resampling.compare(differences, partial(np.take, draws, axis=1)))
    return found


def cost() -> dict[str, float]:
    """CPU seconds of all resamples, and of all comparisons."""
    generator = np.random.default_rng(7)
    labels = random_labels(generator, MOVIES)
    values = probabilities(labels, generator.normal(size=labels.shape))
    own, union = test_sets(generator, TESTS)
    start = time.process_time()
    counts = resampling.draw_counts(len(union), RESAMPLES, 1)
    rows = [
        resampled(labels, values + generator.normal(0, 0.1, values.shape), own, union, counts)
        for _ in range(ROWS)
    ]
    made = time.process_time()
    compared(rows)
    return {"resamples": made - start, "comparisons": time.process_time() - made}


def in_percent(outcomes: Iterable[np.ndarray], name: str) -> dict[str, float]:
    """`name_METRIC`: the share of outcomes, by `METRICS`, that are true."""
    shares = np.mean(list(outcomes), axis=0)
    return {f"{name}_{m}": round(100 * s, 1) for m, s in zip(METRICS, shares, strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=1000, help="with 2,400 test movies")
    parser.add_argument("--few", type=int, default=500, help="simulations with few movies")
    parser.add_argument("--equal", type=int, default=400, help="simulations of equal rows")
    parser.add_argument("--resamples", type=int, default=500)
    parser.add_argument("--only", choices=["cost"], help="measure this and write no figures")
    arguments = parser.parse_args()
    found = {name: round(value, 1) for name, value in cost().items()}
    print(found, "CPU s")
    if arguments.only:
        return
    draws = arguments.resamples
    found |= in_percent((holds(TESTS, draws, s) for s in range(arguments.simulations)), "held")
    for tests in FEW:
        outcomes = (holds(tests, draws, seed) for seed in range(arguments.few))
        found |= in_percent(outcomes, f"held{tests}")
    found |= in_percent((errs(EQUAL_TESTS, draws, s) for s in range(arguments.equal)), "equal")
    counts = {
        "simulations": arguments.simulations,
        "few_simulations": arguments.few,
        "equal_simulations": arguments.equal,
    }
    print(found | counts)
    figures.write("coverage", found | counts)


if __name__ == "__main__":
    main()
