"""What computing the features of stores took, in benchmarks/stores/STORE/SHARD.json.

Reads and writes these files. Unlike the benchmarks of Snakemake they outlive a later job that finds
most features computed. Must not import torch, nor know how seconds are counted.
"""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from trailers12k.common.bounded_files import read_small
from trailers12k.common.files import DAMAGED, inside, write_json

BENCHMARKS = Path("benchmarks")


@dataclass(frozen=True)
class StoreCost:
    """What the features of one shard of a store, or of all shards, took.

    fingerprint: of the store's attributes. movies: that were computed. seconds: for all of them, of
    the store's own network and an equal part of the decoding; CPU seconds, or seconds on the clock
    of a job that had a GPU. device: as the store records it. together: the most stores that shared
    the decoding of a movie.
    """

    fingerprint: str
    movies: int
    seconds: float
    device: str
    together: int


def cost_file(store: str, shard: str, benchmarks: Path = BENCHMARKS) -> Path:
    """The file of one shard."""
    return inside(_folder(store, benchmarks), f"{shard}.json")


def record_cost(path: Path, cost: StoreCost) -> None:
    """Write a cost, unless the file has one of more movies with the same fingerprint."""
    old = _read(path)
    if old and old.fingerprint == cost.fingerprint and old.movies > cost.movies:
        return
    write_json(path, asdict(cost))


def costs_of(store: str, fingerprint: str, benchmarks: Path = BENCHMARKS) -> list[StoreCost]:
    """The costs of a store's shards; none of other fingerprints, nor damaged ones."""
    files = sorted(_folder(store, benchmarks).glob("*.json"))
    found = filter(None, map(_read, files))
    return [cost for cost in found if cost.fingerprint == fingerprint and cost.movies]


def _folder(store: str, benchmarks: Path) -> Path:
    return inside(benchmarks / "stores", store)


def _read(path: Path) -> StoreCost | None:
    try:
        cost = StoreCost(**json.loads(read_small(path)))
        is_sound = (
            math.isfinite(cost.seconds) and min(cost.seconds, cost.movies, cost.together) >= 0
        )
    except (OSError, *DAMAGED):
        return None
    return cost if is_sound and isinstance(cost.device, str) else None
