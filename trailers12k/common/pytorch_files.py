"""Judges a file of PyTorch before PyTorch reads it: what its pickles name, and its unpacked size.

Reads a file that its caller opened, and runs nothing of it. Must not know models.
"""

import pickletools  # nosec B403  # lists the opcodes of a pickle, and runs none
import re
import zipfile
from typing import IO

from trailers12k.common.bounded_files import quoted

PICKLE_BYTES = 10_000_000
"""Of the names and shapes of the tensors of a checkpoint, of 100 to 400 bytes for each tensor."""
OLD_PICKLES = 5
"""The older format is that many pickles, and then numbers."""
PICKLED = re.compile(
    r"collections (OrderedDict|Counter)|torch ((?!Untyped)\w+Storage|device|\w*int\d+)"
    r"|torch \w*float\w*"
    r"|torch\._utils _rebuild_(tensor|tensor_v2|parameter|sparse_tensor)"
    r"|torch\.nn\.parameter Parameter|torch\.serialization _get_layout",
    re.ASCII,
)
"""What a checkpoint may name. Of what else PyTorch allows, bytearray(10**10) takes 10 GB."""
ARCHIVE = b"PK\x03\x04"
"""How a file begins that PyTorch reads as an archive. Python also finds an archive at the end of
another file, which PyTorch reads as a pickle."""


def check(file: IO[bytes], size: int) -> bool:
    """Whether a file of `torch.save` is an archive; else it has the older format. size: its bytes.

    Raises ValueError for pickles that are long or name other things than tensors, and for an
    archive that unpacks to more than its size; an error of many types for a damaged archive.
    """
    is_archive = file.read(len(ARCHIVE)) == ARCHIVE
    file.seek(0)
    if not is_archive:
        _check_pickles(file, OLD_PICKLES)
        return False
    with zipfile.ZipFile(file) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > size:
            raise ValueError(f"it unpacks to {unpacked} bytes; PyTorch compresses nothing")
        for member in archive.infolist():
            # PyTorch finds data.pkl under the name DATA.PKL, too.
            if member.filename.lower().endswith(".pkl"):
                with archive.open(member) as pickles:
                    _check_pickles(pickles, 1)
    return True


def _check_pickles(file: IO[bytes], number: int) -> None:
    """Raise ValueError for pickles that are long or name other things than tensors.

    PyTorch's reader takes no name from anything but GLOBAL.
    """
    for _ in range(number):
        for code, argument, place in pickletools.genops(file):
            if place is not None and place > PICKLE_BYTES:
                raise ValueError(f"more than {PICKLE_BYTES} bytes of names and shapes")
            if code.name == "GLOBAL" and not PICKLED.fullmatch(str(argument)):
                raise ValueError(f"it names {quoted(argument)}, which is no part of a tensor")
