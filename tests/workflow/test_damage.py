"""Damaged files of a finished collection are made again, or named in one line with a command."""

import random
from pathlib import Path

import pytest

from . import damage, damage_answers, damages

PAIRS = 18
"""Pairs of a file and a damage, two of each damage; `make damage` tries all."""


@pytest.fixture(scope="module")
def finished(sample) -> Path:
    return sample.folder


@pytest.fixture(scope="module")
def trial(finished, tmp_path_factory) -> damage.Trial:
    return damage.Trial(finished, tmp_path_factory.mktemp("damage") / "log.jsonl")


def test_damage_is_repaired_or_named_and_no_result_changes(finished, trial):
    """Pairs of different files. Each damage is as frequent as the others."""
    files = random.Random(2022).sample(damages.files_of(finished), PAIRS)
    kinds = [*damages.DAMAGES] * (PAIRS // len(damages.DAMAGES) + 1)
    pairs = [damages.Pair(*pair) for pair in zip(files, kinds, strict=False)]
    trial(pairs)
    assert trial.outcomes.keys() == set(pairs)
    lost = [pair for pair, outcome in trial.outcomes.items() if outcome == "lost"]
    assert not lost, f"{lost}\n{trial.log.read_text()[-6000:]}"


def test_one_run_answers_for_no_file_that_another_damage_may_have_made_again(finished, trial):
    """Of two products of one job, its run for the missing one repairs the other."""
    table, missing = "results/tables/genres.csv", "results/tables/funnel.csv"
    pairs = [damages.Pair(table, "garbage"), damages.Pair(missing, "deleted")]
    result = damage_answers.answer(finished, trial.expected, pairs, trial.jobs)
    assert pairs[0] in result.left and not result.fault
    before = "build/records/data/movies.csv.json"
    assert not trial.jobs.are_apart(table, before)
    assert trial.jobs.are_apart("build/clips/001.csv", "build/ledger/posters/001.csv")
    assert len(damage.batches(pairs, 40, trial.are_apart)) == 2


def test_each_damage_changes_a_file(tmp_path):
    """Else the test above could not fail."""
    for name, inflict in damages.DAMAGES.items():
        path = tmp_path / name / "table.csv"
        path.parent.mkdir()
        path.write_text("mid,genres\ntt0000001,drama\ntt0000002,comedy\n")
        before = path.read_bytes()
        inflict(path)
        assert not path.is_file() or path.read_bytes() != before, name


def test_a_changed_product_is_no_right_answer(finished, trial):
    """A harness that accepted everything would prove nothing."""
    expected = trial.expected | {"results/summary.md": b"other results"}
    result = damage_answers.answer(finished, expected, [], trial.jobs)
    assert result.fault == "other products: results/summary.md"
