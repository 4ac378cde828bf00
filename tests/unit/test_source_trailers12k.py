"""The published metadata: what is known is read, what is not is kept, faults name their entry."""

import gzip
import io
import json
import tarfile

import pytest

from trailers12k import metadata
from trailers12k.jobs import UserError
from trailers12k.sources import trailers12k
from trailers12k.sources.records import combine

ENTRY = {
    "imdb": {
        **{"id": "0035423", "title": "Kate & Leopold", "year": 2001, "cast": [{"name": "A"}]},
        **{"genres": ["Comedy", "Fantasy", "Music"], "cover url": "https://h/p.jpg"},
    },
    "youtube": {"trailers": [{"id": "6FeyhlLZYrg", "dims": [99.12, 360, 640], "x": None}]},
    "more": {"kept": True},
}


def packed(data, name="metadata.json", before=()):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for other in before:
            tar.addfile(tarfile.TarInfo(other))
        member = tarfile.TarInfo(name)
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def read(path, data=None):
    if data is not None:
        path.write_bytes(data)
    return trailers12k.read({"files": {"metadata": path}}, {})[0]


def content(**entries):
    return json.dumps({"trailers12k": entries}).encode()


def test_an_entry_becomes_a_record_and_is_kept_as_it_is(tmp_path):
    (record,) = read(tmp_path / "m.json", content(**{"1": ENTRY}))
    assert (record.mid, record.title, record.year) == ("tt0035423", "Kate & Leopold", "2001")
    assert record.genres == ("comedy", "fantasy")
    assert record.trailers == tuple(ENTRY["youtube"]["trailers"])
    assert record.poster_url == "https://h/p.jpg"
    assert record.entry == ENTRY
    assert record.where == f"{tmp_path / 'm.json'}, entry 1"


def test_archives_and_packed_files_hold_the_same(tmp_path):
    data = content(**{"1": ENTRY})
    mids = []
    for name, form in (
        ("m.tar.gz", packed(data, "x/metadata.json", before=["README", "../../evil"])),
        ("m.json.gz", gzip.compress(data)),
    ):
        mids += [record.mid for record in read(tmp_path / name, form)]
    assert mids == ["tt0035423"] * 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.json.gz", "m.tar.gz"]


def test_our_own_metadata_can_be_read_again(tmp_path):
    known = {}
    entries = {"1": ENTRY, "2": {"imdb": {"id": "0000002", "title": "B", "genres": ["Drama"]}}}
    combine(known, "trailers12k", read(tmp_path / "m.json", content(**entries)), adds=True)
    records = [known[mid] for mid in sorted(known)]
    row = {"mid": "tt0035423", "status": "ok", "trailer": "0"}
    row |= {"duration": "99.120", "height": "360", "width": "640"}
    metadata.write_metadata(tmp_path / "ours.json", records, [row])
    again = {}
    combine(again, "trailers12k", read(tmp_path / "ours.json"), adds=True)
    for mid, record in known.items():
        for name in ("title", "year", "genres", "trailers", "poster_url"):
            assert getattr(again[mid], name) == getattr(record, name), name


def test_what_is_missing_is_a_gap(tmp_path):
    (record,) = read(tmp_path / "m.json", content(**{"7": {"imdb": {"id": "0000007"}}}))
    assert (record.title, record.year, record.genres, record.trailers) == ("", "", (), ())


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("m.tar.gz", packed(content(a=ENTRY))[:-30], "it is cut or damaged"),
        ("m.tar.gz", b"<html>", "it is cut or damaged"),
        ("m.tar.gz", packed(b"{}", "other.json"), "there is no metadata.json in it"),
        ("m.json.gz", gzip.compress(content(a=ENTRY))[:-30], "it is cut or damaged"),
        ("m.json", b'{"trailers12k": {"1": "\xff"}}', "byte 23 is not UTF-8"),
        ("m.json", b'{"trailers12k": {\n"1": }', "line 2, column 6 is not JSON"),
        ("m.json", b'{"12k": {}}', 'no entries; they stand below the key "trailers12k"'),
        ("m.json", b"[]", 'no entries; they stand below the key "trailers12k"'),
        ("m.json", content(a=[]), "entry a: it has no section imdb"),
        ("m.json", content(a={"imdb": {}, "youtube": []}), "entry a: it has no section imdb"),
        ("m.json", content(a={"imdb": {"genres": "Drama"}}), "imdb.genres: 'Drama' is not a list"),
        ("m.json", content(a={"imdb": {"genres": ["X"]}}), "entry a: genres: 'X' is not allowed"),
        ("m.json", content(a={"imdb": {}, "youtube": {"trailers": ["x"]}}), "is not a list of tr"),
        ("m.json", content(a={"imdb": {"genres": [["X"]]}}), "genres: ['X'] is not allowed"),
    ],
)
def test_a_fault_is_told_in_one_line(tmp_path, name, data, told):
    with pytest.raises(UserError) as error:
        read(tmp_path / name, data)
    assert told in str(error.value) and name in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"id": "12"}, "entry 1: mid: 'tt12' is not allowed"),
        ({"id": 35423}, "entry 1: mid: 'tt35423' is not allowed"),
        ({"year": "soon"}, "entry 1: year: 'soon' is not allowed"),
        ({"title": "A\x07"}, "entry 1: title: 'A\\x07' is not allowed"),
    ],
)
def test_what_can_be_no_movie_is_refused(tmp_path, changed, told):
    entry = ENTRY | {"imdb": ENTRY["imdb"] | changed}
    with pytest.raises(UserError) as error:
        combine({}, "trailers12k", read(tmp_path / "m.json", content(**{"1": entry})), adds=True)
    assert told in str(error.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="does not exist; see sources.trailers12k.metadata"):
        read(tmp_path / "none.tar.gz")
