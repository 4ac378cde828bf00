"""What each reason of the ledger means, and what a person can do about it.

Reads and writes nothing. Must not decide anything: `jobs.reasons` does. Apart from it, so that no
result depends on the wording.
"""

from typing import NamedTuple

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


_REPLACE = "Name another trailer on the review page or in `curation.csv`."
_WAIT = "Nothing; later runs try again."

DOWNLOADS = {
    "account_terminated": ReasonText("The site closed the account of the uploader.", _REPLACE),
    "age_restricted": ReasonText(
        "The site shows this video only to adults who are signed in.",
        _REPLACE,
    ),
    "bad_id": ReasonText(
        "The address is no valid URL or video id, or it belongs to no supported site.",
        "Correct the address in the movie table or in `curation.csv`.",
    ),
    "bad_partial": ReasonText(
        "The server refused to continue a partial download. It was deleted.", _WAIT
    ),
    "bot_check": ReasonText(
        "The site suspects a bot and demands a sign-in or a captcha. All downloads stop.",
        "Wait some hours, set a longer `downloads.pause`, then run the same command again.",
    ),
    "copyright": ReasonText("The video was removed after a copyright claim.", _REPLACE),
    "drm": ReasonText("The video is encrypted. Only the site's own player shows it.", _REPLACE),
    "extractor_broken": ReasonText(
        "yt-dlp no longer understands the site, which has usually changed.",
        "Upgrade yt-dlp (`requirements.txt`), then run again. A new version is tried at once.",
    ),
    "forbidden": ReasonText(
        "The server refused the file (HTTP 403).",
        f"{_WAIT} If most movies fail this way, upgrade yt-dlp.",
    ),
    "geo_blocked": ReasonText("The video is not shown in the country of this machine.", _REPLACE),
    "live": ReasonText("The address is a live stream, which has no end.", _REPLACE),
    "local_io": ReasonText(
        "The disk is full or faulty, or a folder is not writable. All downloads stop.",
        "Free space or correct the permissions, then run the same command again.",
    ),
    "network": ReasonText(
        "The connection failed, timed out or was too slow.",
        f"{_WAIT} If all movies fail, check the network and the proxy of this machine.",
    ),
    "no_format": ReasonText(
        "The site offers no file that can be used.",
        f"{_WAIT} If most movies fail this way, upgrade yt-dlp.",
    ),
    "not_yet": ReasonText("The video is announced or still being processed.", _WAIT),
    "paid": ReasonText("Only paying members can see the video.", _REPLACE),
    "private": ReasonText("The uploader made the video private.", _REPLACE),
    "rate_limited": ReasonText(
        "The site demands fewer requests (HTTP 429). All downloads stop.",
        "Wait, set a longer `downloads.pause`, then run the same command again.",
    ),
    "removed": ReasonText("The video was deleted by its uploader or by the site.", _REPLACE),
    "server_error": ReasonText("The server failed (HTTP 5xx).", _WAIT),
    "unavailable": ReasonText(
        "There is nothing at this address: the video or page is gone (HTTP 404), or the local "
        "file is missing or not readable.",
        f"Correct the address or put the file there. Else: {_REPLACE[0].lower()}{_REPLACE[1:]}",
    ),
    "unknown": ReasonText(
        "The error fits no other reason.", "Read the column `detail`; later runs try again."
    ),
}
"""The site or the server did not give the file."""

CHECKS = {
    "bad_name": ReasonText("The site suggested a file name outside its folder.", _REPLACE),
    "corrupt": ReasonText(
        "The file has damaged frames, impossible times, or no frame that can be decoded.", _REPLACE
    ),
    "discontinuity": ReasonText(
        "The parts of the stream have different codecs or parameters and cannot be joined.",
        _REPLACE,
    ),
    "empty": ReasonText("The file or the playlist has no content.", _REPLACE),
    "not_image": ReasonText(
        "The poster is no image that Pillow reads, or is damaged.",
        "Correct the poster's address in the movie table.",
    ),
    "not_video": ReasonText(
        "The file is no video: for example a web page, a picture or a playlist.", _REPLACE
    ),
    "too_large": ReasonText(
        "The file is larger than allowed.",
        "Raise `trailers.max_megabytes` or `posters.max_megabytes`.",
    ),
    "truncated": ReasonText(
        "The file ends early: bytes are missing, or the video stops before its stated end.",
        f"{_WAIT} If it stays: {_REPLACE[0].lower()}{_REPLACE[1:]}",
    ),
    "wrong_duration": ReasonText(
        "The duration differs from what the site states by more than 2 s and 5 %.", _REPLACE
    ),
    "wrong_video": ReasonText("The site sent another video than the requested one.", _WAIT),
}
"""The file came, but failed a check."""

SOURCES = {
    "bad_answer": ReasonText(
        "A source of movies gave an answer that has the wrong form.",
        f"{_WAIT} If all movies fail, check the address in `sources`.",
    ),
    "complete": ReasonText("Earlier sources know everything, so this one was not used.", ""),
    "corrected": ReasonText(
        "You chose the trailer in the table of choices, so no search was made.", ""
    ),
    "corrected_to_none": ReasonText(
        "You wrote `none` in the table of choices, so no search was made.", ""
    ),
    "no_title": ReasonText(
        "No source knows the title, so the trailer cannot be searched for.",
        "Fill in the title or the trailer in the movie table.",
    ),
    "no_trailer_found": ReasonText(
        "No search result scored at least `sources.search.least_score`.",
        "Choose one in the table of choices (column `correction`), or lower the score.",
    ),
    "not_found": ReasonText(
        "The source does not know the movie.", "Check the mid; else fill the gap in a table."
    ),
    "odd_row": ReasonText(
        "A row of a published file is odd. It was left out, or used without the odd value.",
        "Nothing, unless you need the movie; then add it to a table of your own.",
    ),
}
"""A source of movies."""

STAGES = {
    "decode_failed": ReasonText(
        "The file passed the checks of its download, but a later stage could not decode it.",
        _REPLACE,
    ),
    "no_address": ReasonText(
        "The movie has no trailer or poster to download.",
        "Add one to the movie table, or use the sources `tmdb` and `search`.",
    ),
    "no_clips": ReasonText(
        "No shot of the trailer has the `clips.min_shot` frames that a clip needs.",
        "Lower `clips.min_shot`, or name another trailer.",
    ),
    "no_poster": ReasonText(
        "The movie has no poster; the row of stage `posters` says why.", "See that row."
    ),
    "no_trailer": ReasonText(
        "The movie has no trailer; the row of stage `trailers` says why.", "See that row."
    ),
    "rejected": ReasonText(
        "You rejected the movie in `curation.csv`.", "Remove the decision to bring it back."
    ),
    "stopped": ReasonText(
        "Downloads were stopped before this movie's turn.", "Run the same command again."
    ),
}
"""A later stage, or a decision."""

REPORT = {
    "not_in_splits": ReasonText("The movie has features but no row in `data/mtgc.csv`.", ""),
    "in_no_test_subset": ReasonText("The movie is in the test subset of no split.", ""),
    "not_predicted": ReasonText("The movie lacks the features of at least one run.", ""),
}
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
