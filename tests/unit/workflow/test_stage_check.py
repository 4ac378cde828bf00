import os
from pathlib import Path

import pytest

from trailers12k.common.errors import UserError
from trailers12k.jobs import ledger
from trailers12k.workflow.movie_list import MovieList
from trailers12k.workflow.stage_check import (
    JOBS_FAILED,
    error_words,
    require_any,
    require_movies,
    used_stores,
)

from .conftest import MIDS

JOBS = ["detect_clips", "fetch_trailer"]
"""Rules whose jobs failed."""
FAILED = {"status": "failed", "reason": "unavailable", "detail": "no such file\nat all"}


def write(stage, shard, rows):
    path = Path(f"build/ledger/{stage}/{shard}.csv")
    ledger.write_shard(path, rows)
    return path


def failed(mids):
    return [{"mid": mid} | FAILED for mid in mids]


def mids_of(settings):
    """Shard -> mids, of two shards."""
    shards = MovieList(settings).shards
    assert len(shards) == 2
    return {shard: [movie.mid for movie in movies] for shard, movies in shards.items()}


def test_the_error_says_why_and_where_to_look(folder):
    rows = [*failed(MIDS[:2]), {"mid": MIDS[2], "status": "skipped", "reason": "no_address"}]
    path = write("trailers", "000", rows)
    with pytest.raises(UserError) as error:
        require_any("trailers", [path])
    assert str(error.value).startswith(
        "trailers: no movie is left: 0 ok, 2 failed (unavailable 2), 1 skipped (no_address 1) "
        f"of 3 movies; for example {MIDS[0]}: no such file at all; see build/ledger/trailers/"
    )
    assert "\n" not in str(error.value)
    require_any("trailers", [path, write("trailers", "001", [{"mid": MIDS[3], "status": "ok"}])])


def test_a_stop_of_the_downloads_is_the_reason(folder):
    path = write("trailers", "000", [{"mid": MIDS[0], "status": "skipped", "reason": "stopped"}])
    with pytest.raises(UserError, match="trailers: 1 movies were not begun, since downloading"):
        require_any("trailers", [path])


def test_a_shard_without_movies_waits_for_the_others(folder, settings_of):
    settings = settings_of(movies=["movies.csv"], shards=2)
    (first, own), (second, others) = mids_of(settings).items()
    rows = failed(own)
    write("trailers", first, rows)
    require_movies(settings, "trailers", rows)
    other = write("trailers", second, failed(others))
    with pytest.raises(UserError, match="12 failed"):
        require_movies(settings, "trailers", rows)
    # The table was corrected: the other shard is about to run again.
    later = other.stat().st_mtime + 10
    os.utime("movies.csv", (later, later))
    require_movies(settings, "trailers", rows)
    os.utime("movies.csv", (1, 1))
    write("trailers", second, [{"mid": others[0], "status": "ok"}])
    require_movies(settings, "trailers", rows)


def test_posters_need_no_trailer(folder, settings_of):
    poster = {"model": "timm/swin_small_patch4_window7_224", "input": "posters"}
    settings = settings_of(
        movies=["movies.csv"],
        shards=1,
        backbones={"p": poster},
        runs={"poster": {"poster": "p"}},
    )
    rows = failed(MIDS)
    write("trailers", "000", rows)
    require_movies(settings, "trailers", rows)


def test_a_failed_run_ends_with_the_line_of_its_first_empty_stage(folder, settings_of):
    settings = settings_of(movies=["movies.csv"], shards=2)
    movies = MovieList(settings)
    elsewhere = f"error: {JOBS_FAILED}"
    assert error_words(settings, movies, set(), JOBS) == elsewhere
    assert "was stopped" in error_words(settings, movies, set(), [])
    prediction = error_words(settings, movies, set(), ["fetch_trailer"])
    assert prediction.startswith("error: the prediction failed: ") and "the run" not in prediction

    def all_fail(stage):
        return {str(write(stage, *shard)) for shard in shards}

    shards = [(shard, failed(mids)) for shard, mids in mids_of(settings).items()]
    trailers, clips = all_fail("trailers"), all_fail("clips")
    words = error_words(settings, movies, trailers | clips, JOBS)
    assert words.startswith("error: trailers: no movie is left: 0 ok, 12 failed")
    assert "\n" not in words
    # A shard that is still to be finished, or outside the run, may have a movie.
    so_far = "12 of 12 trailers were lost: 12 unavailable; 12 of 12 trailers gave no clips: "
    words = error_words(settings, movies, {min(trailers)}, JOBS)
    assert words == f"{elsewhere} ({so_far}12 unavailable)"
    write("trailers", shards[0][0], [{"mid": MIDS[0], "status": "ok"}])
    assert error_words(settings, movies, trailers, JOBS).startswith(elsewhere)
    assert "error: clips: no movie is left" in error_words(settings, movies, trailers | clips, JOBS)
    write("clips", shards[0][0], [{"mid": MIDS[0], "status": "ok"}])
    store = next(iter(settings.backbones))
    stores = all_fail(store)
    words = error_words(settings, movies, trailers | clips | stores, JOBS)
    assert words.startswith(f"error: {store}: no movie is left")


def test_a_failed_run_ends_with_the_number_of_stores_without_weights(folder, settings_of):
    settings = settings_of(movies=["movies.csv"])
    movies = MovieList(settings)
    lost = [{"mid": MIDS[0], "status": "skipped", "reason": "no_weights", "detail": "no network"}]
    first, second, *_ = sorted(used_stores(settings))
    made = {str(write(first, shard, lost)) for shard in movies.shards}
    words = error_words(settings, movies, made, JOBS)
    assert words.startswith(f"error: {first} has no weights, as listed above: set weights_from")
    assert "file" in words and "null" in words and "no network" not in words
    made |= {str(write(second, shard, lost)) for shard in movies.shards}
    assert f"error: {first} (and 1 more) has no weights" in error_words(
        settings, movies, made, JOBS
    )


def test_a_failed_run_of_published_features_has_no_stages(folder, settings_of):
    settings = settings_of(
        movies="published", runs={"resnet": {"image": "trailers_i_resnet_fpc24"}}
    )
    assert error_words(settings, MovieList(settings), set(), JOBS) == f"error: {JOBS_FAILED}"


def test_a_long_failure_is_cut_between_words(folder):
    detail = "word " * 39 + "(a-long-bracket; see a page) and more"
    path = write("trailers", "000", [{"mid": MIDS[0]} | FAILED | {"detail": detail}])
    with pytest.raises(UserError) as error:
        require_any("trailers", [path])
    assert f"for example {MIDS[0]}: word word" in str(error.value)
    assert " word ...; see build/ledger/trailers/" in str(error.value)
