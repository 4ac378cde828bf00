"""What each reason of the ledger means, and what a person can do about it.

Reads and writes nothing. Must not decide anything: `jobs.reasons` does. Apart from it, so that no
result depends on the wording.
"""

from collections.abc import Mapping
from typing import NamedTuple

from trailers12k.common.reason_words import REASONS
from trailers12k.jobs.reasons import (
    LONGEST,
    MOST_ATTEMPTS,
    PERMANENT,
    STOPS,
    pause,
)


class ReasonText(NamedTuple):
    """One reason.

    meaning: what happened to the movie, as a sentence. remedy: what the user can do, as a sentence;
    it may be that nothing is to be done.
    """

    meaning: str
    remedy: str


def _texts(remedies: Mapping[str, str]) -> dict[str, ReasonText]:
    return {reason: ReasonText(REASONS[reason][1], text) for reason, text in remedies.items()}


_REPLACE = "Name another trailer on the review page or in `curation.csv`."
_WAIT = "Nothing; later runs try again."

DOWNLOADS = _texts(
    {
        "account_terminated": _REPLACE,
        "age_restricted": _REPLACE,
        "bad_id": "Correct the address in the movie table or in `curation.csv`.",
        "bad_partial": _WAIT,
        "bot_check": "Wait some hours, set a longer `downloads.pause`, then run the same command "
        "again.",
        "copyright": _REPLACE,
        "drm": _REPLACE,
        "extractor_broken": "Upgrade yt-dlp (`requirements.txt`), then run again. A new version is "
        "tried at once.",
        "forbidden": f"{_WAIT} If most movies fail this way, upgrade yt-dlp.",
        "geo_blocked": _REPLACE,
        "live": _REPLACE,
        "local_io": "Free space or correct the permissions, then run the same command again.",
        "network": f"{_WAIT} If all movies fail, check the network and the proxy of this machine.",
        "no_format": f"{_WAIT} If most movies fail this way, upgrade yt-dlp.",
        "not_yet": _WAIT,
        "paid": _REPLACE,
        "private": _REPLACE,
        "rate_limited": "Wait, set a longer `downloads.pause`, then run the same command again.",
        "removed": _REPLACE,
        "server_error": _WAIT,
        "unsafe_address": "Correct the address in the movie table or in `curation.csv`. For a "
        "server of your own network, set `downloads.private_addresses: true`; the next run "
        "tries it again.",
        "unavailable": "Correct the address or put the file there. Else: "
        f"{_REPLACE[0].lower()}{_REPLACE[1:]}",
        "unknown": "Read the column `detail`; later runs try again.",
    }
)
"""The site or the server did not give the file."""

CHECKS = _texts(
    {
        "bad_name": _REPLACE,
        "corrupt": _REPLACE,
        "discontinuity": _REPLACE,
        "empty": _REPLACE,
        "not_image": "Correct the poster's address in the movie table.",
        "not_video": _REPLACE,
        "too_large": "Raise `trailers.max_megabytes` or `posters.max_megabytes`, or the key that "
        "the column `detail` names. The next run tries it again.",
        "truncated": f"{_WAIT} If it stays: {_REPLACE[0].lower()}{_REPLACE[1:]}",
        "wrong_duration": _REPLACE,
        "wrong_video": _WAIT,
    }
)
"""The file came, but failed a check."""

SOURCES = _texts(
    {
        "bad_answer": f"{_WAIT} If all movies fail, check the address in `sources`.",
        "complete": "",
        "corrected": "",
        "corrected_to_none": "",
        "no_title": "Fill in the title or the trailer in the movie table.",
        "no_trailer_found": "Choose one in the table of choices (column `correction`), or lower "
        "the score.",
        "not_found": "Check the mid; else fill the gap in a table.",
        "odd_row": "Nothing, unless you need the movie; then add it to a table of your own.",
    }
)
"""A source of movies."""

STAGES = _texts(
    {
        "decode_failed": "Run `trailers12k verify`: a file that was damaged after its download is "
        f"named, and `--repair` has it fetched again. Else: {_REPLACE[0].lower()}{_REPLACE[1:]}",
        "no_address": "Add one to the movie table, or use the sources `tmdb` and `search`.",
        "no_clips": "Lower `clips.min_shot`, or name another trailer.",
        "no_file": "Nothing, unless you want the measures: then fetch the trailers again, with "
        "`--forcerun download_trailers`.",
        "no_poster": "See that row.",
        "no_sound": "Where `detail` says `video_only`, set `trailers: {refetch: no_sound}`. Else: "
        f"{_REPLACE[0].lower()}{_REPLACE[1:]} Runs without sound keep the movie.",
        "no_trailer": "See that row.",
        "no_weights": "Read the column `detail`; every run tries again to fetch them.",
        "rejected": "Remove the decision to bring it back.",
        "stopped": "Run the same command again.",
    }
)
"""A later stage, or a decision."""

REPORT = _texts(
    {
        "not_in_splits": "",
        "in_no_test_subset": "",
        "not_in_store": "",
        "not_predicted": "",
    }
)
"""The funnel of the report. The ledger has none of these."""

TEXTS = {**DOWNLOADS, **CHECKS, **SOURCES, **STAGES, **REPORT}

_TIMED = {*DOWNLOADS, *CHECKS, "bad_answer", "no_trailer_found", "not_found"}


def text_of(reason: str) -> ReasonText:
    """The text of a reason; an empty one for a reason that has none."""
    return TEXTS.get(reason, ReasonText("", ""))


def when_retried(reason: str, first: float = 3600.0) -> str:
    """When a run tries a movie with this reason again by itself, as a phrase.

    first: `downloads.retry_pause` in seconds.
    """
    if reason not in _TIMED:
        return "when the cause changes"
    if reason in PERMANENT:
        return "never"
    pauses = [pause(reason, attempt, first) for attempt in range(1, 10)]
    if reason in STOPS:
        return f"after {_span(pauses[0])}" if pauses[0] else "in the next run"
    if reason in MOST_ATTEMPTS:
        pauses = pauses[: MOST_ATTEMPTS[reason] - 1]
        return f"after {', '.join(map(_span, pauses))}, then never"
    growing = ", ".join(_span(seconds) for seconds in pauses if seconds < LONGEST)
    return f"after {growing}, then every {_span(LONGEST)}"


def _span(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours / 24:g} days" if hours % 24 == 0 else f"{hours:g} h"
