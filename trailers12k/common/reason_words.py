"""The ledger's reasons in words: a short phrase and a sentence for each.

Reads and writes nothing. Must not know who shows the words, nor what to do about a reason: see
`jobs.reason_texts`.
"""

REASONS: dict[str, tuple[str, str]] = {
    # The site or the server did not give the file.
    "account_terminated": ("account closed", "The site closed the account of the uploader."),
    "age_restricted": (
        "age-restricted",
        "The site shows this video only to adults who are signed in.",
    ),
    "bad_id": (
        "invalid address",
        "The address is no valid URL or video id, or it belongs to no supported site.",
    ),
    "bad_partial": (
        "resuming failed",
        "The server refused to continue a partial download. It was deleted.",
    ),
    "bot_check": (
        "taken for a bot",
        "The site suspects a bot and demands a sign-in or a captcha. All downloads stop.",
    ),
    "copyright": ("copyright claim", "The video was removed after a copyright claim."),
    "drm": ("copy-protected", "The video is encrypted. Only the site's own player shows it."),
    "extractor_broken": (
        "site changed",
        "yt-dlp no longer understands the site, which has usually changed.",
    ),
    "forbidden": ("access refused", "The server refused the file (HTTP 403)."),
    "geo_blocked": (
        "blocked in this country",
        "The video is not shown in the country of this machine.",
    ),
    "live": ("live stream", "The address is a live stream, which has no end."),
    "local_io": (
        "disk error",
        "The disk is full or faulty, or a folder is not writable. All downloads stop.",
    ),
    "network": ("connection lost", "The connection failed, timed out or was too slow."),
    "no_format": ("no usable format", "The site offers no file that can be used."),
    "not_yet": ("not published yet", "The video is announced or still being processed."),
    "paid": ("paid access", "Only paying members can see the video."),
    "private": ("private video", "The uploader made the video private."),
    "rate_limited": (
        "too many requests",
        "The site demands fewer requests (HTTP 429). All downloads stop.",
    ),
    "removed": ("removed", "The video was deleted by its uploader or by the site."),
    "server_error": ("server error", "The server failed (HTTP 5xx)."),
    "unavailable": (
        "not available",
        "There is nothing at this address: the video or page is gone (HTTP 404), or the local "
        "file is missing or not readable.",
    ),
    "unknown": ("unknown reason", "The error fits no other reason."),
    "unsafe_address": (
        "unsafe address",
        "The address, or one that a page or redirect leads to, is private (of this machine or of a "
        "local network), or a redirect leaves HTTPS or HTTP. See `downloads.private_addresses`.",
    ),
    # The file came, but failed a check.
    "bad_name": ("unsafe file name", "The site suggested a file name outside its folder."),
    "corrupt": (
        "damaged file",
        "The file has damaged frames, impossible times, or no frame that can be decoded.",
    ),
    "discontinuity": (
        "parts do not join",
        "The parts of the stream have different codecs or parameters and cannot be joined.",
    ),
    "empty": ("empty file", "The file or the playlist has no content."),
    "not_image": ("not a picture", "The poster is no image that Pillow reads, or is damaged."),
    "not_video": (
        "not a video",
        "The file is no video: for example a web page, a picture or a playlist.",
    ),
    "too_large": (
        "too large",
        "The file, its pictures or its duration are larger than allowed, or need too much memory.",
    ),
    "truncated": (
        "incomplete file",
        "The file ends early: bytes are missing, or the video stops before its stated end.",
    ),
    "wrong_duration": (
        "wrong length",
        "The duration differs from what the site states by more than 2 s and 5 %.",
    ),
    "wrong_video": ("wrong video", "The site sent another video than the requested one."),
    # A source of movies.
    "bad_answer": ("unusable answer", "A source of movies gave an answer that has the wrong form."),
    "complete": ("already complete", "Earlier sources know everything, so this one was not used."),
    "corrected": (
        "chosen by you",
        "You chose the trailer in the table of choices, so no search was made.",
    ),
    "corrected_to_none": (
        "declined by you",
        "You wrote `none` in the table of choices, so no search was made.",
    ),
    "no_title": ("no title", "No source knows the title, so the trailer cannot be searched for."),
    "no_trailer_found": (
        "no trailer found",
        "No search result scored at least `sources.search.least_score`.",
    ),
    "not_found": ("not listed", "The source does not know the movie."),
    "odd_row": (
        "unusable row",
        "A row of a published file is odd. It was left out, or used without the odd value.",
    ),
    # A later stage, or a decision.
    "decode_failed": (
        "cannot be decoded",
        "The file passed the checks of its download, but a later stage could not decode it.",
    ),
    "no_address": ("no address", "The movie has no trailer or poster to download."),
    "no_clips": (
        "no clips",
        "No shot of the trailer has the `clips.min_shot` frames that a clip needs.",
    ),
    "no_file": (
        "file not here",
        "The file of the trailer was not there, so its sound was not measured.",
    ),
    "no_poster": ("no poster", "The movie has no poster; the row of stage `posters` says why."),
    "no_sound": (
        "no sound",
        "The trailer has nothing to hear: no sound track, silence, or a damaged one; `detail` says "
        "which.",
    ),
    "no_trailer": ("no trailer", "The movie has no trailer; the row of stage `trailers` says why."),
    "no_weights": (
        "no weights",
        "The pretrained weights of this store could not be obtained; `detail` says why.",
    ),
    "rejected": ("rejected in the review", "You rejected the movie in `curation.csv`."),
    "stopped": ("not tried", "Downloads were stopped before this movie's turn."),
    # The funnel of the report.
    "not_in_splits": ("in no split", "The movie has features but no row in `data/mtgc.csv`."),
    "in_no_test_subset": ("never a test movie", "The movie is in the test subset of no split."),
    "not_predicted": ("not predicted", "The movie lacks the features of at least one run."),
    "not_in_store": ("no features", "A feature store lacks the movie."),
}
"""Reason -> a phrase of at most four words, and sentences about what happened to the movie. Names
of files and settings are in backquotes."""


def phrase(reason: str) -> str:
    """The short phrase; for an unlisted reason, the word itself with spaces."""
    return REASONS[reason][0] if reason in REASONS else reason.replace("_", " ")


def meaning(reason: str) -> str:
    """What happened, as plain text; empty for an unlisted reason."""
    return REASONS[reason][1].replace("`", "") if reason in REASONS else ""
