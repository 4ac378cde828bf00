"""The stamp of the target `publish`: which files its publication has, and how often it was made.

Reads and writes build/publication.json and build/repairs/publication.json. Must not import anything
slow: the Snakefile imports this module.
"""

import os
from pathlib import Path
from typing import Any

from trailers12k.common.files import below, read_json, sha256_of, write_json
from trailers12k.common.sum_files import SHA256SUMS
from trailers12k.features import store_index

FOLDER = Path("publication")
"""Where the target `publish` writes, and the default place of `trailers12k publish`."""
STAMP = Path("build/publication.json")
"""`{"sums": sha256 of SHA256SUMS}`: the output of publish_dataset."""
RECORD = store_index.REPAIRS / "publication.json"
"""`{"attempts": NUMBER, "sums": as in the stamp, "bytes": {PATH: BYTES}}`. Snakemake removes the
stamp before the job, in whose process the param is computed again."""


def attempts(wildcards: Any = None) -> int:
    """The param `attempts` of publish_dataset: how often it was made again because its folder was
    not as recorded, plus one while it is not."""
    record = _record()
    count = record.get("attempts")
    return (count if isinstance(count, int) else 0) + (bool(record) and not _is_as(record))


def write(count: int) -> None:
    """Stamp the publication in `FOLDER`. count: with which its job was planned."""
    sums = {"sums": sha256_of(FOLDER / SHA256SUMS)}
    write_json(STAMP, sums)
    write_json(RECORD, {"attempts": count, **sums, "bytes": _sizes()})


def _record() -> dict[str, Any]:
    try:
        return dict(read_json(RECORD))
    except (OSError, ValueError):  # before the first publication; a damaged one is written again
        return {}


def _is_as(record: dict[str, Any]) -> bool:
    """Whether the publication has the recorded files, by their sizes; their content is the
    business of `trailers12k publish --check`."""
    try:
        return bool(record["sums"] == sha256_of(FOLDER / SHA256SUMS)) and all(
            os.stat(below(FOLDER, name)).st_size == size for name, size in record["bytes"].items()
        )
    except (OSError, KeyError, TypeError, ValueError, AttributeError):
        return False


def _sizes() -> dict[str, int]:
    """The path of each file of the publication, and its bytes."""
    files = (path for path in FOLDER.rglob("*") if path.is_file())
    return {path.relative_to(FOLDER).as_posix(): path.stat().st_size for path in sorted(files)}
