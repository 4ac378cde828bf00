"""The tools of the field read the publication of the finished sample, without a network."""

import csv
import gzip
import subprocess
from pathlib import Path

from tests.readers import tools

DATA = Path(__file__).parents[2] / "data"
STORES = sorted(path.stem for path in DATA.glob("*.zarr"))


def rows(path: Path) -> list[dict[str, str]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_mlcroissant_validates_it_and_reads_every_record_set(publication, tmp_path):
    found = tools.read("croissant", publication, DATA, cache=tmp_path)
    assert found["errors"] == found["warnings"] == []
    assert len(found["biases"]) > 2
    clips = len(rows(DATA / "clips.csv"))
    posters = len(rows(DATA / "posters_i_swin.csv"))
    tables = {
        **{name: len(rows(publication / f"{name}.csv.gz")) for name in ("movies", "ledger")},
        "labels": len(rows(publication / "mtgc.csv")),
        "assignments": len(rows(publication / "splits.csv")),
        "clips": clips,
        "splits": 3,
    }
    stores = {f"features/{name}": posters if "posters" in name else clips for name in STORES}
    assert found["rows"] == tables | stores
    # A subset is read alone.
    test = {row["mid"] for row in rows(DATA / "mtgc.csv") if row["split0"] == "2"}
    of_test = sum(row["mid"] in test for row in rows(DATA / "posters_i_swin.csv"))
    assert found["test rows"] == {"features/posters_i_swin": of_test}


def test_the_hubs_reader_streams_every_part_by_the_subsets_of_split0(publication, tmp_path):
    found = tools.read("hub", publication, DATA, cache=tmp_path)
    assert sorted(found["names"]) == ["movies", *STORES]
    first = found["names"][0]
    assert found["default"] == first
    of_movies = [found["rows"][f"movies {name}"] for name in ("train", "validation", "test")]
    assert sum(of_movies) == len(rows(DATA / "movies.csv")) and min(of_movies) > 0
    assert found["test"] == found["rows"][f"{first} test"]
    assert found["type"].startswith("List(Value('float32'), length=")


def test_cffconvert_validates_its_citation(publication, tmp_path):
    said = tools.validate_citation(publication / "CITATION.cff", tmp_path)
    assert said == "Citation metadata are valid according to schema version 1.2.0.\n"


def test_its_sums_hold(publication):
    for program, name in (("sha256sum", "SHA256SUMS"), ("md5sum", "MD5SUMS")):
        done = subprocess.run(
            [program, "--check", "--strict", name], cwd=publication, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout
        files = {path for path in publication.rglob("*") if path.is_file()}
        listed = {publication / line.removesuffix(": OK") for line in done.stdout.splitlines()}
        assert files - listed == {publication / "MD5SUMS", publication / "SHA256SUMS"}
