"""What a run holds and what became of it, as tables: losses, genres, lengths, mistakes, costs.

Reads movies.csv, mtgc.csv, ledgers, stores' attributes, predictions and benchmarks; writes
results/tables/ and results/costs.csv. Must not know pictures or pages.
"""

import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from trailers12k import __version__
from trailers12k.common.files import read_csv, write_csv
from trailers12k.common.movie import Movie
from trailers12k.common.vocabulary import GENRES
from trailers12k.movies.curation import STAGE
from trailers12k.movies.metadata import read_movies
from trailers12k.report.losses import FUNNEL, MADE, follow, funnel, stages_of

MEASURES = {
    "year": "year of the movie",
    "genres": "genres of a movie",
    "duration": "seconds of a trailer",
    "shots": "shots of a trailer",
    "clips": "clips of a trailer",
}
SHOWN = 10
"""Mistakes of each run."""


def tested(predictions: Mapping[str, Sequence[pd.DataFrame]]) -> dict[str, set[str]]:
    """Run -> the movies that were predicted as test movies of any split."""
    return {run: {mid for table in of for mid in table.index} for run, of in predictions.items()}


def genre_counts(labels: pd.DataFrame, evaluated: set[str]) -> list[dict]:
    """Rows of genres.csv: how many movies have each genre, and how many of those evaluated.

    labels: a row a movie by mid, a column of 0 and 1 a genre.
    """
    there = labels[labels.index.isin(evaluated)]
    return [
        {
            "genre": genre,
            "movies": int(labels[genre].sum()),
            "share": f"{labels[genre].mean() if len(labels) else 0:.6f}",
            "evaluated": int(there[genre].sum()),
        }
        for genre in GENRES
    ]


def cooccurrence(labels: pd.DataFrame) -> list[dict]:
    """Rows of cooccurrence.csv: how many movies have both genres; one alone on the diagonal."""
    matrix = labels[list(GENRES)].to_numpy()
    counts = matrix.T @ matrix
    return [
        {"genre": genre} | dict(zip(GENRES, map(int, row), strict=True))
        for genre, row in zip(GENRES, counts, strict=True)
    ]


def labels_of(movies: Sequence[Movie]) -> pd.DataFrame:
    """The genres of movies: a row a movie by mid, a column of 0 and 1 a genre."""
    rows = [[int(genre in movie.genres) for genre in GENRES] for movie in movies]
    mids = pd.Index([movie.mid for movie in movies], name="mid")
    return pd.DataFrame(rows, index=mids, columns=list(GENRES), dtype=int)


def measured(rows: Sequence[Mapping[str, str]]) -> dict[str, np.ndarray]:
    """The numbers of each of `MEASURES`, from rows of trailers.csv that have one."""
    values = {}
    for name in MEASURES:
        told = [row[name] for row in rows if row[name]]
        if name == "genres":
            told = [text.count("|") + 1 for text in told]
        numbers = pd.to_numeric(pd.Series(told, dtype=object), errors="coerce").dropna()
        values[name] = numbers.to_numpy(dtype=float)
    return values


def measures(values: Mapping[str, np.ndarray]) -> list[dict]:
    """Rows of measures.csv: the middle and the ends of each measure."""
    rows = []
    for name, numbers in values.items():
        row = {"measure": name, "meaning": MEASURES[name], "movies": len(numbers)}
        if len(numbers):
            ends = np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1])
            names = ("least", "lower_quartile", "median", "upper_quartile", "most")
            row |= dict(zip(names, (f"{end:.10g}" for end in ends), strict=True))
            row["mean"] = f"{numbers.mean():.2f}"
        rows.append(row)
    return rows


def histograms(values: Mapping[str, np.ndarray], bars: int = 32) -> list[dict]:
    """Rows of histograms.csv: movies by measure, from (with) to (without), in round steps.

    What lies far beyond all others is in the last row, so that it does not press them together.
    """
    rows = []
    for name, numbers in values.items():
        if not len(numbers):
            continue
        whole = name != "duration"
        least, usual = numbers.min(), np.quantile(numbers, 0.995, method="higher")
        width = _round_step((usual - least) / bars, whole)
        first = np.floor(least / width) * width
        number = int(np.floor((usual - first) / width)) + 1
        edges = first + width * np.arange(number + 1)
        places = np.minimum(((numbers - first) / width + 1e-9).astype(int), number)
        counts = np.bincount(places, minlength=number + 1)
        ends = [*edges[1:], numbers.max() + (1 if whole else 0)]
        for start, end, count in zip(edges, ends, counts, strict=True):
            if start < edges[-1] or count:
                told = {"measure": name, "from": f"{start:.10g}", "to": f"{end:.10g}"}
                rows.append(told | {"movies": int(count)})
    return rows


def _round_step(width: float, whole: bool) -> float:
    """The next of 1, 2, 5, 10, ..., 0.5, 0.2, ... that is not smaller."""
    if width <= 0:
        return 1
    power = 10.0 ** np.floor(np.log10(width))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= width * 0.999)
    return max(1.0, step) if whole else step


def mistakes(
    labels: pd.DataFrame,
    predictions: Mapping[str, Sequence[pd.DataFrame]],
    titles: Mapping[str, str],
) -> list[dict]:
    """Rows of mistakes.csv: of every run the movies it got most wrong, the worst first.

    loss: the mean binary cross entropy over the genres and over the splits in which the movie was
    tested. predicted: its three most probable genres, the mean over these splits.
    predictions: run -> of each split a table of probabilities by mid.
    """
    rows = []
    for run, several in predictions.items():
        tables = [table[list(GENRES)] for table in several if len(table)]
        if not tables:
            continue
        guesses = pd.concat(tables).clip(1e-7, 1 - 1e-7)
        truth = labels.loc[guesses.index, list(GENRES)]
        right = guesses.where(truth.to_numpy() == 1, 1 - guesses)
        losses = (-np.log(right)).mean(axis=1).groupby(level=0).mean()
        means = guesses.groupby(level=0).mean()
        worst = sorted(losses.items(), key=lambda pair: (-round(pair[1], 6), pair[0]))[:SHOWN]
        for mid, loss in worst:
            top = means.loc[mid].sort_values(ascending=False, kind="stable")[:3]
            true = "|".join(genre for genre in GENRES if labels.loc[mid, genre])
            row = {"run": run, "mid": mid, "title": titles.get(mid, ""), "loss": f"{loss:.4f}"}
            told = "|".join(f"{genre} {chance:.2f}" for genre, chance in top.items())
            rows.append(row | {"genres": true, "predicted": told})
    return rows


def store_rows(
    attributes: Mapping[str, Mapping], manifests: Mapping[str, Sequence[Mapping[str, str]]]
) -> list[dict]:
    """Rows of stores.csv: what is in each store, and the weights behind it."""
    rows = []
    for store, told in attributes.items():
        clips = sum(int(row["clips"] or 0) for row in manifests[store])
        row = {"store": store, "input": told.get("input", ""), "movies": len(manifests[store])}
        row["clips"] = clips
        row |= {"features": told.get("num_features", ""), "backbone": told.get("backbone", "")}
        row |= {"weights": told.get("weights", "as published")}
        row["trained"] = {True: "yes", False: "no", None: ""}[told.get("pretrained")]
        row["weights_sha256"] = told.get("weights_sha256") or ""
        rows.append(row | {"precision": told.get("precision", "")})
    return rows


def versions(attributes: Mapping[str, Mapping], ledgers: Iterable[Mapping[str, str]]) -> list[dict]:
    """Rows of versions.csv: the programs that made the data, as the data itself tells.

    ledgers: rows with their `stage`.
    """
    found: dict[str, set[str]] = {"this workflow": {f"trailers12k {__version__}"}}
    for row in ledgers:
        if row["status"] == "ok" and row["tool"]:
            found.setdefault(row["stage"], set()).add(row["tool"])
    for told in attributes.values():
        for name, number in told.get("versions", {}).items():
            found.setdefault("features", set()).add(f"{name} {number}")
        if told.get("decoder"):
            found.setdefault("decoding", set()).add(told["decoder"])
    libraries = [f"{name} {version(name)}" for name in ("pandas", "scikit-learn")]
    found["tables"] = {f"Python {platform.python_version()}", *libraries}
    return [{"what": what, "made_by": ", ".join(sorted(by))} for what, by in found.items()]


COLUMNS = {
    "funnel": FUNNEL,
    "genres": ["genre", "movies", "share", "evaluated"],
    "cooccurrence": ["genre", *GENRES],
    "measures": [
        *("measure", "meaning", "movies", "least", "lower_quartile", "median"),
        *("upper_quartile", "most", "mean"),
    ],
    "histograms": ["measure", "from", "to", "movies"],
    "mistakes": ["run", "mid", "title", "loss", "genres", "predicted"],
    "stores": [
        *("store", "input", "movies", "clips", "features", "backbone", "weights", "trained"),
        *("weights_sha256", "precision"),
    ],
    "versions": ["what", "made_by"],
}
"""The tables that `describe` makes, with their columns."""
OF_MOVIES = ("measures", "histograms")
"""Those that need a movie table, which the authors' own features have not."""


def describe(
    folder: str | Path,
    *,
    splits: pd.DataFrame,
    runs: Mapping[str, Sequence[Path]],
    stores: Sequence[str],
    attributes: Mapping[str, Mapping],
    manifests: Mapping[str, Sequence[Mapping[str, str]]],
    movies: str | Path | None = None,
    ledger: str | Path | None = None,
    trailers: str | Path | None = None,
) -> None:
    """Write all tables of `COLUMNS` into `folder`; without a movie table not those `OF_MOVIES`.

    splits: of `scores.read_labels`. runs: run -> the folders of its splits. stores: that runs
    use. attributes: of every store, with its `input`. manifests: of
    every store. movies, ledger: data/movies.csv, data/ledger.csv.
    trailers: of `list_trailers`.
    """
    predictions = {
        run: [pd.read_csv(path / "tst.csv", index_col="mid") for path in folders]
        for run, folders in runs.items()
    }
    listed = read_movies(movies) if movies else []
    mids = [movie.mid for movie in listed] if movies else list(splits.index)
    rows = read_csv(ledger) if ledger else []
    stages = stages_of(rows)
    if ledger:
        order = [*MADE, *stores]
    else:
        order = list(stores)
        stages = {
            store: {row["mid"]: ("ok", "") for row in manifests[store]}
            | {
                mid: ("skipped", "not_in_store")
                for mid in {*mids} - {row["mid"] for row in manifests[store]}
            }
            for store in stores
        }
    lost = follow(mids, stages, order)
    rejected = len(stages.get(STAGE, {}).keys() - {*mids})
    labels = labels_of(listed) if movies else splits[list(GENRES)]
    found = tested(predictions)
    every = set.intersection(*found.values()) if found else set()
    values = measured(read_csv(trailers) if trailers else [])
    made = [row for row in rows if row["stage"] in MADE]
    tables = {
        "funnel": funnel(mids, rejected, lost, order, splits, found),
        "genres": genre_counts(labels, every - lost.keys()),
        "cooccurrence": cooccurrence(labels),
        "measures": measures(values),
        "histograms": histograms(values),
        "mistakes": mistakes(splits, predictions, {movie.mid: movie.title for movie in listed}),
        "stores": store_rows(attributes, manifests),
        "versions": versions(attributes, made),
    }
    for name, columns in COLUMNS.items():
        if movies or name not in OF_MOVIES:
            write_csv(Path(folder) / f"{name}.csv", columns, tables[name])
