import logging

import numpy as np
import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import GENRES
from trailers12k.splits.assignment import assign, balance, main
from trailers12k.splits.stratification import make_splits, quality, split
from trailers12k.splits.tables import NEW, read_labels, write_splits

SHARES = {"training": 0.7, "validation": 0.1, "test": 0.2}


@pytest.fixture(scope="module")
def labels():
    """1,000 movies whose genres occur together, as those of real movies do."""
    random = np.random.default_rng(0)
    mood = random.normal(size=(1000, 3)) @ random.normal(size=(3, 10))
    labels = (mood + random.normal(size=mood.shape) > 1.5).astype(int)
    labels[labels.sum(1) == 0, 4] = 1
    return labels


def test_the_same_seed_gives_the_same_splits_and_another_gives_others(labels):
    first = make_splits(labels, SHARES, seed=1, tries=2)
    assert (first == make_splits(labels, SHARES, seed=1, tries=2)).all()
    assert (first != make_splits(labels, SHARES, seed=2, tries=2)).any()


def test_splits_are_balanced_better_than_chance_in_labels_and_pairs(labels):
    label, pair = quality(labels, split(labels, SHARES, seed=0, tries=5))
    random = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [700, 100, 200]))
    chance_label, chance_pair = quality(labels, random)
    assert label < chance_label / 2 and pair < chance_pair / 2


def test_the_three_splits_are_independent(labels):
    columns = make_splits(labels, SHARES, seed=0, tries=1)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        both = ((columns[:, a] == 2) & (columns[:, b] == 2)).sum()
        assert 20 < both < 60  # 40 by chance
    for column in columns.T:
        assert np.abs(np.bincount(column) / 1000 - [0.7, 0.1, 0.2]).max() < 0.02


def test_quality_of_a_split_done_by_hand():
    labels = np.array([[1, 0], [1, 1], [1, 0], [1, 1]])
    # The second genre is half of all, all of the test movies: twice its share.
    label, pair = quality(labels, np.array([0, 1, 0, 2]))
    assert label == 1.0
    assert pair == pytest.approx((1.0 + 0.5 + 0.5) / 2)


def test_too_few_movies_are_refused():
    with pytest.raises(UserError, match="9 movies; at least 10"):
        split(np.ones((9, 10), int), SHARES, 0, 1)


def test_ten_movies_of_one_genre_can_be_split():
    labels = np.zeros((10, 10), int)
    labels[:, 4] = 1
    assert np.bincount(split(labels, SHARES, 0, 1)).tolist() == [7, 1, 2]


def test_movies_of_an_earlier_file_keep_their_subsets(labels):
    old = make_splits(labels[:900], SHARES, seed=0, tries=2)
    given = np.concatenate([old, np.full((100, 3), NEW)])
    columns = make_splits(labels, SHARES, seed=5, tries=5, given=given)
    assert (columns[:900] == old).all()
    for column in columns.T:
        assert np.abs(np.bincount(column[900:]) / 100 - [0.7, 0.1, 0.2]).max() <= 0.06
        label, pair = quality(labels, column)
        drawn = np.random.default_rng(0).choice(3, 100, p=[0.7, 0.1, 0.2])
        by_chance = quality(labels, np.concatenate([column[:900], drawn]))
        assert label + 5 * pair < by_chance[0] + 5 * by_chance[1]


@pytest.mark.parametrize("new", [0, 1, 3, 9])
def test_a_few_new_movies_go_where_most_lack(labels, new):
    old = make_splits(labels[:40], SHARES, seed=0, tries=2)[:, :1]
    given = np.concatenate([old, np.full((new, 1), NEW)])
    column = make_splits(labels[: 40 + new], SHARES, 0, 3, count=1, given=given)[:, 0]
    assert (column[:40] == old[:, 0]).all() and set(column) <= {0, 1, 2}


def test_groups_stay_together_also_with_an_earlier_file(labels):
    groups = np.arange(1000) // 4
    columns = make_splits(labels, SHARES, seed=0, tries=3, groups=groups)
    for column in columns.T:
        assert all(len(set(column[groups == group])) == 1 for group in range(250))
        assert np.abs(np.bincount(column) / 1000 - [0.7, 0.1, 0.2]).max() < 0.03
    given = columns.copy()
    given[1::4] = NEW
    again = make_splits(labels, SHARES, seed=9, tries=1, given=given, groups=groups)
    assert (again == columns).all(), "a new sequel joins its group"


def test_groups_that_leave_a_subset_empty_are_refused(labels):
    with pytest.raises(UserError, match="12 movies in 1 groups leave a subset empty"):
        split(labels[:12], SHARES, 0, 3, groups=np.zeros(12, int))


@pytest.mark.parametrize("movies", [10, 11, 25])
def test_rare_genres_and_genres_nobody_has_are_no_obstacle(movies):
    labels = np.zeros((movies, 10), int)
    labels[:, 4] = 1
    labels[0, 1] = labels[1, 2] = labels[2, 2] = 1
    for column in make_splits(labels, SHARES, seed=3, tries=5).T:
        sizes = np.bincount(column, minlength=3)
        assert (sizes > 0).all() and np.abs(sizes - movies * np.array([0.7, 0.1, 0.2])).max() < 2
        assert np.isfinite(quality(labels, column)).all()


TABLE = "mid,drama,comedy\n" + "".join(f"tt{n:07d},1,{n % 2}\n" for n in range(30, 0, -1))


def test_the_command_line_splits_any_table(tmp_path):
    (tmp_path / "labels.csv").write_text(TABLE)
    outs = []
    for seed in ("1", "1", "2"):
        out = tmp_path / f"out{len(outs)}.csv"
        assert main([str(tmp_path / "labels.csv"), str(out), "--seed", seed, "--tries", "2"]) == 0
        outs.append(out.read_bytes())
    assert outs[0] == outs[1] != outs[2]
    lines = outs[0].decode().splitlines()
    assert lines[0] == "mid,drama,comedy,split0,split1,split2" and len(lines) == 31
    assert lines[1:] == sorted(lines[1:])
    (tmp_path / "more.csv").write_text(TABLE + "tt0000031,1,1\ntt0000032,1,0\n")
    (tmp_path / "groups.csv").write_text("mid,group\ntt0000031,a\ntt0000001,a\n")
    given = ["--seed", "7", "--extend", str(tmp_path / "out0.csv")]
    given += ["--groups", str(tmp_path / "groups.csv")]
    assert main([str(tmp_path / "more.csv"), str(tmp_path / "later.csv"), *given]) == 0
    later = (tmp_path / "later.csv").read_text().splitlines()
    assert set(lines) <= set(later) and len(later) == 33
    assert later[1].split(",")[3:] == later[31].split(",")[3:]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (TABLE.replace("tt0000020,1,0", "tt0000020,1,2"), "line 12: comedy is '2'; allowed: 0, 1"),
        (TABLE + "tt0000001,1,1\n", "line 32: tt0000001 stands in line 31 too"),
        (TABLE + "tt0000099,1\n", "line 32: more or fewer fields"),
        ("id,drama\ntt0000001,1\n", "no column mid"),
        ("mid\ntt0000001\n", "no columns of labels"),
        ("", "no rows"),
        ("\n".join(TABLE.split("\n")[:8]), "7 movies; at least 10"),
    ],
)
def test_faults_of_a_table_are_told_in_one_line(table, told, tmp_path, capsys):
    (tmp_path / "labels.csv").write_text(table)
    assert main([str(tmp_path / "labels.csv"), str(tmp_path / "out.csv"), "--seed", "1"]) == 1
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1
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


def table_of(path, mids, labels, columns):
    write_splits(path, mids, GENRES, labels, columns)
    return path


def test_the_published_columns_for_the_movies_at_hand(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    labels = np.eye(10, dtype=int)[np.arange(40) % 10]
    mids = [f"tt{number:07}" for number in range(40)]
    columns = make_splits(labels, SHARES, 1, 1)
    table = table_of(tmp_path / "published.csv", mids, labels, columns)

    own = [*mids[5:25], "tt9999999"]
    own_labels = np.vstack([labels[5:25], labels[:1]])
    kept, its_labels, found = assign(own, own_labels, "published", 3, table)
    assert "20 of 21 movies have a published split" in caplog.text
    assert kept == mids[5:25]
    np.testing.assert_array_equal(its_labels, labels[5:25])
    np.testing.assert_array_equal(found["split"], columns[5:25])
    assert list(found) == ["split", "ours"] and found["ours"].shape == (20, 3)

    settings = SHARES | {"tries": 1, "extend": None, "groups": None}
    kept, _, found = assign(own, own_labels, settings, 3, table)
    assert kept == own and list(found) == ["split", "published"]
    assert (found["published"][-1] == NEW).all()
    rows = balance(own_labels, GENRES, found)
    assert sum(row["movies"] for row in rows if row["split"] == "published0") == 20
    _, _, found = assign(own, own_labels, settings, 3)
    assert list(found) == ["split"]

    with pytest.raises(UserError, match="no movie of the table is one of Trailers12k's"):
        assign(["tt9999999"], labels[:1], "published", 3, table)


def test_labels_of_a_table_in_any_order(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("b,mid,a\n1,tt0000002,0\n0,tt0000001,1\n")
    mids, labels = read_labels(path, ["a", "b"])
    assert mids == ["tt0000001", "tt0000002"]
    np.testing.assert_array_equal(labels, [[1, 0], [0, 1]])
    with pytest.raises(UserError, match="no column c"):
        read_labels(path, ["a", "c"])
