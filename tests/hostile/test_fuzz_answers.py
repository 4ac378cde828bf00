"""Random published files and answers of services: metadata, IMDb, TMDB, searches, playlists."""

import gzip
import io
import json
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile.fuzzing import answered, cells, changed, damaged, examples, texts
from trailers12k.common.files import write_csv
from trailers12k.common.movie import is_mid, is_web_address
from trailers12k.common.text import is_printable
from trailers12k.common.vocabulary import GENRES
from trailers12k.common.youtube import is_youtube_id
from trailers12k.downloads import hls
from trailers12k.movies.sources import imdb, records, tmdb, trailer_choices, trailers12k
from trailers12k.movies.sources.candidates import candidates_of, scored
from trailers12k.movies.sources.records import Record


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check_sound(found):
    """Records of a source have the values that the other stages rely on, and can be kept."""
    assert len({record.mid for record in found}) == len(found)
    for record in found:
        assert is_mid(record.mid) and set(record.genres) <= set(GENRES)
        assert not record.title or is_printable(record.title)
        records.check(record)
    records.write_records("records.json", found)
    again = records.read_records("records.json")
    assert [each.mid for each in again] == [each.mid for each in found]
    combined = {}
    records.combine(combined, "a source", found, True)
    assert len(list(map(records.movie_of, combined.values()))) == len(found)


ENTRY = {
    "imdb": {"id": "0000001", "title": "A Title", "year": 1999, "genres": ["Drama", "War"]},
    "youtube": {"trailers": [{"id": "abcdefghijk", "dims": [1, 2]}]},
    "poster": "https://example.org/a.jpg",
}
SECOND = {"imdb": {"id": "0000002", "title": "B", "year": None, "genres": []}, "youtube": None}
METADATA = changed(
    {"trailers12k": {"0": ENTRY, "1": SECOND, "2": ENTRY | {"imdb": {"id": "3" * 7}}}}
)


@given(content=METADATA)
@examples(300)
def test_metadata(folder, content):
    (folder / "metadata.json").write_text(json.dumps(content), encoding="utf-8")
    _read_metadata(folder / "metadata.json")


def _read_metadata(path):
    settings = {"files": {"metadata": path}, "max_megabytes": 10}
    found, _ = answered(trailers12k.read, settings, {})
    if found:
        check_sound(found[0])


@given(
    data=damaged(json.dumps({"trailers12k": {"0": ENTRY, "1": SECOND}}).encode()),
    packed=st.booleans(),
)
@examples(200)
def test_damaged_metadata(folder, data, packed):
    path = folder / ("metadata.json.gz" if packed else "metadata.json")
    path.write_bytes(gzip.compress(data) if packed else data)
    _read_metadata(path)


KINDS = (tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE)


@st.composite
def archives(draw, names, contents):
    """The bytes of a .tar.gz of any members, sometimes damaged before or after it is packed."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=draw(st.sampled_from((0, 1, 2)))) as tar:
        for name in draw(st.lists(names, max_size=6)):
            member = tarfile.TarInfo(name)
            member.type = draw(st.sampled_from((tarfile.REGTYPE, tarfile.REGTYPE, *KINDS)))
            member.linkname = draw(st.sampled_from(("/etc/passwd", "../..", "metadata.json")))
            member.mode = draw(st.sampled_from((0o644, 0, 0o7777)))
            data = draw(contents)
            member.size = len(data) if member.isreg() else 0
            try:
                tar.addfile(member, io.BytesIO(data))
            except (ValueError, UnicodeError):
                continue
    data = file.getvalue()
    packed = gzip.compress(draw(damaged(data)) if draw(st.booleans()) else data)
    return draw(damaged(packed)) if draw(st.booleans()) else packed


@given(
    data=archives(
        st.one_of(st.sampled_from(("metadata.json", "a/metadata.json", "../metadata.json")), texts),
        st.sampled_from((b"", b"{}", json.dumps({"trailers12k": {"0": ENTRY}}).encode())),
    )
)
@examples(200)
def test_archives_of_metadata(folder, data):
    (folder / "metadata.tar.gz").write_bytes(data)
    _read_metadata(folder / "metadata.tar.gz")


def tsv_files(columns, row):
    """The bytes of a TSV file as IMDb publishes them, packed or not."""
    lines = st.lists(row.map("\t".join), max_size=5)
    plain = lines.map(lambda each: "\n".join(["\t".join(columns), *each]) + "\n")
    return plain.map(lambda text: text.encode("utf-8", "surrogatepass")).flatmap(damaged)


BASICS = st.tuples(
    *(
        cells("tt0000001", "tt0000002", "tt0000003"),
        cells("movie"),
        cells("A Title"),
        cells("A Title"),
    ),
    *(
        cells("0", "1"),
        cells("1999", r"\N"),
        cells("90", r"\N"),
        cells("Drama", "Drama,War", r"\N"),
    ),
)
RATINGS = st.tuples(cells("tt0000001", "tt0000002"), cells("7.5", r"\N"), cells("100", "0"))


@given(
    basics=tsv_files(imdb.BASICS, BASICS),
    ratings=tsv_files(imdb.RATINGS, RATINGS),
    packed=st.booleans(),
    first=st.booleans(),
)
@examples(200)
def test_imdb(folder, basics, ratings, packed, first):
    files = {imdb.BASICS_FILE: basics, imdb.RATINGS_FILE: ratings}
    paths = {}
    for name, data in files.items():
        paths[name] = folder / (name if packed else name.removesuffix(".gz"))
        paths[name].write_bytes(gzip.compress(data) if packed else data)
    settings = {
        "types": ["movie"],
        "years": [1990, 2030],
        "votes": 1,
        "genres": None,
        "files": paths,
        "max_megabytes": 10,
    }
    earlier = {} if first else {"tt0000001": Record("tt0000001")}
    found, _ = answered(imdb.read, settings, earlier)
    if found:
        check_sound(found[0])


MOVIE = {
    "id": 77,
    "title": "A Title",
    "release_date": "1999-03-31",
    "overview": "A plot.",
    "genre_ids": [53, 28, 99, 878],
    "poster_path": "/Poster-1.jpg",
}
VIDEO = {
    "site": "YouTube",
    "type": "Trailer",
    "key": "abcdefghijk",
    "name": "Trailer",
    "official": True,
    "size": 1080,
    "iso_639_1": "en",
    "published_at": "2020-01-01T00:00:00.000Z",
}


class _Answers(tmdb._Api):
    """TMDB with two answers, without a network."""

    def __init__(self, movies, videos):
        self.answers = {"find": movies, "movie": videos}

    def _get(self, path):
        return self.answers[path.partition("/")[0]]


@given(movies=changed({"movie_results": [MOVIE]}), videos=changed({"results": [VIDEO, VIDEO]}))
@examples(300)
def test_tmdb(folder, movies, videos):
    answer, _ = answered(_Answers(movies, videos).query, "tt0000001")
    if answer:
        kept = json.loads(json.dumps(answer))
        assert json.dumps(kept) == json.dumps(answer)
        check_sound([tmdb._record("tt0000001", kept, "https://image.tmdb.org/t/p/original")])


FOUND = {
    "ie_key": "Youtube",
    "id": "abcdefghijk",
    "url": "https://www.youtube.com/watch?v=abcdefghijk",
    "title": "A Title (1999) Official Trailer",
    "channel": "A Channel",
    "uploader": None,
    "duration": 120.0,
    "view_count": 5,
}
OTHER = FOUND | {"ie_key": "Generic", "url": "https://example.org/a.mp4", "id": "a"}


@given(
    entries=st.lists(
        st.one_of(changed(FOUND), changed(OTHER)).filter(lambda each: isinstance(each, dict)),
        max_size=4,
    ),
    title=cells("A Title", "Title 2"),
    year=st.sampled_from(("1999", "")),
)
@examples(300)
def test_answers_of_a_search(folder, entries, title, year):
    """Entries as yt-dlp makes them of a page or of an RSS feed."""
    record = Record("tt0000001", title, year)
    found, _ = answered(candidates_of, entries)
    for each in found:
        assert is_youtube_id(each["id"]) if "id" in each else is_web_address(each["url"])
    rows, _ = answered(scored, json.loads(json.dumps(found)), record)
    assert all(0 <= row["score"] <= 1 for row in rows)
    table = [
        {"mid": record.mid, **row} for row in trailer_choices.rows_of(record, rows, rows[:1], "")
    ]
    assert len(table) == max(len(rows), 1)
    write_csv("choices.csv", trailer_choices.COLUMNS, table)
    assert answered(trailer_choices.corrections, folder / "choices.csv") == ({}, "")


LINES = (
    *("#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:4", "#EXTINF:4,", "a.ts", "b.ts", ""),
    *(
        "#EXT-X-DISCONTINUITY",
        "#EXT-X-ENDLIST",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        '#EXT-X-MAP:URI="i.mp4"',
    ),
    *('#EXT-X-KEY:METHOD=AES-128,URI="k"', "#EXT-X-KEY:METHOD=NONE", "#EXT-X-BYTERANGE:100@0"),
    *(
        "#EXT-X-BYTERANGE:100",
        "#EXT-X-BYTERANGE:x@y",
        "#EXT-X-BYTERANGE:",
        "#EXT-X-MEDIA-SEQUENCE:5",
    ),
    *("#EXT-X-MEDIA-SEQUENCE:x", "#EXT-X-MEDIA-SEQUENCE:" + "9" * 5000, "#EXT-X-MEDIA-SEQUENCE:-1"),
)


@given(lines=st.lists(st.one_of(st.sampled_from(LINES), texts), max_size=15))
@examples(300)
def test_playlists(lines):
    text = "\n".join(lines)
    assert isinstance(hls.is_live(text), bool)
    parts, said = answered(hls.parts, text, refused=ValueError)
    if said:
        return
    stripped = map(str.strip, text.splitlines())
    segments = [line for line in stripped if line and line[0] != "#"]
    kept = [line for part in parts for line in part.splitlines() if line and line[0] != "#"]
    assert len(kept) == len(segments)
    assert not any(map(hls.is_live, parts))
