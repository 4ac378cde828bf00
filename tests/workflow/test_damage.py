"""Damaged files of a finished collection are made again, or named in one line with a command."""

import random
from pathlib import Path

import pytest

from . import damage

PAIRS, TOGETHER = 40, 5
"""Pairs of a file and a damage, and how many of them are made at once."""


@pytest.fixture(scope="module")
def finished(sample) -> Path:
    return sample.folder


@pytest.fixture(scope="module")
def pairs(finished) -> list[damage.Pair]:
    """Pairs of different files. Each damage is as frequent as the others."""
    chosen = random.Random(2022)
    files = chosen.sample(damage.files_of(finished), PAIRS)
    damages = [*damage.DAMAGES] * (PAIRS // len(damage.DAMAGES) + 1)
    return [damage.Pair(*pair) for pair in zip(files, damages, strict=False)]


@pytest.mark.parametrize("group", range(PAIRS // TOGETHER))
def test_damage_is_repaired_or_named_and_no_result_changes(finished, pairs, group):
    chosen = pairs[group :: PAIRS // TOGETHER]
    assert len(chosen) == TOGETHER
    result = damage.answer(finished, damage.products(finished), chosen)
    assert not result.fault, f"{chosen}: {result.fault}\n{result.text[-6000:]}"


def test_each_damage_changes_a_file(tmp_path):
    """Else the test above could not fail."""
    for name, inflict in damage.DAMAGES.items():
        path = tmp_path / name / "table.csv"
        path.parent.mkdir()
        path.write_text("mid,genres\ntt0000001,drama\ntt0000002,comedy\n")
        before = path.read_bytes()
        inflict(path)
        assert not path.is_file() or path.read_bytes() != before, name


def test_a_changed_product_is_no_right_answer(tmp_path, finished):
    """A harness that accepted everything would prove nothing."""
    expected = damage.products(finished) | {"results/summary.md": b"other results"}
    result = damage.answer(finished, expected, [])
    assert result.fault == "other products: results/summary.md"
