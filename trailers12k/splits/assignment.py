"""Assigns movies to subsets: stratified, or as the authors published.

Reads the published columns and the tables that the configuration names; writes mtgc.csv for a
table of labels. Must not know Snakemake or the settings.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from trailers12k.common.errors import UserError
from trailers12k.common.local_files import is_same_file
from trailers12k.common.vocabulary import PUBLISHED, SUBSETS
from trailers12k.splits.stratification import (
    LEAST_MOVIES,
    SHARES,
    TRIES,
    UNASSIGNED,
    Constraints,
    deviations,
    make_splits,
)
from trailers12k.splits.tables import read_assigned, read_groups, read_table, write_splits

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SplitRequest:
    """How to split. The defaults are the paper's."""

    shares: Mapping[str, float] = field(default_factory=lambda: dict(SHARES))
    """A multiple of 0.1 for each of `SUBSETS`."""
    tries: int = TRIES
    extend: str | Path | None = None
    """An earlier mtgc.csv, whose movies keep their subsets."""
    groups: str | Path | None = None
    """A table `mid,group` of movies that stay together."""

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "SplitRequest":
        """From the plain values of the configuration's section `splits`."""
        return cls(
            shares={name: settings[name] for name in SUBSETS},
            tries=settings["tries"],
            extend=settings["extend"] or None,
            groups=settings["groups"] or None,
        )

    def constraints(self, mids: Sequence[str], broken: Collection[str] = ()) -> Constraints:
        """The constraints from the tables, in the order of `mids`. Raises `UserError`.

        broken: mids of the movies that are known to have no features.
        """
        assigned = read_assigned(self.extend, mids) if self.extend else None
        groups = read_groups(self.groups, mids) if self.groups else None
        if assigned is not None and groups is not None:
            torn = _torn_groups(mids, assigned, groups)
            if torn:
                log.warning(
                    "%s: groups that stay divided, since %s assigns their movies to different "
                    "subsets: %d, such as %s",
                    self.groups,
                    self.extend,
                    len(torn),
                    torn[0],
                )
        usable = np.array([mid not in broken for mid in mids]) if broken else None
        return Constraints(assigned, groups, usable)


def _torn_groups(mids: Sequence[str], assigned: np.ndarray, groups: np.ndarray) -> list[str]:
    """For each group that a split divides among subsets: two of its movies and their subsets."""
    torn = []
    names, counts = np.unique(groups, return_counts=True)
    for group in names[counts > 1]:
        members = np.flatnonzero(groups == group).tolist()
        for split, column in enumerate(assigned[members].T):
            first = {s: mids[m] for s, m in zip(column, members, strict=True) if s != UNASSIGNED}
            if len(first) > 1:
                (a, mid), (b, other) = list(first.items())[:2]
                torn.append(f"{mid} ({SUBSETS[a]}) and {other} ({SUBSETS[b]}) in split {split}")
                break
    return torn


@dataclass(frozen=True)
class SplitMovies:
    """Movies, their labels, and their splits."""

    mids: list[str]
    labels: np.ndarray
    """(movies, genres) of 0 and 1."""
    columns: np.ndarray
    """(movies, 3) int64: the splits to use."""
    compared: dict[str, np.ndarray] = field(default_factory=dict)
    """Other splits of the same movies, for comparison: "ours" or "published", (movies, 3) int64."""

    @property
    def by_name(self) -> dict[str, np.ndarray]:
        """All splits by the prefix of their columns, the ones to use first."""
        return {"split": self.columns} | self.compared


def assign(
    mids: Sequence[str],
    labels: np.ndarray,
    request: SplitRequest,
    seed: int,
    published: str | Path | None = None,
    broken: Collection[str] = (),
) -> SplitMovies:
    """Split all movies by stratification.

    labels: (movies, genres) of 0 and 1. published: the authors' mtgc.csv, for comparison.
    broken: mids of the movies that are known to have no features; no subset is left with only them.
    Raises `UserError`.
    """
    constraints = request.constraints(mids, broken)
    columns = make_splits(labels, request.shares, seed, request.tries, constraints)
    compared = {PUBLISHED: read_assigned(published, mids)} if published else {}
    return SplitMovies(list(mids), labels, columns, compared)


def assign_as_published(
    mids: Sequence[str], labels: np.ndarray, published: str | Path, seed: int
) -> SplitMovies:
    """The authors' splits of the movies that have one; all other movies are left out.

    published: the authors' mtgc.csv. "ours" is compared when there are enough movies to stratify.
    Raises `UserError` when none of the movies has a published split.
    """
    columns = read_assigned(published, mids)
    kept = np.flatnonzero((columns != UNASSIGNED).all(axis=1))
    log.info("%d of %d movies have a published split", len(kept), len(mids))
    if not len(kept):
        raise UserError(
            "splits: published: none of the movies is one of Trailers12k's; remove `splits: "
            "published` from the configuration"
        )
    labels = labels[kept]
    compared = {"ours": make_splits(labels, SHARES, seed)} if len(kept) >= LEAST_MOVIES else {}
    return SplitMovies([mids[place] for place in kept.tolist()], labels, columns[kept], compared)


def balance(
    labels: np.ndarray, genres: Sequence[str], splits: Mapping[str, np.ndarray]
) -> list[dict[str, object]]:
    """The rows of results/splits.csv, one per split and subset.

    splits: prefix -> columns (movies, splits); a split is called by its prefix and number.
    Keys: `split`, `subset`, `movies`; `label_deviation`, `rare_deviation` (in movies) and
    `pair_deviation` of the split (see `Deviations`); and per genre its share in the subset relative
    to its share overall (1 is perfect).
    """
    overall, rows = labels.mean(axis=0), []
    named = [(f"{name}{n}", c) for name, cs in splits.items() for n, c in enumerate(cs.T)]
    for name, column in named:
        deviation = deviations(labels, column)
        for number, subset in enumerate(SUBSETS):
            inside = column == number
            share = labels[inside].mean(axis=0) if inside.any() else np.zeros(len(genres))
            relative = np.divide(share, overall, out=np.ones(len(genres)), where=overall > 0)
            row: dict[str, object] = {
                "split": name,
                "subset": subset,
                "movies": int(inside.sum()),
                "label_deviation": f"{deviation.label:.4f}",
                "rare_deviation": f"{deviation.rare:.2f}",
                "pair_deviation": f"{deviation.pair:.5f}",
            }
            rows.append(row | {g: f"{r:.4f}" for g, r in zip(genres, relative, strict=True)})
    return rows


def split_table(
    labels_csv: str | Path,
    out_csv: str | Path,
    seed: int,
    extend: str | Path | None = None,
    groups: str | Path | None = None,
    tries: int = TRIES,
) -> None:
    """Split the movies of any table: a column `mid`, and columns of 0 and 1.

    Writes the movies sorted by mid, with columns `split0`, `split1`, `split2` of 0 (training),
    1 (validation) and 2 (test), in the paper's shares.
    extend: an earlier `out_csv`, whose movies keep their subsets. groups: a table `mid,group` of
    movies that stay together. Raises `UserError` with file and line, also
    where `out_csv` is one of the other tables, and writes nothing then.
    """
    for path in (labels_csv, extend, groups):
        if path and is_same_file(out_csv, path):
            raise UserError(
                f"{out_csv} is the table {path}, which would be lost; choose another name for "
                "the result"
            )
    mids, names, labels = read_table(labels_csv)
    constraints = SplitRequest(extend=extend, groups=groups).constraints(mids)
    columns = make_splits(labels, SHARES, seed, tries, constraints)
    write_splits(out_csv, mids, names, labels, columns)
