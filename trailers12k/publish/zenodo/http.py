"""Requests to Zenodo's REST API, each repeated within bounds, and its refusals in words.

Reads the files that it uploads. Must not know what requests mean, and must not write its token into
any file, log or message. A request is never redirected: the token goes to one host.

Sources: developers.zenodo.org for `Authorization: Bearer`, scopes, status codes, `{message, status,
errors}` of refusals, 100 requests a minute and X-RateLimit-Reset. The server's own code
(zenodo/zenodo-rdm, site/tests/legacy) answers 403 or 404 where the documentation has 401 or 410.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from urllib3.exceptions import NewConnectionError

from trailers12k.common.bounded_files import parse_json
from trailers12k.common.errors import Failure, UserError
from trailers12k.common.text import one_line
from trailers12k.downloads import http
from trailers12k.downloads.bounds import Bounds, bounded
from trailers12k.downloads.messages import without_objects
from trailers12k.publish.zenodo.plan import shown_size

LARGEST_ANSWER = 20_000_000
"""Bytes. A page of 100 deposits, each with 100 files, has about 5 MB."""
TRIES = 8
PAUSES = (1, 2, 4, 8, 15, 30, 60)
LONGEST_PAUSE = 300.0
"""Seconds that a server may ask to wait."""
RETRIES = re.compile(r"Max retries exceeded with url: \S+ ")
"""urllib3's words before the cause of a failure, which is not repeated there."""
BRACKETS = re.compile(r"^\((.*)\)$", re.DOTALL)
"""What is left of a message that was only a cause."""
SHOWN_FROM = 4.0
"""Seconds of a wait of which a person is told."""
BUSY = (408, 425, 429, 500, 502, 503, 504)
QUOTED = 200
"""Characters of a server's message that are shown."""
TIMEOUT = (60.0, 120.0)
AFTER_FILE = 900.0
"""Seconds without a byte of the answer to a file, which the server may still store."""
SLOWEST = 20_000
"""Bytes per second of an upload."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SCOPES = "deposit:write and deposit:actions"


class Refused(UserError):
    """A request that Zenodo refuses. status: of HTTP."""

    def __init__(self, message: str, status: int):
        super().__init__(message)
        self.status = status


class Uncertain(Exception):
    """A request that may have made something, or not: its answer did not arrive."""


@dataclass(frozen=True)
class _Answer:
    """status: of HTTP; 0 if none arrived, then message says why. pause: seconds to wait first.
    is_unreachable: whether there was no connection at all."""

    status: int
    value: Any = None
    message: str = ""
    pause: float | None = None
    location: str = ""
    is_unreachable: bool = False


class _Bearer(requests.auth.AuthBase):
    """The token in a header. As `auth`, it also keeps ~/.netrc from replacing it."""

    def __init__(self, token: str):
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Body:
    """A file that is being sent. Raises `UserError` where it has another size than before."""

    def __init__(self, file: Any, path: Path, size: int, sent: Callable[[int], object]):
        self._file, self._path, self._size, self._sent = file, path, size, sent
        self._left = size
        self._end = time.monotonic() + AFTER_FILE + size / SLOWEST

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data: bytes = self._file.read(self._left if size < 0 else min(size, self._left))
        if not data and self._left:
            raise UserError(
                f"{self._path.name} was changed while it was sent; write the publication again: "
                "trailers12k publish"
            )
        if time.monotonic() > self._end:
            raise TimeoutError(f"slower than {SLOWEST / 1000:g} kB a second")
        self._left -= len(data)
        self._sent(len(data))
        return data


class Client:
    """Requests to the API at `base`. variable: of the environment that holds the token, for
    messages. pause: waits seconds. show: gets a line before a long wait.

    A host that was reached before is tried again for minutes; one that never was is named at once.
    Raises `UserError` for all that a person has to see to.
    """

    def __init__(
        self,
        base: str,
        token: str,
        variable: str,
        pause: Callable[[float], None],
        show: Callable[[str], None],
    ):
        self.base = _checked(base)
        self.host = urlsplit(base).hostname or ""
        self.site = self.base.removesuffix("/api")
        self._token, self._variable = token, variable
        self._pause, self._show = pause, show
        self._was_reached = False
        self._session = http.session(0)
        self._session.auth = _Bearer(token)
        self._session.headers["Accept"] = "application/json"
        self._session.headers["Accept-Encoding"] = "identity"
        # A proxy of the environment would read what goes to this machine without TLS.
        self._proxies = {"http": "", "https": ""} if self.host in LOOPBACK else None

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        params: Mapping[str, str] | None = None,
        once: bool = False,
        follow: bool = False,
    ) -> Any:
        """The value of an answer. once: whether the request makes something, so that it must not be
        repeated blindly. follow: whether an answer may lead to another path of the same host."""
        for attempt in range(TRIES):
            answer = self._once(method, path, body, params)
            if answer.is_unreachable and not self._was_reached:
                raise UserError(
                    f"{self.host} cannot be reached: {answer.message}; check the network, then run "
                    "the same command again"
                )
            self._was_reached = True
            if follow and answer.status in (301, 302, 303, 307, 308):
                path, params = self._inner_path(answer.location), None
            elif not self._is_passing(answer):
                if 200 <= answer.status < 300:
                    return answer.value
                raise self._refused(answer)
            else:
                last = attempt == TRIES - 1
                if not last:
                    self._wait(answer, attempt)
                if once and answer.status != 429:
                    raise Uncertain(answer.message)
                if last:
                    break
        raise UserError(
            f"{self.host} does not answer ({answer.message:.{QUOTED}}); run the same command again "
            "to continue"
        )

    def send(
        self, path: str, file: Path, size: int, sent: Callable[[int], object], attempt: int
    ) -> Any:
        """PUT a file once; the value of the answer. sent: gets each number of bytes. attempt:
        number of earlier ones. Raises `Uncertain`, after a pause, when the server was busy or the
        connection was lost."""
        with file.open("rb") as opened:
            answer = self._once("PUT", path, sent=(opened, file, size, sent))
        if self._is_passing(answer):
            self._wait(answer, attempt)
            raise Uncertain(answer.message)
        if answer.status not in (200, 201):
            raise self._refused(answer, f"{file.name} of {shown_size(size)}")
        return answer.value

    def _is_passing(self, answer: _Answer) -> bool:
        return answer.status == 0 or answer.status in BUSY

    def _wait(self, answer: _Answer, attempt: int) -> None:
        """Wait as the server asks, else ever longer. Raises `UserError` if it asks for too long."""
        pause = answer.pause
        if pause is None:
            pause = PAUSES[min(attempt, len(PAUSES) - 1)]
        if pause > LONGEST_PAUSE:
            raise UserError(
                f"{self.host} asks to wait {pause / 60:.0f} minutes; run the same command again "
                "after that"
            )
        if pause >= SHOWN_FROM:
            self._show(f"{self.host}: {answer.message}; trying again in {pause:.0f} s")
        self._pause(pause)

    def _once(
        self,
        method: str,
        path: str,
        body: object = None,
        params: Mapping[str, str] | None = None,
        sent: tuple[Any, Path, int, Callable[[int], object]] | None = None,
    ) -> _Answer:
        """One request."""
        data: Any = None if body is None else json.dumps(body).encode()
        kind, bounds, timeout = "application/json", Bounds(100, 600, window=60), TIMEOUT
        if sent:
            data, kind = _Body(*sent), "application/octet-stream"
            most = AFTER_FILE + sent[2] / SLOWEST
            bounds, timeout = Bounds(1, 2 * most, window=2 * AFTER_FILE), (60.0, AFTER_FILE)
        try:
            with (
                bounded(bounds, LARGEST_ANSWER),
                self._session.request(
                    *(method, self.base + path),
                    params=params,
                    data=data,
                    headers={"Content-Type": kind} if data is not None else None,
                    proxies=self._proxies,
                    stream=True,
                    allow_redirects=False,
                    timeout=timeout,
                ) as response,
            ):
                return self._answer(response)
        except Failure as error:
            if error.reason == "network":
                return _Answer(0, message=self._shown(error.detail))
            raise self.strange(error.detail) from None
        except UserError:
            raise
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            words = BRACKETS.sub(r"\1", RETRIES.sub("", without_objects(str(error))))
            unreachable = isinstance(_cause(error), NewConnectionError)
            return _Answer(0, message=self._shown(words), is_unreachable=unreachable)
        except (HTTPException, OverflowError, ValueError) as error:
            raise self.strange(f"no HTTP: {type(error).__name__}") from None

    def _answer(self, response: requests.Response) -> _Answer:
        """An answer, read within bounds. Raises `UserError` for one that is no JSON."""
        content, status = bytearray(), response.status_code
        for block in response.iter_content(1 << 16):
            content += block
            if len(content) > LARGEST_ANSWER:
                raise self.strange(f"more than {LARGEST_ANSWER / 1e6:g} MB")
        value = None
        try:
            value = parse_json(bytes(content), f"{self.host}: the answer") if content else None
        except UserError as error:
            # Pages of proxies in front of it are HTML.
            if 200 <= status < 300:
                raise self.strange(str(error)) from None
        words = [f"HTTP {status}", *_messages(value)]
        return _Answer(
            *(status, value, self._shown(": ".join(words)), _pause_of(response)),
            location=response.headers.get("Location", ""),
        )

    def _refused(self, answer: _Answer, what: str = "") -> Refused:
        """The error for an answer that is final: what a person can do about it."""
        status, message = answer.status, answer.message
        tokens = f"{self.site}/account/settings/applications/tokens/new/"
        if status == 401:
            text = (
                f"{self.host} refuses the token in {self._variable}: it is wrong, expired or of "
                f"another site; make one with the scopes {SCOPES} at {tokens}"
            )
        elif status == 403:
            text = (
                f"{self.host} does not allow this with the token in {self._variable} ({message}); "
                f"it needs the scopes {SCOPES}, and the record must be of its account"
            )
        elif what and status in (400, 413):
            text = f"{self.host} does not take {what} ({message}); ask Zenodo for a larger quota"
        elif status == 400:
            text = f"{self.host} refuses the request ({message}); see publish: in config.yaml"
        elif 300 <= status < 400:
            text = f"{self.host} leads to another address, where the token must not go ({message})"
        else:
            text = f"{self.host} refuses the request ({message})"
        return Refused(text, status)

    def _inner_path(self, location: str) -> str:
        """The path below `base` of a redirect. Raises `Refused` for one that leaves it."""
        address = self.site.partition("://")
        origin = f"{address[0]}://{address[2].partition('/')[0]}"
        whole = origin + location if location.startswith("/") else location
        path = whole.removeprefix(self.base)
        if path == whole or not re.fullmatch("(/[A-Za-z0-9_-]{1,100}){1,6}", path):
            raise self._refused(_Answer(302, message="HTTP 302"))
        return path

    def strange(self, what: str) -> UserError:
        """The error for an answer of an unknown form."""
        return UserError(
            f"{self.host} answers in an unknown form ({self._shown(what)}); try again later, or "
            "upload the files by hand"
        )

    def _shown(self, text: str) -> str:
        """Words of a server, in one short line without the token."""
        return one_line(text.replace(self._token, "..."))[:QUOTED]


def _cause(error: Exception) -> object:
    """What urllib3 met, of an error of requests, which keeps it in another one."""
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", inner)
    # A proxy that cannot be reached.
    return getattr(reason, "original_error", reason)


def _checked(base: str) -> str:
    """The address of an API. Raises `UserError` unless it is reached by https, or on loopback."""
    parts = urlsplit(base)
    is_local = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not (parts.scheme == "https" or is_local) or parts.username or parts.query:
        raise UserError(f"{base:.200}: a token is sent by https only")
    return base.rstrip("/")


def _messages(value: Any) -> Iterator[str]:
    """What an error answer says: its message, and the first of its fields that are wrong."""
    if not isinstance(value, dict):
        return
    if message := one_line(value.get("message")):
        yield message
    errors = value.get("errors")
    for each in errors[:3] if isinstance(errors, list) else []:
        if isinstance(each, dict):
            more = each.get("messages")
            text = one_line(each.get("message")) or (
                one_line(more[0]) if isinstance(more, list) and more else ""
            )
            yield f"{one_line(each.get('field'))} {text}".strip()


def _pause_of(response: requests.Response) -> float | None:
    """Seconds that a server asks to wait, by Retry-After or Zenodo's X-RateLimit-Reset."""
    wait = response.headers.get("Retry-After", "")
    if re.fullmatch(r"\d{1,9}", wait, re.ASCII):
        return float(wait)
    reset = response.headers.get("X-RateLimit-Reset", "")
    if response.status_code == 429 and re.fullmatch(r"\d{1,12}", reset, re.ASCII):
        return max(1.0, float(reset) - time.time())
    return None
