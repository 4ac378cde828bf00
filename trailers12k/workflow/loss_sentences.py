"""Sentences about the movies that a run lost, for the last words of a run.

Reads rows of ledgers. Must not know files, nor whether the run succeeded.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from trailers12k.common.vocabulary import FAILED, OK, SKIPPED
from trailers12k.video.no_sound import NO_SOUND

NO_ADDRESS = "no_address"
"""The reason of a download that has nothing to fetch; of a poster that is no loss."""

Rows = Sequence[Mapping[str, str]]


def loss_sentences(rows: Rows, stores: Collection[str]) -> list[str]:
    """A sentence per kind of loss: how many movies, and why.

    rows: `mid`, `stage`, `status` and `reason` of all stages. stores: the stages of features.
    """
    kinds = (
        ({"trailers"}, "trailers was lost", "trailers were lost"),
        ({"posters"}, "posters was lost", "posters were lost"),
        ({"clips"}, "trailers gave no clips", "trailers gave no clips"),
        (set(stores), "movies lacks features", "movies lack features"),
    )
    sentences = _without_address([row for row in rows if row["stage"] == "trailers"])
    for stages, one, many in kinds:
        tried = [row for row in rows if row["stage"] in stages and row["status"] != SKIPPED]
        failed = {row["mid"]: row["reason"] for row in tried if row["status"] == FAILED}
        counts = Counter(failed.values()).most_common()
        reasons = ", ".join(f"{number} {reason}" for reason, number in counts)
        movies = len({row["mid"] for row in tried})
        if failed:
            what = one if len(failed) == 1 else many
            sentences.append(f"{len(failed)} of {movies} {what}: {reasons}.")
    return sentences + _without_sound(rows, stores)


def _without_sound(rows: Rows, stores: Collection[str]) -> list[str]:
    """Where stores hear: how many trailers have no sound."""
    silent = {row["mid"] for row in rows if row["stage"] in stores and row["reason"] == NO_SOUND}
    trailers = sum(row["stage"] == "trailers" and row["status"] == OK for row in rows)
    if not silent:
        return []
    return [
        f"{len(silent)} of {trailers} trailers {'has' if len(silent) == 1 else 'have'} no sound."
    ]


def _without_address(trailers: Rows) -> list[str]:
    missing = sum(row["status"] == SKIPPED and row["reason"] == NO_ADDRESS for row in trailers)
    if not missing:
        return []
    movies = f"{len(trailers)} movie{'' if len(trailers) == 1 else 's'}"
    return [f"{missing} of {movies} {'has' if missing == 1 else 'have'} no trailer address."]
