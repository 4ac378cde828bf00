"""Archives of published stores: sound ones are installed, all others refused."""

import hashlib
import io
import json
import math
import tarfile

import numpy as np
import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv
from trailers12k.downloads import published
from trailers12k.features import published_store


def zarray(shape, **changes):
    """The .zarray of uncompressed float32 in one chunk."""
    meta = {"zarr_format": 2, "shape": shape, "chunks": shape, "dtype": "<f4", "order": "C"}
    meta |= {"compressor": None, "filters": None, "fill_value": 0.0}
    return json.dumps(meta | changes).encode()


def values(*shape):
    return np.arange(1, 1 + math.prod(shape), dtype="<f4").reshape(shape)


STORE = {
    "s.zarr/.zgroup": b'{"zarr_format": 2}',
    "s.zarr/.zattrs": b'{"num_features": 3}',
    "s.zarr/tt0000001/.zarray": zarray([5, 3]),
    "s.zarr/tt0000001/0.0": values(5, 3).tobytes(),
    "s.zarr/tt0000002/.zarray": zarray([2, 3]),
    "s.zarr/tt0000002/0.0": values(2, 3).tobytes(),
}


def pack(path, members, kind=tarfile.REGTYPE, link=""):
    """An archive of these files; the last one of this kind."""
    with tarfile.open(path, "w:gz") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            if name == list(members)[-1]:
                member.type, member.linkname = kind, link
            tar.addfile(member, io.BytesIO(data))
    return path


def fetch(archive, folder, md5=None):
    fetched = published.fetch_archive(str(archive), md5, folder, keep=False)
    data = folder / "data"
    published_store.install(fetched.path, fetched.md5, data / "s.zarr", data / "s.csv")


@pytest.mark.parametrize("prefix", ["", "./", "deep/er/"])
def test_a_store_is_unpacked_from_a_local_archive(tmp_path, prefix):
    archive = pack(tmp_path / "s.zarr.tar.gz", {prefix + n: d for n, d in STORE.items()})
    (tmp_path / "data" / "s.zarr" / "tt0000009").mkdir(parents=True)
    fetch(archive, tmp_path, hashlib.md5(archive.read_bytes()).hexdigest())
    rows = read_csv(tmp_path / "data" / "s.csv")
    assert [(row["mid"], row["clips"]) for row in rows] == [("tt0000001", "5"), ("tt0000002", "2")]
    store = tmp_path / "data" / "s.zarr"
    assert (store / "tt0000001" / "0.0").read_bytes() == values(5, 3).tobytes()
    assert not (store / "tt0000009").exists(), "an older store is replaced"
    assert archive.exists(), "a user's own archive stays"
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["s.csv", "s.zarr"]


def test_the_manifest_changes_with_the_archive(tmp_path):
    marks = set()
    for number in range(2):
        members = STORE | {"s.zarr/tt0000001/0.0": (values(5, 3) + number).tobytes()}
        fetch(pack(tmp_path / "s.zarr.tar.gz", members), tmp_path)
        marks.add(read_csv(tmp_path / "data" / "s.csv")[0]["fingerprint"])
    assert len(marks) == 2


@pytest.mark.parametrize(
    ("name", "kind", "link", "message"),
    [
        ("../escaped", tarfile.REGTYPE, "", "is not the name of a file"),
        ("s.zarr/../../escaped", tarfile.REGTYPE, "", "is not the name of a file"),
        ("s.zarr/link", tarfile.SYMTYPE, "/etc/passwd", "is no file and no folder"),
        ("s.zarr/link", tarfile.LNKTYPE, "s.zarr/.zgroup", "is no file and no folder"),
        ("s.zarr/pipe", tarfile.FIFOTYPE, "", "is no file and no folder"),
    ],
)
def test_an_archive_with_a_member_outside_the_folder_is_refused(
    tmp_path, name, kind, link, message
):
    data = b"" if kind != tarfile.REGTYPE else b"x"
    work = tmp_path / "work"
    for folder in (tmp_path / "in", work / "data"):
        folder.mkdir(parents=True)
    archive = pack(tmp_path / "in" / "s.zarr.tar.gz", STORE | {name: data}, kind, link)
    with pytest.raises(UserError, match=message):
        fetch(archive, work)
    assert list((work / "data").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "work"]


def test_absolute_names_stay_inside(tmp_path):
    archive = pack(tmp_path / "s.zarr.tar.gz", {"/" + n: d for n, d in STORE.items()})
    fetch(archive, tmp_path)
    assert (tmp_path / "data" / "s.zarr" / ".zgroup").exists()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"x.txt": b""}, "contains no zarr group"),
        ({"s.zarr/.zgroup": b"{}"}, "no attribute num_features"),
        ({n: STORE[n] for n in list(STORE)[:2]}, "contains no movie"),
        (STORE | {"s.zarr/tt0000001/.zarray": zarray([5, 4])}, r"tt0000001: shape \[5, 4\], not"),
        (STORE | {"s.zarr/tt0000001/.zarray": b"{"}, "tt0000001: .zarray cannot be read"),
        (STORE | {"s.zarr/tt0000003/0.0": b""}, "tt0000003: no .zarray"),
        ({"s.zarr/zarr.json": b"{}"}, "a store of zarr format 3; format 2 is needed"),
    ],
)
def test_an_archive_without_a_sound_store_is_refused(tmp_path, members, message):
    with pytest.raises(UserError, match=message):
        fetch(pack(tmp_path / "s.zarr.tar.gz", members), tmp_path)
    assert not list((tmp_path / "data").glob("*"))


def test_a_cut_archive_and_another_md5(tmp_path):
    archive = pack(tmp_path / "s.zarr.tar.gz", STORE)
    archive.write_bytes(archive.read_bytes()[:-30])
    with pytest.raises(UserError, match="is not unpacked"):
        fetch(archive, tmp_path)
    with pytest.raises(UserError, match="its md5 is .*, and should be 0000"):
        fetch(archive, tmp_path, "0" * 32)
    with pytest.raises(UserError, match="does not exist; see published.files"):
        fetch(tmp_path / "none.tar.gz", tmp_path)
    assert not list((tmp_path / "data").glob("*"))


@pytest.mark.parametrize(
    "place", ["s.zarr/notes.txt", "s.zarr/tt0000001/notes.txt", "s.zarr/own/x"]
)
def test_an_older_store_with_files_of_others_is_never_replaced(tmp_path, place):
    archive = pack(tmp_path / "s.zarr.tar.gz", STORE)
    fetch(archive, tmp_path)
    note = tmp_path / "data" / place
    note.parent.mkdir(exist_ok=True)
    note.write_text("mine")
    with pytest.raises(UserError, match="is not part of a store; move it out of"):
        fetch(archive, tmp_path)
    assert note.read_text() == "mine"
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["s.csv", "s.zarr"]


def test_an_archive_that_expands_without_bound_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(published_store, "SMALL", 1000)
    archive = pack(tmp_path / "s.zarr.tar.gz", STORE | {"s.zarr/tt0000002/0.0": bytes(10**6)})
    with pytest.raises(UserError, match="far more bytes than features do"):
        fetch(archive, tmp_path)
    assert not list((tmp_path / "data").glob("*"))
