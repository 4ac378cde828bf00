"""The losses of all stages, those of the same movies together.

Reads and writes nothing. Must not know pages.
"""

from collections.abc import Sequence

from trailers12k.publish.facts import Loss


def alike(losses: Sequence[Loss]) -> list[tuple[Loss, list[str]]]:
    """The losses with their stages: a movie without a trailer is lost in every stage below."""
    stages: dict[tuple[str, str, int, frozenset[str]], tuple[Loss, list[str]]] = {}
    for loss in losses:
        key = (loss.status, loss.reason, loss.movies, loss.mids)
        stages.setdefault(key, (loss, []))[1].append(loss.stage)
    return list(stages.values())


def stages(names: Sequence[str]) -> str:
    """The stages of a loss in a few words."""
    if len(names) < 3:
        return " and ".join(names)
    return f"{names[0]} and {len(names) - 1} other stages"
