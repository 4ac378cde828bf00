"""The tutorial of ten movies, run as it is written."""

from ..docs import ten_movies


def test_the_tutorial_prints_what_it_shows():
    differences = ten_movies.run()
    assert not differences, "\n".join(map(str, differences))
