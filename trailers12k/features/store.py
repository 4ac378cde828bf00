"""The zarr layout of a store: create, write one movie whole, check, merge, read.

A store is a zarr group of format 2 (readable by zarr-python 2 and 3) with one float32 array a
movie, named by its mid, of one chunk. Each array is written beside the others and renamed in, so
that a reader sees all of it or nothing. Must not know what the numbers mean.
"""

import argparse
import errno
import hashlib
import json
import logging
import os
import shutil
import sys
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

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
    read_csv,
    remove_leftover,
    write_json,
)
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.movie import is_mid
from trailers12k.features import integrity as trust
from trailers12k.features import store_index

if TYPE_CHECKING:
    from trailers12k.video.clips import Clip

log = logging.getLogger(__name__)

COMPRESSOR = Zstd(level=0)
ATTEMPTS = 100
TAKEN = (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST)
"""How a rename or a look at a folder fails that another process is replacing."""


def mark(
    common: Mapping, source_sha256: str | None, decoder: str | None, clips: Sequence["Clip"]
) -> str:
    """The fingerprint of one movie's array: of all that determines it.

    common: what does so for the whole store, its attribute `determined_by`. The rest: the file that
    was read, by which decoder, and the clips that are its rows; none for a poster.
    """
    cut = [asdict(clip) for clip in clips]
    return fingerprint(**common, sha256=source_sha256, decoder=decoder, clips=cut)


def create(store: Path, attributes: Mapping) -> None:
    """Make the group, or give the one that stands there these attributes; arrays are kept.

    Leftovers of a killed job are swept.
    """
    store.mkdir(parents=True, exist_ok=True)
    for leftover in store.glob(f"*{PARTIAL}"):
        if not is_being_written(leftover):
            remove_leftover(leftover)
    write_json(store / ".zgroup", {"zarr_format": 2})
    write_json(store / ".zattrs", dict(attributes))


def write(store: Path, mid: str, values: np.ndarray, attributes: Mapping) -> None:
    """Write one movie's features, (rows, features) float32, whole; an older version is replaced.

    Its attribute `values_sha256` is a hash of the bytes, by which `verify` knows them.
    Raises ValueError for another shape or type, and for values that are not finite.
    """
    if values.ndim != 2 or values.dtype != np.float32 or 0 in values.shape:
        raise ValueError(f"{mid}: features must be (rows, features) float32, not {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{mid}: features hold NaN or infinity")
    final = inside(store, mid)
    partial = partial_of(final)
    array = zarr.create_array(
        store=str(partial),
        shape=values.shape,
        chunks=values.shape,
        dtype=values.dtype,
        zarr_format=2,
        compressors=COMPRESSOR,
        fill_value=0.0,
        # A chunk of zeros is written like any other, so that a missing chunk is always a fault.
        config={"write_empty_chunks": True},
        attributes=dict(attributes) | {"values_sha256": _sha256(values)},
    )
    array[:] = values
    _put(partial, final)


def _sha256(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values)).hexdigest()


def _put(partial: Path, final: Path) -> None:
    """Rename an array into its place; where two processes do so at once, the last one counts."""
    for attempt in range(ATTEMPTS):
        try:
            if os.path.lexists(final):
                if not trust.is_array(final):
                    shutil.rmtree(partial)
                    raise UserError(
                        f"{final} holds files that are not an array's; move it out of the store"
                    )
                trust.remove_array(final)
            os.rename(partial, final)
            return
        except OSError as error:
            if error.errno not in TAKEN or attempt == ATTEMPTS - 1:
                raise


def keep_only(store: Path, mids: Container[str]) -> list[str]:
    """Remove the arrays of all other movies; their mids. What is no array of ours is reported."""
    gone = []
    for mid in movies(store):
        if mid in mids:
            continue
        if trust.is_array(store / mid):
            trust.remove_array(store / mid)
            gone.append(mid)
        else:
            log.warning(trust.FOREIGN, store / mid)
    return gone


def movies(store: Path) -> list[str]:
    """The mids in a store, sorted; from the directory, since zarr's own listing takes seconds."""
    return sorted(name for name in os.listdir(store) if is_mid(name))


def read(store: Path, mid: str) -> np.ndarray:
    """One movie's features, (rows, features) float32. KeyError when the movie is not there."""
    if not (store / mid).is_dir():
        raise KeyError(f"{mid} is not in {store}")
    return zarr.open_array(store=str(store / mid), mode="r")[:]


def shape(store: Path, mid: str) -> tuple[int, int]:
    """The shape of one movie's array, from its metadata alone."""
    rows, features = json.loads((store / mid / ".zarray").read_text())["shape"]
    return rows, features


def attributes(store: Path, mid: str = "") -> dict:
    """The attributes of a store, or of one movie's array."""
    path = store / mid / ".zattrs"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def fault_of(store: Path, mid: str) -> str:
    """What is wrong with one movie's array, or an empty string. Reads metadata, not values."""
    folder = store / mid
    try:
        meta = json.loads((folder / ".zarray").read_text())
        one = meta["chunks"] == meta["shape"]
    except FileNotFoundError:
        return "no .zarray"
    except (KeyError, TypeError, ValueError) as error:
        return f".zarray cannot be read: {error}"
    if not one:
        return "more than one chunk"
    if not (folder / "0.0").is_file():
        return "its chunk is missing"
    return ""


def merge(
    parts: Iterable[tuple[Path, str, str]],
    store: Path,
    attributes_: Mapping,
    index: Path | None = None,
) -> list[dict]:
    """Make a store of exactly the given movies; rows `mid, clips, fingerprint`, sorted by mid.

    parts: (store of the shard, mid, fingerprint). An array that is already there with the same
        fingerprint stays; others are hard-linked where the file system can, else copied. Arrays of
        movies that are not in `parts` are removed. Raises `UserError` for a mid that is none.
    index: of `trust`. Arrays that are put in are known to be good, as their job has left them; of
        those that stay, what was known stays.
    """
    parts = sorted(parts, key=lambda part: part[1])
    wanted = {mid for _, mid, _ in parts}
    for part, mid, _ in parts:
        if not is_mid(mid):
            raise UserError(f"the ledger of {part}: {mid!r} is not a movie id; delete that ledger")
    create(store, attributes_)
    gone = keep_only(store, wanted)
    known = store_index.read_index(index) if index else {}
    known = {mid: known[mid] for mid in known if mid in wanted}
    rows, added = [], 0
    for part, mid, mark in tqdm(parts, unit="movie", disable=None):
        there = (store / mid).is_dir() and not fault_of(store, mid)
        if not there or attributes(store, mid).get("fingerprint") != mark:
            if fault := fault_of(part, mid):
                raise ValueError(
                    f"{part / mid}: {fault}; delete this folder's record and run again"
                )
            final = inside(store, mid)
            partial = partial_of(final)
            shutil.copytree(inside(part, mid), partial, copy_function=_link)
            _put(partial, final)
            known[mid] = mark, store_index.signature(store / mid)
            added += 1
        rows.append({"mid": mid, "clips": shape(store, mid)[0], "fingerprint": mark})
    if index:
        store_index.write_index(index, known)
    log.info(
        "%s: %d movies, %d added or replaced, %d kept, %d removed",
        store.name,
        len(rows),
        added,
        len(rows) - added,
        len(gone),
    )
    return rows


def _link(source: str, target: str) -> None:
    """Arrays are never written in place, so both names of a hard link may share the bytes."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def verify(
    store: Path, manifest: str | Path | None = None, clips: str | Path | None = None
) -> list[str]:
    """Read every array of a store; a line for each fault.

    manifest: the table that was written with the store, `mid,clips,fingerprint`: both must have the
        same movies. clips: clips.csv: row i of an array is clip i, so its rows must be as many, and
        the fingerprint is that of these clips.
    """
    # Here, since whoever merges stores need not be able to read videos.
    from trailers12k.video.clips import read_clips

    about = attributes(store)
    listed = {row["mid"]: row for row in read_csv(manifest)} if manifest else {}
    cut = read_clips(clips) if clips and about.get("input") != "posters" else None
    there = movies(store)
    faults = [
        f"{mid}: in {Path(manifest).name}, but not in the store" for mid in listed.keys() - {*there}
    ]
    for mid in tqdm(there, unit="movie", disable=None):
        if manifest and mid not in listed:
            faults.append(f"{mid}: in the store, but not in {Path(manifest).name}")
        own = None if cut is None else cut.get(mid, [])
        if fault := fault_of_values(store, mid, about, listed.get(mid), own):
            faults.append(f"{mid}: {fault}")
    return sorted(faults)


def fault_of_values(
    store: Path,
    mid: str,
    about: Mapping,
    listed: Mapping | None,
    cut: "list[Clip] | None" = None,
) -> str:
    """What is wrong with one array, its values read; an empty string when it is sound.

    about: the attributes of its store. listed: its row of the manifest. cut: its clips. The last
    two are not compared with when they are None.
    """
    if fault := fault_of(store, mid):
        return fault
    try:
        values, own = read(store, mid), attributes(store, mid)
    except Exception as error:  # whatever a damaged chunk makes of the decoder
        return f"cannot be read: {error}"
    features = about.get("num_features")
    if values.dtype != np.float32 or values.ndim != 2 or values.shape[1] != features:
        return f"{values.shape} {values.dtype}, not (rows, {features}) float32"
    if not np.isfinite(values).all():
        return "NaN or infinity"
    if own.get("values_sha256") not in (None, _sha256(values)):
        return "its values are not those that were written"
    if listed and listed["fingerprint"] != own.get("fingerprint"):
        return (
            f"its fingerprint is {own.get('fingerprint')}, the manifest's {listed['fingerprint']}"
        )
    if cut is not None and len(values) != len(cut):
        return f"{len(values)} rows, but clips.csv has {len(cut)} clips"
    if listed and int(listed["clips"]) != len(values):
        return f"{len(values)} rows, but the manifest has {listed['clips']}"
    common = about.get("determined_by")
    comparable = common and (cut is not None or about["input"] == "posters")
    made_from = own.get("source_sha256"), own.get("decoder")
    if comparable and own.get("fingerprint") != mark(common, *made_from, cut or []):
        return "made from other clips or settings than clips.csv and the store say"
    return ""


def describe(store: Path) -> str:
    """A store in words: how much it holds, and what made it."""
    mids = movies(store)
    rows = sum(shape(store, mid)[0] for mid in mids)
    size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
    lines = [f"{store}: {len(mids)} movies, {rows} rows, {size / 1e6:.1f} MB"]
    own = [attributes(store, mid) for mid in mids]
    for key in ("precision", "device", "decoder"):
        counts = Counter(told[key] for told in own if told.get(key))
        lines += [f"{key}: {', '.join(f'{name} {n}' for name, n in sorted(counts.items()))}"]
    told = {
        k: v
        for k, v in attributes(store).items()
        if k not in ("determined_by", "precision", "device")
    }
    lines.append(yaml.safe_dump(told, sort_keys=False, width=100, allow_unicode=True).rstrip())
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m trailers12k.features.store describe|verify STORE`."""
    parser = argparse.ArgumentParser(
        prog="python -m trailers12k.features.store",
        description="Tell what made a store (describe), or read all of it and name what is wrong "
        "(verify): with the manifest STORE.csv and clips.csv where they stand beside it.",
    )
    parser.add_argument("action", choices=["describe", "verify"])
    parser.add_argument("store", type=Path)
    parser.add_argument("--clips", type=Path, help="clips.csv, if not beside the store")
    args = parser.parse_args(arguments)
    if not (args.store / ".zgroup").is_file():
        print(f"{args.store} is not a store: it has no .zgroup", file=sys.stderr)
        return 2
    if args.action == "describe":
        print(describe(args.store))
        return 0
    manifest = args.store.with_suffix(".csv")
    clips = args.clips or args.store.parent / "clips.csv"
    tables = [path if path.is_file() else None for path in (manifest, clips)]
    faults = verify(args.store, *tables)
    print("\n".join(faults) if faults else f"{args.store}: {len(movies(args.store))} movies, sound")
    against = [path.name if path else "none there" for path in tables]
    print(f"compared with its manifest ({against[0]}) and the clips table ({against[1]})")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
