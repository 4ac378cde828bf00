"""Reasons of failed downloads, as one word, and their consequences: retry later, or stop.

Reads and writes nothing. Must not know how anything is downloaded.
"""

import errno
import re
from collections.abc import Iterator

# The first match counts. From yt-dlp's source and from runs against a failing server. A dot
# matches apostrophes, since YouTube also writes curly ones.
PATTERNS = [
    (r"confirm you.re not a bot|captcha|IP is likely being blocked", "bot_check"),
    (r"rate-limited by YouTube|try again later|HTTP Error (429|402)", "rate_limited"),
    (r"confirm your age|age-restricted|inappropriate for some users", "age_restricted"),
    (r"private video|video is private", "private"),
    (r"members-only|join this channel|requires payment", "paid"),
    (r"copyright grounds|available in your country|blocked it in your country", "geo_blocked"),
    (r"copyright claim", "copyright"),
    (r"account .*terminated", "account_terminated"),
    (r"removed by the uploader|has been removed|no longer available|violating YouTube", "removed"),
    (r"DRM protected", "drm"),
    (r"premieres in|live event will begin|processing this video", "not_yet"),
    (r"HTTP Error 416", "bad_partial"),
    (r"HTTP Error 403", "forbidden"),
    (r"HTTP Error (5\d\d|408)", "server_error"),
    (r"Requested format is not available|No video formats found", "no_format"),
    (
        r"Failed to extract any player response|Unable to extract|not available on this app"
        r"|An extractor error has occurred",
        "extractor_broken",
    ),
    (
        r"Video unavailable|HTTP Error (404|410)|No such file or directory|redirect (loop|limit)"
        r"|infinite loop",
        "unavailable",
    ),
    (r"No space left|unable to (write|open)|Unable to create directory", "local_io"),
    (
        r"timed out|resolve|Connection|SSL|bytes read|Did not get any data blocks",
        "network",
    ),
    (r"Unsupported URL|is not a valid URL|looks truncated", "bad_id"),
]

CHECKS = (
    *(
        "bad_name",
        "corrupt",
        "discontinuity",
        "empty",
        "not_image",
        "not_video",
        "too_large",
        "truncated",
    ),
    *("unknown", "wrong_duration", "wrong_video"),
    *("bad_answer", "no_trailer_found", "not_found", "unsafe_address"),
)
"""Reasons that follow from checking what was received."""

PERMANENT = (
    "age_restricted",
    "private",
    "paid",
    "geo_blocked",
    "copyright",
    "account_terminated",
    "removed",
    "drm",
    "live",
    "bad_id",
)
"""Reasons for which a retry cannot help; only the user's `retry` causes one."""

FACTS = ("no_sound",)
"""Reasons that say what a movie is, not that something went wrong: its row is `skipped`."""

STOPS = {
    "bot_check": "the site takes this machine for a bot: wait some hours, set a longer "
    "downloads.pause, then run the same command again",
    "rate_limited": "the site asks for fewer requests: wait, then run the same command again "
    "(a longer downloads.pause prevents this)",
    "local_io": "the disk is full, or a folder is not writable: correct that, then run the same "
    "command again",
}
"""Reason -> advice, for reasons after which further requests make things worse: all downloads
stop."""

DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
"""Errors of a file system that affect the files of all movies."""

COOL_DOWN = {"bot_check": 6 * 3600.0, "rate_limited": 3600.0, "local_io": 0.0}
"""Reason -> seconds without downloads after a stop."""

SLOW = {"unavailable": 72, "not_found": 72, "no_trailer_found": 72, "not_yet": 48}
"""Reason -> factor of the pauses before retries."""
GROWTH = 4
"""Factor from one pause to the next."""
LONGEST = 7 * 86400.0
"""Longest pause, in seconds."""
MOST_ATTEMPTS = {"unavailable": 2, "not_found": 2, "no_trailer_found": 2}
"""Reason -> attempts in all. Other failures are retried without limit, at least once a week."""


def classify(message: str, *requested: str) -> str:
    """The reason for a message of yt-dlp or of an HTTP client; "unknown" without a match.

    requested: the requested URL or words, which are ignored, since a movie may be called "Captcha".
        A server's own text for an HTTP error is ignored too.
    """
    for text in requested:
        message = message.replace(text, "")
    message = re.sub(r"^\[[\w:+.-]+\] [^ ]*: ", "", message)
    message = re.sub(r"(HTTP Error [45]\d\d).*", r"\1", message, flags=re.DOTALL)
    message = re.split(r"\. Use --cookies|; please report|See +https", message)[0]
    for pattern, reason in PATTERNS:
        if re.search(pattern, message, re.IGNORECASE):
            return reason
    return "unknown"


def classify_error(error: Exception, *requested: str) -> str:
    """The reason for an error of yt-dlp: by the types of its causes, else by its message.

    requested: see `classify`. The prefix of the message is ignored: it has the video's id, which
        yt-dlp takes from the file name in the URL.
    """
    from yt_dlp.networking.exceptions import HTTPError, TransportError
    from yt_dlp.utils import ExtractorError, GeoRestrictedError, UnsupportedError

    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, GeoRestrictedError):
            return "geo_blocked"
        if isinstance(cause, UnsupportedError):
            return "bad_id"
        if isinstance(cause, HTTPError):
            loops = cause.redirect_loop
            return "unavailable" if loops else classify(f"HTTP Error {cause.status}")
        if isinstance(cause, OSError) and cause.errno in DISK_FAULTS:
            return "local_io"
    if any(isinstance(cause, TransportError) for cause in causes):
        return "network"
    texts = [cause.orig_msg for cause in causes if isinstance(cause, ExtractorError)]
    return classify(texts[0] if texts else str(error).removeprefix("ERROR: "), *requested)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and its causes, in all attributes in which yt-dlp keeps them."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop(0)
        if not isinstance(cause, BaseException) or any(cause is other for other in seen):
            continue
        seen.append(cause)
        waiting.append((getattr(cause, "exc_info", None) or (None, None))[1])
        waiting += [getattr(cause, "cause", None), cause.__cause__]
        yield cause


def of_local_file(error: OSError) -> str:
    """The reason for an error of reading a local file."""
    return "local_io" if error.errno in DISK_FAULTS else "unavailable"


def is_final(reason: str, attempts: int) -> bool:
    """Whether a failure is never retried: its reason is permanent or its attempts are used up."""
    return reason in PERMANENT or attempts >= MOST_ATTEMPTS.get(reason, attempts + 1)


def pause(reason: str, attempts: int, first: float) -> float:
    """Seconds until a failure that is not final is retried.

    first: seconds before the first retry, longer for the reasons in `SLOW`. Each pause is four
        times longer than the last, up to a week.
    """
    if reason in STOPS:
        return COOL_DOWN[reason]
    growth: int = GROWTH ** (attempts - 1)
    return min(first * SLOW.get(reason, 1) * growth, LONGEST)


def is_requested(retry: str, reason: str) -> bool:
    """Whether the user's `retry`, `all` or reasons joined by commas, includes this reason."""
    return retry == "all" or reason in retry.split(",")
