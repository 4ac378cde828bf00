"""Arrays of packed stores: only the array that was packed is read."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr

from trailers12k.classifier import packed_arrays, packing
from trailers12k.classifier.packed_arrays import array_of, is_packed
from trailers12k.common import content_hashes
from trailers12k.common.files import write_csv

STORE, MANIFEST = Path("data/s.zarr"), Path("data/s.csv")
INDEX, ARRAY, RECORD = (Path(f"build/packed/s.{ending}") for ending in ("csv", "npy", "json"))
MIDS = ("tt0000001", "tt0000002")


@pytest.fixture
def packed(tmp_path, monkeypatch) -> bytes:
    """A store that is packed; the bytes of its array, which is too large to be read each time."""
    monkeypatch.chdir(tmp_path)
    group = zarr.open_group(STORE, mode="w", zarr_format=2, attributes={"num_features": 9000})
    for mid in MIDS:
        rows = np.random.default_rng(int(mid[2:])).random((5, 9000), np.float32)
        group.create_array(mid, data=rows, chunks=rows.shape)
    write_csv(
        MANIFEST,
        ("mid", "clips", "fingerprint"),
        [{"mid": mid, "clips": 5, "fingerprint": mid} for mid in MIDS],
    )
    packed_arrays.pack(STORE, MANIFEST, INDEX)
    data = ARRAY.read_bytes()
    assert len(data) > content_hashes.SMALL and is_packed(INDEX)
    return data


def overwrite() -> None:
    state = ARRAY.stat()
    np.save(ARRAY, np.zeros((10, 9000), np.float32))
    assert (ARRAY.stat().st_size, ARRAY.stat().st_ino) == (state.st_size, state.st_ino)
    os.utime(ARRAY, ns=(state.st_atime_ns, state.st_mtime_ns + 1))


def replace_with_its_time() -> None:
    state = ARRAY.stat()
    np.save("zeros.npy", np.zeros((10, 9000), np.float32))
    os.replace("zeros.npy", ARRAY)
    os.utime(ARRAY, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert (ARRAY.stat().st_size, ARRAY.stat().st_mtime_ns) == (state.st_size, state.st_mtime_ns)


def cut() -> None:
    os.truncate(ARRAY, ARRAY.stat().st_size // 2)


CHANGES = (overwrite, replace_with_its_time, cut, ARRAY.unlink)


@pytest.mark.parametrize("change", CHANGES)
def test_an_array_that_changed_or_is_missing_is_packed_again(packed, change, caplog):
    record, was_index = RECORD.read_bytes(), INDEX.read_bytes()
    change()
    assert not is_packed(INDEX)
    assert array_of(INDEX, STORE) == ARRAY and ARRAY.read_bytes() == packed
    assert (RECORD.read_bytes(), INDEX.read_bytes()) == (record, was_index)
    assert ("is packed again" in caplog.text) == (change != ARRAY.unlink)


@pytest.mark.parametrize(
    "damage",
    [
        RECORD.unlink,
        lambda: RECORD.write_text("[" * 100_000),
        lambda: RECORD.write_bytes(b"\xff"),
        lambda: RECORD.write_text(json.dumps({"array": None, "index": "0"})),
    ],
)
def test_an_array_without_a_record_of_its_packing_is_packed_again(packed, damage):
    np.save(ARRAY, np.zeros((10, 9000), np.float32))
    damage()
    array_of(INDEX, STORE)
    assert ARRAY.read_bytes() == packed and is_packed(INDEX)


def test_an_array_of_another_index_is_packed_again(packed):
    rows = INDEX.read_text().splitlines(keepends=True)
    INDEX.write_text("".join(rows[:2]))
    assert np.load(array_of(INDEX, STORE)).shape == (5, 9000)


def test_an_array_that_stays_costs_a_stat_and_a_copied_one_a_single_reading(packed, monkeypatch):
    read = []
    sha256 = content_hashes._sha256
    monkeypatch.setattr(content_hashes, "_sha256", lambda path: read.append(path) or sha256(path))
    inode = ARRAY.stat().st_ino
    array_of(INDEX, STORE)
    assert str(ARRAY) not in read and ARRAY.stat().st_ino == inode
    shutil.copy2(ARRAY, "copy.npy")
    os.replace("copy.npy", ARRAY)
    inode = ARRAY.stat().st_ino
    for _ in range(2):
        array_of(INDEX, STORE)
    assert read.count(str(ARRAY)) == 1 and ARRAY.stat().st_ino == inode


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system reserves no space")
def test_the_space_of_an_array_is_taken_before_its_pages_are_written(tmp_path):
    """On a full disk, writing to a mapped page without space ends the process by a signal."""
    path = tmp_path / "array.npy"
    path.touch()
    os.truncate(path, 1 << 20)
    assert path.stat().st_blocks == 0
    packing._reserve(path)
    assert path.stat().st_blocks * 512 >= path.stat().st_size == 1 << 20
