import logging

import numpy as np
import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import GENRES
from trailers12k.splits.assignment import (
    SplitRequest,
    assign,
    assign_as_published,
    balance,
    split_table,
)
from trailers12k.splits.stratification import SHARES, UNASSIGNED, deviations, make_splits
from trailers12k.splits.tables import read_assigned, write_splits

TABLE = "mid,drama,comedy\n" + "".join(f"tt{n:07d},1,{n % 2}\n" for n in range(30, 0, -1))


def test_any_table_of_labels_can_be_split_and_extended(tmp_path):
    (tmp_path / "labels.csv").write_text(TABLE)
    outs = []
    for seed in (1, 1, 2):
        out = tmp_path / f"out{len(outs)}.csv"
        split_table(tmp_path / "labels.csv", out, seed, tries=2)
        outs.append(out.read_bytes())
    assert outs[0] == outs[1] != outs[2]
    lines = outs[0].decode().splitlines()
    assert lines[0] == "mid,drama,comedy,split0,split1,split2" and len(lines) == 31
    assert lines[1:] == sorted(lines[1:])

    (tmp_path / "more.csv").write_text(TABLE + "tt0000031,1,1\ntt0000032,1,0\n")
    (tmp_path / "groups.csv").write_text("mid,group\ntt0000031,a\ntt0000001,a\n")
    split_table(
        tmp_path / "more.csv",
        tmp_path / "later.csv",
        seed=7,
        extend=tmp_path / "out0.csv",
        groups=tmp_path / "groups.csv",
    )
    later = (tmp_path / "later.csv").read_text().splitlines()
    assert set(lines) <= set(later) and len(later) == 33
    assert later[1].split(",")[3:] == later[31].split(",")[3:]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (TABLE.replace("tt0000020,1,0", "tt0000020,1,2"), "line 12: comedy is '2'; allowed: 0, 1"),
        (TABLE + "tt0000001,1,1\n", "line 32: tt0000001 is in line 31 already"),
        (TABLE + "tt0000099,1\n", "line 32: the number of columns is not 3"),
        ("id,drama\ntt0000001,1\n", "the column 'mid' is missing"),
        ("mid\ntt0000001\n", "there is no label column"),
        ("", "the column 'mid' is missing"),
        ("mid,drama\n", "no rows"),
        ("\n".join(TABLE.split("\n")[:8]), "7 movies; at least 10"),
    ],
)
def test_a_faulty_table_is_refused_in_one_line_and_nothing_is_written(table, message, tmp_path):
    (tmp_path / "labels.csv").write_text(table)
    with pytest.raises(UserError, match=message) as error:
        split_table(tmp_path / "labels.csv", tmp_path / "out.csv", seed=1)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out.csv").exists()


def test_balance_has_a_row_for_each_split_and_subset(labels):
    columns = make_splits(labels, SHARES, seed=0, tries=1)
    rows = balance(labels, list("abcdefghij"), {"split": columns[:, :1], "own": columns[:, 1:2]})
    assert [(row["split"], row["subset"]) for row in rows[2:4]] == [
        ("split0", "test"),
        ("own0", "training"),
    ]
    assert sum(row["movies"] for row in rows[:3]) == 1000
    assert float(rows[0]["a"]) == pytest.approx(1, abs=0.05)


@pytest.fixture
def published(tmp_path):
    """A published table of 40 movies: its mids, labels, split columns and path."""
    labels = np.eye(10, dtype=int)[np.arange(40) % 10]
    mids = [f"tt{number:07}" for number in range(40)]
    columns = make_splits(labels, SHARES, 1, 1)
    write_splits(tmp_path / "published.csv", mids, GENRES, labels, columns)
    return mids, labels, columns, tmp_path / "published.csv"


def test_published_splits_keep_only_the_movies_that_have_one(published, caplog):
    caplog.set_level(logging.INFO)
    mids, labels, columns, table = published
    own = [*mids[5:25], "tt9999999"]
    movies = assign_as_published(own, np.vstack([labels[5:25], labels[:1]]), table, 3)
    assert "20 of 21 movies have a published split" in caplog.text
    assert movies.mids == mids[5:25]
    np.testing.assert_array_equal(movies.labels, labels[5:25])
    np.testing.assert_array_equal(movies.columns, columns[5:25])
    assert list(movies.by_name) == ["split", "ours"]
    assert movies.compared["ours"].shape == (20, 3)
    with pytest.raises(UserError, match="none of the movies is one of Trailers12k's"):
        assign_as_published(["tt9999999"], labels[:1], table, 3)


def test_own_splits_are_compared_with_the_published_ones(published):
    mids, labels, _, table = published
    own, own_labels = [*mids[5:25], "tt9999999"], np.vstack([labels[5:25], labels[:1]])
    movies = assign(own, own_labels, SplitRequest(tries=1), 3, table)
    assert movies.mids == own and list(movies.by_name) == ["split", "published"]
    assert (movies.compared["published"][-1] == UNASSIGNED).all()
    rows = balance(own_labels, GENRES, movies.by_name)
    assert sum(row["movies"] for row in rows if row["split"] == "published0") == 20
    assert list(assign(own, own_labels, SplitRequest(tries=1), 3).by_name) == ["split"]


def test_a_request_is_built_from_the_plain_settings():
    settings = {"training": 0.6, "validation": 0.2, "test": 0.2, "tries": 3, "extend": None}
    request = SplitRequest.from_settings(settings | {"groups": "groups.csv"})
    assert request == SplitRequest(
        {"training": 0.6, "validation": 0.2, "test": 0.2}, 3, None, "groups.csv"
    )


def test_groups_that_an_earlier_table_divides_are_named_in_a_warning(tmp_path, caplog):
    earlier, groups = tmp_path / "old.csv", tmp_path / "groups.csv"
    earlier.write_text(
        "mid,split0,split1,split2\n"
        "tt0000001,0,0,0\ntt0000002,0,2,0\ntt0000003,1,1,1\ntt0000004,2,1,2\n"
    )
    groups.write_text("mid,group\n" + "".join(f"tt000000{n},{n % 2}\n" for n in range(1, 6)))
    mids = [f"tt000000{number}" for number in range(1, 6)]
    constraints = SplitRequest(extend=earlier, groups=groups).constraints(mids)
    assert constraints.assigned is not None and constraints.groups is not None
    (message,) = [line.getMessage() for line in caplog.records if line.levelname == "WARNING"]
    assert message.startswith(f"{groups}: groups that stay divided, since {earlier} assigns")
    assert message.endswith("2, such as tt0000001 (training) and tt0000003 (validation) in split 0")
    caplog.clear()
    groups.write_text("mid,group\ntt0000001,a\ntt0000005,a\n")
    SplitRequest(extend=earlier, groups=groups).constraints(mids)
    assert not [line for line in caplog.records if line.levelname == "WARNING"]


def test_splits_have_the_requested_shares_and_number_of_tries(labels, tmp_path):
    shares = {"training": 0.5, "validation": 0.3, "test": 0.2}
    mids = [f"tt{number:07}" for number in range(len(labels))]
    for tries in (1, 3):
        movies = assign(mids, labels, SplitRequest(shares, tries), seed=4)
        np.testing.assert_array_equal(movies.columns, make_splits(labels, shares, 4, tries))
    assert (make_splits(labels, shares, 4, 1) != make_splits(labels, shares, 4, 3)).any()

    write_splits(tmp_path / "labels.csv", mids, GENRES, labels, np.zeros((len(mids), 0), int))
    for tries in (1, 3):
        split_table(tmp_path / "labels.csv", tmp_path / "out.csv", seed=4, tries=tries)
        columns = read_assigned(tmp_path / "out.csv", mids)
        np.testing.assert_array_equal(columns, make_splits(labels, SHARES, 4, tries))
    split_table(tmp_path / "labels.csv", tmp_path / "out.csv", seed=4)
    columns = read_assigned(tmp_path / "out.csv", mids)
    np.testing.assert_array_equal(columns, make_splits(labels, SHARES, 4, 5))


def test_the_defaults_are_the_papers_shares_and_five_tries():
    assert SplitRequest() == SplitRequest({"training": 0.7, "validation": 0.1, "test": 0.2}, 5)


def test_a_row_of_the_balance_equals_one_computed_by_hand():
    labels = np.repeat([[1, 0, 0], [1, 1, 0], [1, 0, 0], [1, 1, 0]], 5, axis=0)
    column = np.repeat([0, 1, 0, 2], 5)[:, None]
    training, validation, test = balance(labels, ["a", "b", "c"], {"split": column})
    assert training == {
        **{"split": "split0", "subset": "training", "movies": 10},
        **{"label_deviation": "1.0000", "rare_deviation": "0.00", "pair_deviation": "1.00000"},
        **{"a": "1.0000", "b": "0.0000", "c": "1.0000"},
    }
    assert (validation["movies"], validation["b"]) == (5, "2.0000")
    assert (test["subset"], test["b"]) == ("test", "2.0000")


def test_published_splits_of_few_movies_are_compared_with_none(published):
    mids, labels, _, table = published
    movies = assign_as_published(mids[:9], labels[:9], table, 3)
    assert movies.compared == {}
    assert assign_as_published(mids[:10], labels[:10], table, 3).compared.keys() == {"ours"}


def test_the_sizes_and_deviations_of_each_split_are_logged(labels, caplog):
    caplog.set_level(logging.INFO)
    columns = make_splits(labels, SHARES, seed=0, tries=1)
    for number, (line, column) in enumerate(zip(caplog.messages, columns.T, strict=True)):
        label, rare, pair = deviations(labels, column)
        sizes = "/".join(map(str, np.bincount(column)))
        assert line == (
            f"split{number}: {sizes} movies; deviations: label {label:.3f}, "
            f"rare labels {rare:.1f} movies, pair {pair:.4f}"
        )
