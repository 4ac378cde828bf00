"""What a video's sound track is.

Reads nothing yet. Must not know what the sound is used for.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sound:
    """Properties of a sound track.

    codec: FFmpeg's name. channels: their number. rate: samples per second. duration: seconds.
    silent: whether no sample is audible.
    """

    codec: str
    channels: int
    rate: int
    duration: float
    silent: bool
