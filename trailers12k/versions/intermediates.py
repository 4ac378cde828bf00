"""Restores build/, and what Snakemake remembers, to what they were when a state was written.

Reads the state and the stores of data/; writes build/ and .snakemake/metadata. Must not know DVC
or Git.
"""

import logging
import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from trailers12k.common.errors import UserError
from trailers12k.common.files import inside, read_csv
from trailers12k.common.movie import is_mid
from trailers12k.downloads import retries
from trailers12k.features import store_index
from trailers12k.versions import run_state
from trailers12k.workflow.folder import COLLECTION, unfinished_restore, write_collection

log = logging.getLogger(__name__)


def restore_intermediates(kind: str | None = None, force: bool = False) -> None:
    """Make build/, and what Snakemake remembers, as they were when the state was written.

    Arrays of features are linked from the stores of data/, and packed stores are packed again. The
    records of a store that is not here are left out, so that it would be computed. Videos, posters
    and weights that are here stay. An interrupted call is repeated by the next.

    kind: of collection, recorded where the state is too old to name it. force: lose work in build/
    that no state holds.
    Raises `UserError` when there is such work, without `force`; when the state is damaged; when a
    package is missing.
    """
    shards = _shards_of(run_state.check_state())
    if not force and not run_state.is_saved():
        raise UserError(
            "build/ holds work that is in no version; keep it: trailers12k snapshot, or lose it: "
            "trailers12k restore --force"
        )
    try:
        from trailers12k.classifier import packing  # noqa: F401  (needed below)
        from trailers12k.features import store  # noqa: F401
    except ModuleNotFoundError as error:
        raise UserError(
            f"restore needs all packages: {error}; pip install -c lock.txt -e '.[all]'"
        ) from error
    if unfinished_restore() is None:
        run_state.mark_begun()
    run_state.unpack_state()
    if kind and not COLLECTION.exists():
        write_collection(kind)
    _remove_other_stores(shards)
    for name in sorted(shards):
        _restore_store(name, shards[name])
    _pack_stores()
    _hold_retries()
    now = time.time()
    for path in run_state.remembered_products():
        if path.exists():
            os.utime(path, (now, now))
    run_state.record_products()
    run_state.mark_restored(run_state.current_hash())


def _shards_of(files: Iterable[PurePosixPath]) -> dict[str, list[str]]:
    """The shards, such as "000", of each store of build/features in a state, sorted."""
    groups = sorted(path.parent for path in files if path.match("build/features/*/*.zarr/.zgroup"))
    shards: dict[str, list[str]] = {}
    for group in groups:
        shards.setdefault(group.parent.name, []).append(group.stem)
    return shards


def _remove_other_stores(shards: Mapping[str, Sequence[str]]) -> None:
    """Remove the stores of build/features, and their shards, that the state does not hold."""
    is_group = store_index.SHARD_GROUP.fullmatch
    for folder in sorted(store_index.FEATURES.glob("*")):
        groups = sorted(path for path in folder.glob("*") if is_group(path.name))
        if folder.name not in shards and groups == sorted(folder.glob("*")):
            _remove_store(folder.name)
            continue
        for group in groups:
            if group.stem not in shards.get(folder.name, ()):
                _remove_tree(folder, group.name)


def _remove_store(name: str) -> None:
    """Remove the shards, the ledgers and the indexes of one store."""
    inside(store_index.INDEXES, name)  # before anything is removed
    _remove_tree(store_index.FEATURES, name)
    _remove_tree(Path("build/ledger"), name)
    store_index.index_of(name).unlink(missing_ok=True)
    _remove_tree(store_index.INDEXES, name)


def _remove_tree(parent: Path, name: str) -> None:
    """Remove one folder of the run's own. Raises `UserError` for one that leads elsewhere."""
    if (folder := inside(parent, name)).is_dir():
        shutil.rmtree(folder)


def _restore_store(name: str, shards: Sequence[str]) -> None:
    """Link the shards of one store to data/, and trust it: DVC knows its files by their content.

    Where data/ does not have this version of it, its records are removed.
    """
    from trailers12k.features import store as stores

    store, manifest = (inside("data", f"{name}{end}") for end in (".zarr", ".csv"))
    of_store = inside("build/ledger", name)
    ledgers = [inside(of_store, f"{shard}.csv") for shard in shards]
    parts = {
        store_index.shard_of_store(name, ledger.stem): [
            stores.Part(store, row["mid"], row["fingerprint"])
            for row in (read_csv(ledger) if ledger.exists() else [])
            if row["status"] == "ok"
        ]
        for ledger in ledgers
    }
    is_here = manifest.exists() and (store / ".zgroup").exists()
    merged = {row["mid"]: row["fingerprint"] for row in (read_csv(manifest) if is_here else [])}
    computed = {part.mid: part.fingerprint for rows in parts.values() for part in rows}
    if merged != computed or not all(map(is_mid, merged)) or not all(map(Path.exists, ledgers)):
        log.warning(
            "%s of this version is not here: dvc pull %s %s, then trailers12k restore",
            *(store, store, manifest),
        )
        _remove_store(name)
        return
    for group, rows in parts.items():
        # Without an index `merge` reads no array.
        stores.merge(rows, group, stores.attributes(group))
        index = store_index.index_of(name, group.stem)
        _write_index(index, group, {row.mid: row.fingerprint for row in rows})
    _write_index(store_index.index_of(name), store, merged)


def _write_index(index: Path, store: Path, fingerprints: Mapping[str, str]) -> None:
    """Write the index of a store or shard; fingerprints: mid -> fingerprint of its arrays."""
    entries = {
        mid: (mark, store_index.signature(inside(store, mid))) for mid, mark in fingerprints.items()
    }
    store_index.write_index(index, entries)


def _pack_stores() -> None:
    """Pack the stores that the trainings of this version read."""
    from trailers12k.classifier import packed_arrays

    for index in run_state.remembered_products():
        if index.parent == Path("build/packed") and index.suffix == ".csv":
            manifest = inside("data", index.name)
            is_here = manifest.exists() and (manifest.with_suffix(".zarr") / ".zgroup").exists()
            if is_here and not (_is_index_of(index, manifest) and packed_arrays.is_packed(index)):
                packed_arrays.pack(manifest.with_suffix(".zarr"), manifest, index)


def _is_index_of(index: Path, manifest: Path) -> bool:
    """Whether a packed store holds the arrays of a manifest."""
    if not index.exists():
        return False
    packed, merged = (
        [(row["mid"], row["fingerprint"]) for row in read_csv(path)] for path in (index, manifest)
    )
    return packed == merged


def _hold_retries() -> None:
    """Hold the retries of shards whose videos or posters are not all here: one retry would fetch
    all of them again."""
    for stage in ("trailers", "posters"):
        for shard in Path("build/ledger", stage).glob("*.csv"):
            files = [row["file"] for row in read_csv(shard) if row["status"] == "ok"]
            is_complete = all(map(os.path.exists, files))
            retries.hold_retries(Path("build") / stage, shard.stem, not is_complete)
