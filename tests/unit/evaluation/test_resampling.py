"""Bootstrap resamples: equal to scoring the drawn movies, seeded, and right about known truth."""

import numpy as np
import pandas as pd
import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import GENRES, METRICS
from trailers12k.evaluation import comparison, differences, metrics, resampling
from trailers12k.evaluation.scores import TrainedSplit


def of(draws: np.ndarray) -> resampling.Draws:
    """Draws of all pairs, (resamples, pairs), as `compare` asks for them."""
    return lambda pairs: draws[:, pairs]


def predictions(generator, movies, strength=2.0, levels=None):
    """Labels (movies, 10), at least one positive each, and probabilities that follow them."""
    prevalence = np.linspace(0.08, 0.45, 10)
    labels = (generator.random((movies, 10)) < prevalence).astype(int)
    labels[labels.sum(1) == 0, 4] = 1
    logits = np.log(prevalence / (1 - prevalence)) + strength * labels
    values = 1 / (1 + np.exp(-logits - generator.normal(size=labels.shape)))
    return labels, values if levels is None else np.round(values * levels) / levels


@pytest.mark.parametrize("levels", [None, 4, 1], ids=["no ties", "ties", "two values"])
def test_a_resample_scores_as_the_drawn_movies_do(levels):
    generator = np.random.default_rng(1)
    labels, values = predictions(generator, 40, levels=levels)
    labels[:, 3], labels[1:, 7] = 0, 0  # a genre without a positive, and one with a single one
    movies = generator.permutation(70)[:40]
    counts = resampling.draw_counts(70, 50, seed=3)
    assert (counts.sum(1) == 70).all()
    found = resampling.SplitTests(labels, values, movies).scores(counts)
    for own, row in zip(counts, found, strict=True):
        drawn = np.repeat(np.arange(40), own[movies].astype(int))
        expected = metrics.scores(labels[drawn], values[drawn])
        assert row == pytest.approx([expected[name] for name in METRICS], abs=1e-12)


def test_a_split_of_which_no_movie_is_drawn_does_not_count():
    labels, values = predictions(np.random.default_rng(1), 2)
    split = resampling.SplitTests(labels, values, np.array([0, 1]))
    found = split.scores(np.array([[0, 0, 2], [1, 0, 1]], np.float32))
    assert np.isnan(found[0]).all() and np.isfinite(found[1]).all()
    drawn = found[1:] + np.array([[-0.1], [0], [0.1]])
    low, high = resampling.interval(found[1], np.concatenate([found[:1], drawn]))
    assert (high - low) / 2 == pytest.approx(np.full(4, 1.96 * 0.1), rel=1e-4)


def test_an_interval_is_moved_against_the_bias_of_the_draws():
    draws = np.random.default_rng(1).normal(0.72, 0.02, (20_000, 1))
    low, high = resampling.interval(np.array([0.7]), draws)
    assert (low[0], high[0]) == pytest.approx((0.68 - 0.0392, 0.68 + 0.0392), abs=1e-3)


def test_resamples_of_a_single_movie_give_no_interval_and_no_difference():
    """Their figures are equal but for rounding, which must not become a deviation."""
    counts = resampling.draw_counts(3, 500, 1)
    generator = np.random.default_rng(3)
    rows = []
    for _ in range(2):
        splits = [
            resampling.SplitTests(*predictions(generator, 1), np.array([place]))
            for place in range(3)
        ]
        rows.append(resampling.resample(splits, counts))
    low, high = resampling.interval(rows[0].mean, rows[0].means)
    assert np.isnan(low).all() and np.isnan(high).all()
    assert rows[0].mean[0] != rows[1].mean[0]
    tests = resampling.compare(rows[0].mean - rows[1].mean, of(rows[0].means - rows[1].means))
    assert (tests.p == 1).all() and (tests.p_adjusted == 1).all() and np.isnan(tests.low).all()


def test_intervals_hold_the_truth_as_often_as_they_say():
    """`make coverage` counts 1,000 larger simulations."""
    generator = np.random.default_rng(5)
    everyone = predictions(generator, 100_000)
    known = metrics.scores(*everyone)
    truth = np.array([known[name] for name in METRICS])
    held = np.zeros(4)
    for seed in range(60):
        picked = generator.integers(0, 100_000, 1000)
        labels, values = (array[picked] for array in everyone)
        tests = [np.sort(generator.choice(1000, 200, replace=False)) for _ in range(3)]
        splits = [resampling.SplitTests(labels[own], values[own], own) for own in tests]
        row = resampling.resample(splits, resampling.draw_counts(1000, 200, seed))
        low, high = resampling.interval(row.mean, row.means)
        held += (low <= truth) & (truth <= high)
    # Of 60, 95 % are 57 with a standard deviation of 1.7.
    assert (held >= 51).all()


def test_equal_pairs_are_rarely_called_different_and_unequal_ones_are():
    generator = np.random.default_rng(2)
    false = 0
    for _ in range(100):
        errors = generator.normal(size=(500, 20)) + generator.normal(size=(500, 1))
        observed = generator.normal(size=20) + generator.normal()
        tests = resampling.compare(observed, of(errors + observed))
        assert (tests.p <= tests.p_adjusted).all()
        false += (tests.p_adjusted < 0.05).any()
    assert false <= 12  # 5 of 100, with a standard deviation of 2.2
    errors = generator.normal(size=(500, 276))
    observed = np.where(np.arange(276) < 200, 8.0, 0.0)
    tests = resampling.compare(observed, of(errors + observed))
    assert (tests.p_adjusted[:200] < 0.05).all() and (tests.p_adjusted[200:] > 0.05).all()
    assert (tests.low[:200] > 0).all()


def test_a_pair_that_most_resamples_lack_takes_nothing_from_the_others():
    random = np.random.default_rng(3)
    draws = 0.3 + 0.05 * random.standard_normal((500, 2))
    alone = resampling.compare(np.array([0.3]), of(draws[:, :1]))
    draws[5:, 1] = np.nan
    both = resampling.compare(np.array([0.3, 0.3]), of(draws))
    for name in ("low", "high", "p"):
        assert getattr(both, name)[0] == pytest.approx(getattr(alone, name)[0], rel=1e-9)
    assert both.p_adjusted[0] <= 0.01
    assert both.p_adjusted[1] > 0.9


def test_a_pair_of_equal_rows_differs_in_nothing():
    tests = resampling.compare(
        np.array([0.0, 0.1]), of(np.array([[0.0, 0.1], [0.0, 0.2], [0.0, 0]]))
    )
    assert tests.p[0] == tests.p_adjusted[0] == 1


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """Three rows on three splits: `good` and `bad`, and `heard`, which lacks ten movies."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    mids = [f"tt{i:07d}" for i in range(120)]
    labels, good = predictions(generator, 120, strength=4)
    _, bad = predictions(generator, 120)
    mtgc = pd.DataFrame(labels, index=pd.Index(mids, name="mid"), columns=list(GENRES))
    trained = []
    for split in range(3):
        tested = generator.permutation(120)[:60]
        mtgc[f"split{split}"] = np.where(np.isin(np.arange(120), tested), 2, 0)
        for run, values in (("good", good), ("bad", bad), ("heard", good)):
            own = tested[10:] if run == "heard" else tested
            folder = tmp_path / f"{run}{split}"
            folder.mkdir()
            table = pd.DataFrame(values[own], index=[mids[i] for i in own], columns=list(GENRES))
            table.rename_axis("mid").to_csv(folder / "tst.csv")
            trained.append(TrainedSplit(run, split, folder))
    return mtgc, trained


def written(mtgc, trained, seed=1):
    outputs = {"intervals": "intervals.csv", "comparisons": "comparisons.csv"}
    comparison.write_comparisons(mtgc, trained, outputs, 300, seed)
    return (
        differences.read_intervals("intervals.csv"),
        differences.read_comparisons("comparisons.csv"),
    )


def test_every_row_has_intervals_around_its_scores(rows):
    intervals, _ = written(*rows)
    assert len(intervals) == 3 * 4 * 4
    assert (intervals["low"] <= intervals["estimate"]).all()
    assert (intervals["estimate"] <= intervals["high"]).all()
    table = intervals.set_index(["run", "metric", "split"])["estimate"]
    splits = [table["good", "uap", split] for split in "012"]
    assert table["good", "uap", "all"] == pytest.approx(np.mean(splits), abs=2e-6)


def test_a_row_with_one_test_movie_has_empty_cells_and_is_named(rows):
    mtgc, trained = rows
    for each in trained:
        if each.run == "bad":
            path = each.folder / "tst.csv"
            path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    intervals, comparisons = written(mtgc, trained)
    of_bad = intervals["run"] == "bad"
    assert intervals[of_bad][["low", "high"]].isna().all(axis=None)
    assert intervals[~of_bad][["low", "high"]].notna().all(axis=None)
    compared = differences.Compared(intervals, comparisons)
    assert differences.without_interval(compared) == ["bad"]
    columns = differences.interval_columns(pd.DataFrame(index=["good", "bad"]), compared)
    assert differences.interval_text(columns.loc["bad"], "uap") == ""
    assert differences.interval_text(columns.loc["good"], "uap")


def test_two_rows_are_compared_on_the_movies_of_both(rows):
    _, comparisons = written(*rows)
    assert len(comparisons) == 3 * 4
    pairs = comparisons.set_index(["run_a", "run_b", "metric"])
    assert pairs.loc[("good", "bad", "uap"), "movies"] == 180
    same = pairs.loc[("good", "heard", "uap")]
    assert (same["movies"], same["difference"], same["p_adjusted"]) == (150, 0, 1)
    assert pairs.loc[("good", "bad", "uap"), "p_adjusted"] < 0.05
    better = differences.significant(comparisons, "uap")
    assert sorted(zip(better["run_a"], better["run_b"], strict=True)) == [
        ("good", "bad"),
        ("heard", "bad"),
    ]
    text = differences.tests_section(differences.Compared(pd.DataFrame(), comparisons))
    assert "| bad | 0 | 2 | 0 |" in text


def test_neither_the_order_of_rows_nor_of_movies_decides_and_the_seed_does(rows):
    mtgc, trained = rows
    first = written(mtgc, trained)[0]
    again = written(mtgc.iloc[::-1], trained[::-1])[0]
    key = ["run", "split", "metric"]
    pd.testing.assert_frame_equal(
        first.sort_values(key, ignore_index=True), again.sort_values(key, ignore_index=True)
    )
    assert not first.equals(written(mtgc, trained, seed=2)[0])


def test_without_rows_there_is_nothing_to_compare(rows):
    with pytest.raises(UserError, match="nothing to compare"):
        comparison.RowResamples(rows[0], [], 100, 1)


def test_tests_do_not_depend_on_how_many_pairs_are_in_memory(monkeypatch):
    generator = np.random.default_rng(3)
    observed = generator.normal(size=40).round(1)  # several are equal
    draws = observed + generator.normal(size=(200, 40))
    draws[:, 5] = observed[5]  # does not vary
    draws[generator.random(draws.shape) < 0.02] = np.nan
    found = []
    for pairs in (1, 7, 40):
        monkeypatch.setattr(resampling, "PAIRS", pairs)
        found.append(resampling.compare(observed, of(draws)))
    for name in ("low", "high", "p", "p_adjusted"):
        one, *others = (getattr(each, name) for each in found)
        for other in others:
            np.testing.assert_allclose(one, other, rtol=1e-12)
    assert len(set(found[0].p_adjusted)) > 5 and found[0].p_adjusted[5] == 1
