"""The effect of splits by baselines: planted copies help where they straddle subsets only."""

from pathlib import Path

import numpy as np
import pytest

from trailers12k.classifier.labels import LabelTable
from trailers12k.classifier.split_effect import Features, compare, pooled, write_standard
from trailers12k.common.files import read_csv, write_csv
from trailers12k.common.vocabulary import GENRES
from trailers12k.evaluation.split_effect import COLUMNS, effect_of, read_effect
from trailers12k.features import store
from trailers12k.splits import tables
from trailers12k.splits.assignment import SplitRequest, assign

COUNT = 200
MIDS = [f"tt{number:07}" for number in range(COUNT)]
PAIRS = [(MIDS[number], MIDS[number + 1]) for number in range(0, COUNT, 2)]


def copies():
    """Movies in pairs of copies; features say nothing of the genres beyond the copy."""
    random = np.random.default_rng(3)
    labels = np.repeat(random.integers(0, 2, (COUNT // 2, 10)), 2, axis=0)
    values = np.repeat(random.normal(size=(COUNT // 2, 16)), 2, axis=0)
    return labels, values + random.normal(scale=0.01, size=values.shape)


@pytest.fixture(scope="module")
def effect(tmp_path_factory):
    """The rows of the comparison of grouped copies with standard splits."""
    labels, values = copies()
    groups = tmp_path_factory.mktemp("groups") / "groups.csv"
    rows = [{"mid": mid, "group": pair[0]} for pair in PAIRS for mid in pair]
    write_csv(groups, ["mid", "group"], rows)
    own, standard = (
        LabelTable(MIDS, labels, assign(MIDS, labels, request, 1).columns)
        for request in (SplitRequest(groups=groups), SplitRequest())
    )
    return compare({"run": Features(MIDS, values)}, "auto", own, standard, PAIRS)


def row_of(effect, classifier, mode):
    return next(row for row in effect if (row["classifier"], row["splits"]) == (classifier, mode))


def test_knn_gains_from_copies_in_other_subsets_and_not_from_grouped_ones(effect):
    standard, grouped = (row_of(effect, "knn", mode) for mode in ("standard", "auto"))
    assert float(standard["apart"]) > 30 and float(grouped["apart"]) == 0
    # Half of the labels are positive: µAP without any information is about 50.
    assert float(standard["uap"]) > 90 and float(grouped["uap"]) < 65
    difference = float(grouped["uap"]) - float(standard["uap"])
    assert float(grouped["uap_difference"]) == pytest.approx(difference, abs=0.011)
    assert standard["uap_difference"] == ""


def test_the_sentences_count_the_pairs_and_name_the_baselines(effect, tmp_path):
    write_csv(tmp_path / "effect.csv", COLUMNS, effect)
    found = read_effect(tmp_path / "effect.csv")
    text = " ".join(found.sentences)
    apart = float(row_of(effect, "knn", "standard")["apart"])
    assert f"Standard splits put {apart:g} of 100 pairs of duplicates into different" in text
    assert "not with DIViTA" in text
    assert "kNN: standard splits give more µAP for 1 of 1 sets of stores, by +" in text
    assert "exceeds the two standard deviations together for 1 of them" in text
    assert len(found.rows) == 4 and all(len(row) == len(found.heads) for row in found.rows)


def test_no_duplicates_are_said_in_words():
    labels, values = copies()
    table = LabelTable(MIDS, labels, assign(MIDS, labels, SplitRequest(), 1).columns)
    rows = compare({"run": Features(MIDS, values)}, "auto", table, table, [])
    texts = [{name: str(cell) for name, cell in row.items()} for row in rows]
    text = " ".join(effect_of(texts).sentences)
    assert "The review found no duplicates among the trailers." in text
    assert "kNN: µAP is the same with both." in text


def test_standard_splits_are_those_without_groups(tmp_path):
    labels, _ = copies()
    columns = assign(MIDS, labels, SplitRequest(), 7).columns
    tables.write_splits(tmp_path / "ordinary.csv", MIDS, GENRES, labels, columns)
    tables.write_splits(tmp_path / "mtgc.csv", MIDS, GENRES, labels, columns * 0)
    write_standard(tmp_path / "standard.csv", tmp_path / "mtgc.csv", SplitRequest(), 7, ())
    assert (tmp_path / "standard.csv").read_bytes() == (tmp_path / "ordinary.csv").read_bytes()


def test_features_are_means_over_clips_of_movies_in_all_stores(tmp_path):
    arrays = {"one": {MIDS[0]: 1, MIDS[1]: 2}, "two": {MIDS[1]: 3}}
    for name, numbers in arrays.items():
        store.create(tmp_path / f"{name}.zarr", {"num_features": 2})
        for mid, number in numbers.items():
            values = np.array([[number, 0], [number, 4]], np.float32)
            store.write(tmp_path / f"{name}.zarr", mid, values, {})
        rows = [{"mid": mid, "clips": 2, "fingerprint": "f"} for mid in numbers]
        write_csv(Path(tmp_path, f"{name}.csv"), ["mid", "clips", "fingerprint"], rows)
    features = pooled(tmp_path, ["one", "two"])
    assert features.mids == [MIDS[1]]
    assert features.values.tolist() == [[2, 2, 3, 2]]
    assert len(read_csv(tmp_path / "one.csv")) == 2
