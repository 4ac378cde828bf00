"""The ledger's reasons in words: a short phrase and a sentence for each.

Reads and writes nothing. Must not know who shows the words.
"""

REASONS: dict[str, tuple[str, str]] = {
    # Downloads: what the site answered.
    "account_terminated": ("account closed", "The uploader's account was closed."),
    "age_restricted": ("age-restricted", "The site shows the video only to signed-in adults."),
    "bad_answer": ("unusable answer", "The site sent an answer that cannot be read."),
    "bad_id": ("invalid address", "The address names no video."),
    "bad_partial": ("resuming failed", "The site refused to continue an interrupted download."),
    "bot_check": ("taken for a bot", "The site took this machine for a bot."),
    "copyright": ("copyright claim", "The video was removed after a copyright claim."),
    "drm": ("copy-protected", "The video is encrypted, and only certain players can decrypt it."),
    "extractor_broken": ("site changed", "The site changed, and yt-dlp cannot read its pages."),
    "forbidden": ("access refused", "The site refused access to the file (HTTP 403)."),
    "geo_blocked": ("blocked in this country", "The video is not shown in this country."),
    "live": ("live stream", "The address is a live stream, not a finished video."),
    "local_io": ("disk error", "This machine could not write the file."),
    "network": ("connection lost", "The connection failed or was too slow."),
    "no_address": ("no address", "The movie has no address of a trailer or poster."),
    "no_format": ("no usable format", "The site offers no format that can be downloaded."),
    "no_trailer_found": ("no trailer found", "The search found no trailer that fits the movie."),
    "not_found": ("not listed", "The service does not list this movie."),
    "not_yet": ("not published yet", "The video is not published yet, or is still processed."),
    "paid": ("paid access", "Only paying viewers can watch the video."),
    "private": ("private video", "The uploader made the video private."),
    "rate_limited": ("too many requests", "The site asked for fewer requests."),
    "removed": ("removed", "The video was removed from the site."),
    "server_error": ("server error", "The site failed to answer."),
    "unavailable": ("not available", "There is no file at the address."),
    # Checks of what was received.
    "bad_name": ("unsafe file name", "The download would have an unsafe file name."),
    "corrupt": ("damaged file", "The file is damaged."),
    "decode_failed": ("cannot be decoded", "No frames could be decoded from the file."),
    "discontinuity": ("parts do not join", "The parts of the stream do not fit together."),
    "empty": ("empty file", "The file has no bytes."),
    "no_frames": ("no frames", "The video has no frames."),
    "not_image": ("not a picture", "The file is not a picture."),
    "not_video": ("not a video", "The file is not a video."),
    "too_large": ("too large", "The file is larger than the configuration allows."),
    "truncated": ("incomplete file", "The end of the file is missing."),
    "wrong_duration": ("wrong length", "The video is longer or shorter than the site states."),
    "wrong_video": ("wrong video", "The site sent another video than the one requested."),
    # Consequences of an earlier stage, and of the design of the experiment.
    "in_no_test_subset": ("never a test movie", "No split has this movie in its test subset."),
    "no_clips": ("no clips", "The trailer could not be cut into clips."),
    "no_poster": ("no poster", "The movie has no poster."),
    "no_title": ("no title", "Without a title there is nothing to search for."),
    "no_trailer": ("no trailer", "The movie has no complete trailer."),
    "not_in_splits": ("in no split", "The table of splits lacks this movie."),
    "not_in_store": ("no features", "A feature store lacks this movie."),
    "not_predicted": ("not predicted", "At least one run has no prediction for this movie."),
    "odd_row": ("unusable row", "A published file has an unusable row for this movie."),
    "rejected": ("rejected in the review", "A reviewer removed this movie."),
    "stopped": ("not tried", "The stage stopped before this movie."),
    "unknown": ("unknown reason", "The ledger's detail holds the original message."),
}
"""Reason -> a phrase of at most four words, and a sentence."""


def phrase(reason: str) -> str:
    """The short phrase; for an unlisted reason, the word itself with spaces."""
    return REASONS[reason][0] if reason in REASONS else reason.replace("_", " ")


def meaning(reason: str) -> str:
    """The sentence; empty for an unlisted reason."""
    return REASONS[reason][1] if reason in REASONS else ""
