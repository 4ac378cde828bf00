"""The messages of yt-dlp, YouTube and servers, and their reasons."""

import errno
import io

import pytest

from trailers12k.jobs.reasons import (
    CHECKS,
    COOL_DOWN,
    PATTERNS,
    PERMANENT,
    STOPS,
    classify,
    classify_error,
    is_final,
    is_requested,
    of_local_file,
    pause,
)

MESSAGES = {
    "bot_check": [
        "[youtube] x: Sign in to confirm you’re not a bot. Use --cookies-from-browser or --cookies",
        "[youtube] x: Sign in to confirm you're not a bot",
        "Your IP is likely being blocked by YouTube",
        "Please solve the captcha",
    ],
    "rate_limited": [
        "Video unavailable. This content isn’t available, try again later. The current session has "
        "been rate-limited by YouTube for up to an hour.",
        "[youtube] x: This content isn't available, try again later",
        "unable to download video data: HTTP Error 429: Too Many Requests",
        "HTTP Error 402: Payment Required",
    ],
    "age_restricted": [
        "Sign in to confirm your age. This video may be inappropriate for some users.",
        "This video is age-restricted and only available on YouTube",
        "This video may be inappropriate for some users",
    ],
    "private": [
        "[youtube] x: Private video. Sign in if you've been granted access to this video",
        "This video is private",
    ],
    "paid": [
        "Join this channel to get access to members-only content like this video",
        "This video requires payment to watch",
        "join this channel to get access",
    ],
    "geo_blocked": [
        "Video unavailable. The uploader has not made this video available in your country",
        "It contains content from X, who has blocked it in your country on copyright grounds",
        "It has been blocked on copyright grounds",
    ],
    "copyright": ["Video unavailable. No longer available due to a copyright claim by Y"],
    "account_terminated": [
        "This video is no longer available because the YouTube account associated with this video "
        "has been terminated.",
    ],
    "removed": [
        "Video unavailable. This video has been removed by the uploader",
        "This video has been removed for violating YouTube's Terms of Service",
        "This video is no longer available",
    ],
    "drm": ["This video is DRM protected"],
    "not_yet": [
        "Premieres in 3 hours",
        "This live event will begin in 2 days.",
        "We're processing this video. Check back later.",
    ],
    "bad_partial": ["HTTP Error 416: Requested range not satisfiable"],
    "forbidden": ["unable to download video data: HTTP Error 403: Forbidden"],
    "server_error": [
        "HTTP Error 503: Service Unavailable. Giving up after 10 retries",
        "HTTP Error 408: Request Timeout",
    ],
    "no_format": [
        "x: Requested format is not available. Use --list-formats for a list",
        "No video formats found!; please report this issue on the tracker",
    ],
    "extractor_broken": [
        "Failed to extract any player response; please report this issue",
        "Unable to extract uploader id",
        "The following content is not available on this app. Watch on the latest version",
    ],
    "unavailable": [
        "[youtube] x: Video unavailable",
        "HTTP Error 404: Not Found",
        "HTTP Error 410: Gone",
        "HTTP Error 302: Found (redirect loop detected)",
    ],
    "local_io": [
        "unable to write data: [Errno 28] No space left on device",
        "unable to open for writing: [Errno 13] Permission denied: 'x'",
        "Unable to create directory [Errno 13]",
    ],
    "network": [
        "The read operation timed out",
        "Failed to resolve 'youtube.com' ([Errno -3] Temporary failure in name resolution)",
        "Connection refused",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
        "123 bytes read, 456 more expected. Giving up after 10 retries",
        "Did not get any data blocks",
    ],
    "bad_id": [
        "Unsupported URL: https://example.org/",
        "'x' is not a valid URL",
        "Incomplete YouTube ID x. URL x looks truncated.",
    ],
    "unknown": ["something else", ""],
}


@pytest.mark.parametrize(
    ("reason", "message"),
    [(reason, message) for reason, several in MESSAGES.items() for message in several],
)
def test_messages_are_classified(reason, message):
    assert classify(message) == reason


def test_every_reason_has_a_message_above():
    assert {reason for _, reason in PATTERNS} | {"unknown"} == set(MESSAGES)


def test_the_appended_advice_of_a_message_is_ignored():
    tail = ". Use --cookies for the authentication of a private video"
    assert classify(f"Video unavailable{tail}") == "unavailable"
    assert classify("No video formats found!; please report: HTTP Error 403") == "no_format"


def test_the_request_and_the_servers_texts_are_ignored():
    url = "https://h/captcha/private video.mp4"
    assert classify(f"Unsupported URL: {url}", url) == "bad_id"
    assert classify("[generic] captcha: Unable to download webpage: HTTP Error 404: x") == (
        "unavailable"
    )
    assert classify("HTTP Error 404: solve a captcha, try again later") == "unavailable"
    assert classify("[youtube] x: please solve a captcha") == "bot_check"


def test_pauses_grow_up_to_a_week():
    assert [pause("network", n, 3600) / 3600 for n in (1, 2, 3)] == [1, 4, 16]
    assert pause("network", 50, 3600) == 7 * 86400
    assert pause("unavailable", 1, 3600) == 3 * 86400
    assert pause("rate_limited", 9, 60) == 3600, "the cool-down of a site does not grow"


def test_final_reasons():
    assert all(is_final(reason, 1) for reason in PERMANENT)
    assert [is_final("unavailable", n) for n in (1, 2)] == [False, True]
    assert not is_final("network", 99)


def test_requested_reasons():
    assert is_requested("all", "private") and is_requested("removed,private", "private")
    assert not is_requested("removed", "private") and not is_requested("", "private")


def test_no_reason_is_in_two_lists():
    assert not set(PERMANENT) & set(STOPS)
    assert not {reason for _, reason in PATTERNS} & set(CHECKS) - {"unknown"}


def test_the_second_attempt_at_what_is_not_there_is_the_last():
    for reason in ("unavailable", "not_found", "no_trailer_found"):
        assert [is_final(reason, n) for n in (1, 2, 3)] == [False, True, True]
        assert pause(reason, 1, 3600) == 72 * 3600
    assert not is_final("network", 1000) and not is_final("not_yet", 1000)
    assert pause("not_yet", 1, 3600) == 48 * 3600


def test_a_stop_ends_after_the_cool_down_of_its_reason():
    assert COOL_DOWN == {"bot_check": 6 * 3600, "rate_limited": 3600, "local_io": 0}
    assert COOL_DOWN.keys() == STOPS.keys()
    for reason, seconds in COOL_DOWN.items():
        assert pause(reason, 3, 60) == seconds


def test_the_permanent_reasons():
    assert set(PERMANENT) == {
        *("age_restricted", "private", "paid", "geo_blocked", "copyright", "account_terminated"),
        *("removed", "drm", "live", "bad_id"),
    }


def test_errors_of_yt_dlp_have_the_reason_of_their_cause():
    from yt_dlp.networking.common import Response
    from yt_dlp.networking.exceptions import HTTPError, TransportError
    from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError, UnsupportedError

    def reason(cause, message="ERROR: something", *requested):
        return classify_error(DownloadError(message, (type(cause), cause, None)), *requested)

    def http(status, **more):
        return HTTPError(Response(io.BytesIO(), "https://h/x", {}, status=status), **more)

    assert reason(GeoRestrictedError("no")) == "geo_blocked"
    assert reason(UnsupportedError("https://h/x")) == "bad_id"
    assert reason(http(429)) == "rate_limited" and reason(http(404)) == "unavailable"
    assert reason(http(302, redirect_loop=True)) == "unavailable"
    assert reason(OSError(errno.ENOSPC, "full")) == "local_io"
    assert reason(TransportError("lost")) == "network"
    assert reason(ExtractorError("Private video")) == "private"
    assert reason(ValueError("x"), "ERROR: This video is DRM protected") == "drm"


def test_the_reason_for_an_error_of_a_local_file():
    assert of_local_file(OSError(errno.EIO, "broken")) == "local_io"
    assert of_local_file(FileNotFoundError(errno.ENOENT, "absent")) == "unavailable"
