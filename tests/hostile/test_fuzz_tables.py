"""Random tables of users: the movie table, curation, choices of the search, and splits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile.fuzzing import answered, cells, csv_files, examples
from trailers12k.common.errors import UserError
from trailers12k.common.movie import is_mid, is_web_address
from trailers12k.common.text import is_printable
from trailers12k.common.vocabulary import GENRES
from trailers12k.common.youtube import is_youtube_id, video_id
from trailers12k.movies import curation
from trailers12k.movies.movie_table import read_movies, write_movies
from trailers12k.movies.sources import records, table, trailer_choices
from trailers12k.splits import tables as split_tables
from trailers12k.splits.rows import read_group_names, read_positions
from trailers12k.video import clip_table

mids = st.one_of(
    st.sampled_from(("tt0000001", "tt0000002", "tt12345678")), cells("tt0000003", "tt0000004")
)
addresses = cells("", "abcdefghijk", "https://youtu.be/abcdefghijk", "https://example.org/a.mp4")


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "table.csv"


MOVIES = csv_files(
    (*table.REQUIRED, *table.OPTIONAL),
    st.fixed_dictionaries(
        {
            "mid": mids,
            "title": cells("A Title", "Ein Titel, zwei"),
            "year": cells("1999", ""),
            "genres": cells("drama", "drama|horror", ""),
            "youtube_id": addresses,
            "trailer_url": addresses,
            "poster_url": addresses,
            "other_trailers": addresses,
        }
    ),
)


@given(data=MOVIES, local_files=st.booleans())
@examples(300)
def test_movie_table(file, data, local_files):
    file.write_bytes(data)

    def read():
        found = {}
        combine = records.combine
        combine(found, "table", table.read({"path": "table.csv"}, {})[0], True, local_files)
        list(table.local_files(found.values()))
        return found

    found, _ = answered(read)
    for mid, record in (found or {}).items():
        assert is_mid(mid) and set(record.genres) <= set(GENRES)
        assert not record.title or is_printable(record.title)
    if found:
        movies = [records.movie_of(record) for record in found.values()]
        assert all(not movie.youtube_id or is_youtube_id(movie.youtube_id) for movie in movies)
        write_movies("movies.csv", movies)
        assert read_movies("movies.csv") == movies


@given(data=MOVIES)
@examples(100)
def test_the_written_table_is_a_movie_table(file, data):
    file.write_bytes(data)
    again = {}

    def read(path):
        found = {}
        records.combine(found, "table", table.read({"path": path}, {})[0], True, True)
        for record in found.values():
            records.check_complete(record)
        return [records.movie_of(record) for record in found.values()]

    movies, _ = answered(read, "table.csv")
    if movies:
        write_movies("movies.csv", movies)
        again, said = answered(read, "movies.csv")
        assert again == movies, said


DECISIONS = csv_files(
    curation.WRITTEN,
    st.fixed_dictionaries(
        {
            "mid": mids,
            "title": cells("A Title"),
            "decision": cells(*curation.DECISIONS),
            "verified": cells("true", "false"),
            "wrong": addresses,
            "replacement": addresses,
            "sha256": cells("", "a" * 64, "A" * 64),
            "note": cells("", "a note"),
            "by": cells("", "me"),
            "date": cells("", "2026-11-25"),
        }
    ),
)


@given(data=DECISIONS, local_files=st.booleans())
@examples(300)
def test_curation(file, data, local_files):
    file.write_bytes(data)
    answered(lambda: list(curation.local_files("table.csv")))
    decisions, _ = answered(curation.read, "table.csv", local_files)
    if not decisions:
        return
    assert all(map(is_mid, decisions))
    decided = [(each, "=a title") for each in decisions.values()]
    curation.write("again.csv", decided, {})
    assert curation.read("again.csv", local_files) == decisions
    rows = curation.read_written("again.csv")
    assert [row["note"] for row in rows] == [each.note for each in decisions.values()]
    for decision in decisions.values():
        trailers = decision.apply([{"id": "abcdefghijk"}, {"url": "https://example.org/a.mp4"}])
        assert decision.apply(trailers) == trailers or not decision.wrong


@given(
    data=csv_files(
        tuple(trailer_choices.COLUMNS),
        st.fixed_dictionaries(
            {name: cells("", "a") for name in trailer_choices.COLUMNS}
            | {"mid": mids, "correction": cells("", "none", "abcdefghijk", "'-abcdefghij")}
        ),
    )
)
@examples(200)
def test_choices_of_the_search(file, data):
    file.write_bytes(data)
    found, _ = answered(trailer_choices.corrections, file)
    for mid, text in (found or {}).items():
        assert is_mid(mid)
        assert text == trailer_choices.NONE or video_id(text) or is_web_address(text)


LABELS = st.fixed_dictionaries(
    {
        "mid": cells("tt0000001", "tt0000002", "anything"),
        **{name: cells("0", "1", "true", "0.0") for name in ("drama", "horror")},
        **{f"split{number}": cells("0", "1", "2") for number in range(3)},
        "group": cells("", "a", "b"),
    }
)


@given(data=csv_files(("mid", "drama", "horror", "split0", "split1", "split2"), LABELS))
@examples(200)
def test_tables_of_splits(file, data):
    file.write_bytes(data)
    answered(split_tables.read_labels, file, ("drama", "horror"))
    earlier, _ = answered(read_positions, file)
    for subsets in (earlier or {}).values():
        assert set(subsets) <= {0, 1, 2}
    found, _ = answered(split_tables.read_table, file)
    if found:
        mids, names, labels = found
        assert mids == sorted(set(mids)) and labels.shape == (len(mids), len(names))
        columns = np.zeros((len(mids), 3), np.int64)
        if "" not in names:
            split_tables.write_splits("mtgc.csv", mids, names, labels, columns)
            again = split_tables.read_table("mtgc.csv")
            assert again[:2] == (mids, names) and (again[2] == labels).all()


@given(data=csv_files(("mid", "group"), LABELS))
@examples(100)
def test_groups(file, data):
    file.write_bytes(data)
    found, _ = answered(read_group_names, file)
    assert all((found or {"a": "b"}).values())
    numbers, _ = answered(split_tables.read_groups, file, ["tt0000001", "tt0000002"])
    assert numbers is None or len(numbers) == 2


@given(
    data=csv_files(
        clip_table.COLUMNS,
        st.fixed_dictionaries(
            {name: cells("0", "1", "2.5") for name in clip_table.COLUMNS} | {"mid": mids}
        ),
    )
)
@examples(100)
def test_clips(file, data):
    """A table of ours, which a person can change: its reader documents ValueError."""
    file.write_bytes(data)
    answered(clip_table.read_clips, file, refused=ValueError)


@given(rows=st.lists(st.tuples(cells("a"), cells("b")), max_size=3))
@examples(100)
def test_every_text_survives_in_a_table_that_people_edit(file, rows):
    """Formula cells are escaped, and read back unchanged."""
    decided = []
    for place, (note, by) in enumerate(rows):
        # A byte order mark is left out, as of tables that were joined.
        note, by = (" ".join(text.replace("\ufeff", "").split()) for text in (note, by))
        if is_printable(note) and is_printable(by):
            decided.append((curation.Decision(f"tt{place:07}", "unsure", note=note, by=by), ""))
    curation.write(file, decided, {})
    try:
        again = curation.read(file)
    except UserError as error:
        pytest.fail(str(error))
    assert list(again.values()) == [decision for decision, _ in decided]
