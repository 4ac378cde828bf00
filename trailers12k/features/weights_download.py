"""Has one file of weights on this machine: from a server or a folder, with the right hash.

Reads a network or a folder; writes the file. Must not know models nor what a file contains.
"""

import logging
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import requests

from trailers12k.common.errors import Failure, UserError
from trailers12k.common.files import replacing, sha256_of
from trailers12k.downloads import http
from trailers12k.downloads.bounds import USUAL, Bounds, bounded

log = logging.getLogger(__name__)

LIMITS = http.Checks(most_bytes=20_000_000_000)
"""The largest weights of timm have 18 GB."""


def obtain(
    address: str,
    file: Path,
    model: str,
    sha256: str,
    bounds: Bounds,
    checks: http.Checks = LIMITS,
    anew: bool = False,
) -> None:
    """Have the file of an address, a URL or a path. Raises `UserError`.

    sha256: its hash, or the hash's beginning; empty for any. A file that is there already and has
    it is not fetched again, unless `anew`.
    """
    if not anew and file.is_file() and sha256_of(file).startswith(sha256):
        log.info("%s is there already", file)
        return
    if (local := http.local_path(address)) is None:
        digest = f"sha256:{sha256}" if sha256 else ""
        http.fetch(address, file, digest, checks=checks, bounds=bounds)
    else:
        _copy(local, file, model, sha256, checks.most_bytes)


def answered_headers(address: str, bounds: Bounds) -> dict[str, str]:
    """The headers of the answer to a HEAD request, their names in lower case; empty without."""
    if http.local_path(address) is not None:
        return {}
    try:
        with bounded(replace(bounds, most_time=USUAL.most_time), http.BLOCK):
            answer = http.session(retries=3).head(address, timeout=60, allow_redirects=False)
    except (requests.RequestException, Failure):
        return {}  # fetching reports the fault
    return {name.lower(): value for name, value in answer.headers.items()}


def hash_from_hub(address: str, bounds: Bounds) -> str:
    """The sha256 that the Hugging Face hub reports for a large file; empty when it does not."""
    tag = answered_headers(address, bounds).get("x-linked-etag", "").strip('"')
    return tag if re.fullmatch("[0-9a-f]{64}", tag) else ""


def cause(error: UserError) -> str:
    """A fault; where there was no connection, without what urllib repeats of the address, and
    without the advice to continue, since nothing was begun."""
    text, count = re.subn(r"Max retries exceeded with url: \S+ \((.*)\)", r"\1", str(error))
    return text.removesuffix("; run the same command again to continue") if count else text


def is_missing(error: UserError) -> bool:
    """Whether a server or a folder does not have the file."""
    reason = error.__cause__
    if isinstance(reason, Failure):
        return reason.reason == "unavailable"
    return isinstance(reason, FileNotFoundError)


def check_hash(file: Path, model: str, sha256: str, original: Path | None = None) -> None:
    """Raise `UserError` where a file has another hash.

    original: the file that `file` is a copy of, for the message.
    """
    if not (actual := sha256_of(file)).startswith(sha256):
        raise UserError(
            f"backbone {model}: the sha256 of {original or file} is {actual}, and should be "
            f"{sha256}"
        )


def check_size(file: Path, most_bytes: int = LIMITS.most_bytes) -> None:
    """Raise `UserError` unless this is a file of at most `most_bytes`; nothing is read.

    Raises `FileNotFoundError` where there is none.
    """
    if (size := file.stat().st_size) > most_bytes or not file.is_file():
        raise UserError(f"{file} is no file of at most {most_bytes / 1e6:g} MB: {size} bytes")


@contextmanager
def removed_if_refused(file: Path, is_fetched: bool) -> Iterator[None]:
    """Remove a fetched file that raises `UserError` within, so that it is fetched again; the user's
    own stays."""
    try:
        yield
    except UserError:
        if is_fetched:
            file.unlink(missing_ok=True)
        raise


def _copy(original: Path, file: Path, model: str, sha256: str, most_bytes: int) -> None:
    try:
        check_size(original, most_bytes)
        with replacing(file) as partial:
            shutil.copyfile(original, partial)
            check_hash(partial, model, sha256, original)
    except FileNotFoundError as error:
        raise UserError(f"there is no file {original}") from error
