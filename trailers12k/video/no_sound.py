"""Why a trailer has nothing to hear, by its row of the ledger of trailers.

Reads and writes nothing. Must not decode anything.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from trailers12k.common.errors import Failure

NO_SOUND = "no_sound"
"""The reason of a trailer with nothing to hear. Its `detail` begins with why: `video_only`,
`no_track`, `silent` or `damaged`."""
NO_SOUND_KINDS = ("no_track", "silent", "damaged", "video_only")
"""Why a trailer has no sound: the first word of the ledger's `detail`."""
NO_FILE = "no_file"
"""The reason of a trailer whose file is not on this machine, as in a clone."""
NO_TRACK = "no_track"
"""How the `detail` of a file without a sound track begins."""
SILENT = "silent: nothing can be heard"


def why_no_sound(row: Mapping[str, str]) -> str:
    """Why the file of a trailer has nothing to hear, as far as its row knows; else empty.

    `video_only`: its site gave the picture alone. `no_track`: no sound track that can be decoded.
    `silent`: a track without an audible sample. A row of before sound had columns knows nothing:
    decoding shows what its file has.
    """
    if row.get("silent") == "1":
        return SILENT
    if row.get("sound_codec") or row.get("sound_channels") != "0":
        return ""
    return missing_track(row)


def missing_track(row: Mapping[str, str]) -> str:
    """Why a file without a sound track has none, by its row; see `why_no_sound`."""
    # Files have no title; rows of before sound had columns need not have one either.
    is_of_site = row.get("title") or (row.get("format") and not row.get("sound_channels"))
    if is_of_site:
        return "video_only: downloaded without sound; trailers: {refetch: no_sound} fetches it"
    return f"{NO_TRACK}: the file has no sound"


@contextmanager
def track_explained(row: Mapping[str, str]) -> Iterator[None]:
    """Let a `Failure` for a file without a sound track say what its row knows; see
    `missing_track`."""
    try:
        yield
    except Failure as failure:
        if failure.detail.startswith(NO_TRACK):
            raise Failure(failure.reason, missing_track(row)) from failure
        raise
