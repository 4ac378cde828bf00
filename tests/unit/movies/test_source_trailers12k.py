"""The published metadata: known keys are read, others kept; errors name their entry."""

import gzip
import io
import json
import tarfile

import pytest

from trailers12k.common.errors import UserError
from trailers12k.movies import metadata
from trailers12k.movies.sources import trailers12k
from trailers12k.movies.sources.records import combine

ENTRY = {
    "imdb": {
        **{"id": "0035423", "title": "Kate & Leopold", "year": 2001, "cast": [{"name": "A"}]},
        **{"genres": ["Comedy", "Fantasy", "Music"], "cover url": "https://h/p.jpg"},
    },
    "youtube": {"trailers": [{"id": "6FeyhlLZYrg", "dims": [99.12, 360, 640], "x": None}]},
    "more": {"kept": True},
}
UNKNOWN = {"plain": 1, "sources": {"title": "mine"}}

OTHERS = [
    ("README", tarfile.REGTYPE),
    ("../../evil", tarfile.REGTYPE),
    ("metadata.json", tarfile.DIRTYPE),
    ("y/metadata.json", tarfile.SYMTYPE),
]


def packed(data, name="metadata.json", before=()):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for other, kind in before:
            info = tarfile.TarInfo(other)
            info.type = kind
            tar.addfile(info)
        member = tarfile.TarInfo(name)
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def read(path, data=None):
    if data is not None:
        path.write_bytes(data)
    return trailers12k.read({"files": {"metadata": path}, "max_megabytes": 1}, {})[0]


def content(**entries):
    return json.dumps({"trailers12k": entries}).encode()


def test_an_entry_becomes_a_record_and_is_kept_unchanged(tmp_path):
    (record,) = read(tmp_path / "m.json", content(**{"1": ENTRY | UNKNOWN}))
    assert (record.mid, record.title, record.year) == ("tt0035423", "Kate & Leopold", "2001")
    assert record.genres == ("comedy", "fantasy")
    assert record.trailers == tuple(ENTRY["youtube"]["trailers"])
    assert record.poster_url == "https://h/p.jpg"
    assert record.entry == ENTRY
    assert record.where == f"{tmp_path / 'm.json'}, entry 1"


def test_archives_and_compressed_files_are_read_alike(tmp_path):
    data = content(**{"1": ENTRY})
    mids = []
    for name, form in (
        ("m.tar.gz", packed(data, "x/metadata.json", OTHERS)),
        ("m.tgz", packed(data)),
        ("m.json.gz", gzip.compress(data)),
    ):
        mids += [record.mid for record in read(tmp_path / name, form)]
    assert mids == ["tt0035423"] * 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.json.gz", "m.tar.gz", "m.tgz"]


def collected(records):
    records_by_mid = {}
    combine(records_by_mid, "trailers12k", records, adds=True)
    return [records_by_mid[mid] for mid in sorted(records_by_mid)]


def test_metadata_of_this_project_can_be_read(tmp_path):
    url = {"id": "", "url": "https://h/t.mp4"}
    entries = {
        "1": ENTRY,
        "2": {"imdb": {"id": "0050002", "title": "B", "genres": ["Drama"]}},
        "3": {"imdb": ENTRY["imdb"] | {"id": "0050003"}, "youtube": {"trailers": [url]}},
    }
    records = collected(read(tmp_path / "m.json", content(**entries)))
    row = {"mid": "tt0035423", "status": "ok", "trailer": "0"}
    row |= {"duration": "99.120", "height": "360", "width": "640"}
    metadata.write_metadata(tmp_path / "ours.json", records, [row])
    again = collected(read(tmp_path / "ours.json"))
    for before, after in zip(records, again, strict=True):
        for name in ("mid", "title", "year", "genres", "trailers", "poster_url"):
            assert getattr(after, name) == getattr(before, name), name
        assert "sources" not in after.entry
    metadata.write_metadata(tmp_path / "twice.json", again, [])
    assert (tmp_path / "twice.json").read_bytes() == (tmp_path / "ours.json").read_bytes()


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"youtube": {}},
        {"youtube": {"trailers": []}},
        {"youtube": None, "imdb": {"id": "0000007", "title": None, "genres": None, "year": None}},
    ],
)
def test_missing_values_are_gaps(tmp_path, more):
    entry = {"imdb": {"id": "0000007"}} | more
    (record,) = read(tmp_path / "m.json", content(**{"7": entry}))
    assert record.mid == "tt0000007"
    assert (record.title, record.year, record.genres, record.trailers) == ("", "", (), ())
    assert record.poster_url == ""


@pytest.mark.parametrize(
    ("imdb", "more", "url"),
    [
        ({"poster": "https://h/1", "full-size cover url": "https://h/2"}, {}, "https://h/1"),
        ({"poster": "1.jpg", "poster_url": "http://h/2"}, {}, "http://h/2"),
        ({"cover": "https://h/1"}, {"poster": "https://h/2"}, "https://h/1"),
        ({}, {"poster": "https://h/2"}, "https://h/2"),
        ({"poster": "http://[h/1"}, {}, ""),
        ({"poster": "https://me:secret@h/1"}, {}, ""),
        ({"posters": ["https://h/1"], "cover": None, "plot": "https://h/2"}, {}, ""),
    ],
)
def test_a_poster_is_found_under_several_keys(tmp_path, imdb, more, url):
    entry = {"imdb": {"id": "0000007"} | imdb} | more
    (record,) = collected(read(tmp_path / "m.json", content(**{"7": entry})))
    assert record.poster_url == url


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("m.tar.gz", packed(content(a=ENTRY))[:-30], "truncated or damaged"),
        ("m.tar.gz", b"<html>", "truncated or damaged (no gzip stream: incorrect header"),
        (
            "m.tar.gz",
            b"",
            "damaged (the gzip stream has no end); delete the file to fetch it again",
        ),
        (
            "m.tar.gz",
            packed(content(a=ENTRY))[:-8] + bytes(8),
            "damaged (no gzip stream: incorrect data check",
        ),
        ("m.tar.gz", packed(content(a=ENTRY))[:40], "truncated or damaged"),
        ("m.tar.gz", packed(b"{}", "other.json"), "the archive has no metadata.json"),
        ("m.json.gz", gzip.compress(content(a=ENTRY))[:-30], "truncated or damaged"),
        ("m.json.gz", b"{}", "truncated or damaged (no gzip stream: incorrect header"),
        (
            "m.json.gz",
            gzip.compress(b"")[:10] + b"\xff" * 20,
            "truncated or damaged (no gzip stream: invalid",
        ),
        ("m.json", b'{"trailers12k": {"1": "\xff"}}', "byte 23 is not UTF-8"),
        ("m.json", b'{"trailers12k": {\n"1": }', "line 2, column 6: not JSON"),
        ("m.json", b'{"12k": {}}', 'no entries below the key "trailers12k"'),
        ("m.json", content(), 'no entries below the key "trailers12k"'),
        ("m.json", b"[]", 'no entries below the key "trailers12k"'),
        ("m.json", content(a=[]), "entry a: entry: [] is not allowed; allowed: an o"),
        ("m.json", content(a={"imdb": "x"}), "entry a: imdb: 'x' is not allowed; allowed: an o"),
        ("m.json", content(a={"youtube": []}), "entry a: youtube: [] is not allowed"),
        ("m.json", content(a={"imdb": {"genres": "Drama"}}), "imdb.genres: 'Drama' is not allowed"),
        ("m.json", content(a={"imdb": {"genres": ["X"]}}), "entry a: genres: 'X' is not allowed"),
        ("m.json", content(a={"imdb": {"id": 12345678}}), "entry a: imdb.id: 12345678 is not"),
        ("m.json", content(a={"imdb": {"title": ["A"]}}), "entry a: imdb.title: ['A'] is not"),
        ("m.json", content(a={"youtube": {"trailers": {"id": "x"}}}), "a: youtube.trailers: {'id'"),
        ("m.json", content(a={"youtube": {"trailers": ["x"]}}), "a: youtube.trailers: 'x' is not"),
        ("m.json", content(a={"youtube": {"trailers": [{"id": 5}]}}), "youtube.trailers.id: 5 is"),
        ("m.json", content(a={"imdb": {"genres": [["X"]]}}), "genres: ['X'] is not allowed"),
    ],
    # Compressed bytes contain the time, so test names made of them would change.
    ids=lambda value: "data" if isinstance(value, bytes) else value,
)
def test_an_invalid_value_is_reported_in_one_line(tmp_path, name, data, message):
    with pytest.raises(UserError) as error:
        read(tmp_path / name, data)
    assert message in str(error.value) and name in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"id": "12"}, "entry 1: mid: 'tt12' is not allowed"),
        ({"id": None}, "entry 1: mid: 'tt' is not allowed"),
        ({"year": "soon"}, "entry 1: year: 'soon' is not allowed"),
    ],
    # Compressed data contain the time of day, and names of tests must not.
    ids=lambda value: value if isinstance(value, str) else "data",
)
def test_an_invalid_movie_is_refused(tmp_path, changed, message):
    entry = ENTRY | {"imdb": ENTRY["imdb"] | changed}
    with pytest.raises(UserError) as error:
        combine({}, "trailers12k", read(tmp_path / "m.json", content(**{"1": entry})), adds=True)
    assert message in str(error.value)


def test_unprintable_characters_leave_the_title_and_stay_in_the_entry(tmp_path):
    entry = ENTRY | {"imdb": ENTRY["imdb"] | {"title": "A\x07\u00a0B"}}
    (record,) = read(tmp_path / "m.json", content(**{"1": entry}))
    assert record.title == "A B" and record.entry["imdb"]["title"] == "A\x07\u00a0B"


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(UserError, match="none.tar.gz does not exist; see sources.trailers12k.meta"):
        read(tmp_path / "none.tar.gz")
    with pytest.raises(UserError, match="is a folder; allowed: a file"):
        read(tmp_path)
