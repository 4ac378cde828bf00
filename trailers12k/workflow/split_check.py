"""Says which split has no movie to train on or to test with: by addresses, then by features.

Writes the splits. Must not know rules.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np

from trailers12k.common.errors import UserError
from trailers12k.common.files import write_csv
from trailers12k.common.movie import Movie
from trailers12k.common.vocabulary import GENRES
from trailers12k.settings import Settings
from trailers12k.splits import subsets
from trailers12k.splits.assignment import SplitMovies, balance
from trailers12k.splits.tables import write_splits

log = logging.getLogger(__name__)

NEEDED = {
    (True, False): "a trailer's address",
    (False, True): "a poster's address",
    (True, True): "addresses of trailer and poster",
}
"""Whether a run needs trailers, and posters -> what its movies must have."""


def address_sentences(
    settings: Settings, movies: Iterable[Movie], mids: Sequence[str], columns: np.ndarray
) -> list[str]:
    """One sentence for each subset of a split of which too few movies have what the runs need.

    movies: those of the table; none where the features are the authors'. mids, columns: the splits,
    (movies, 3) of positions in `SUBSETS`.
    """
    by_mid = {movie.mid: movie for movie in movies}
    found = []
    for trailers, posters in sorted({_needs(settings, run) for run in settings.runs}):
        usable = [
            (bool(movie.trailer_addresses) or not trailers)
            and (bool(movie.poster_url) or not posters)
            for movie in map(by_mid.get, mids)
            if movie
        ]
        if usable:
            needed = NEEDED[trailers, posters]
            found += subsets.sentences(mids, columns, np.array(usable), needed)
    return [f"{sentence}; add movies to the table" for sentence in dict.fromkeys(found)]


def write_split_products(
    settings: Settings,
    movies: Iterable[Movie],
    splits: SplitMovies,
    mtgc: str | Path,
    balance_csv: str | Path,
) -> None:
    """Write mtgc.csv and results/splits.csv, and warn of subsets that no training can use.

    movies: see `address_sentences`.
    """
    # Trainings refuse such a split, hours later.
    for sentence in address_sentences(settings, movies, splits.mids, splits.columns):
        log.warning("%s", sentence)
    write_splits(mtgc, splits.mids, GENRES, splits.labels, splits.columns)
    rows = balance(splits.labels, GENRES, splits.by_name)
    write_csv(balance_csv, list(rows[0]), rows)


def require_features(
    mids: Sequence[str], columns: np.ndarray, present: Collection[str], stores: Sequence[str]
) -> None:
    """Raise `UserError` when a subset of any split has too few movies with features in all stores.

    mids, columns: see `address_sentences`. present: mids of the movies with features.
    """
    usable = np.isin(mids, list(present))
    needed = f"features in {' and '.join(stores)}"
    if found := subsets.sentences(mids, columns, usable, needed):
        more = f", and {len(found) - 1} more subsets" if len(found) > 1 else ""
        raise UserError(f"{found[0]}{more} (data/ledger.csv says why); add movies to the table")


def _needs(settings: Settings, run: str) -> tuple[bool, bool]:
    """Whether a run has a stream of trailers, and one of posters."""
    stores = settings.runs[run].streams.values()
    inputs = {settings.backbones[store].input for store in stores}
    return bool(inputs - {"posters"}), "posters" in inputs
