"""Describes a run in tables: losses, genres, lengths, mistakes, stores, versions.

Reads movies.csv, mtgc.csv, the ledger, stores' attributes, manifests and predictions; writes
results/tables/. Must not know charts or pages.
"""

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trailers12k import __version__
from trailers12k.common.files import read_csv, write_csv
from trailers12k.common.movie import Movie
from trailers12k.common.vocabulary import AS_PUBLISHED, GENRES, OK, SKIPPED
from trailers12k.evaluation.frames import read_predictions
from trailers12k.evaluation.scores import read_labels
from trailers12k.features import store
from trailers12k.features.backbones.weights_licenses import recorded
from trailers12k.jobs.ledger import NUMBERS, read_ledger
from trailers12k.movies.curation import STAGE
from trailers12k.movies.movie_table import read_movies
from trailers12k.report.losses import FUNNEL, MADE, StageRows, follow, funnel, stages_of
from trailers12k.report.measures import Rows, histograms, measured, measures

MISTAKES_PER_RUN = 10

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
        *("license", "weights_sha256", "precision"),
    ],
    "versions": ["what", "made_by"],
}
"""The tables that `describe_run` writes, with their columns."""
TABLES_OF_MOVIES = ("measures", "histograms")
"""The tables that need a movie table, which the authors' own features lack."""

Predictions = Mapping[str, Sequence[pd.DataFrame]]
"""Run -> for each split a table of probabilities: rows are movies by mid, columns are genres."""


def evaluated_movies(predictions: Predictions) -> dict[str, set[str]]:
    """Run -> the movies that it predicted as test movies of any split."""
    return {
        run: {mid for table in tables for mid in table.index} for run, tables in predictions.items()
    }


def genre_counts(labels: pd.DataFrame, evaluated: set[str]) -> Rows:
    """Rows of genres.csv: the movies of each genre, and those of them in `evaluated`.

    labels: one row per movie by mid, one column of 0 and 1 per genre.
    """
    inside = labels[labels.index.isin(evaluated)]
    return [
        {
            "genre": genre,
            "movies": int(labels[genre].sum()),
            "share": f"{labels[genre].mean() if len(labels) else 0:.6f}",
            "evaluated": int(inside[genre].sum()),
        }
        for genre in GENRES
    ]


def cooccurrence(labels: pd.DataFrame) -> Rows:
    """Rows of cooccurrence.csv: movies with both genres; on the diagonal, movies with the genre."""
    matrix = labels[list(GENRES)].to_numpy()
    counts = matrix.T @ matrix
    return [
        {"genre": genre} | dict(zip(GENRES, map(int, row), strict=True))
        for genre, row in zip(GENRES, counts, strict=True)
    ]


def labels_of(movies: Sequence[Movie]) -> pd.DataFrame:
    """The genres of movies: one row per movie by mid, one column of 0 and 1 per genre."""
    rows = [[int(genre in movie.genres) for genre in GENRES] for movie in movies]
    mids = pd.Index([movie.mid for movie in movies], name="mid")
    return pd.DataFrame(rows, index=mids, columns=list(GENRES), dtype=int)


def mistakes(labels: pd.DataFrame, predictions: Predictions, titles: Mapping[str, str]) -> Rows:
    """Rows of mistakes.csv: the movies with the highest loss of every run, the highest first.

    loss: binary cross entropy, the mean over genres and over the splits that tested the movie.
    predicted: its three most probable genres, by the mean over these splits.
    """
    rows: Rows = []
    for run, splits in predictions.items():
        tables = [table[list(GENRES)] for table in splits if len(table)]
        if not tables:
            continue
        probabilities = pd.concat(tables).clip(1e-7, 1 - 1e-7)
        truth = labels.loc[probabilities.index, list(GENRES)]
        of_truth = probabilities.where(truth.to_numpy() == 1, 1 - probabilities)
        losses = (-np.log(of_truth)).mean(axis=1).groupby(level=0).mean()
        means = probabilities.groupby(level=0).mean()
        worst = sorted(losses.items(), key=lambda pair: (-round(pair[1], 6), pair[0]))
        for mid, loss in worst[:MISTAKES_PER_RUN]:
            top = means.loc[mid].sort_values(ascending=False, kind="stable")[:3]
            true = "|".join(genre for genre in GENRES if labels.loc[mid, genre])
            predicted = "|".join(f"{genre} {value:.2f}" for genre, value in top.items())
            row = {"run": run, "mid": mid, "title": titles.get(mid, ""), "loss": f"{loss:.4f}"}
            rows.append(row | {"genres": true, "predicted": predicted})
    return rows


@dataclass(frozen=True)
class StoreRecord:
    """What a store and its manifest record.

    attributes: of the store's group. manifest: its rows of `mid`, `clips`, `fingerprint`.
    """

    attributes: Mapping[str, Any]
    manifest: Sequence[Mapping[str, str]]


def store_rows(stores: Mapping[str, StoreRecord]) -> Rows:
    """Rows of stores.csv: the content of each store, and the weights behind it."""
    rows: Rows = []
    for name, record in stores.items():
        attributes = record.attributes
        trained = {True: "yes", False: "no", None: ""}[attributes.get("pretrained")]
        rows.append(
            {
                "store": name,
                "input": attributes.get("input", ""),
                "movies": len(record.manifest),
                "clips": sum(int(row["clips"] or 0) for row in record.manifest),
                "features": attributes.get("num_features", ""),
                "backbone": attributes.get("backbone", ""),
                "weights": attributes.get("weights", AS_PUBLISHED),
                "trained": trained,
                "license": recorded(attributes),
                "weights_sha256": attributes.get("weights_sha256") or "",
                "precision": attributes.get("precision", ""),
            }
        )
    return rows


def versions(attributes: Iterable[Mapping[str, Any]], ledger: Iterable[Mapping[str, str]]) -> Rows:
    """Rows of versions.csv: the programs that made the data, as ledgers and stores record them.

    attributes: of the stores. ledger: rows with `stage`, `status` and `tool`.
    """
    programs: dict[str, set[str]] = {"this workflow": {f"trailers12k {__version__}"}}
    for row in ledger:
        if row["status"] == OK and row["tool"]:
            programs.setdefault(row["stage"], set()).add(row["tool"])
    for each in attributes:
        for name, number in each.get("versions", {}).items():
            programs.setdefault("features", set()).add(f"{name} {number}")
        if each.get("decoder"):
            programs.setdefault("decoding", set()).add(each["decoder"])
    libraries = [f"{name} {version(name)}" for name in ("pandas", "scikit-learn")]
    programs["tables"] = {f"Python {platform.python_version()}", *libraries}
    return [{"what": what, "made_by": ", ".join(sorted(by))} for what, by in programs.items()]


@dataclass(frozen=True)
class RunFiles:
    """The files of a run that its tables describe.

    mtgc: labels and splits. runs: run -> the folders of its splits. stores: store -> its `input`,
    which the authors' own stores do not record. used: the stores that runs use. data: the folder of
    the stores. movies, ledger, trailers: movies.csv, ledger.csv and trailers.csv; None where the
    features are the authors' own.
    """

    mtgc: str | Path
    runs: Mapping[str, Sequence[Path]]
    stores: Mapping[str, str]
    used: Sequence[str]
    data: str | Path = "data"
    movies: str | Path | None = None
    ledger: str | Path | None = None
    trailers: str | Path | None = None

    def read_store(self, name: str) -> StoreRecord:
        """The record of one of `stores`."""
        path = Path(self.data, f"{name}.zarr")
        attributes = {"input": self.stores[name]} | store.attributes(path)
        return StoreRecord(attributes, _manifest(path.with_suffix(".csv")))


def _manifest(path: Path) -> list[dict[str, str]]:
    return read_csv(path, ["mid", "clips"], counts=["clips"], key=["mid"])


def describe_run(folder: str | Path, run: RunFiles) -> None:
    """Writes the tables of `COLUMNS` into `folder`, without movies.csv no `TABLES_OF_MOVIES`."""
    splits = read_labels(run.mtgc)
    stores = {name: run.read_store(name) for name in run.stores}
    predictions = {
        name: [read_predictions(path / "tst.csv") for path in folders]
        for name, folders in run.runs.items()
    }
    movies = read_movies(run.movies) if run.movies else []
    mids = [movie.mid for movie in movies] if run.movies else list(splits.index)
    ledger = read_ledger(run.ledger) if run.ledger else []
    stages: StageRows = stages_of(ledger)
    order = [*MADE, *run.used]
    if not run.ledger:
        order = list(run.used)
        stages = {name: _stage_of(stores[name], mids) for name in run.used}
    lost = follow(mids, stages, order)
    rejected = len(stages.get(STAGE, {}).keys() - {*mids})
    labels = labels_of(movies) if run.movies else splits[list(GENRES)]
    evaluated = evaluated_movies(predictions)
    common = set.intersection(*evaluated.values()) if evaluated else set()
    values = measured(read_csv(run.trailers, ["mid"], NUMBERS, key=["mid"]) if run.trailers else [])
    attributes = [record.attributes for record in stores.values()]
    tables = {
        "funnel": funnel(mids, rejected, lost, order, splits, evaluated),
        "genres": genre_counts(labels, common - lost.keys()),
        "cooccurrence": cooccurrence(labels),
        "measures": measures(values),
        "histograms": histograms(values),
        "mistakes": mistakes(splits, predictions, {movie.mid: movie.title for movie in movies}),
        "stores": store_rows(stores),
        "versions": versions(attributes, [row for row in ledger if row["stage"] in MADE]),
    }
    for name, columns in COLUMNS.items():
        if run.movies or name not in TABLES_OF_MOVIES:
            write_csv(Path(folder) / f"{name}.csv", columns, tables[name])


def _stage_of(record: StoreRecord, mids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The rows of a store without a ledger, from its manifest: mid -> (status, reason)."""
    stored = {row["mid"] for row in record.manifest}
    return {mid: (OK, "") if mid in stored else (SKIPPED, "not_in_store") for mid in mids}
