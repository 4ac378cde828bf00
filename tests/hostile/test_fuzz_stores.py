"""Random published stores: archives, metadata and chunks of arrays, attributes, manifests."""

import json
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile.fuzzing import (
    answered,
    cells,
    changed,
    csv_files,
    damaged,
    examples,
    texts,
    values,
)
from tests.hostile.test_fuzz_answers import archives
from trailers12k.common.movie import is_mid
from trailers12k.features import array_files, published_store, store_index
from trailers12k.features.store_attributes import attributes

ARRAY = {
    "zarr_format": 2,
    "shape": [3, 4],
    "chunks": [3, 4],
    "dtype": "<f4",
    "compressor": {"id": "zlib", "level": 1},
    "filters": None,
    "order": "C",
    "fill_value": None,
    "dimension_separator": ".",
}
PLAIN = ARRAY | {"compressor": None}
sizes = st.one_of(
    values,
    st.sampled_from(
        ([0], [-1, 4], [3.0, 4], [2**40, 2**40], [True, 4], ["3", 4], [1] * 50, "<f8", ">f2", "|O"),
    ),
    st.sampled_from(("<U9", "f", "<M8[ns]", [["a", "<f4"]], {"id": "pickle"}, {"id": "blosc"}, {})),
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@given(meta=changed(ARRAY, sizes))
@examples(400)
def test_metadata_of_arrays(meta):
    found, _ = answered(array_files.parse, json.dumps(meta), refused=ValueError)
    if found:
        assert all(type(size) is int and size > 0 for size in (*found.shape, *found.chunks))
        assert np.prod(found.shape, dtype=object) * found.dtype.itemsize <= array_files.MAX_BYTES
        assert np.prod(found.grid, dtype=object) <= array_files.MAX_CHUNKS


@given(text=damaged(json.dumps(ARRAY).encode()))
@examples(200)
def test_damaged_metadata_of_arrays(text):
    answered(array_files.parse, text, refused=ValueError)


@given(
    meta=st.one_of(st.just(PLAIN), st.just(ARRAY), changed(PLAIN, sizes)),
    chunk=damaged(np.ones((3, 4), "<f4").tobytes()),
    name=st.sampled_from(("0.0", "0.0", "0", "0.1", "0/0")),
)
@examples(200)
def test_arrays(folder, meta, chunk, name):
    array = folder / "tt0000001"
    for path in array.glob("**/*"):
        if path.is_file():
            path.unlink()
    (array / name).parent.mkdir(parents=True, exist_ok=True)
    (array / ".zarray").write_text(json.dumps(meta))
    if not (array / name).is_dir():
        (array / name).write_bytes(chunk)
    found, _ = answered(array_files.read, array, refused=ValueError)
    assert found is None or found.dtype.kind == "f"


@given(
    data=st.one_of(changed({"num_features": 4}).map(lambda v: json.dumps(v).encode()), st.binary())
)
@examples(200)
def test_attributes(folder, data):
    (folder / ".zattrs").write_bytes(data)
    (folder / ".zgroup").write_bytes(data if len(data) % 2 else b'{"zarr_format": 2}')
    found, _ = answered(attributes, folder, refused=ValueError)
    assert found is None or isinstance(found, dict)
    fault, _ = answered(store_index.group_fault, folder)
    assert len(fault.splitlines()) <= 1


@given(
    data=csv_files(
        ("mid", "clips", "fingerprint"),
        st.fixed_dictionaries(
            {
                "mid": cells("tt0000001", "tt0000002"),
                "clips": cells("3"),
                "fingerprint": cells("a" * 16),
            }
        ),
    )
)
@examples(200)
def test_manifests(folder, data):
    (folder / "manifest.csv").write_bytes(data)
    found, _ = answered(store_index.read_manifest, folder / "manifest.csv", refused=ValueError)
    assert all(map(is_mid, found or {}))


NAMES = st.one_of(
    st.sampled_from(
        (
            *(
                "s.zarr/.zgroup",
                "s.zarr/.zattrs",
                "s.zarr/tt0000001/.zarray",
                "s.zarr/tt0000001/0.0",
            ),
            *("s.zarr", "/etc/x", "../../x", "s.zarr/tt0000001/../../../y", "zarr.json", "C:\\x"),
        )
    ),
    texts,
)
CONTENTS = st.one_of(
    st.sampled_from(
        (
            b'{"zarr_format": 2}',
            b'{"num_features": 4}',
            json.dumps(PLAIN).encode(),
            np.ones((3, 4), "<f4").tobytes(),
        )
    ),
    st.binary(max_size=50),
)


@given(data=archives(NAMES, CONTENTS))
@examples(150)
def test_archives_of_stores(folder, data):
    """Whatever an archive holds, only the store is written; of a refused one nothing is left."""
    (folder / "a.tar.gz").write_bytes(data)
    target = folder / "data"
    target.mkdir(exist_ok=True)
    answered(published_store.check_beginning, folder / "a.tar.gz", "a.tar.gz")
    movies, _ = answered(published_store.unpack, folder / "a.tar.gz", target / "s.zarr")
    assert all(map(is_mid, movies or {}))
    assert set(os.listdir(folder)) == {"a.tar.gz", "data"}
    assert set(os.listdir(target)) <= {"s.zarr"}
