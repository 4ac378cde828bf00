"""Which files `published.files` holds, and their md5.

Reads MD5SUMS of a publication: in its folder, or as fetched from the web. Must not know how files
are fetched.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from trailers12k.common import sum_files
from trailers12k.common.bounded_files import read_bytes, shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.local_files import local_path
from trailers12k.settings.paper import RECORD_MD5, RECORD_URL
from trailers12k.settings.source_sections import PublishedSettings

LABELS = "mtgc.csv"
ARCHIVE = ".zarr.tar.gz"
FETCHED = Path("build/published", sum_files.MD5SUMS)
"""MD5SUMS of a publication on the web."""

Sums = Mapping[str, str | None]


def md5_of_record(published: PublishedSettings) -> Sums | None:
    """File -> md5, as configured, or of the authors' record; None for a publication of this
    workflow, whose MD5SUMS has them."""
    if published.md5 is not None:
        return published.md5
    if published.files.rstrip("/") == RECORD_URL:
        return RECORD_MD5
    folder = local_path(published.files)
    return RECORD_MD5 if folder and not (folder / sum_files.MD5SUMS).exists() else None


def is_on_web(published: PublishedSettings) -> bool:
    """Whether the files are a publication on the web, whose MD5SUMS must be fetched first."""
    return md5_of_record(published) is None and local_path(published.files) is None


def md5_of_files(published: PublishedSettings) -> Sums:
    """File -> md5; empty for a publication on the web whose MD5SUMS was not fetched yet.

    Raises `UserError` for a damaged MD5SUMS, and for a publication without labels.
    """
    if (known := md5_of_record(published)) is not None:
        return known
    folder = local_path(published.files)
    path = folder / sum_files.MD5SUMS if folder else FETCHED
    return read_sums(path) if folder or path.exists() else {}


def read_sums(path: Path) -> dict[str, str]:
    """The sums of labels and stores in MD5SUMS. Raises `UserError`."""
    text = read_bytes(path, sum_files.MOST_BYTES).decode("utf-8", "replace")
    digits = sum_files.DIGITS[sum_files.MD5SUMS]
    sums = sum_files.parse(text.splitlines(), path, digits)
    if LABELS not in sums:
        raise UserError(
            f"{shown_path(path)} lists no {LABELS}; name a publication of this workflow in "
            "published.files"
        )
    wanted = {LABELS, *(f"{store}{ARCHIVE}" for store in stores_of(sums))}
    return {name: sums[name] for name in sums if name in wanted}


def stores_of(files: Iterable[str]) -> list[str]:
    """The stores whose archives are among files."""
    return [
        name.removesuffix(ARCHIVE) for name in files if name.endswith(ARCHIVE) and "/" not in name
    ]
