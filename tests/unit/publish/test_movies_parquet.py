"""The movies as Parquet: a file for each subset of split0, with missing values as null."""

import hashlib

import pyarrow.parquet as pq

from trailers12k.common.files import write_csv
from trailers12k.common.vocabulary import GENRES
from trailers12k.publish.packing import movies_parquet, tables

TITLE = '"a\nb",{{c}}'


def written(folder, movies, labels):
    columns = (*tables.MOVIES, "other_trailers")
    write_csv(folder / "movies.csv", columns, movies)
    split_columns = [name for name in tables.SPLIT_COLUMNS if name in labels[0]]
    rows = [dict.fromkeys(GENRES, 0) | row for row in labels]
    write_csv(folder / "mtgc.csv", ["mid", *GENRES, *split_columns], rows)
    return movies_parquet.write(folder / "to", folder / "movies.csv", folder / "mtgc.csv")


def test_a_movie_is_in_the_file_of_its_subset(tmp_path):
    movies = [
        {"mid": "tt1", "title": TITLE, "year": "1999", "genres": "drama|crime"},
        {"mid": "tt2", "title": "", "year": "c. 2000", "trailer_url": "https://a.org/b"},
        {"mid": "tt3", "trailer_url": "/home/ada/b.mp4", "poster_url": "file:///c"},
    ]
    labels = [
        {"mid": "tt1", "split0": 2, "split1": 0, "split2": 1},
        {"mid": "tt2", "split0": 0, "split1": "", "split2": ""},
    ]
    found = written(tmp_path, movies, labels)
    names = [f"movies/{name}-00000-of-00001.parquet" for name in ("train", "test", "unassigned")]
    assert list(found) == names
    for name, sums in found.items():
        data = (tmp_path / "to" / name).read_bytes()
        assert sums["sha256"] == hashlib.sha256(data).hexdigest() and sums["bytes"] == len(data)
    two, one, three = (pq.read_table(tmp_path / "to" / name).to_pylist() for name in names)
    none = dict.fromkeys(("youtube_id", "trailer_url", "poster_url"))
    splits = {"split0": "test", "split1": "train", "split2": "validation"}
    genres = ["drama", "crime"]
    assert one == [{"mid": "tt1", "title": TITLE, "year": 1999, "genres": genres, **none, **splits}]
    assert two[0]["title"] is two[0]["year"] is two[0]["split1"] is None
    assert two[0]["genres"] == [] and two[0]["trailer_url"] == "https://a.org/b"
    # Others cannot open a file of this machine.
    assert three[0]["trailer_url"] is three[0]["poster_url"] is three[0]["split0"] is None


def test_a_collection_may_have_fewer_splits(tmp_path):
    [name] = written(tmp_path, [{"mid": "tt1"}], [{"mid": "tt1", "split0": 1}])
    assert name == "movies/validation-00000-of-00001.parquet"
    [row] = pq.read_table(tmp_path / "to" / name).to_pylist()
    assert (row["split0"], row["split1"]) == ("validation", None)
