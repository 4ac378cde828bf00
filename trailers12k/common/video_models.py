"""Video networks that take clips of one length only.

Reads and writes nothing. Must not import anything.
"""

FIXED_FRAMES = {"torchvision/mvit_v1_b": 16, "torchvision/mvit_v2_s": 16}
"""Architecture -> frames of a clip: the positions of MViT are learned for 16 (`temporal_size` in
torchvision's models/video/mvit.py)."""


def frames_of(model: str) -> int | None:
    """The frames of a clip that a model takes; None where it takes any number."""
    return FIXED_FRAMES.get(model.partition(".")[0])
