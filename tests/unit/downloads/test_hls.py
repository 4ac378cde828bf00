"""Playlists of HLS: live or not, and their parts."""

import pytest

from trailers12k.downloads import hls

TWO = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-MEDIA-SEQUENCE:5
#EXT-X-MAP:URI="a.mp4"
#EXT-X-KEY:METHOD=AES-128,URI="key"
#EXTINF:1,
a0
#EXTINF:1,
a1
#EXT-X-DISCONTINUITY
#EXT-X-BYTERANGE:100@50
#EXTINF:1,
b
#EXT-X-BYTERANGE:30
#EXTINF:1,
b
#EXT-X-KEY:METHOD=NONE
#EXT-X-MAP:URI="c.mp4"
#EXTINF:1,
c0
#EXT-X-ENDLIST
"""


@pytest.mark.parametrize(
    ("text", "live"),
    [
        ("#EXTM3U\n#EXTINF:1,\na\n", True),
        ("#EXTM3U\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXTINF:1,\na\n", True),
        ("#EXTM3U\n#EXTINF:1,\na\n#EXT-X-ENDLIST\n", False),
        ("#EXTM3U\r\n#EXTINF:1,\r\na\r\n#EXT-X-ENDLIST", False),
        ("#EXTM3U\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:1,\na\n", False),
        ("#EXTM3U\n#EXTINF:1,title #EXT-X-ENDLIST\na\n", True),
    ],
)
def test_a_playlist_without_an_end_is_live(text, live):
    assert hls.is_live(text) == live


def key(sequence):
    return f'#EXT-X-KEY:METHOD=AES-128,URI="key",IV=0x{sequence:032x}'


def test_parts_repeat_what_holds_for_their_segments():
    """Without an IV of its own a segment is decrypted with its number in the whole playlist."""
    first, second, third = (part.splitlines() for part in hls.parts(TWO))
    assert first[:2] == ["#EXTM3U", '#EXT-X-MAP:URI="a.mp4"'], "a key after it is not its key"
    assert first[2:] == [
        *(key(5), "#EXT-X-VERSION:7", "#EXTINF:1,", "a0"),
        *(key(6), "#EXTINF:1,", "a1", "#EXT-X-ENDLIST"),
    ]
    assert second[1:] == [
        '#EXT-X-MAP:URI="a.mp4"',
        *(key(7), "#EXT-X-BYTERANGE:100@50", "#EXTINF:1,", "b"),
        *(key(8), "#EXT-X-BYTERANGE:30@150", "#EXTINF:1,", "b", "#EXT-X-ENDLIST"),
    ]
    assert third == [
        *("#EXTM3U", "#EXT-X-KEY:METHOD=NONE", '#EXT-X-MAP:URI="c.mp4"'),
        *("#EXTINF:1,", "c0", "#EXT-X-ENDLIST"),
    ]


def test_a_playlist_without_segments_has_no_parts():
    assert hls.parts("#EXTM3U\n#EXT-X-DISCONTINUITY\n#EXT-X-ENDLIST\n") == []
