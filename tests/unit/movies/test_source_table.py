import sys
from pathlib import Path

import pytest

from trailers12k.common.errors import UserError
from trailers12k.movies.sources import collection, records

ROOT = Path(__file__).parents[3]
HEAD = "mid,title,year,genres,youtube_id,trailer_url,poster_url\n"
GOOD = "tt0035423,Kate & Leopold,2001,romance|comedy,6FeyhlLZYrg,,\n"


def collect(path, local_files=True):
    collected = collection.collect([str(path)], {}, local_files=local_files)
    return [records.movie_of(record) for record in collected.records]


def read(tmp_path, text, encoding="utf-8", **options):
    path = tmp_path / "movies.csv"
    path.write_bytes(text.encode(encoding))
    return collect(path, **options)


def test_movies_are_sorted_and_genres_in_the_datasets_order(tmp_path):
    movies = read(tmp_path, HEAD + GOOD + 'tt0000001,"A, ""B""",,drama,,a.mp4,https://h/p.jpg\n')
    assert [movie.mid for movie in movies] == ["tt0000001", "tt0035423"]
    assert movies[0].title == 'A, "B"' and movies[0].trailer_url == str(tmp_path / "a.mp4")
    assert movies[1].genres == ("comedy", "romance")


def test_optional_columns_and_a_byte_order_mark(tmp_path):
    movies = read(tmp_path, "mid,title,year,genres\ntt0000001,A,1990,drama\n", "utf-8-sig")
    assert movies[0].youtube_id == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "tt12,A,1990,drama,,,\n", "line 2: mid: 'tt12' is not allowed; allowed: tt and"),
        (HEAD + GOOD + GOOD, "line 3: mid: 'tt0035423' is already in line 2"),
        (HEAD + "tt0000001,A,1990,dramma,,,\n", "genres: 'dramma' is not allowed; allowed: action"),
        (HEAD + "tt0000001,A,1990,Crime,,,\n", "joined by | (write 'crime', in lower case"),
        (HEAD + "tt0000001,A,1990,drama|crime |war,,,\n", "'crime ' is not allowed; allowed: a"),
        (HEAD + "tt0000001,A,1990,Animation,,,\n", "'Animation' is not allowed; allowed: act"),
        (HEAD + "tt0000001,A,1990,,,,\n", "genres: '' is not allowed; allowed: at least one"),
        (HEAD + "tt0000001,A,1990,drama|drama,,,\n", "allowed: each genre once"),
        (HEAD + "tt0000001,A,90,drama,,,\n", "year: '90' is not allowed; allowed: four digits"),
        (HEAD + "tt0000001,A,1990,drama,short,,\n", "youtube_id: 'short' is not allowed"),
        (HEAD + "tt0000001,A,1990,drama,,ftp://h/x,\n", "trailer_url: 'ftp://h/x' is not allowed"),
        (HEAD + "tt0000001,A,1990,drama,,http://[x/y.mp4,\n", "'http://[x/y.mp4' is not allowed"),
        (HEAD + "tt0000001,A,1990\n", "line 2: the number of columns is not 7"),
        (HEAD + "tt0000001,A,1990,drama,,,,,\n", "line 2: the number of columns is not 7"),
        (HEAD + 'tt0000001,"A\x1b[2J",1990,drama,,,\n', "title: 'A\\x1b[2J' is not allowed"),
        (HEAD, "no movies"),
        ("mid,title,genres\n", "the column 'year' is missing"),
        ("mid,title,year,genres,plot\n", "the column 'plot' is unknown"),
        ("", "the column 'mid' is missing"),
    ],
)
def test_an_invalid_value_is_reported_in_one_line(tmp_path, text, message):
    with pytest.raises(UserError) as error:
        read(tmp_path, text)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_other_trailers_are_ids_or_urls(tmp_path):
    head = HEAD.strip() + ",other_trailers\n"
    text = head + "tt0000001,A,1990,drama,,a.mp4,,6FeyhlLZYrg|https://h/b.mp4\n"
    (movie,) = read(tmp_path, text)
    assert movie.trailer_addresses == (
        str(tmp_path / "a.mp4"),
        "https://www.youtube.com/watch?v=6FeyhlLZYrg",
        "https://h/b.mp4",
    )


@pytest.mark.parametrize("url", ["a.mp4", "file:///etc/passwd", "../a.mp4"])
@pytest.mark.parametrize("column", ["trailer_url", "poster_url"])
def test_local_files_are_refused_unless_allowed(tmp_path, column, url):
    text = f"mid,title,year,genres,{column}\ntt0000001,A,1990,drama,{url}\n"
    assert getattr(read(tmp_path, text)[0], column) == str(
        {"a.mp4": tmp_path / "a.mp4", "../a.mp4": tmp_path.parent / "a.mp4"}.get(url, "/etc/passwd")
    )
    with pytest.raises(UserError, match=f"line 2: {column}: .* is a file of this machine; .*true"):
        read(tmp_path, text, local_files=False)


def test_a_password_in_a_url_is_refused_and_not_repeated(tmp_path):
    with pytest.raises(UserError, match="line 2: trailer_url: a URL with a password") as error:
        read(tmp_path, HEAD + "tt0000001,A,1990,drama,,https://me:secret@h/a.mp4,\n")
    assert "secret" not in str(error.value)


def test_a_table_that_is_not_utf8_is_refused(tmp_path):
    with pytest.raises(UserError, match="is not UTF-8"):
        read(tmp_path, HEAD + "tt0000001,Amélie,2001,comedy,,,\n", "latin-1")


def test_a_missing_table_is_reported(tmp_path):
    with pytest.raises(UserError, match="does not exist; allowed: sample, trailers12k, imdb"):
        collect(tmp_path / "none.csv")


def test_a_usual_row_takes_few_calls(tmp_path):
    """Every start of Snakemake reads the tables; calls, unlike seconds, are the same everywhere."""
    rows = 300
    text = "".join(
        f"tt{n:07},Movie {n},2001,comedy|drama,{n:011},,https://images.example.org/{n}.jpg\n"
        for n in range(rows)
    )
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"

    read(tmp_path, HEAD + text)  # imports
    sys.setprofile(count)
    try:
        movies = read(tmp_path, HEAD + text)
    finally:
        sys.setprofile(None)
    assert len(movies) == rows
    assert calls / rows < 35  # 72 before usual values took short paths
