"""Candidates for a trailer: which entries of a search are usable, and their scores."""

import pytest

from trailers12k.movies.sources.candidates import WEIGHTS, candidates_of, score


def test_youtubes_entries_have_ids_and_undownloadable_ones_are_left_out():
    entry = {"ie_key": "Youtube", "url": "https://www.youtube.com/watch?v=x", "channel": "C\n1"}
    entries = [
        entry | {"id": "-bcdefghijk", "title": "T\u202e\x00", "duration": 148.0, "view_count": 7},
        entry | {"id": "-bcdefghijk", "title": "the same again"},
        entry | {"id": "short"},
        entry | {"id": None},
        {"url": "file:///etc/passwd"},
        {"url": "http://user:password@a.example/x"},
        {"url": "http://[x"},
        {"url": "http:///x"},
        {"url": "../x"},
        {"url": "http://a.example/" + "x" * 2000},
        {},
        {"url": "https://a.example/x", "title": "T" * 200_000, "duration": float("nan")},
    ]
    none = {"channel": "", "duration": None, "view_count": None}
    assert candidates_of(entries) == [
        {"id": "-bcdefghijk", "title": "T", "channel": "C 1", "duration": 148, "view_count": 7},
        {"url": "https://a.example/x", "title": "T" * 1000} | none,
    ]


def youtube(title, duration=140, channel="", **more):
    return {"id": "abcdefghijk", "title": title, "duration": duration, "channel": channel} | more


RIGHT = youtube("DUNE | Official Trailer (2021)", 183, "Warner Bros. Pictures")


@pytest.mark.parametrize(
    "wrong",
    [
        youtube("Dune (2021) Official Trailer REACTION", 620),
        youtube("Dune (2021) Trailer Reaction & Review!"),
        youtube("DUNE (2021) - Movie Review"),
        youtube("Dune (1984) Official Trailer #1", 140, "Movieclips Classic Trailers"),
        youtube("Dune: Part Two | Official Trailer 3 (2024)", 170, "Warner Bros. Pictures"),
        youtube("Dune: Part Two | Official Trailer", 170, "Warner Bros. Pictures"),
        youtube("Dune 2 Official Trailer", 170),
        youtube("DUNE Full Movie 2021 HD", 9300),
        youtube("Dune (2021) - Fan-Made Concept Trailer"),
        youtube("Dune | Hand in the Box Scene (2021)", 200, "Warner Bros. Pictures"),
        youtube("Dune Clip - Sandworm (2021)", 60, "Movieclips"),
        youtube("Dune (2021) Behind the Scenes"),
        youtube("DUNE: Awakening - Official Gameplay Trailer"),
        youtube("Dune (2021) Soundtrack: Hans Zimmer", 240),
        youtube("Dune (2021) Ending Explained", 590),
        youtube("Dune trailer parody 2021"),
        youtube("Timothée Chalamet interview: Dune (2021)"),
        youtube("The Making of Dunes: Official Trailer (2021)"),
        youtube("Sand Dune Racing World Championship Trailer"),
        youtube("Dune", 10),
        youtube("Something else"),
        {},
    ],
)
def test_the_right_trailer_scores_more_than_other_videos_which_are_not_accepted(wrong):
    assert score(RIGHT, "Dune", "2021")[0] == 1.0
    points, why = score(wrong, "Dune", "2021")
    assert 0 <= points < 0.6, why


@pytest.mark.parametrize(
    ("title", "year", "candidate"),
    [
        ("Amélie", "2001", youtube("AMELIE - Trailer")),
        ("Ocean's Eleven", "2001", youtube("Ocean’s 11 (2001) Official Trailer")),
        ("The Godfather Part II", "1974", youtube("The Godfather: Part 2 - Official Trailer")),
        ("Toy Story 3", "2010", youtube("Toy Story 3: Official Teaser Trailer")),
        ("2012", "2009", youtube("2012 - Official Trailer")),
        ("Blade Runner 2049", "2017", youtube("BLADE RUNNER 2049 - Trailer 2")),
        ("The Interview", "2014", youtube("The Interview - Official Trailer")),
        ("Parasite", "2019", youtube("PARASITE - New Trailer (2020)", None)),
        ("Up", "2009", youtube("Up (2009) Trailer #1 - Pixar Movie HD", None)),
        ("Fast & Furious", "2009", youtube("Fast and Furious - Trailer")),
        ("Trailer Park Boys", "2006", youtube("Trailer Park Boys official trailer")),
    ],
)
def test_spellings_of_a_title_are_equal(title, year, candidate):
    points, why = score(candidate, title, year)
    assert points >= 0.6, why


@pytest.mark.parametrize(
    ("title", "year", "better", "worse"),
    [
        ("Up", "2009", "Up Trailer", "Step Up Official Trailer (2009)"),
        ("Moon", "2009", "MOON - Trailer", "New Moon Official Trailer"),
        ("Toy Story 3", "2010", "Toy Story 3 Trailer", "Toy Story Official Trailer"),
        ("Blade Runner", "1982", "Blade Runner trailer", "Blade Runner 2049 official trailer"),
        ("The Secret", "2006", "The Secret trailer", "The Secret Life of Pets Official Trailer"),
        ("Dune", "2021", "Dune: Part One trailer", "Dune: Part Two trailer"),
        ("A", "2000", "A trailer", "A teaser"),
        ("A", "2000", "A teaser", "A"),
        ("A", "2000", "A official trailer", "A trailer"),
        ("A", "2000", "A trailer 2000", "A trailer"),
        ("A", "2000", "A trailer 2001", "A trailer 2002"),
    ],
)
def test_the_better_of_two_titles(title, year, better, worse):
    assert score(youtube(better), title, year) > score(youtube(worse), title, year)


def test_length_and_channel_count_and_may_be_missing():
    def points(duration, channel=""):
        return score(youtube("A trailer", duration, channel), "A", "2000")[0]

    assert points(30) == points(240) > points(29) == points(600) == points(None)
    assert points(None) > points(19) == points(601)
    assert points(None, "Universal Pictures") > points(None, "Somebody") == points(None, None)
    message = score(youtube("A 2 trailer 1990 review", 5000), "A", "2000")[1]
    assert message == "title 0.67, other year 1990, other number, trailer, review, 5000 s"


def test_the_weights_add_up_to_one():
    good = [weight for name, weight in WEIGHTS.items() if weight > 0 and name != "teaser"]
    assert sum(good) == pytest.approx(1)
