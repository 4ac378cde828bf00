"""Waveforms: how loud a trailer is, twenty times a second, for the review page.

Writes build/waveforms/MID.bin and reads it back. Must not know where sound comes from or who views
it. A file may be missing (a clone has no videos); reading it then gives nothing.
"""

import logging
from pathlib import Path

import numpy as np

from trailers12k.common.bounded_files import is_absent, kind_fault_of
from trailers12k.common.files import replacing

log = logging.getLogger(__name__)

PER_SECOND = 20
"""Values of a second."""

LONGEST = 3600
"""Seconds of which `read` returns the values."""


def write(path: str | Path, peaks: np.ndarray) -> None:
    """Write a waveform: raw bytes, a value each.

    peaks: uint8 (n,), the greatest absolute sample of each 1 / `PER_SECOND` of a second from the
    first frame that is shown, where 255 is the full scale.
    """
    with replacing(path) as partial:
        partial.write_bytes(np.asarray(peaks, np.uint8).tobytes())


def read(path: str | Path) -> np.ndarray:
    """The values that `write` wrote, uint8 (n,); none for a missing or odd file."""
    nothing = np.empty(0, np.uint8)
    if is_absent(path):
        return nothing
    if fault := kind_fault_of(path):
        log.warning("%s %s and is left out", path, fault)
        return nothing
    try:
        with open(path, "rb") as file:
            return np.frombuffer(file.read(LONGEST * PER_SECOND), np.uint8)
    except OSError as error:
        log.warning("%s cannot be read and is left out: %s", path, error)
        return nothing
