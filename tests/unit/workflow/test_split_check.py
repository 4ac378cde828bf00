from dataclasses import replace

import numpy as np
import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.movie import Movie
from trailers12k.workflow.split_check import address_sentences, require_features

MIDS = [f"tt{n:07}" for n in range(12)]
COLUMNS = np.array([[0] * 8 + [1, 2, 2, 2], [0] * 7 + [1, 1, 2, 2, 0]]).T
ADDRESSES = {"trailer_url": "https://h/a", "poster_url": "https://h/b"}
WHOLE = [Movie(mid, "A", "2000", ("drama",), **ADDRESSES) for mid in MIDS]
IMAGE, POSTER = "trailers_i_swin_fpc24", "posters_i_swin"


def without(field, *places):
    return [replace(movie, **{field: ""} if n in places else {}) for n, movie in enumerate(WHOLE)]


def of_runs(settings_of, *runs):
    streams = {"trailers": {"image": IMAGE}, "posters": {"poster": POSTER}}
    streams["both"] = streams["trailers"] | streams["posters"]
    backbones = {
        IMAGE: {"model": "torchvision/resnet50", "input": "frames"},
        POSTER: {"model": "torchvision/resnet50", "input": "posters"},
    }
    return settings_of(backbones=backbones, runs={run: streams[run] for run in runs})


@pytest.mark.parametrize(
    ("runs", "needed"),
    [
        (["trailers"], ["a trailer's address"]),
        (["posters"], []),
        (["both"], ["addresses of trailer and poster"]),
        (["trailers", "both"], ["a trailer's address", "addresses of trailer and poster"]),
    ],
)
def test_movies_without_what_the_runs_need_leave_a_subset_empty(settings_of, runs, needed):
    settings = of_runs(settings_of, *runs)
    assert address_sentences(settings, WHOLE, MIDS, COLUMNS) == []
    assert address_sentences(settings, [], MIDS, COLUMNS) == []
    found = address_sentences(settings, without("trailer_url", 8, 9, 10), MIDS, COLUMNS)
    assert found == [
        sentence
        for need in needed
        for sentence in (
            f"split 0: 0 of 1 validation movie has {need} (without: tt0000008), at least 1 needed; "
            "add movies to the table",
            f"split 1: 0 of 2 test movies have {need} (without: tt0000009, tt0000010), at least 1 "
            "needed; add movies to the table",
        )
    ]


def test_a_training_counts_the_features_of_every_split():
    require_features(MIDS, COLUMNS, MIDS[:10], ["a", "b"])
    with pytest.raises(UserError) as error:
        require_features(MIDS, COLUMNS, MIDS[:8], ["a", "b"])
    assert str(error.value) == (
        "split 0: 0 of 1 validation movie has features in a and b (without: tt0000008), at least 1 "
        "needed, and 2 more subsets (data/ledger.csv says why); add movies to the table"
    )
