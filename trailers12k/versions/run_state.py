"""The state of a run: what Snakemake must know to go on, as one small file beside the products.

Reads and writes build/ and .snakemake/metadata, and build/state.tar.gz, which DVC keeps. It holds
ledgers, clips, records and what Snakemake remembers of each product; no videos, pictures or arrays.
Those of build/features are the stores', and are linked from data/. Must not know DVC or Git, nor
import what is slow: every start of Snakemake asks whether build/ is that of the state.
"""

import base64
import binascii
import gzip
import logging
import os
import re
import shutil
import tarfile
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from trailers12k.classifier import packed as packed_
from trailers12k.common.errors import UserError
from trailers12k.common.files import (
    PARTIAL,
    inside,
    partial_of,
    read_csv,
    replacing,
    sha256_of,
    write_text,
)
from trailers12k.common.movie import is_mid
from trailers12k.downloads import retries
from trailers12k.features import store_index
from trailers12k.workflow.folder import is_running

log = logging.getLogger(__name__)

STATE = Path("build/state.tar.gz")
LAID_OUT = Path("build/state.sha256")
"""Of the state that build/ was laid out from or that was written from it; then of what build/ was
afterwards, which differs where stores were not here."""
BEGUN = "begun"
MEMORY = Path(".snakemake/metadata")
TABLES = (".csv", ".json", ".zgroup", ".zattrs")
NO_STATE = ("weights", "packed", "training", "predictions", "published", "stores", "stopped.json")
"""Of build/: what can be made again without any video, or is of this machine and this day."""
APART = {"build/sources": "files", "build/ledger": "trailers"}
"""The sources' own files; and what DVC keeps by itself, since its stages need it."""
SHARD = re.compile(r"\d{3}\.zarr", re.ASCII)
NO_MEMORY = ("build/predictions", "results/predictions")


def write() -> None:
    """Keep what build/ and Snakemake know now as one file. The same state gives the same bytes."""
    with replacing(STATE) as partial:
        _write(partial)
    _remember(sha256_of(STATE))


def _write(path: Path) -> None:
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=3, fileobj=raw, mtime=0) as packed,
        tarfile.open(mode="w", fileobj=packed, format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(_kept()):
            with path.open("rb") as file:
                about = tarfile.TarInfo(path.as_posix())
                about.size = os.fstat(file.fileno()).st_size
                tar.addfile(about, file)


def _now() -> str:
    """The hash of the state that `write` would write."""
    path = partial_of(STATE)
    try:
        _write(path)
        return sha256_of(path)
    finally:
        path.unlink(missing_ok=True)


def _remember(now: str) -> None:
    write_text(LAID_OUT, f"{sha256_of(STATE)}\n{now}\n")


def _marks() -> list[str]:
    return LAID_OUT.read_text().split() if LAID_OUT.exists() else []


def _kept() -> Iterator[Path]:
    """The files of a state."""
    for folder, folders, names in os.walk("build"):
        at = Path(folder)
        if at == Path("build"):
            folders[:] = [name for name in folders if name not in NO_STATE]
            continue
        if apart := APART.get(at.as_posix()):
            folders[:] = [name for name in folders if name != apart]
        # Arrays of stores, and temporary folders beside them.
        folders[:] = [n for n in folders if not is_mid(n) and not n.endswith(PARTIAL)]
        yield from (at / name for name in names if name.endswith(TABLES))
    for path in _memory():
        product = _product(path)
        if product and not any(map(product.is_relative_to, NO_MEMORY)):
            yield path


def is_laid_out() -> bool:
    """Whether build/ is that of the state which is there, if any; or is in use by another run."""
    if not STATE.exists() or is_running():
        return True
    return _marks()[:1] == [sha256_of(STATE)]


def is_saved() -> bool:
    """Whether build/ is still as a state had it, so that nothing is lost with it."""
    marks = _marks()
    if not marks:
        return next(_kept(), None) is None
    return marks == [BEGUN] or _now() == marks[1]


def lay_out(force: bool = False) -> None:
    """Make build/, and what Snakemake remembers, as they were when the state was written.

    Arrays of features are linked from the stores of data/, and packed stores packed again. What
    belongs to a store that is not here is left out, so that it would be computed. Videos, posters
    and weights that are here stay. Cut off, it is done again by the next call.

    force: lose work in build/ that no state has. Raises `UserError` when there is some, without;
    when the state is damaged; when packages are missing that it needs.
    """
    shards = _shards(_check())
    if not force and not is_saved():
        raise UserError(
            f"{STATE} is of another version than build/, which has work that is in no version. To "
            "keep it, go back to its own version, snakemake, make snapshot; to lose it: "
            "make restore FORCE=1"
        )
    try:
        from trailers12k.classifier import packed  # noqa: F401  (slow, and needed below)
        from trailers12k.features import store as stores  # noqa: F401
    except ModuleNotFoundError as error:
        raise UserError(f"{STATE}: laying it out wants all packages here: {error}") from error
    log.warning("%s is of another version than build/: laying that one out", STATE)
    write_text(LAID_OUT, f"{BEGUN}\n")
    for path in list(_kept()):
        path.unlink()
    with tarfile.open(STATE) as tar:
        for member in tar:
            # Not `extractall`, which refuses a build/ that is a link to another disk.
            path = Path(member.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(tar.extractfile(member).read())
    # Without it Snakemake takes its memory for that of an older Snakemake.
    MEMORY.with_name("incomplete").mkdir(exist_ok=True)
    _remove_other_features(shards)
    for name in sorted(shards):
        _lay_out_features(name, shards[name])
    _pack()
    _rest()
    now = time.time()
    for path in _products():
        if path.exists():
            os.utime(path, (now, now))
    _remember(_now())


def _rest() -> None:
    """Let no failure be due for a retry in shards whose videos or posters are not here: all of
    them would be fetched again for its sake."""
    for stage in ("trailers", "posters"):
        for shard in Path("build/ledger", stage).glob("*.csv"):
            files = [row["file"] for row in read_csv(shard) if row["status"] == "ok"]
            here = all(map(os.path.exists, files))
            retries.hold_retries(Path("build") / stage, shard.stem, not here)


def _check() -> list[PurePosixPath]:
    """Read the state to its end; the files that it holds.

    Raises `UserError` when it is damaged, or holds what none has.
    """
    try:
        with tarfile.open(STATE) as tar:
            found = tar.getmembers()
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise UserError(f"{STATE}: {error}; put it back: dvc checkout --force {STATE}") from error
    for member in found:
        path = PurePosixPath(member.name)
        inside = path.is_relative_to("build") or path.is_relative_to(MEMORY.as_posix())
        if not member.isreg() or not inside or ".." in path.parts:
            raise UserError(f"{STATE}: {member.name!r} is no part of a state; do not trust it")
    return [PurePosixPath(member.name) for member in found]


def _shards(files: Iterable[PurePosixPath]) -> dict[str, list[str]]:
    """The shards, such as "000", of each store of build/features that a state holds, sorted."""
    groups = sorted(path.parent for path in files if path.match("build/features/*/*.zarr/.zgroup"))
    found: dict[str, list[str]] = {}
    for group in groups:
        found.setdefault(group.parent.name, []).append(group.stem)
    return found


def _remove_other_features(shards: Mapping[str, Sequence[str]]) -> None:
    """Remove the stores of build/features, and their shards, that the state does not hold."""
    for folder in sorted(Path("build/features").glob("*")):
        groups = sorted(path for path in folder.glob("*") if SHARD.fullmatch(path.name))
        if folder.name not in shards and groups == sorted(folder.glob("*")):
            _remove_features(folder.name)
            continue
        for group in groups:
            if group.stem not in shards.get(folder.name, ()):
                _remove_tree(folder, group.name)


def _remove_features(name: str) -> None:
    """Remove the shards and ledgers of one store, and its index."""
    _remove_tree(Path("build/features"), name)
    _remove_tree(Path("build/ledger"), name)
    store_index.index_of(name).unlink(missing_ok=True)
    _remove_tree(store_index.INDEXES, name)


def _remove_tree(parent: Path, name: str) -> None:
    """Remove one folder of the run's own. Raises `UserError` for one that leads elsewhere."""
    if inside(parent, name).is_dir():
        shutil.rmtree(parent / name)


def _lay_out_features(name: str, shards: Sequence[str]) -> None:
    """Link the shards of one store, and trust it: DVC knows its files by their content."""
    # Here, since every start of Snakemake loads this module.
    from trailers12k.features import store as stores

    store, manifest = Path("data") / f"{name}.zarr", Path("data") / f"{name}.csv"
    ledgers = [Path(f"build/ledger/{name}/{shard}.csv") for shard in shards]
    parts = {
        Path(f"build/features/{name}/{ledger.stem}.zarr"): [
            (store, row["mid"], row["fingerprint"])
            for row in (read_csv(ledger) if ledger.exists() else [])
            if row["status"] == "ok"
        ]
        for ledger in ledgers
    }
    listed = read_csv(manifest) if manifest.exists() and (store / ".zgroup").exists() else []
    marks = {row["mid"]: row["fingerprint"] for row in listed}
    made = {mid: mark for several in parts.values() for _, mid, mark in several}
    if marks != made or not all(map(is_mid, marks)) or not all(map(Path.exists, ledgers)):
        told = "%s of this version is not here: dvc pull %s %s, then make restore"
        log.warning(told, store, store, manifest)
        _remove_features(name)
        return
    for group, several in parts.items():
        index = store_index.index_of(name, group.stem)
        index.unlink(missing_ok=True)
        stores.merge(several, group, stores.attributes(group))
        known = {mid: (mark, store_index.signature(group / mid)) for _, mid, mark in several}
        store_index.write_index(index, known)
    known = {mid: (mark, store_index.signature(store / mid)) for mid, mark in marks.items()}
    store_index.write_index(store_index.index_of(name), known)


def _pack() -> None:
    """Pack the stores that trainings of this version were given."""

    for path in _products():
        if path.parent == Path("build/packed") and path.suffix == ".npy":
            manifest = Path("data") / f"{path.stem}.csv"
            index = path.with_suffix(".csv")
            here = manifest.exists() and (manifest.with_suffix(".zarr") / ".zgroup").exists()
            if here and not (path.exists() and _same(index, manifest)):
                packed_.pack(manifest.with_suffix(".zarr"), manifest, path)


def _same(index: Path, manifest: Path) -> bool:
    """Whether a packed store holds what a manifest says."""
    if not index.exists():
        return False
    marks = [[(row["mid"], row["fingerprint"]) for row in read_csv(p)] for p in (index, manifest)]
    return marks[0] == marks[1]


def _memory() -> list[Path]:
    """The files in which Snakemake remembers products."""
    return sorted(path for path in MEMORY.rglob("*") if path.is_file())


def _products() -> Iterator[Path]:
    """The products that Snakemake remembers."""
    yield from filter(None, map(_product, _memory()))


def _product(memory: Path) -> Path | None:
    """The product that is remembered; None for a file that is something else."""
    # A long name is cut into folders that begin with @.
    name = "".join(part.removeprefix("@") for part in memory.relative_to(MEMORY).parts)
    try:
        return Path(os.fsdecode(base64.b64decode(name, altchars="-_", validate=True)))
    except (binascii.Error, ValueError):
        return None
