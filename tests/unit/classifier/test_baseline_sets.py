"""Baselines are fitted once for the same content, by any number of threads to the same bytes."""

from pathlib import Path

import numpy as np
import pytest

from trailers12k.classifier import packing
from trailers12k.classifier.baseline_sets import BaselineInputs, fit_rows, products_of
from trailers12k.classifier.baselines import pool
from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, read_json, write_csv
from trailers12k.common.vocabulary import GENRES
from trailers12k.evaluation.rows import result_rows
from trailers12k.features import store

COUNT = 60
MIDS = [f"tt{number:07}" for number in range(COUNT)]
RUNS = {"one": {"image": "a"}, "both": {"image": "a", "video": "b"}}


def add_store(name: str, lacking: str = "", seed: int = 0) -> None:
    """A store of random features of four clips a movie, and its packed array."""
    random = np.random.default_rng(seed)
    store.create(Path(f"data/{name}.zarr"), {"num_features": 3})
    mids = [mid for mid in MIDS if mid != lacking]
    for mid in mids:
        values = random.normal(size=(4, 3)).astype(np.float32)
        store.write(Path(f"data/{name}.zarr"), mid, values, {})
    rows = [{"mid": mid, "clips": 4, "fingerprint": f"{name}{seed}"} for mid in mids]
    write_csv(f"data/{name}.csv", ["mid", "clips", "fingerprint"], rows)
    Path("build/packed").mkdir(parents=True, exist_ok=True)
    packing.pack(f"data/{name}.zarr", f"data/{name}.csv", f"build/packed/{name}.npy")


@pytest.fixture
def stores(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    add_store("a")
    add_store("b", lacking=MIDS[4], seed=1)
    random = np.random.default_rng(2)
    rows = [
        {"mid": mid, **dict(zip(GENRES, random.integers(0, 2, 10).tolist(), strict=True))}
        | {f"split{k}": [0, 0, 0, 1, 2][(number + k) % 5] for k in range(3)}
        for number, mid in enumerate(MIDS)
    ]
    write_csv("data/mtgc.csv", ["mid", *GENRES, "split0", "split1", "split2"], rows)


def fitted(runs, code="c", threads=1, forced=False):
    """The rows of runs, and the names of those that were fitted."""
    rows = [row for row in result_rows(runs, ["linear", "knn"]) if row.classifier != "divita"]
    indexes = {name: f"build/packed/{name}.csv" for name in ("a", "b")}
    return rows, fit_rows(rows, BaselineInputs("data/mtgc.csv", indexes, code), threads, forced)


def contents(rows):
    return {path: Path(path).read_bytes() for row in rows for path in products_of(row)}


def test_each_row_predicts_the_movies_of_its_stores_and_says_what_it_chose(stores):
    rows, names = fitted(RUNS)
    assert names == [
        *("one (linear probe)", "both (linear probe)"),
        *("one (kNN)", "both (kNN)"),
    ]
    tested = [mid for number, mid in enumerate(MIDS) if number % 5 == 4]
    for row in rows:
        mids = [line["mid"] for line in read_csv(row.folder(0) / "tst.csv")]
        assert mids == [mid for mid in tested if row.run == "one" or mid != MIDS[4]]
        facts = read_json(row.folder(0).parent / "facts.json")
        assert facts["features"] == (3 if row.run == "one" else 6)
        for split in facts["splits"].values():
            assert split["tried"][f"{split['value']:g}"] == max(split["tried"].values())


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_movie_without_finite_features_is_named(stores, value):
    rows = np.load("build/packed/a.npy")
    rows[9, 1] = value
    np.save("build/packed/a.npy", rows)
    with pytest.raises(UserError, match=f"^a: {MIDS[2]} holds NaN or infinity; run stores verify"):
        pool("build/packed/a.npy")


def test_what_has_not_changed_is_not_fitted_again(stores):
    rows, names = fitted({"one": RUNS["one"]})
    assert len(names) == 2 and fitted({"one": RUNS["one"]})[1] == []
    before = contents(rows)
    # A run more, lost products (Snakemake deletes outputs before a job), other stores, other code.
    for path in before:
        Path(path).unlink()
    rows, names = fitted(RUNS)
    assert names == ["both (linear probe)", "both (kNN)"]
    assert contents(rows).items() >= before.items()
    add_store("b", lacking=MIDS[4], seed=3)
    assert fitted(RUNS)[1] == ["both (linear probe)", "both (kNN)"]
    assert len(fitted(RUNS, code="d")[1]) == 4 and fitted(RUNS, code="d")[1] == []
    assert len(fitted(RUNS, code="d", forced=True)[1]) == 4


def test_a_damaged_result_is_fitted_again(stores):
    rows, _ = fitted({"one": RUNS["one"]})
    before = contents(rows)
    for path in Path("build/cache/files").iterdir():
        path.write_bytes(b"damaged")
    assert len(fitted({"one": RUNS["one"]})[1]) == 2 and contents(rows) == before


def test_the_number_of_threads_changes_no_byte(stores):
    rows, _ = fitted(RUNS)
    before = contents(rows)
    assert len(fitted(RUNS, threads=4, forced=True)[1]) == 4
    assert contents(rows) == before
