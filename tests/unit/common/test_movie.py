from collections import Counter

import pytest

from trailers12k.common.movie import Movie, is_mid, shard_of


@pytest.mark.parametrize("mid", ["tt0000001", "tt12345678"])
def test_a_mid_is_tt_and_7_or_8_digits(mid):
    assert is_mid(mid)


@pytest.mark.parametrize(
    "mid", ["", "tt123456", "tt123456789", "0035423", "tt0035423\n", "tt٠٠٠٠٠٠١", "../tt0035423"]
)
def test_other_text_is_not_a_mid(mid):
    assert not is_mid(mid)


def test_the_shard_of_a_movie_never_changes():
    # Fixed numbers: other shards would recompute all features.
    assert [shard_of(mid, 128) for mid in ("tt0035423", "tt0347149")] == ["099", "030"]


def test_shards_have_similar_sizes():
    sizes = Counter(shard_of(f"tt{i:07d}", 128) for i in range(12_800))
    assert set(sizes) == {f"{i:03d}" for i in range(128)}
    assert min(sizes.values()) > 60 and max(sizes.values()) < 140


def test_addresses_start_with_the_url_or_else_youtube_and_others_follow():
    movie = Movie("tt0000001", "A", "2000", ("drama",), youtube_id="6FeyhlLZYrg")
    assert movie.trailer_addresses == ("https://www.youtube.com/watch?v=6FeyhlLZYrg",)
    assert Movie("tt0000001", "A", "2000", ("drama",)).trailer_addresses == ()
    local = Movie(
        *("tt0000001", "A", "2000", ("drama",), "6FeyhlLZYrg", "here.mp4"),
        other_trailers=("https://h/x", "abcdefghijk"),
    )
    assert local.trailer_addresses == (
        "here.mp4",
        "https://h/x",
        "https://www.youtube.com/watch?v=abcdefghijk",
    )
