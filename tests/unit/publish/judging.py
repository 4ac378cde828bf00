"""A publication that somebody changes and signs again, and its faults."""

import hashlib
from pathlib import Path

from trailers12k.common.sum_files import MD5SUMS, SHA256SUMS
from trailers12k.publish.checking import check
from trailers12k.publish.packing import sums


def sign(folder: Path) -> None:
    """Write the sums of all files again, as somebody would who hides a change."""
    names = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    names = [name for name in names if name not in (MD5SUMS, SHA256SUMS)]
    for listing, kind in ((MD5SUMS, "md5"), (SHA256SUMS, "sha256")):
        found = {n: hashlib.new(kind, (folder / n).read_bytes()).hexdigest() for n in names}
        (folder / listing).write_text(sums.listing(found))


def faults_of(folder: Path) -> str:
    """The faults, but for those of croissant.json, which has the sums of all files."""
    return "\n".join(each for each in check.check(str(folder)) if "croissant.json: " not in each)
