"""IMDb's files: movies are selected, or gaps filled; errors name file and line."""

import gzip
import random
import re
import zlib

import pytest

from trailers12k.common.errors import UserError
from trailers12k.movies.sources import imdb
from trailers12k.movies.sources.records import Record

HEAD = "tconst titleType primaryTitle originalTitle isAdult startYear endYear runtimeMinutes genres"
SETTINGS = {
    "max_megabytes": 10,
    "types": ["movie"],
    "years": [1990, 2020],
    "votes": 100,
    "genres": None,
}
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
    r"tt0000010|movie|Line" + "\u2028\r" + r"end|x|0|2020|\N|\N|Comedy,Sci-Fi",
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


def read_all(files, earlier=(), **settings):
    earlier = {mid: Record(mid) for mid in earlier}
    return imdb.read(SETTINGS | settings | {"files": files}, earlier)


def read(files, earlier=(), **settings):
    return read_all(files, earlier, **settings)[0]


def test_movies_are_selected_by_type_year_votes_and_genres(tmp_path):
    records = read(write(tmp_path))
    assert [record.mid for record in records] == ["tt0000001", "tt0000010"]
    first, last = records
    assert (first.title, first.year, first.genres) == ('"A" B', "1990", ("drama",))
    assert first.entry["imdb"] == {
        **{"id": "0000001", "title": '"A" B', "original_title": "Ä", "year": 1990},
        **{"genres": ["Drama", "Music"], "runtime": 90, "rating": 7.5, "votes": 100},
    }
    assert first.place == f"{tmp_path / 'title.basics.tsv.gz'}, line 2"
    assert last.genres == ("comedy", "sci-fi") and "runtime" not in last.entry["imdb"]
    # Unprintable characters leave the title; the entry keeps IMDb's text.
    assert last.title == "Line end" and last.entry["imdb"]["title"] == "Line\u2028\rend"


@pytest.mark.parametrize(
    ("settings", "more"),
    [
        ({"votes": 0}, ["tt0000007", "tt0000008"]),
        ({"years": [1989, 2020]}, ["tt0000002"]),
        ({"types": ["movie", "tvEpisode"]}, ["tt0000004"]),
        ({"votes": 50}, ["tt0000007"]),
    ],
)
def test_each_setting_selects_further_movies(tmp_path, settings, more):
    records = [record.mid for record in read(write(tmp_path), **settings)]
    assert records == sorted(["tt0000001", "tt0000010", *more])


def test_movies_with_any_of_the_genres_are_selected(tmp_path):
    assert [r.mid for r in read(write(tmp_path), genres=["sci-fi", "horror"])] == ["tt0000010"]


def test_gaps_of_earlier_movies_are_filled_without_selection(tmp_path):
    mids = ["tt0000004", "tt0000005", "tt0000006", "tt0000008", "tt0000009", "tt9999999"]
    records = read(write(tmp_path), earlier=mids, votes=1000, genres=["horror"])
    assert [(r.mid, r.title, r.year, r.genres) for r in records] == [
        ("tt0000004", "Another type", "2000", ("drama",)),
        ("tt0000005", "None of ours", "2000", ()),
        ("tt0000006", "No year", "", ("drama",)),
        ("tt0000008", "No votes", "2000", ("drama",)),
        ("tt0000009", "Adult", "2000", ("drama",)),
    ]
    assert [r.entry["imdb"].get("votes") for r in records] == [100, 100, 100, None, 100]


def test_ratings_of_other_movies_are_not_parsed(tmp_path):
    files = write(tmp_path, ratings=[*RATINGS, "tt7777777|x|x"])
    assert [r.mid for r in read(files, earlier=["tt0000001"])] == ["tt0000001"]


def test_null_is_a_gap(tmp_path):
    movies = [r"tt0000001|movie|\N|\N|0|\N|\N|\N|\N", r"tt0000002|movie|B|B|0|2000|\N|\N|Drama"]
    records = read(
        write(tmp_path, movies, [r"tt0000001|\N|\N", r"tt0000002|\N|5"]),
        earlier=["tt0000001", "tt0000002"],
    )
    assert [(r.title, r.year, r.genres) for r in records] == [
        ("", "", ()),
        ("B", "2000", ("drama",)),
    ]
    assert records[0].entry == {"imdb": {"id": "0000001", "genres": []}}
    assert records[1].entry["imdb"]["votes"] == 5 and "rating" not in records[1].entry["imdb"]


def test_movies_are_sorted_and_the_first_row_of_a_movie_counts(tmp_path):
    movies = [MOVIES[9], MOVIES[0], MOVIES[1], MOVIES[0].replace("90|Drama", "80|Horror")]
    records, ledger = read_all(write(tmp_path, movies))
    assert [(r.mid, r.genres) for r in records] == [
        ("tt0000001", ("drama",)),
        ("tt0000010", ("comedy", "sci-fi")),
    ]
    assert "line 5: mid: 'tt0000001' is already in line 3" in ledger[0]["detail"]


def test_an_invalid_mid_is_refused_only_where_it_is_selected(tmp_path):
    odd = MOVIES[0].replace("tt0000001", "tt123456789")
    other = odd.replace("|movie|", "|short|")
    ratings = ["tt123456789|5.0|500"]
    assert read(write(tmp_path, [other], ratings)) == []
    (record,), ledger = read_all(write(tmp_path, [odd, MOVIES[0]], [*ratings, RATINGS[1]]))
    assert record.mid == "tt0000001" and ledger == [], "no ledger knows such a movie"
    with pytest.raises(UserError, match="line 2: mid: 'tt123456789' is not allowed"):
        read(write(tmp_path, [odd], []), votes=0)


def test_the_log_counts_rows_and_movies(tmp_path, caplog):
    with caplog.at_level("INFO"):
        read(write(tmp_path))
        read(write(tmp_path, []))
    assert caplog.messages == [
        "IMDb: 10 rows read, 2 movies selected",
        "IMDb: 0 rows read, 0 movies selected",
    ]


def test_files_may_be_uncompressed_with_columns_in_any_order(tmp_path):
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


GOOD = MOVIES[9]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (r"tt0000001|movie|A|A|0|2000|\N|90", "basics.tsv.gz, line 2: 8 fields in 9 columns"),
        (r"tt0000001|movie|A|A|0|MM|\N|90|Drama", "line 2: startYear: 'MM' is not a number"),
        (r"tt0000001|movie|A|A|0|2000|\N|90|Drama|x", "line 2: 10 fields in 9 columns"),
        (r"tt0000004|tvEpisode|A|A|0|2000", "line 2: 6 fields in 9 columns"),
    ],
)
def test_an_odd_row_is_left_out_counted_and_logged(tmp_path, caplog, row, message):
    records, ledger = read_all(write(tmp_path, [row, GOOD]))
    assert [record.mid for record in records] == ["tt0000010"]
    (line,) = ledger
    assert line["status"] == "skipped" and line["reason"] == "odd_row"
    assert line["mid"] == row[:9] and message in line["detail"]
    assert f"left out: {line['detail']}" in caplog.text
    assert "IMDb: 1 odd rows were left out or used in part" in caplog.text


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (r"tt0000001|movie|A|A|0|2000|\N|1h|Drama", "line 2: runtimeMinutes: '1h' is not a numb"),
        (r"tt0000001|movie|A|A|0|2000|\N|90|Drama,Anime", "line 2: genres: 'Anime' is not allow"),
    ],
)
def test_what_is_good_of_an_odd_row_is_used(tmp_path, caplog, row, message):
    records, ledger = read_all(write(tmp_path, [row, GOOD]))
    assert [(r.mid, r.year, r.genres) for r in records][0] == ("tt0000001", "2000", ("drama",))
    assert records[0].entry["imdb"].get("runtime", 90) == 90
    assert [(line["mid"], line["status"]) for line in ledger] == [("tt0000001", "ok")]
    assert message in ledger[0]["detail"] and f"used in part: {ledger[0]['detail']}" in caplog.text


def test_odd_rows_of_other_movies_are_not_in_the_ledger(tmp_path):
    row = r"tt0000001|movie|A|A|0|2000"
    assert read_all(write(tmp_path, [row, GOOD]), earlier=["tt0000010"])[1] == []


def test_a_file_of_odd_rows_is_refused_and_few_warnings_are_logged(tmp_path, caplog):
    rows = [rf"tt{n:07}|movie|A|A|0|2000|\N" for n in range(100)]
    with pytest.raises(UserError, match=r"line 2: 7 fields.*100 of 111 rows cannot be used"):
        read_all(write(tmp_path, [*rows, GOOD], [f"tt{n:07d}|7.5|100" for n in range(10)]))
    assert caplog.text.count("left out") == 20


@pytest.mark.parametrize("column", imdb.BASICS)
def test_a_missing_column(tmp_path, column):
    files = write(tmp_path, [], head=HEAD.replace(column, "x"))
    message = (
        f"basics.tsv.gz, line 1: the column {column!r} is missing; required: tconst, titleType"
    )
    assert message in fault(files)


@pytest.mark.parametrize(
    ("row", "kept", "message"),
    [
        ("tt0000010|7.5|x", None, "ratings.tsv.gz, line 3: numVotes: 'x' is not a number"),
        ("tt0000010|7.5|-1", None, "ratings.tsv.gz, line 3: numVotes: '-1' is not a number"),
        ("tt0000010|nan|100", 100, "ratings.tsv.gz, line 3: averageRating: 'nan' is not a numb"),
        ("tt0000010|7.5", None, "ratings.tsv.gz, line 3: 2 fields in 3 columns"),
    ],
)
def test_an_odd_rating_is_a_gap(tmp_path, row, kept, message):
    records, ledger = read_all(write(tmp_path, ratings=["tt0000001|5|500", row]))
    votes = {record.mid: record.entry["imdb"].get("votes") for record in records}
    assert votes == {"tt0000001": 500} | ({"tt0000010": kept} if kept else {})
    assert [line["mid"] for line in ledger] == ["tt0000010"] and message in ledger[0]["detail"]


def test_a_truncated_file_is_reported_with_its_last_good_row(tmp_path):
    # Noise: compressible rows would be decompressed in one block.
    noise = random.Random(0)
    rows = [MOVIES[0].replace("Ä", noise.randbytes(500).hex()) for _ in range(200)]
    files = write(tmp_path, rows)
    path = files["title.basics.tsv.gz"]
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    whole = zlib.decompressobj(31).decompress(path.read_bytes()).count(b"\n")
    message = fault(files)
    assert message.endswith("; delete the file to fetch it again")
    assert abs(int(re.search(r"basics.tsv.gz: .* after line (\d+) ", message)[1]) - whole) <= 1


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (
            lambda good: b"<html>",
            "truncated or damaged after line 0 (no gzip stream: incorrect header",
        ),
        (
            lambda good: b"",
            "after line 0 (the gzip stream has no end); delete the file to fetch it again",
        ),
        (lambda good: good[:-8] + bytes(8), "(no gzip stream: incorrect data check); delete"),
        (
            lambda good: gzip.compress(
                b"\n".join(
                    line + b"\xc4" * (n > 0)
                    for n, line in enumerate(gzip.decompress(good).split(b"\n"))
                )
            ),
            "basics.tsv.gz, line 2: it is not UTF-8",
        ),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, broken, message):
    files = write(tmp_path)
    path = files["title.basics.tsv.gz"]
    path.write_bytes(broken(path.read_bytes()))
    assert message in fault(files)


@pytest.mark.parametrize("name", ["title.basics.tsv.gz", "title.ratings.tsv.gz"])
def test_a_missing_file_is_reported(tmp_path, name):
    files = write(tmp_path)
    files[name].unlink()
    assert f"{name} does not exist; see sources.imdb.files" in fault(files)
    files[name].mkdir()
    assert f"{name} is a folder; allowed: a file" in fault(files)
