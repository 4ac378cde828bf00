"""Sentences about genres that no movie of a subset has, for readers of the results.

Reads rows of transfer/val.csv and tst.csv. Must not import anything slow: the Snakefile prints
these sentences at the end of a run.
"""

from collections.abc import Iterable, Mapping, Sequence

from trailers12k.common.vocabulary import GENRES

EXPLANATION = (
    "Some genres have no movie in a subset, so they have no precision-recall curve there. The "
    "published evaluation counts such a genre as 50 %, whatever a model predicts. This draws mAP "
    "towards 50 %; wAP leaves the genre out."
)

NAMED = 4
"""Number of runs up to which all are named."""


def absence_sentences(
    subset: str, rows: Iterable[Mapping[str, str]], most: int = len(GENRES)
) -> list[str]:
    """One sentence for all splits that lack the same genres; none where every genre has a movie.

    subset: "validation" or "test". rows: with the columns `run`, `split` and `absent` of
    `scores.COLUMNS`, as text. Runs are named, at most `NAMED`, where they lack different genres in
    one split, because some movies have no features. Genres are listed where at most `most` of them
    are absent.
    """
    runs: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        runs.setdefault(str(row["split"]), {}).setdefault(row["absent"], []).append(row["run"])
    splits: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for split, groups in runs.items():
        for absent, names in groups.items():
            if absent:
                key = absent, tuple(names) if len(groups) > 1 else ()
                splits.setdefault(key, []).append(split)
    return [
        _sentence(subset, absent.split("|"), most, names, where)
        for (absent, names), where in splits.items()
    ]


def _sentence(
    subset: str, genres: Sequence[str], most: int, runs: Sequence[str], splits: Sequence[str]
) -> str:
    where = f"{'splits' if len(splits) > 1 else 'split'} {listed(splits)}"
    others = [] if len(runs) <= NAMED else [f"{len(runs) - NAMED + 1} other rows"]
    of_runs = f" in {listed([*runs[: NAMED - len(others)], *others])}" if runs else ""
    names = f" ({', '.join(genres)})" if len(genres) <= most else ""
    have, count = ("has", "counts") if len(genres) == 1 else ("have", "count")
    return (
        f"{subset.capitalize()} movies of {where}{of_runs}: {len(genres)} of {len(GENRES)} genres "
        f"{have} no movie here{names} and {count} 50 % in mAP."
    )


def listed(words: Sequence[str]) -> str:
    """Words as an English list: `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
