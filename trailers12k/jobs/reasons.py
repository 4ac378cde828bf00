"""Why a download failed, as one word, and what follows from it: try again when, or stop.

Reads and writes nothing. Must not know how anything is downloaded.
"""

import errno
import re
from collections.abc import Iterator

# In this order; the first that matches. From yt-dlp's messages (its source, and runs against a
# failing server). The apostrophes are matched by a dot since YouTube also writes a curly one.
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
        r"Failed to extract any player response|Unable to extract|not available on this app",
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
    *("bad_name", "corrupt", "empty", "not_image", "not_video", "too_large", "truncated"),
    *("unknown", "wrong_duration", "wrong_video"),
    *("bad_answer", "no_trailer_found", "not_found"),
)
"""Reasons that are found by looking at what has come."""

PERMANENT = (
    "age_restricted",
    "private",
    "paid",
    "geo_blocked",
    "copyright",
    "account_terminated",
    "removed",
    "drm",
    "bad_id",
)
"""Reasons that trying again does not cure; it happens when the user asks (`retry`)."""

STOPS = {
    "bot_check": "the site takes this machine for a bot: wait some hours, and ask it more slowly "
    "(downloads.pause), before the same command goes on",
    "rate_limited": "the site asks for fewer requests: wait, then the same command goes on "
    "(a longer downloads.pause keeps it from happening again)",
    "local_io": "no space is left, or a folder may not be written to: mend that, then the same "
    "command goes on",
}
"""Reasons for which going on would do harm: all downloading stops. What to do then."""

DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
"""Errors of a file system after which no other movie's file can be read or written either."""

COOL_DOWN = {"bot_check": 6 * 3600.0, "rate_limited": 3600.0, "local_io": 0.0}
"""Seconds that nothing is downloaded after a stop."""

SLOW = {"unavailable": 72, "not_found": 72, "no_trailer_found": 72, "not_yet": 48}
"""How many times longer the pauses are after these."""
GROWTH = 4
LONGEST = 7 * 86400.0
MOST_ATTEMPTS = {"unavailable": 2, "not_found": 2, "no_trailer_found": 2}
"""What is gone is looked for once more; the other failures for ever, once a week."""


def classify(message: str, *asked: str) -> str:
    """The reason behind a message of yt-dlp or of an HTTP client; "unknown" when there is none.

    asked: the URL or the words that were asked for. They do not count: a movie may be called
    "Captcha". Nor does what a server calls its errors.
    """
    for text in asked:
        message = message.replace(text, "")
    message = re.sub(r"^\[[\w:+.-]+\] [^ ]*: ", "", message)
    message = re.sub(r"(HTTP Error [45]\d\d).*", r"\1", message, flags=re.DOTALL)
    message = re.split(r"\. Use --cookies|; please report|See +https", message)[0]
    for pattern, reason in PATTERNS:
        if re.search(pattern, message, re.IGNORECASE):
            return reason
    return "unknown"


def classify_error(error: Exception, *asked: str) -> str:
    """The reason behind an error of yt-dlp: by the types of its causes, else by its own text.

    asked: as for `classify`. The text excludes the prefix with the video's id, which yt-dlp takes
    from the file name in the URL.
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
    return classify(texts[0] if texts else str(error).removeprefix("ERROR: "), *asked)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and those behind it, in each of the attributes that yt-dlp keeps them in."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        cause = waiting.pop(0)
        if not isinstance(cause, BaseException) or any(cause is other for other in seen):
            continue
        seen.append(cause)
        waiting.append((getattr(cause, "exc_info", None) or (None, None))[1])
        waiting += [getattr(cause, "cause", None), cause.__cause__]
        yield cause


def of_local_file(error: OSError) -> str:
    """The reason why a file of this machine cannot be read."""
    return "local_io" if error.errno in DISK_FAULTS else "unavailable"


def is_final(reason: str, attempts: int) -> bool:
    """Whether a failure stays as it is: permanent, or tried as often as makes sense."""
    return reason in PERMANENT or attempts >= MOST_ATTEMPTS.get(reason, attempts + 1)


def pause(reason: str, attempts: int, first: float) -> float:
    """Seconds until a failure that is not final is tried again.

    `first` (an hour, if the user sets no other), then four times longer each time, a week at most;
    `unavailable` waits three days, since what is gone seldom comes back within the hour.
    """
    if reason in STOPS:
        return COOL_DOWN[reason]
    return min(first * SLOW.get(reason, 1) * GROWTH ** (attempts - 1), LONGEST)


def is_asked(retry: str, reason: str) -> bool:
    """Whether the user's `retry` means failures of this reason: `all`, or reasons joined by `,`."""
    return retry == "all" or reason in retry.split(",")
