"""Numbers are rounded as a person says them."""

import math

import pytest

from trailers12k.evaluation.absence import listed
from trailers12k.report import numbers


def plain(text: str) -> str:
    """With ordinary spaces before units."""
    return text.replace(numbers.NBSP, " ")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "<0.1 s"),
        (0.4, "0.4 s"),
        (41.4, "41 s"),
        (95, "1.6 min"),
        (180, "3 min"),
        (425, "7.1 min"),
        (2400, "40 min"),
        (5400, "1.5 h"),
        (36e3, "10 h"),
        (36e5, "42 days"),
        (math.nan, "–"),
    ],
)
def test_durations(seconds, text):
    assert plain(numbers.duration(seconds)) == text


@pytest.mark.parametrize(
    ("megabytes", "text"), [(890.4, "890 MB"), (1229, "1.2 GB"), (1e5, "98 GB"), (2048, "2 GB")]
)
def test_memory(megabytes, text):
    assert plain(numbers.memory(megabytes)) == text


@pytest.mark.parametrize(
    ("part", "text"),
    [(0, "0 %"), (0.0001, "<0.1 %"), (0.0343, "3.4 %"), (0.1249, "12 %"), (1, "100 %")],
)
def test_shares(part, text):
    assert plain(numbers.share(part)) == text


@pytest.mark.parametrize(
    ("mean", "deviation", "text"),
    [
        (84.04, 1.234, "84.0 ± 1.2"),
        (60.0, 0.0, "60.0 ± 0"),
        (60.0, 0.01, "60.0 ± <0.1"),
        (0.04, math.nan, "<0.1"),
        (100, math.nan, "100.0"),
        (math.nan, math.nan, "–"),
    ],
)
def test_scores_and_their_spread(mean, deviation, text):
    assert numbers.spread(mean, deviation) == text


@pytest.mark.parametrize(
    ("points", "text"), [(2.44, "+2.4"), (-0.34, "−0.3"), (-0.01, "0.0"), (0, "0.0")]
)
def test_differences(points, text):
    assert numbers.difference(points) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(4.125, "4.1"), (4.0, "4"), (9.96, "10"), (135.4, "135"), (1234.5, "1,234"), (0, "0")],
)
def test_quantities(value, text):
    assert numbers.quantity(value) == text


def test_counts_and_years():
    assert numbers.counted(1, "movie") == "1 movie"
    assert numbers.counted(12_000, "movie") == "12,000 movies"
    assert numbers.year(2000.25) == "2000"
    assert listed(["a"]) == "a" and listed(["a", "b", "c"]) == "a, b and c"
