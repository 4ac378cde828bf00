"""What the ledger of trailers knows of sound."""

import pytest

from trailers12k.video.no_sound import why_no_sound

SITE = {"title": "A trailer", "format": "134"}
HEARD = {"sound_codec": "aac", "sound_channels": "2"}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (HEARD | {"silent": "0"}, ""),
        (HEARD | {"silent": "1"}, "silent: nothing can be heard"),
        ({"sound_channels": "0"}, "no_track: the file has no sound"),
        # The file behind a link is all that there is.
        ({"sound_channels": "0", "format": "mp4", "title": ""}, "no_track: the file has no sound"),
        (
            SITE | {"sound_channels": "0"},
            "video_only: downloaded without sound; trailers: {refetch: no_sound} fetches it",
        ),
        # Rows of before sound had columns.
        ({}, ""),
        (SITE | {"sound_codec": "", "sound_channels": "", "silent": ""}, ""),
    ],
)
def test_why_a_trailer_has_no_sound(row, why):
    assert why_no_sound(row) == why
