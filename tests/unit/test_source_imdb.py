"""IMDb's files: movies are selected, or gaps filled; every fault is told with file and row."""

import gzip

import pytest

from trailers12k.jobs import UserError
from trailers12k.sources import imdb
from trailers12k.sources.records import Record

HEAD = "tconst titleType primaryTitle originalTitle isAdult startYear endYear runtimeMinutes genres"
SETTINGS = {"types": ["movie"], "years": [1990, 2020], "votes": 100, "genres": None}
MOVIES = [
    r'tt0000001|movie|"A" B|Ä|0|1990|\N|90|Drama,Music',
    r"tt0000002|movie|Too old|x|0|1989|\N|90|Drama",
    r"tt0000003|movie|Too new|x|0|2021|\N|90|Drama",
    r"tt0000004|tvEpisode|Another type|x|0|2000|\N|90|Drama",
    r"tt0000005|movie|None of ours|x|0|2000|\N|90|Music",
    r"tt0000006|movie|No year|x|0|\N|\N|90|Drama",
    r"tt0000007|movie|Few votes|x|0|2000|\N|90|Drama",
    r"tt0000008|movie|No votes|x|0|2000|\N|90|Drama",
    r"tt0000009|movie|Adult|x|1|2000|\N|90|Drama",
    r"tt0000010|movie|Line" + "\u2028" + r"end|x|0|2020|\N|\N|Comedy,Sci-Fi",
]
RATINGS = [f"tt{n:07d}|7.5|{50 if n == 7 else 100}" for n in (9, 1, 2, 3, 4, 5, 6, 7, 10)]


def write(folder, movies=MOVIES, ratings=RATINGS, head=HEAD):
    lines = {
        "title.basics.tsv.gz": ["\t".join(head.split()), *movies],
        "title.ratings.tsv.gz": ["tconst\taverageRating\tnumVotes", *ratings],
    }
    files = {}
    for name, rows in lines.items():
        files[name] = folder / name
        text = "".join(row.replace("|", "\t") + "\n" for row in rows)
        files[name].write_bytes(gzip.compress(text.encode()))
    return files


def read(files, known=(), **settings):
    known = {mid: Record(mid) for mid in known}
    return imdb.read(SETTINGS | settings | {"files": files}, known)[0]


def test_movies_are_selected_by_type_year_votes_and_genres(tmp_path):
    found = read(write(tmp_path))
    assert [record.mid for record in found] == ["tt0000001", "tt0000010"]
    first, last = found
    assert (first.title, first.year, first.genres) == ('"A" B', "1990", ("drama",))
    assert first.entry["imdb"] == {
        **{"id": "0000001", "title": '"A" B', "original_title": "Ä", "year": 1990},
        **{"genres": ["Drama", "Music"], "runtime": 90, "rating": 7.5, "votes": 100},
    }
    assert first.where == f"{tmp_path / 'title.basics.tsv.gz'}, row 2"
    assert last.genres == ("comedy", "sci-fi") and "runtime" not in last.entry["imdb"]
    assert last.title == "Line\u2028end"


@pytest.mark.parametrize(
    ("settings", "more"),
    [
        ({"votes": 0}, ["tt0000007", "tt0000008"]),
        ({"years": [1989, 2020]}, ["tt0000002"]),
        ({"types": ["movie", "tvEpisode"]}, ["tt0000004"]),
        ({"votes": 50}, ["tt0000007"]),
    ],
)
def test_each_setting_lets_others_in(tmp_path, settings, more):
    found = [record.mid for record in read(write(tmp_path), **settings)]
    assert found == sorted(["tt0000001", "tt0000010", *more])


def test_one_of_these_genres(tmp_path):
    assert [r.mid for r in read(write(tmp_path), genres=["sci-fi", "horror"])] == ["tt0000010"]


def test_gaps_of_known_movies_are_filled_whatever_they_are(tmp_path):
    found = read(write(tmp_path), known=["tt0000005", "tt0000006", "tt9999999"])
    assert [(r.mid, r.title, r.year, r.genres) for r in found] == [
        ("tt0000005", "None of ours", "2000", ()),
        ("tt0000006", "No year", "", ("drama",)),
    ]


def test_files_may_be_unpacked_and_their_columns_in_any_order(tmp_path):
    files = write(tmp_path)
    lines = gzip.decompress(files["title.basics.tsv.gz"].read_bytes()).decode().split("\n")
    turned = "\n".join("\t".join(reversed(line.split("\t"))) for line in lines)
    plain = tmp_path / "title.basics.tsv"
    plain.write_text(turned, encoding="utf-8", newline="\n")
    there = [(r.mid, r.title, r.entry) for r in read(files)]
    files["title.basics.tsv.gz"] = plain
    assert [(r.mid, r.title, r.entry) for r in read(files)] == there


def fault(files, **options):
    with pytest.raises(UserError) as error:
        read(files, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (r"tt0000001|movie|A|A|0|2000|\N|90", "basics.tsv.gz, row 3: 8 fields, and 9 columns"),
        (r"tt0000001|movie|A|A|0|MM|\N|90|Drama", "row 3: startYear: 'MM' is no number"),
        (r"tt0000010|movie|A|A|0|2000|\N|1h|Drama", "row 3: runtimeMinutes: '1h' is no number"),
        (r"tt0000010|movie|A|A|0|2000|\N|90|Dramma", "row 3: genres: 'Dramma' is not allowed"),
    ],
)
def test_a_fault_of_a_row(tmp_path, row, told):
    assert told in fault(write(tmp_path, [MOVIES[1], row]))


def test_a_missing_column(tmp_path):
    files = write(tmp_path, [], head=HEAD.replace("isAdult", "adult"))
    assert "basics.tsv.gz, row 1: the column 'isAdult' is missing; required: tc" in fault(files)


def test_votes_that_are_no_number(tmp_path):
    assert "ratings.tsv.gz, row 2: numVotes: 'x' is no" in fault(write(tmp_path, ratings=["a|1|x"]))


def test_broken_files(tmp_path):
    files = write(tmp_path)
    path = files["title.basics.tsv.gz"]
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    assert "it is cut or damaged after row" in fault(files)
    path.write_bytes(b"<html>")
    assert "cut or damaged after row 0 (Not a gzipped file" in fault(files)
    path.write_bytes(b"")
    assert "it is empty; delete it, and it is fetched again" in fault(files)
    broken = gzip.decompress(good).replace("Ä".encode(), b"\xc4")
    path.write_bytes(gzip.compress(broken))
    assert "basics.tsv.gz, row 2: it is not UTF-8" in fault(files)
    path.unlink()
    assert "basics.tsv.gz does not exist; see sources.imdb.files" in fault(files)
