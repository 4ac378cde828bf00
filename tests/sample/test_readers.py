"""The tools of the field read the publication of the finished sample, without a network."""

import csv
import gzip
import hashlib
import runpy
import shutil
import subprocess
import tarfile
from pathlib import Path

import numpy as np

from tests.readers import tools
from trailers12k.classifier.dataset import TrailerDataset
from trailers12k.common.vocabulary import SUBSETS

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"
STORES = sorted(path.stem for path in DATA.glob("*.zarr"))


PAGES = runpy.run_path(str(ROOT / "tests" / "docs" / "pages.py"))["pages"]()


def rows(path: Path) -> list[dict[str, str]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_mlcroissant_validates_it_and_reads_every_record_set(publication, tmp_path):
    found = tools.read("croissant", publication, DATA, cache=tmp_path)
    assert found["errors"] == found["warnings"] == []
    assert len(found["biases"]) > 2
    clips = len(rows(DATA / "clips.csv"))
    tables = {
        **{
            name: len(rows(publication / f"{name}.csv.gz"))
            for name in ("movies", "ledger", "sound")
        },
        "labels": len(rows(publication / "mtgc.csv")),
        "assignments": len(rows(publication / "splits.csv")),
        "balance": len(rows(publication / "balance.csv")),
        "clips": clips,
        "splits": 3,
    }
    # Some trailers have no sound.
    stores = {
        f"features/{name}": sum(int(row["clips"]) for row in rows(DATA / f"{name}.csv"))
        for name in STORES
    }
    assert found["rows"] == tables | stores
    assert stores["features/trailers_a_logmel"] < stores["features/trailers_i_swin_fpc24"] == clips
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


def test_the_loader_of_the_papers_authors_reads_it_with_zarr_2(publication, tmp_path):
    """The same windows and labels as `TrailerDataset`, which reads the same files with zarr 3."""
    stores = [f"{name}.zarr" for name in ("trailers_i_swin_fpc24", "trailers_ik_swin_fps24_fpc24")]
    for store in stores:
        with tarfile.open(publication / f"{store}.tar.gz") as archive:
            archive.extractall(tmp_path)
    # The authors' loader reads the features of all movies in mtgc.csv.
    shutil.copy(publication / "mtgc_complete.csv", tmp_path / "mtgc.csv")
    found = tools.read("reference", tmp_path, *stores, cache=tmp_path / "cache")
    assert found.pop("zarr") == "2.18.7"
    assert len(found) == 9
    streams = {"image": tmp_path / stores[0], "video": tmp_path / stores[1]}
    for split in range(3):
        for number, subset in enumerate(SUBSETS):
            data = TrailerDataset(streams, tmp_path / "mtgc.csv", split, subset, snippet=2)
            windows, labels, _ = zip(*(data[i] for i in range(len(data))), strict=True)
            movies, count, of_labels, *of_streams = found[f"{split}{number}"]
            assert (movies, count) == (len(data.mids), len(data))
            assert of_labels == digest(labels)
            if subset != "training":  # of which both draw snippets
                values = [[each[stream].T for each in windows] for stream in streams]
                assert of_streams == [*map(digest, values)]


def digest(tensors) -> str:
    return hashlib.sha256(np.stack([each.numpy() for each in tensors]).tobytes()).hexdigest()


def test_the_blocks_of_the_page_on_publishing_run(publication, tmp_path):
    (page,) = [page for page in PAGES if page.name == "docs/publishing.md"]
    blocks = [block.text for block in page.blocks if block.language == "python"]
    assert len(blocks) == 2
    for block in blocks:
        # Threads of `datasets` that read ahead may abort the end of the interpreter.
        code = f"{block}\nimport os\nos._exit(0)"
        done = tools.run("-c", code, cache=tmp_path, folder=publication.parent)
        assert done.returncode == 0, done.stderr
