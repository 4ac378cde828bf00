"""How often 95 % intervals of the results table hold the truth, and what all of them cost.

Each simulation draws a collection of movies from a population whose figures are known, and three
overlapping test sets of it, as Trailers12k has; the predictions are those of one fixed model. It
counts how often the interval of the mean over the splits holds the population's figure. The cost is
that of 2,000 resamples of 24 rows on three splits of 2,400 test movies, all four figures, on one
thread, and of all their comparisons. `make coverage` runs it.
"""

import argparse
import time

import figures
import numpy as np

from trailers12k.common.vocabulary import METRICS
from trailers12k.evaluation import metrics, resampling

PEOPLE = 400_000
MOVIES, TESTS = 12_000, 2_400
ROWS, RESAMPLES = 24, 2_000


def population(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities of a model that is right in part, both (count, 10)."""
    prevalence = np.linspace(0.08, 0.45, 10)
    labels = (generator.random((count, 10)) < prevalence).astype(int)
    labels[labels.sum(1) == 0, 4] = 1
    logits = np.log(prevalence / (1 - prevalence)) + 1.8 * (labels - 0.5)
    return labels, 1 / (1 + np.exp(-logits - generator.normal(size=labels.shape)))


def held(simulations: int, movies: int, tests: int, resamples: int) -> np.ndarray:
    """The share of simulations whose interval holds the truth, by `METRICS`."""
    generator = np.random.default_rng(5)
    labels, values = population(generator, PEOPLE)
    known = metrics.scores(labels, values)
    truth = np.array([known[name] for name in METRICS])
    found = np.zeros(len(METRICS))
    for seed in range(simulations):
        picked = generator.integers(0, PEOPLE, movies)
        own = [np.sort(generator.choice(movies, tests, replace=False)) for _ in range(3)]
        union = np.unique(np.concatenate(own))
        splits = [
            resampling.SplitTests(
                labels[picked[each]], values[picked[each]], np.searchsorted(union, each)
            )
            for each in own
        ]
        counts = resampling.draw_counts(len(union), resamples, seed)
        low, high = resampling.interval(resampling.resample(splits, counts).means)
        found += (low <= truth) & (truth <= high)
    return found / simulations


def cost() -> dict[str, float]:
    """CPU seconds of all resamples, and of all comparisons."""
    generator = np.random.default_rng(7)
    labels, values = population(generator, MOVIES)
    own = [np.sort(generator.choice(MOVIES, TESTS, replace=False)) for _ in range(3)]
    union = np.unique(np.concatenate(own))
    start = time.process_time()
    counts = resampling.draw_counts(len(union), RESAMPLES, 1)
    rows = []
    for _ in range(ROWS):
        noisy = values + generator.normal(0, 0.1, values.shape)
        splits = [
            resampling.SplitTests(labels[each], noisy[each], np.searchsorted(union, each))
            for each in own
        ]
        rows.append(resampling.resample(splits, counts))
    resampled = time.process_time()
    for number in range(len(METRICS)):
        pairs = [(a, b) for place, a in enumerate(rows) for b in rows[:place]]
        draws = np.stack([a.means[:, number] - b.means[:, number] for a, b in pairs], axis=1)
        resampling.compare(np.array([a.mean[number] - b.mean[number] for a, b in pairs]), draws)
    return {"resamples": resampled - start, "comparisons": time.process_time() - resampled}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=500)
    parser.add_argument("--only", choices=["cost"], help="measure this and write no figures")
    arguments = parser.parse_args()
    seconds = cost()
    print({name: round(value, 1) for name, value in seconds.items()}, "CPU s")
    if arguments.only:
        return
    shares = held(arguments.simulations, MOVIES, TESTS, arguments.resamples)
    for name, share in zip(METRICS, shares, strict=True):
        print(f"{name}: the interval holds the truth in {share:.1%}")
    percent = {f"held_{n}": round(100 * s, 1) for n, s in zip(METRICS, shares, strict=True)}
    figures.write(
        "coverage",
        {name: round(value, 1) for name, value in seconds.items()}
        | percent
        | {"simulations": arguments.simulations},
    )


if __name__ == "__main__":
    main()
