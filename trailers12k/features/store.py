"""Stores: a zarr group with one float32 array per movie, named by its mid, of one chunk.

Reads and writes stores in zarr format 2, which zarr-python 2 and 3 read. An array is written beside
the others and renamed into place, so that readers never see half of it. Must not know videos.
"""

import errno
import hashlib
import logging
import os
import shutil
import stat
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import yaml
import zarr
from numcodecs import Zstd
from tqdm import tqdm

from trailers12k.common.errors import UserError
from trailers12k.common.files import (
    PARTIAL,
    inside,
    is_being_written,
    partial_of,
    remove_leftover,
    write_json,
)
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.movie import is_mid
from trailers12k.features import array_files, store_index
from trailers12k.features.store_attributes import attributes as attributes

if TYPE_CHECKING:
    from trailers12k.video.clips import Clip

log = logging.getLogger(__name__)

FOREIGN = "%s holds files that are not an array's and stays; move it out of the store"
REPORTED = 10
"""Damaged arrays of a store that a merge reports one by one."""
COMPRESSOR = Zstd(level=0)
ATTEMPTS = 100
TAKEN = (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST)
"""Errors of a rename or a listing when another process replaces the same folder."""


def array_fingerprint(
    determined_by: Mapping,
    source_sha256: str | None,
    decoder: str | None,
    clips: Sequence["Clip"],
    bars: Sequence[float] | None = None,
) -> str:
    """The fingerprint of one movie's array: a hash of everything that determines it.

    determined_by: the store's attribute of this name, see `Recipe.determined_by`.
    source_sha256: of the file that was read. decoder: that read it; None for a poster.
    clips: the rows of the array; empty for a poster.
    bars: the fractions of `Bars` that were cut off; None where the store does not cut them off.
    """
    cut = [asdict(clip) for clip in clips]
    cropped = {} if bars is None else {"bars": [*bars]}
    made_from = {"sha256": source_sha256, "decoder": decoder, "clips": cut, **cropped}
    return fingerprint(**determined_by, **made_from)


def create(store: Path, attributes: Mapping) -> None:
    """Create the group, or write these attributes into an existing one, whose arrays stay.

    Temporary folders of killed jobs are removed. Raises `UserError` where a link leads elsewhere.
    """
    store = inside(store.parent, store.name)
    store.mkdir(parents=True, exist_ok=True)
    for leftover in store.glob(f"*{PARTIAL}"):
        if not is_being_written(leftover):
            remove_leftover(leftover)
    write_json(store / ".zgroup", {"zarr_format": 2})
    write_json(store / ".zattrs", dict(attributes))


def write(store: Path, mid: str, values: np.ndarray, attributes: Mapping) -> None:
    """Write one movie's features, (rows, features) float32, whole; an older version is replaced.

    attributes: of the array; `values_sha256`, a hash of its bytes, and `dimensions` are added.
    Raises ValueError for another shape or type, and for values that are not finite.
    """
    if values.ndim != 2 or values.dtype != np.float32 or 0 in values.shape:
        raise ValueError(f"{mid}: features must be (rows, features) float32, not {values.shape}")
    if not np.isfinite(values).all():
        raise UserError(
            f"{store}: {mid}: the features hold NaN or infinity; set precision: fp32 for this "
            "store, or check its weights"
        )
    final = inside(store, mid)
    partial = partial_of(final)
    array = zarr.create_array(
        store=str(partial),
        shape=values.shape,
        chunks=values.shape,
        dtype=values.dtype,
        zarr_format=2,
        compressors=COMPRESSOR,
        # xarray would take the values that equal a fill value for missing ones.
        fill_value=None,
        # A chunk of zeros is written like any other, so that a missing chunk is always a fault.
        config={"write_empty_chunks": True},
        attributes=dict(attributes) | {"values_sha256": _sha256(values)} | dimensions(mid),
    )
    array[:] = values
    _put(partial, final)


def dimensions(mid: str) -> dict[str, list[str]]:
    """The attribute by which xarray names the dimensions of a movie's array.

    Each movie has rows of its own, because in xarray a dimension has one size in the whole store.
    """
    return {"_ARRAY_DIMENSIONS": [f"row_{mid}", "feature"]}


def _sha256(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).data).hexdigest()


def _put(partial: Path, final: Path) -> None:
    """Rename an array into its place, unless another process has put the same one there.

    An equal array stays, so that who reads it meanwhile finds it. Of two different ones the last
    one counts. Raises `UserError` for a place that holds other files.
    """
    try:
        for attempt in range(ATTEMPTS):
            try:
                if _is_same(partial, final):
                    return
                _clear(final)
                os.rename(partial, final)
                return
            except OSError as error:
                if error.errno not in TAKEN or attempt == ATTEMPTS - 1:
                    raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _is_same(partial: Path, final: Path) -> bool:
    """Whether the files of two arrays are equal; False where one is missing."""
    try:
        return set(os.listdir(final)) == set(store_index.FILES) and all(
            (final / name).read_bytes() == (partial / name).read_bytes()
            for name in store_index.FILES
        )
    except OSError:
        return False


def _clear(final: Path) -> None:
    """Remove the array at `final`, if there is one. Raises `OSError` when another process does."""
    try:
        is_folder = stat.S_ISDIR(os.lstat(final).st_mode)
    except FileNotFoundError:
        return
    # Not `is_array`, for which a folder that another process is removing is no array.
    if not is_folder or any(name not in store_index.FILES for name in os.listdir(final)):
        raise UserError(f"{final} holds files that are not an array's; move it out of the store")
    # Renamed first: its files are removed one by one, and another process may write a new array.
    old = partial_of(final)
    os.rename(final, old)
    remove_array(old)


def keep_only(store: Path, mids: Container[str]) -> list[str]:
    """Remove the arrays of all other movies, and return their mids.

    Folders that hold other files than an array's are reported and stay.
    """
    removed = []
    for mid in movies(store):
        if mid in mids:
            continue
        if store_index.is_array(folder := os.path.join(store, mid)):
            remove_array(inside(store, mid))
            removed.append(mid)
        else:
            log.warning(FOREIGN, folder)
    return removed


def remove_array(folder: Path) -> None:
    """Remove the files of an array, and its folder unless it also holds other files."""
    if folder.is_symlink() or not folder.is_dir():
        if os.path.lexists(folder):
            log.warning(FOREIGN, folder)
        return
    for path in (folder / name for name in store_index.FILES):
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)
    try:
        folder.rmdir()
    except OSError:
        log.warning(FOREIGN, folder)


def movies(store: Path) -> list[str]:
    """The mids in a store, sorted. From the directory, since zarr's own listing takes seconds."""
    return sorted(name for name in os.listdir(store) if is_mid(name))


def read(store: Path, mid: str) -> np.ndarray:
    """One movie's features, (rows, features) float32. Raises KeyError for a movie without."""
    if not (folder := inside(store, mid)).is_dir():
        raise KeyError(f"{mid} is not in {store}")
    return np.asarray(zarr.open_array(store=str(folder), mode="r")[:])


def shape(store: Path, mid: str) -> tuple[int, int]:
    """The shape (rows, features) of one movie's array, from its metadata alone."""
    *rows, features = array_files.read_metadata(inside(store, mid)).shape
    return (rows[0] if rows else 1), features


def fault_of(store: Path, mid: str) -> str:
    """What is wrong with the files of one movie's array, unread; empty when nothing is."""
    try:
        folder = inside(store, mid)
        meta = array_files.read_metadata(folder)
    except ValueError as error:
        return str(error)
    if meta.chunks != meta.shape:
        return "more than one chunk"
    if not (folder / "0.0").is_file():
        return "its chunk is missing"
    return ""


class Part(NamedTuple):
    """One movie's array in the store of its shard.

    shard_index: of that store. An array that is as the index says is copied unread, any other is
        read first. None: values are trusted.
    """

    store: Path
    mid: str
    fingerprint: str
    shard_index: Path | None = None


def merge(
    parts: Iterable[Part | tuple[Path, str, str]],
    store: Path,
    group_attributes: Mapping,
    index: Path | None = None,
) -> list[dict]:
    """Make a store of exactly the movies of `parts`; rows `mid, clips, fingerprint`, by mid.

    An array that is already there with the same fingerprint stays; others are hard-linked where
    the file system can, else copied. Arrays of other movies are removed.

    index: of the store, see `store_index`. An array that is as the index says stays unread; any
        other is read, and is replaced when it is damaged. Without an index nothing is read.

    Raises `UserError` for a mid that is none, for a damaged array of a shard, and for files that
    are not an array's where one must be written; nothing of the store is lost then.
    """
    merged = sorted((Part(*part) for part in parts), key=lambda part: part.mid)
    wanted = {part.mid for part in merged}
    for part in merged:
        if not is_mid(part.mid):
            raise UserError(
                f"the ledger of {part.store}: {part.mid!r} is not a movie id; delete that ledger"
            )
    create(store, group_attributes)
    removed = keep_only(store, wanted)
    merging = _Merging(store, index, wanted)
    try:
        for part in tqdm(merged, unit="movie", disable=None):
            merging.put(part)
    finally:  # what was read need not be read again
        if index:
            store_index.write_index(index, merging.verified)
    log.info(
        "%s: %d movies, %d added or replaced, %d kept, %d removed",
        store.name,
        len(merged),
        merging.added,
        len(merged) - merging.added,
        len(removed),
    )
    return [
        {"mid": part.mid, "clips": shape(store, part.mid)[0], "fingerprint": part.fingerprint}
        for part in merged
    ]


class _Merging:
    """One merge into a store.

    verified: the index of the store: of arrays that were not reached yet, the entries before the
        merge. added: how many arrays were copied.
    """

    def __init__(self, store: Path, index: Path | None, wanted: Container[str]):
        self._store = store
        self._has_index = index is not None
        before = store_index.read_index(index) if index else {}
        self.verified = {mid: before[mid] for mid in before if mid in wanted}
        self.added = 0
        self._shard_indexes: dict[Path, store_index.Index] = {}
        self._damaged = 0

    def put(self, part: Part) -> None:
        """Keep the array of a movie, or copy it from its shard."""
        entry = part.fingerprint, store_index.signature(inside(self._store, part.mid))
        if not (self._has_index and self.verified.get(part.mid) == entry):
            if not self._can_stay(part):
                self._check(part)
                final = inside(self._store, part.mid)
                partial = partial_of(final)
                shutil.copytree(inside(part.store, part.mid), partial, copy_function=_link)
                _put(partial, final)
                self.added += 1
            entry = part.fingerprint, store_index.signature(inside(self._store, part.mid))
        self.verified[part.mid] = entry

    def _can_stay(self, part: Part) -> bool:
        """Whether the store's array is the right one, and, where there is an index, sound."""
        array = inside(self._store, part.mid)
        if not array.is_dir() or _fingerprint_in(array) not in (part.fingerprint, None):
            return False
        fault = (
            fault_of_values(self._store, part.mid, attributes(self._store), part._asdict())
            if self._has_index
            else fault_of(self._store, part.mid) or ("" if _fingerprint_in(array) else "no .zattrs")
        )
        if fault:
            self._damaged += 1
            if self._damaged <= REPORTED:
                log.warning("%s: %s; copied again from its shard", array, fault)
        return not fault

    def _check(self, part: Part) -> None:
        """Raise `UserError` where the shard's own array is damaged."""
        fault = fault_of(part.store, part.mid)
        if not fault and part.shard_index:
            if part.shard_index not in self._shard_indexes:
                index = store_index.read_index(part.shard_index)
                self._shard_indexes[part.shard_index] = index
            entry = part.fingerprint, store_index.signature(inside(part.store, part.mid))
            if self._shard_indexes[part.shard_index].get(part.mid) != entry:
                about = attributes(part.store)
                fault = fault_of_values(part.store, part.mid, about, part._asdict())
        if fault:
            raise UserError(
                f"{part.store}/{part.mid}: {fault}; run again, which computes this array again"
            )


def _fingerprint_in(array: Path) -> str | None:
    """The fingerprint in an array's attributes; None when they are missing or damaged."""
    try:
        return attributes(array.parent, array.name).get("fingerprint")
    except (OSError, ValueError):
        return None


def _link(source: str, target: str) -> None:
    """Hard-link or copy a file. Arrays are never written in place, so links may share the bytes."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def fault_of_values(
    store: Path,
    mid: str,
    about: Mapping,
    listed: Mapping | None,
    clips: Sequence["Clip"] | None = None,
    may_be_strange: bool = False,
) -> str:
    """What is wrong with one array, of which the values are read; empty when it is sound.

    about: the attributes of its store.
    listed: the `fingerprint`, and `clips`, the number of rows where it is listed, that the array
        must have; None where no table lists it.
    clips: the trailer's clips; None to compare the array with none.
    may_be_strange: whether an array without a fingerprint is a stranger's, which
        may have several chunks, other types of floats, and one dimension.
    """
    try:
        own = attributes(store, mid)
    except ValueError as error:
        return f".zattrs cannot be read: {error}"
    is_strange = may_be_strange and "fingerprint" not in own
    if not is_strange and (fault := fault_of(store, mid)):
        return fault
    try:
        values = array_files.read(inside(store, mid))
    except ValueError as error:
        return str(error)
    features = about.get("num_features", values.shape[-1])
    is_rows = values.ndim == 2 and values.dtype == np.float32
    if not (is_rows or is_strange) or values.shape[-1] != features:
        return f"{values.shape} {values.dtype}, not (rows, {features}) float32"
    values = np.atleast_2d(values)
    if not np.isfinite(values).all():
        return "NaN or infinity"
    if own.get("values_sha256") not in (None, _sha256(values)):
        return "its values are not those that were written"
    if listed and not is_strange and listed["fingerprint"] != own.get("fingerprint"):
        return f"its fingerprint is {own.get('fingerprint')}, not {listed['fingerprint']}"
    if clips is not None and len(values) != len(clips):
        return f"{len(values)} rows, but clips.csv has {len(clips)} clips"
    if listed and int(listed.get("clips", len(values))) != len(values):
        return f"{len(values)} rows, not {listed['clips']}"
    determined_by = about.get("determined_by")
    if determined_by and (clips is not None or about.get("input") == "posters"):
        source = own.get("source_sha256"), own.get("decoder")
        computed = array_fingerprint(determined_by, *source, clips or [], own.get("bars"))
        if own.get("fingerprint") != computed:
            return "made from other clips or settings than clips.csv and the store say"
    return ""


def describe(store: Path) -> str:
    """A store for a person: its size, what computed its arrays, and its attributes as YAML."""
    # A folder of somebody else's may be named like a movie.
    mids = [mid for mid in movies(store) if (inside(store, mid) / ".zarray").is_file()]
    rows = sum(shape(store, mid)[0] for mid in mids)
    size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
    lines = [f"{store}: {len(mids)} movies, {rows} rows, {size / 1e6:.1f} MB"]
    of_arrays = [attributes(store, mid) for mid in mids]
    for key in ("precision", "device", "decoder"):
        if counts := Counter(own[key] for own in of_arrays if own.get(key)):
            numbers = ", ".join(f"{name} {n}" for name, n in sorted(counts.items()))
            lines.append(f"{key} of arrays: {numbers}")
    hidden = "determined_by", "precision", "device"
    of_group = {key: value for key, value in attributes(store).items() if key not in hidden}
    lines.append(yaml.safe_dump(of_group, sort_keys=False, width=100, allow_unicode=True).rstrip())
    return "\n".join(lines)
