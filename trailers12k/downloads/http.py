"""Files over HTTP: retries with growing pauses, a size limit, a user agent that names this project.

Writes the files that it downloads. Must not know what the files are.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import requests
import urllib3
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from urllib3.util import Retry

from trailers12k.common.errors import Failure, UserError
from trailers12k.common.files import PARTIAL, digest_of
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.local_files import fault_of, local_path
from trailers12k.downloads.bounds import USUAL, Bounds, bound_pools, bounded
from trailers12k.downloads.messages import without_objects
from trailers12k.jobs.reasons import classify, of_local_file

log = logging.getLogger(__name__)

USER_AGENT = "trailers12k-workflow/0.1 (research tool; slow, one file once)"
BLOCK = 1 << 16
BEGINNING = 1 << 23
"""Bytes of a file that `Checks.beginning` reads: of an archive of features, some movies."""
BUSY = (408, 500, 502, 503, 504)

ARCHIVES = Bounds(most_time=86400)
"""Of `fetch`, which continues where the last attempt ended."""
LARGEST = 100_000_000_000
"""Bytes of the largest file that `fetch` downloads."""


class BoundedAdapter(HTTPAdapter):
    """An adapter of requests whose connections are measured."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **options)
        bound_pools(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """The pools of connections through a proxy."""
        return bound_pools(super().proxy_manager_for(*args, **options))


def session(retries: int, patient: bool = False) -> requests.Session:
    """A session that retries when a server is busy and when a connection is lost.

    It waits as long as the server requests (Retry-After, at most 30 s), else 0.5, 1, 2, ... s.
    patient: whether to retry after a 429 too; otherwise it is an answer like others.
    """
    # Its warnings contain whole URLs, and a URL may contain a key.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    new = requests.Session()
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
    """A response with a good status, to be read in blocks; within `bounded`.

    Raises `Failure`, also while it is read; for a bad status, with the status.
    """
    try:
        with client.get(url, timeout=timeout, stream=True, headers=headers) as response:
            if not response.ok:
                status = response.status_code
                message = f"HTTP Error {status}: {response.reason}"
                raise Failure(classify(message), message, status)
            yield response
    except requests.TooManyRedirects as error:
        raise Failure("unavailable", "endless redirects") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise Failure("network", _without_query(without_objects(str(error)))) from error


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
        blocks: list[bytes] = []
        with bounded(bounds, limit), opened(client, url, timeout) as response:
            for block in response.iter_content(BLOCK):
                blocks.append(block)
                if sum(map(len, blocks)) > limit:
                    break
        data = b"".join(blocks)
    if len(data) > limit:
        raise Failure("too_large", f"more than {limit / 1e6:g} MB")
    return data


@dataclass(frozen=True)
class Checks:
    """What `fetch` checks early, each by a function that raises `UserError` to end the download."""

    size: Callable[[int], None] | None = None
    """Gets the size of the file in bytes, if the server states it, before any byte is saved."""
    beginning: Callable[[Path], None] | None = None
    """Gets the partial file once it holds `BEGINNING` bytes; never for a smaller file."""


def fetch(
    url: str,
    path: Path,
    digest: str = "",
    timeout: float = 60,
    retries: int = 5,
    checks: Checks = Checks(),
) -> None:
    """Download a large file: continue a partial download, check it, then move it to `path`.

    digest: its required hash, or the hash's beginning: "md5:0123..." or "sha256:0123...".
    Raises `UserError`, whose cause is a `Failure` for an error of the network or server.
    """
    client = session(retries, patient=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with bounded(ARCHIVES, LARGEST), opened(client, url, timeout) as response:
            # A partial download of another version of the file must not be continued.
            version = [response.headers.get(name) for name in ("ETag", "Last-Modified")]
            size = int(response.headers.get("Content-Length", -1))
            partial = path.with_name(
                f"{path.name}.{fingerprint(url=url, version=version, size=size)}{PARTIAL}"
            )
            for other in path.parent.glob(f"{path.name}.*{PARTIAL}"):
                if other != partial:
                    other.unlink()
            begun = partial.stat().st_size if partial.exists() else 0
            if begun > size >= 0:
                begun = 0
            if checks.size and size >= 0:
                checks.size(size)
            if not begun:
                _save(response, partial, "wb", size, checks.beginning)
        if begun and begun != size:
            rest = {"Range": f"bytes={begun}-"}
            with bounded(ARCHIVES, LARGEST), opened(client, url, timeout, rest) as response:
                continued = response.status_code == 206
                mode = "ab" if continued else "wb"
                _save(response, partial, mode, size, checks.beginning)
    except Failure as failure:
        raise UserError(
            f"{_without_query(url)}: {failure}; run the same command again to continue"
        ) from failure
    got = partial.stat().st_size
    if size >= 0 and got != size:
        raise UserError(
            f"{_without_query(url)}: received {got} of {size} bytes; run the same command again"
        )
    kind, _, expected = digest.partition(":")
    if expected and not (actual := digest_of(partial, kind)).startswith(expected):
        partial.unlink()
        raise UserError(f"{_without_query(url)}: its {kind} is {actual}, and should be {expected}")
    partial.replace(path)
    log.info("%s: %.1f MB", path, got / 1e6)


def _save(
    response: requests.Response,
    path: Path,
    mode: str,
    size: int,
    check: Callable[[Path], None] | None = None,
) -> None:
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
            file.write(block)
            bar.update(len(block))
            if check and file.tell() >= BEGINNING:
                file.flush()
                check(path)
                check = None


def _without_query(text: str) -> str:
    """A message without the queries of its URLs, which may contain keys."""
    return re.sub(r"\?[^\s)'\"]+", "?...", text)
