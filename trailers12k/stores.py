"""The zarr layout of a store: create, write one movie whole, check, merge, read.

A store is a zarr group of format 2 (readable by zarr-python 2 and 3) with one float32 array a
movie, named by its mid, of one chunk. Each array is written beside the others and renamed in, so
that a reader sees all of it or nothing. Must not know what the numbers mean.
"""

import argparse
import json
import logging
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import zarr
from numcodecs import Zstd
from tqdm import tqdm

from trailers12k.files import PARTIAL, write_json
from trailers12k.movies import is_mid

log = logging.getLogger(__name__)

COMPRESSOR = Zstd(level=0)


def create(store: Path, attributes: Mapping) -> None:
    """Make the group, or give the one that stands there these attributes; arrays are kept.

    Leftovers of a killed job are swept.
    """
    store.mkdir(parents=True, exist_ok=True)
    for leftover in store.glob(f"*{PARTIAL}"):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    write_json(store / ".zgroup", {"zarr_format": 2})
    write_json(store / ".zattrs", dict(attributes))


def write(store: Path, mid: str, values: np.ndarray, attributes: Mapping) -> None:
    """Write one movie's features, (rows, features) float32, whole; an older version is replaced.

    Raises ValueError for another shape or type, and for values that are not finite.
    """
    if values.ndim != 2 or values.dtype != np.float32 or 0 in values.shape:
        raise ValueError(f"{mid}: features must be (rows, features) float32, not {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{mid}: features hold NaN or infinity")
    partial = store / f"{mid}{PARTIAL}"
    if partial.exists():
        shutil.rmtree(partial)
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
        attributes=dict(attributes),
    )
    array[:] = values
    _put(partial, store / mid)


def _put(partial: Path, final: Path) -> None:
    if final.exists():
        shutil.rmtree(final)
    os.rename(partial, final)


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
    except FileNotFoundError:
        return "no .zarray"
    if meta["chunks"] != meta["shape"]:
        return "more than one chunk"
    if not (folder / "0.0").is_file():
        return "its chunk is missing"
    return ""


def merge(parts: Iterable[tuple[Path, str, str]], store: Path, attributes_: Mapping) -> list[dict]:
    """Make a store of exactly the given movies; rows `mid, clips, fingerprint`, sorted by mid.

    parts: (store of the shard, mid, fingerprint). An array that is already there with the same
        fingerprint stays; others are hard-linked where the file system can, else copied. Arrays of
        movies that are not in `parts` are removed.
    """
    create(store, attributes_)
    parts = sorted(parts, key=lambda part: part[1])
    wanted = {mid for _, mid, _ in parts}
    gone = [mid for mid in movies(store) if mid not in wanted]
    for mid in gone:
        shutil.rmtree(store / mid)
    rows, added = [], 0
    for part, mid, mark in tqdm(parts, unit="movie", disable=None):
        there = (store / mid).is_dir() and not fault_of(store, mid)
        if not there or attributes(store, mid).get("fingerprint") != mark:
            if fault := fault_of(part, mid):
                raise ValueError(
                    f"{part / mid}: {fault}; delete this folder's record and run again"
                )
            partial = store / f"{mid}{PARTIAL}"
            shutil.copytree(part / mid, partial, copy_function=_link)
            _put(partial, store / mid)
            added += 1
        rows.append({"mid": mid, "clips": shape(store, mid)[0], "fingerprint": mark})
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


def verify(store: Path) -> list[str]:
    """Read every array of a store; a line for each fault."""
    features = attributes(store).get("num_features")
    faults = []
    for mid in tqdm(movies(store), unit="movie", disable=None):
        if fault := fault_of(store, mid):
            faults.append(f"{mid}: {fault}")
            continue
        try:
            values = read(store, mid)
        except Exception as error:  # whatever a damaged chunk makes of the decoder
            faults.append(f"{mid}: cannot be read: {error}")
            continue
        if values.dtype != np.float32 or values.ndim != 2 or values.shape[1] != features:
            faults.append(f"{mid}: {values.shape} {values.dtype}, not (rows, {features}) float32")
        elif not np.isfinite(values).all():
            faults.append(f"{mid}: NaN or infinity")
    return faults


def describe(store: Path) -> str:
    """A store in words: attributes, number of movies and rows, bytes."""
    mids = movies(store)
    rows = sum(shape(store, mid)[0] for mid in mids)
    size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
    lines = [f"{store}: {len(mids)} movies, {rows} rows, {size / 1e6:.1f} MB"]
    lines += [f"  {key}: {value}" for key, value in attributes(store).items()]
    return "\n".join(lines)


def main() -> int:
    """`python -m trailers12k.stores describe|verify STORE`."""
    parser = argparse.ArgumentParser(prog="python -m trailers12k.stores", description=__doc__)
    parser.add_argument("action", choices=["describe", "verify"])
    parser.add_argument("store", type=Path)
    args = parser.parse_args()
    if not (args.store / ".zgroup").is_file():
        print(f"{args.store} is not a store: it has no .zgroup", file=sys.stderr)
        return 2
    if args.action == "describe":
        print(describe(args.store))
        return 0
    faults = verify(args.store)
    print("\n".join(faults) if faults else f"{args.store}: {len(movies(args.store))} movies, sound")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
