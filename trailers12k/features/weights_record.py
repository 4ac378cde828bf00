"""Records of pretrained weights: what was fetched, or why the weights could not be obtained.

Reads and writes build/weights/*.json and build/repairs/weights/. Must not import anything slow: the
Snakefile imports this module.
"""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from trailers12k.common.errors import UserError
from trailers12k.common.files import inside, read_json, reading, write_csv, write_json
from trailers12k.features import store_index
from trailers12k.features.backbones.hub import HubWeights
from trailers12k.features.backbones.spec import Weights

NO_WEIGHTS = "no_weights"
"""The reason of movies without features because the store's weights could not be obtained."""
RECORDS = Path("build/weights")
ATTEMPTS = store_index.REPAIRS / "weights"


def record_of(key: str) -> Path:
    """The record of the weights with this key, see `names.weights_key`."""
    return inside(RECORDS, f"{key}.json")


def write_weights(record: Path, weights: Weights) -> None:
    """Record weights that are there."""
    write_json(record, asdict(weights))


def write_missing(record: Path, model: str, reason: str) -> None:
    """Record that the weights of a model could not be obtained."""
    write_json(record, {"model": model, "missing": reason})


def missing_weights(record: Path) -> str:
    """Why the weights could not be obtained; empty when they are there, or were never fetched."""
    try:
        return str(read_json(record).get("missing", ""))
    except (OSError, UserError):
        return ""


def read_weights(record: Path) -> Weights:
    """The weights of a record. Raises `UserError` where they could not be obtained, and for a
    damaged record."""
    if reason := missing_weights(record):
        raise UserError(reason)
    with reading(record):
        values = read_json(record)
        return HubWeights(**values) if "beside" in values else Weights(**values)


def list_weights(records: Iterable[Path], table: Path) -> None:
    """Write `model,name,bytes,sha256` of weights. Raises `UserError` where some are missing."""
    records = list(records)
    if missing := [reason for reason in map(missing_weights, records) if reason]:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise UserError(f"weights are missing{more}: {missing[0]}")
    columns = ["model", "name", "bytes", "sha256"]
    rows = [{name: getattr(read_weights(each), name) for name in columns} for each in records]
    write_csv(table, columns, rows)


def attempts(key: str) -> int:
    """The param `attempts` of fetch_weights: how often it has tried again to fetch these weights,
    plus one while they are missing, so that every run tries once more."""
    count = store_index.read_count(inside(ATTEMPTS, f"{key}.json"))
    return count + bool(missing_weights(record_of(key)))


def record_attempts(key: str, count: int) -> None:
    """Write the count with which a job was planned: the last step of its job."""
    store_index.write_count(inside(ATTEMPTS, f"{key}.json"), count)
