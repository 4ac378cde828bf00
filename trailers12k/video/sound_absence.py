"""Why a trailer has nothing to hear, by its row of the ledger of trailers.

Reads and writes nothing. Must not know who listens. Imports nothing slow, since many jobs need it.
"""

from collections.abc import Mapping

NO_SOUND = "no_sound"
"""The reason of a trailer with nothing to hear. Its `detail` begins with why: `video_only`,
`no_track`, `silent` or `damaged`."""

NO_FILE = "no_file"
"""The reason of a trailer whose file is not on this machine, as in a clone."""


def why_no_sound(row: Mapping[str, str]) -> str:
    """Why the file of a trailer has nothing to hear, by its row of the ledger; empty where it has.

    `video_only`: its site offers the picture and the sound apart. `no_track`: no sound track that
    can be decoded. `silent`: a track without an audible sample.
    """
    if row.get("silent") == "1":
        return "silent: nothing can be heard"
    if row.get("sound_codec"):
        return ""
    if row.get("format"):
        return "video_only: downloaded without sound; trailers: {refetch: no_sound} fetches it"
    return "no_track: the file has no sound"
