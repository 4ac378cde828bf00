"""Files over HTTP: retries with growing pauses, a size limit, a user agent that names this project.

Writes the files that it downloads. Must not know what the files are.
"""

import logging
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from glob import escape
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO

import requests
import urllib3
from tqdm import tqdm
from urllib3.util import Retry

from trailers12k.common.errors import Failure, UserError
from trailers12k.common.files import PARTIAL, digest_of
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.local_files import fault_of, local_path
from trailers12k.downloads.addresses import Private
from trailers12k.downloads.bounds import USUAL, Bounds, bounded
from trailers12k.downloads.messages import without_objects
from trailers12k.downloads.sessions import BoundedAdapter, Session
from trailers12k.jobs.reasons import classify, of_local_file

log = logging.getLogger(__name__)

USER_AGENT = "trailers12k-workflow/0.1 (research tool; slow, one file once)"
BLOCK = 1 << 16
BEGINNING = 1 << 23
"""Bytes of a file that `Checks.beginning` reads: of an archive of features, some movies."""
BUSY = (408, 500, 502, 503, 504)

FINAL = ("too_large", "unsafe_address")
"""Reasons for which the same command fails again."""

ARCHIVES = Bounds(most_time=86400)
"""Of `fetch`, which continues where the last attempt ended."""
LARGEST = 100_000_000_000
"""Bytes of the largest file that `fetch` downloads: the record's largest archive has 13 GB."""
SPARE = 1_000_000_000
"""Bytes of disk space that `fetch` leaves free, so that other jobs can go on."""


def session(retries: int, patient: bool = False) -> requests.Session:
    """A session that retries when a server is busy and when a connection is lost.

    It waits as long as the server requests (Retry-After, at most 30 s), else 0.5, 1, 2, ... s.
    patient: whether to retry after a 429 too; otherwise it is an answer like others.
    """
    # Its warnings contain whole URLs, and a URL may contain a key.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    new = Session()
    new.headers["User-Agent"] = USER_AGENT
    retry = Retry(
        total=retries,
        backoff_factor=0.5,
        status_forcelist=(*BUSY, 429) if patient else BUSY,
        raise_on_status=False,
        retry_after_max=30,
    )
    for scheme in ("http://", "https://"):
        new.mount(scheme, BoundedAdapter(max_retries=retry))
    return new


@contextmanager
def opened(
    client: requests.Session, url: str, timeout: float, headers: Mapping[str, str] | None = None
) -> Iterator[requests.Response]:
    """A response with a file's status, to be read in blocks; within `bounded`.

    Raises `Failure`, also while it is read; for a bad status, with the status.
    """
    try:
        with client.get(url, timeout=timeout, stream=True, headers=headers) as response:
            status = response.status_code
            # A part that was not requested would be taken for the whole.
            if not 200 <= status < 300 or (status == 206 and "Range" not in (headers or {})):
                message = f"HTTP Error {status}: {response.reason or '':.100}"
                raise Failure(classify(message), message, status)
            yield response
    except requests.TooManyRedirects as error:
        raise Failure("unavailable", "endless redirects") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise Failure("network", without_secrets(without_objects(str(error)))) from error
    except UserError:
        raise
    except (HTTPException, OverflowError, ValueError) as error:  # such as a chunk of -5 bytes
        what = f"an answer that is not HTTP ({type(error).__name__})"
        raise Failure("bad_answer", what) from error


@contextmanager
def opened_locally(path: Path, address: str) -> Iterator[BinaryIO]:
    """A local file, for reading. Raises `Failure`, with a reason from the system's error only.

    address: the file's name in messages.
    """
    try:
        # A pipe could block without end.
        if fault := fault_of(path):
            raise Failure("unavailable", f"{address} {fault}")
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise Failure(of_local_file(error), f"{error.strerror}: {address}") from error


def read(
    client: requests.Session, url: str, limit: int, timeout: float, bounds: Bounds = USUAL
) -> bytes:
    """The bytes of a URL or local file. Raises `Failure`, also for more than `limit` bytes."""
    if path := local_path(url):
        with opened_locally(path, url) as file:
            data = file.read(limit + 1)
    else:
        # One object: an answer may arrive in blocks of a byte.
        received = bytearray()
        with bounded(bounds, limit), opened(client, url, timeout) as response:
            for block in response.iter_content(BLOCK):
                received += block
                if len(received) > limit:
                    break
        data = bytes(received)
    if len(data) > limit:
        raise Failure("too_large", f"more than {limit / 1e6:g} MB")
    return data


@dataclass(frozen=True)
class Checks:
    """What `fetch` checks early; the functions raise `UserError` to end the download."""

    size: Callable[[int], None] | None = None
    """Gets the size of the file in bytes, if the server states it, before any byte is saved."""
    beginning: Callable[[Path], None] | None = None
    """Gets the partial file once it holds `BEGINNING` bytes; never for a smaller file."""
    most_bytes: int = LARGEST
    """Of the largest allowed file."""


def archives(private_addresses: bool) -> Bounds:
    """The bounds of `fetch`. private_addresses: whether a public server may redirect to them."""
    return replace(ARCHIVES, private=Private.ALWAYS) if private_addresses else ARCHIVES


def fetch(
    url: str,
    path: Path,
    digest: str = "",
    timeout: float = 60,
    retries: int = 5,
    checks: Checks = Checks(),
    bounds: Bounds = ARCHIVES,
) -> None:
    """Download a large file: continue a partial download, check it, then move it to `path`.

    digest: its required hash, or the hash's beginning: "md5:0123..." or "sha256:0123...".
    Raises `UserError`, whose cause is a `Failure` for an error of the network or server.
    """
    client = session(retries, patient=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with bounded(bounds, checks.most_bytes), opened(client, url, timeout) as response:
            # A partial download of another version of the file must not be continued.
            version = [response.headers.get(name) for name in ("ETag", "Last-Modified")]
            size = _stated_size(response)
            partial = path.with_name(
                f"{path.name}.{fingerprint(url=url, version=version, size=size)}{PARTIAL}"
            )
            for other in path.parent.glob(f"{escape(path.name)}.*{PARTIAL}"):
                if other != partial:
                    other.unlink()
            begun = partial.stat().st_size if partial.exists() else 0
            if begun > size >= 0:
                begun = 0
            if checks.size and size >= 0:
                checks.size(size)
            most = _most_bytes(path.parent, size, begun, checks.most_bytes)
            if not begun:
                _save(response, partial, "wb", (size, most), checks.beginning)
        if begun and begun != size:
            rest = {"Range": f"bytes={begun}-"}
            with bounded(bounds, checks.most_bytes), opened(client, url, timeout, rest) as response:
                continued = response.status_code == 206
                mode = "ab" if continued else "wb"
                _save(response, partial, mode, (size, most), checks.beginning)
    except Failure as failure:
        again = "" if failure.reason in FINAL else "; run the same command again to continue"
        raise UserError(f"{without_secrets(url)}: {failure}{again}") from failure
    got = partial.stat().st_size
    if size >= 0 and got != size:
        raise UserError(
            f"{without_secrets(url)}: received {got} of {size} bytes; run the same command again"
        )
    kind, _, expected = digest.partition(":")
    if expected and not (actual := digest_of(partial, kind)).startswith(expected):
        partial.unlink()
        raise UserError(f"{without_secrets(url)}: its {kind} is {actual}, and should be {expected}")
    partial.replace(path)
    log.info("%s: %.1f MB", path, got / 1e6)


def _stated_size(response: requests.Response) -> int:
    """The size of a file in bytes as the server states it; -1 if it does not."""
    text = response.headers.get("Content-Length", "")
    chunked = "Transfer-Encoding" in response.headers
    return int(text) if re.fullmatch(r"\d{1,15}", text, re.ASCII) and not chunked else -1


def _most_bytes(folder: Path, size: int, begun: int, most_bytes: int) -> int:
    """Bytes that a file in `folder` may have, of which `begun` are there.

    size: in bytes; -1 if unknown. Raises `Failure`.
    """
    if size > most_bytes:
        raise Failure("too_large", f"{size / 1e6:.0f} MB; at most {most_bytes / 1e6:g} are allowed")
    free = shutil.disk_usage(folder).free + begun
    if free < (size if size >= 0 else SPARE):
        raise Failure("local_io", f"{size / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are free")
    return size if size >= 0 else min(most_bytes, free - SPARE)


def _save(
    response: requests.Response,
    path: Path,
    mode: str,
    sizes: tuple[int, int],
    check: Callable[[Path], None] | None = None,
) -> None:
    """sizes: the file's, if known, and the largest allowed, in bytes. Raises `Failure`."""
    size, most = sizes
    with (
        path.open(mode) as file,
        tqdm(
            total=size if size > 0 else None,
            initial=file.tell(),
            unit="B",
            unit_scale=True,
            disable=None,
        ) as bar,
    ):
        # Without decoding: a compressed file stays compressed and has the stated size.
        for block in response.raw.stream(BLOCK, decode_content=False):
            if file.tell() + len(block) > most:
                path.unlink()
                raise Failure("too_large", f"more than {most / 1e6:g} MB were sent")
            file.write(block)
            bar.update(len(block))
            if check and file.tell() >= BEGINNING:
                file.flush()
                check(path)
                check = None


def without_secrets(text: str) -> str:
    """A message without the queries, names and passwords of its URLs: queries may contain keys."""
    text = re.sub(r"(?<=://)[^\s/?#'\"]*@", "", text)
    return re.sub(r"\?[^\s)'\"]+", "?...", text)
