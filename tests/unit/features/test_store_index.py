"""The indexes of stores: where they lie, what they hold, what counts as an array."""

from pathlib import Path

import pytest

from trailers12k.features import store_index


@pytest.fixture(autouse=True)
def project_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def array(tmp_path):
    folder = tmp_path / "tt0000001"
    folder.mkdir()
    for name in store_index.FILES:
        (folder / name).write_text(name)
    return folder


def test_the_places_of_indexes_shards_and_counts():
    assert store_index.index_of("s") == Path("build/stores/s.csv")
    assert store_index.index_of("s", "007") == Path("build/stores/s/007.csv")
    assert store_index.shard_of_store("s", "007") == Path("build/features/s/007.zarr")
    store_index.record_repairs("s", 3)
    store_index.record_repairs("s", 4, "007")
    assert Path("build/repairs/s.json").read_text().strip() == "3"
    assert Path("build/repairs/s/007.json").read_text().strip() == "4"


@pytest.mark.parametrize("content", ["", "x", '"3"', "[1]"])
def test_a_damaged_count_is_none(content):
    Path("build/repairs").mkdir(parents=True)
    Path("build/repairs/s.json").write_text(content)
    assert store_index.repairs("s") == 0
    store_index.record_repairs("s", None)
    assert Path("build/repairs/s.json").read_text() == content


def test_an_index_reads_back_sorted_by_mid():
    index = {"tt0000002": ("f2", "1@2 3@4 5@6"), "tt0000001": ("f1", "")}
    store_index.write_index(Path("s.csv"), index)
    assert Path("s.csv").read_text().splitlines() == [
        *("mid,fingerprint,signature", "tt0000001,f1,", "tt0000002,f2,1@2 3@4 5@6")
    ]
    assert store_index.read_index(Path("s.csv")) == index
    assert store_index.read_index(Path("missing.csv")) == {}


def test_a_signature_has_size_and_time_of_each_file(array):
    chunk, header, attributes = (array / name for name in ("0.0", ".zarray", ".zattrs"))
    expected = " ".join(
        f"{p.stat().st_size}@{p.stat().st_mtime_ns}" for p in (chunk, header, attributes)
    )
    assert store_index.signature(array) == expected and expected.startswith("3@")
    chunk.unlink()
    assert store_index.signature(array) == ""
    assert store_index.signature(chunk / "below") == ""


def test_a_folder_with_any_other_file_is_no_array(array):
    assert store_index.is_array(array)
    (array / "0.0").unlink()
    assert store_index.is_array(array), "some of the files"
    (array / "note").write_text("mine")
    assert not store_index.is_array(array)
    (array / "note").unlink()
    (array / "0.0").mkdir()
    assert not store_index.is_array(array)
    link = array.with_name("tt0000002")
    link.symlink_to(array)
    assert not store_index.is_array(link) and not store_index.is_array(array / ".zarray")


@pytest.mark.parametrize(
    ("zgroup", "zattrs", "fault"),
    [
        ('{"zarr_format": 2}', '{"num_features": 4}', ""),
        ('{"zarr_format": 3}', '{"num_features": 4}', "its .zgroup or .zattrs is damaged"),
        ('{"zarr_format": 2}', '{"num_features": "4"}', "its .zgroup or .zattrs is damaged"),
        ("{}", '{"num_features": 4}', "its .zgroup or .zattrs cannot be read: 'zarr_format'"),
        ('{"zarr_format": 2}', "[]", "its .zgroup or .zattrs cannot be read: "),
    ],
)
def test_faults_of_group_files(tmp_path, zgroup, zattrs, fault):
    (tmp_path / ".zgroup").write_text(zgroup)
    (tmp_path / ".zattrs").write_text(zattrs)
    found = store_index.group_fault(tmp_path)
    assert found == fault or (fault.endswith(": ") and found.startswith(fault))


def test_a_shard_is_sound_while_every_array_is_as_its_index_says():
    """Whether or not the array in data/ is damaged as well."""
    part = store_index.shard_of_store("s", "000")
    assert store_index.is_shard_sound("s", "000"), "not made yet"
    array = part / "tt0000001"
    array.mkdir(parents=True)
    for name in store_index.FILES:
        (array / name).write_text(name)
    (part / ".zattrs").write_text('{"num_features": 4}')
    assert not store_index.is_shard_sound("s", "000"), "arrays without an index"
    index = {"tt0000001": ("f", store_index.signature(array))}
    store_index.write_index(store_index.index_of("s", "000"), index)
    assert store_index.is_shard_sound("s", "000"), "its .zgroup is an output of the job"
    (part / ".zattrs").write_text("{}")
    (part / ".zgroup").write_text('{"zarr_format": 2}')
    assert not store_index.is_shard_sound("s", "000")
    (part / ".zattrs").write_text('{"num_features": 4}')
    assert store_index.is_shard_sound("s", "000")
    (array / "0.0").write_text("longer than before")
    assert not store_index.is_shard_sound("s", "000")
