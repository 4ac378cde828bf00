"""Sessions of requests: bounded connections, and redirects only where they are safe.

Reads and writes nothing. Must not know what is downloaded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

from trailers12k.downloads.bounds import current
from trailers12k.downloads.connections import bound_pools


class BoundedAdapter(HTTPAdapter):
    """An adapter of requests whose connections are measured and checked."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **options)
        bound_pools(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """The pools of connections through a proxy."""
        return bound_pools(super().proxy_manager_for(*args, **options))


class SafeRedirects:
    """Mixin of a session: follows a redirect to the same scheme, and from http to https.

    The addresses of redirects are checked by their connections.
    """

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """The URL that an answer leads to; None if to none. Raises `OutOfBounds`."""
        try:
            target: str | None = super().get_redirect_target(resp)  # type: ignore[misc]
            if target is None:
                return None
            old, new = urlsplit(resp.url), urlsplit(urljoin(resp.url, target))
            _ = new.port
        except ValueError:
            current().fail("bad_answer", "a redirect to an invalid URL")
        # requests would read all of the body, which may be endless.
        resp._content, resp._content_consumed = b"", True  # type: ignore[attr-defined]
        resp.raw.close()
        if new.scheme not in (old.scheme, "https"):
            current().fail(
                "unsafe_address",
                f"a redirect from {old.scheme} to {new.scheme:.20}, which is not followed",
            )
        return target


class Session(SafeRedirects, requests.Session):
    """A session that follows safe redirects, and reads no passwords from ~/.netrc."""

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """A request as it is sent."""
        with _without_netrc(self):
            return super().prepare_request(request)

    def rebuild_auth(self, prepared_request: Any, response: Any) -> None:
        """Remove a password or token from a request that a redirect leads to another host."""
        with _without_netrc(self):
            super().rebuild_auth(prepared_request, response)


@contextmanager
def _without_netrc(session: requests.Session) -> Iterator[None]:
    session.trust_env = False
    try:
        yield
    finally:
        # For the proxies that the environment names.
        session.trust_env = True
