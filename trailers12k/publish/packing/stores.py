"""The arrays of a store of features, checked one by one as they are published.

Reads data/STORE.zarr and its manifest. Must not know how arrays are published.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from trailers12k.common.bounded_files import parse_json, read_bytes, shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.files import inside
from trailers12k.features import store_index
from trailers12k.publish import known_attributes

if TYPE_CHECKING:
    import numpy as np

DATA = Path("data")
MOST_CHUNK = 1 << 28
"""Most bytes of the file of a chunk; `array_files` refuses an array of half as many."""
MOST_ATTRIBUTES = 1_000_000


@dataclass(frozen=True)
class Array:
    """One movie's array. files: name -> content, as published. values: (rows, features) float32."""

    mid: str
    files: Mapping[str, bytes]
    values: "np.ndarray"


@dataclass(frozen=True)
class Store:
    """A store to publish.

    attributes: of the group, clean. rows: mid -> rows of its array, sorted by mid. bytes: of all
    files on the disk, about.
    """

    name: str
    path: Path
    attributes: Mapping[str, Any]
    rows: Mapping[str, int]
    fingerprints: Mapping[str, str]

    @property
    def features(self) -> int:
        """Numbers of a row."""
        return int(self.attributes["num_features"])

    @property
    def value_bytes(self) -> int:
        """Bytes of all values, unpacked."""
        return 4 * self.features * sum(self.rows.values())

    @property
    def is_posters(self) -> bool:
        """Whether its rows are of posters, which have no times."""
        return bool(self.attributes.get("input") == "posters")


def open_store(name: str) -> Store:
    """A store in data/. Raises `UserError` for one that is damaged or that is a link."""
    path = inside(DATA, f"{name}.zarr")
    if path.is_symlink() or not path.is_dir():
        raise _damaged(path, "is no folder")
    if fault := store_index.group_fault(path):
        raise _damaged(path, fault)
    raw = parse_json(read_bytes(path / ".zattrs", MOST_ATTRIBUTES), path, not_finite=True)
    if not isinstance(raw, dict):
        raise _damaged(path, "its .zattrs holds no object")
    try:
        about = known_attributes.of_store(raw)
    except ValueError as error:
        raise _damaged(path, str(error)) from None
    manifest = store_index.read_manifest(inside(DATA, f"{name}.csv"))
    if not manifest:
        raise _damaged(path, "it has no movies")
    return Store(
        name,
        path,
        about,
        {mid: int(manifest[mid]["clips"] or 0) for mid in sorted(manifest)},
        {mid: row["fingerprint"] for mid, row in manifest.items()},
    )


def arrays(store: Store) -> Iterator[Array]:
    """The arrays of a store, sorted by mid; each is read once. Raises `UserError` for a damaged
    one, and for a file that is a link."""
    for mid, rows in tqdm(store.rows.items(), store.name, unit="movie", disable=None):
        folder = inside(store.path, mid)
        try:
            yield _read(store, folder, rows)
        except UserError as error:
            raise _damaged(folder, str(error)) from error
        except Exception as error:  # a codec may raise anything
            words = " ".join(str(error).split())[:200] or type(error).__name__
            raise _damaged(folder, words) from error


def _read(store: Store, folder: Path, rows: int) -> Array:
    """Read one array and compare it with what its store, manifest and attributes say."""
    import numpy as np

    from trailers12k.features import array_files

    if folder.is_symlink():
        raise ValueError("is a symbolic link")
    files = {name: _content(folder, name) for name in store_index.FILES}
    meta = array_files.parse(files[".zarray"])
    own = parse_json(files[".zattrs"], f"{folder}/.zattrs", not_finite=True)
    if not isinstance(own, dict):
        raise ValueError("its .zattrs holds no object")
    if meta.shape != (rows, store.features) or meta.chunks != meta.shape or not meta.is_plain:
        shape = (*meta.shape, str(meta.dtype))
        raise ValueError(f"{shape}, not one chunk of ({rows}, {store.features}) float32")
    values = array_files.decoded(files["0.0"], meta)
    digest = hashlib.sha256(np.ascontiguousarray(values).data).hexdigest()
    if own.get("values_sha256") not in (None, digest):
        raise ValueError("its values are not those that were written")
    if own.get("fingerprint") != store.fingerprints[folder.name]:
        raise ValueError("its fingerprint is not that of the manifest")
    if not np.isfinite(values).all():
        raise ValueError("NaN or infinity")
    if (clean := known_attributes.of_array(own)) != own:
        files[".zattrs"] = json_bytes(clean)
    return Array(folder.name, files, values)


def _content(folder: Path, name: str) -> bytes:
    """The content of a file of an array, which must be a plain file of its own folder."""
    path = folder / name
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        raise ValueError(store_index.FILES[name]) from None
    if not stat.S_ISREG(mode):
        raise ValueError(f"its {name} is no plain file")
    return read_bytes(path, MOST_CHUNK)


def json_bytes(value: object) -> bytes:
    """JSON as `write_json` writes it."""
    import json

    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def _damaged(path: Path, why: str) -> UserError:
    return UserError(
        f"publish: {shown_path(path)}: {why}; see every fault of the collection: trailers12k verify"
    )
