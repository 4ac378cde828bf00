"""Assigns movies to subsets, anew or beside earlier assignments.

Reads the published columns and earlier tables. Must not know Snakemake.
"""

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import PUBLISHED, SUBSETS
from trailers12k.splits.stratification import FOLDS, SHARES, TRIES, make_splits, quality
from trailers12k.splits.tables import NEW, SPLITS, read_given, read_groups, read_table, write_splits

log = logging.getLogger(__name__)


def assign(
    mids: Sequence[str],
    labels: np.ndarray,
    settings: Mapping | str,
    seed: int,
    table: str | Path | None = None,
) -> tuple[list[str], np.ndarray, dict[str, np.ndarray]]:
    """The movies that get a subset, their labels, and the splits, (movies, 3): `split`, the ones to
    be used, and, where the published `table` is at hand, the others for comparison.

    settings: of the configuration. With "published", `split` are the table's columns, movies that
    have none are left out, and `ours` is what `make_splits` gives; else `published` stands beside.
    Raises `UserError`.
    """
    mids, published = list(mids), None
    if table:
        published = read_given(table, mids)
    if settings == PUBLISHED:
        there = np.flatnonzero((published != NEW).all(axis=1))
        log.info("%d of %d movies have a published split", len(there), len(mids))
        if not len(there):
            raise UserError("splits: published: no movie of the table is one of Trailers12k's")
        mids, labels = [mids[place] for place in there], labels[there]
        columns = {"split": published[there]}
        if len(there) >= FOLDS:
            columns["ours"] = make_splits(labels, SHARES, seed, TRIES)
        return mids, labels, columns
    columns = {
        "split": make_splits(
            labels,
            settings,
            seed,
            settings["tries"],
            given=read_given(settings["extend"], mids) if settings["extend"] else None,
            groups=read_groups(settings["groups"], mids) if settings["groups"] else None,
        )
    }
    return mids, labels, columns | ({} if published is None else {PUBLISHED: published})


def balance(
    labels: np.ndarray, genres: Sequence[str], splits: Mapping[str, np.ndarray]
) -> list[dict[str, object]]:
    """A row for each split and subset: its movies, the share of each genre in it relative to its
    share overall (1 is perfect), and the deviations of the whole split, see `quality`.

    splits: name -> columns (movies, splits); they are numbered after their name.
    """
    overall, rows = labels.mean(axis=0), []
    named = [(f"{name}{n}", c) for name, cs in splits.items() for n, c in enumerate(cs.T)]
    for name, column in named:
        label, pair = quality(labels, column)
        for number, subset in enumerate(SUBSETS):
            inside = column == number
            share = labels[inside].mean(axis=0) if inside.any() else np.zeros(len(genres))
            relative = np.divide(share, overall, out=np.ones(len(genres)), where=overall > 0)
            row = {"split": name, "subset": subset, "movies": int(inside.sum())}
            row |= {"label_deviation": f"{label:.4f}", "pair_deviation": f"{pair:.5f}"}
            rows.append(row | {g: f"{r:.4f}" for g, r in zip(genres, relative, strict=True)})
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m trailers12k.splits.assignment LABELS.csv OUT.csv --seed N`."""
    parser = argparse.ArgumentParser(
        prog="python -m trailers12k.splits.assignment",
        description="Split the movies of a table, a column mid and columns of 0 and 1, into "
        "training, validation and test, by second-order iterative stratification.",
    )
    parser.add_argument("labels", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--tries", type=int, default=TRIES)
    parser.add_argument("--extend", type=Path, help="an earlier OUT.csv: its movies keep theirs")
    parser.add_argument(
        "--groups", type=Path, help="a table mid,group of movies that stay together"
    )
    args = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        mids, names, labels = read_table(args.labels)
        order = np.argsort(mids, kind="stable")
        mids, labels = [mids[place] for place in order], labels[order]
        given = read_given(args.extend, mids) if args.extend else None
        groups = read_groups(args.groups, mids) if args.groups else None
        columns = make_splits(labels, SHARES, args.seed, args.tries, SPLITS, given, groups)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    write_splits(args.out, mids, names, labels, columns)
    return 0


if __name__ == "__main__":
    sys.exit(main())
