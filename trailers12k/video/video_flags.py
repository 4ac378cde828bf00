"""The words for what is unusual about a video file.

Reads and writes nothing. Must not know how the properties are detected.
"""

FLAGS = {
    "picture_ends_early": "The sound or the subtitles outlast the picture.",
    "starts_undecodable": "The first frames lack the key frame that they are predicted from.",
    "no_times": "The file stores no times; the frame rate of the stream, or 25, counts.",
    "repaired_times": "Some frames have no time, or one that goes back; each follows the last.",
    "reordered": "The times are in the order of decoding; the decoder's order counts.",
    "discontinuity": "The times jump: several recordings, shown one after the other.",
    "hdr": "High dynamic range (PQ, HLG, Dolby Vision); tone-mapped to SDR.",
    "interlaced": "Frames of two fields; deinterlaced.",
}
"""The words of `Probe.flags`, in the order in which they are listed -> their meaning."""
