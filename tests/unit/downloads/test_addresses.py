"""Which addresses downloads contact, which redirects they follow, and which secrets they send."""

import signal
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from trailers12k.common.errors import Failure, UserError
from trailers12k.downloads import addresses, http, page_search
from trailers12k.downloads.addresses import Private, is_private, number_of
from trailers12k.downloads.bounds import Bounds

CERTIFICATE = Path(__file__).parent / "loopback.pem"
"""Of 127.0.0.1, until 2126, and its key; signed by itself with `openssl req -x509`."""
NEVER, NAMED, ALWAYS = (Bounds(private=each) for each in Private)


@pytest.mark.parametrize(
    "number",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1"),
        *("::1", "::", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "::127.0.0.1"),
        *("::ffff:127.0.0.1", "::ffff:a00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0::1"),
    ],
)
def test_private_addresses(number):
    assert is_private(number)


@pytest.mark.parametrize(
    "number",
    ["8.8.8.8", "142.250.74.78", "2a00:1450:4001::200e", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_public_addresses(number):
    assert not is_private(number)


@pytest.mark.parametrize(
    ("host", "number"),
    [
        *((host, "127.0.0.1") for host in ("127.1", "2130706433", "0x7f000001", "0177.0.0.1")),
        *((host, "127.0.0.1") for host in ("localhost", "LocalHost.", "a.localhost")),
        *(("[::1]", "::1"), ("8.8.8.8", "8.8.8.8")),
        *((host, "") for host in ("example.org", "a.b", "", "127.0.0.1.example.org")),
    ],
)
def test_numbers_in_any_form(host, number):
    assert number_of(host) == number


class Site:
    """Answers /to/URL by a redirect, and other paths by what it got."""

    def __init__(self, address, certificate=None):
        site, self.requests = self, []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                site.requests.append((self.path, dict(self.headers)))
                target = self.path.partition("/to/")[2].partition("?")[0]
                self.send_response(302 if target else 200)
                if target:
                    self.send_header("Location", target)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer((address, 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://{address}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def sites(monkeypatch):
    """Two sites; the first one is taken for one of the internet."""
    both = Site("127.0.0.2"), Site("127.0.0.1")
    monkeypatch.setattr(
        addresses, "is_private", lambda number: number != "127.0.0.2" and is_private(number)
    )
    yield both
    for site in both:
        site.server.shutdown()
        site.server.server_close()


def read(url, bounds, client=None):
    return http.read(client or http.session(0), url, 1000, 5, bounds)


def test_who_names_an_address_decides_whether_it_may_be_private(sites):
    public, private = sites
    assert read(f"{public.url}/a", NEVER) == b"ok"
    assert read(f"{private.url}/a", NAMED) == b"ok", "of the configuration"
    assert read(f"{private.url}/to/{private.url}/a", NAMED) == b"ok", "a mirror leads on"
    assert read(f"{public.url}/to/{private.url}/a", ALWAYS) == b"ok"
    private.requests.clear()
    for url, bounds in (
        (f"{private.url}/a", NEVER),
        (f"{public.url}/to/{private.url}/a", NAMED),
        (f"{public.url}/to/{private.url}/a", NEVER),
    ):
        with pytest.raises(Failure, match=r"unsafe_address: 127\.0\.0\.1 is a private address"):
            read(url, bounds)
    assert private.requests == []
    with pytest.raises(Failure, match="unsafe_address"):
        read(f"{private.url}/to/{public.url}/to/{private.url}/a", NAMED)
    assert len(private.requests) == 1


def test_an_open_connection_is_checked_again(sites):
    _, private = sites
    client = http.session(0)
    assert read(f"{private.url}/a", NAMED, client) == b"ok"
    with pytest.raises(Failure, match="unsafe_address"):
        read(f"{private.url}/a", NEVER, client)
    assert len(private.requests) == 1


def test_a_proxy_may_be_private_and_what_it_fetches_is_checked(sites, monkeypatch):
    _, proxy = sites
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "")
    assert read("http://example.org/a", NEVER) == b"ok"
    with pytest.raises(Failure, match="unsafe_address: 0x7f.1"):
        read("http://0x7f.1/a", NEVER)
    with pytest.raises(Failure, match="unsafe_address: localhost"):
        read("http://example.org/to/http://localhost/a", NAMED)
    assert [path for path, _ in proxy.requests] == [
        "http://example.org/a",
        "http://example.org/to/http://localhost/a",
    ]


def test_redirects_may_gain_tls_and_never_lose_it(sites, monkeypatch):
    _, private = sites
    safe = Site("127.0.0.1", CERTIFICATE)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    assert read(f"{private.url}/to/{safe.url}/a", NAMED) == b"ok"
    with pytest.raises(Failure, match="unsafe_address: a redirect from https to http, which is"):
        read(f"{safe.url}/to/{private.url}/a", ALWAYS)
    assert len(private.requests) == 1
    safe.server.shutdown()


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://a.org/b", "data:,a", "gopher://a"])
def test_redirects_keep_their_scheme(sites, target):
    with pytest.raises(Failure, match="unsafe_address: a redirect from http to"):
        read(f"{sites[0].url}/to/{target}", ALWAYS)


def test_no_secret_goes_to_another_host(sites, tmp_path, monkeypatch):
    public, private = sites
    (tmp_path / "netrc").write_text("machine 127.0.0.1\nlogin me\npassword secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    client = http.session(0)
    client.headers["Authorization"] = "Bearer secret"
    client.params = {"api_key": "secret"}
    client.cookies.set("session", "secret", domain="127.0.0.2")
    read(f"{public.url}/to/{private.url}/a", ALWAYS, client)
    assert "Bearer secret" in str(public.requests)
    assert "secret" not in str(private.requests)
    read(f"{private.url}/a", NAMED)
    assert "Authorization" not in str(private.requests), "of ~/.netrc"


def test_no_line_feed_of_a_url_ends_a_header(sites):
    read(f"{sites[0].url}/a\r\nX-Injected: b", NEVER)
    assert "X-Injected" not in sites[0].requests[0][1]


def test_no_message_contains_a_password(tmp_path):
    with pytest.raises(UserError) as error:
        http.fetch("http://me:secret@127.0.0.1:9/x?key=secret", tmp_path / "x", retries=0)
    assert "secret" not in str(error.value) and "127.0.0.1:9" in str(error.value)


def test_a_search_of_a_page_ends_and_changes_nothing():
    changed = []
    assert page_search.ends_in_time(lambda: changed.append(1), 1)
    assert page_search.ends_in_time(lambda: 1 / 0, 1) and not changed

    def endless():
        while True:
            pass

    assert not page_search.ends_in_time(endless, 1)


def test_a_search_that_waits_for_a_lock_ends(monkeypatch):
    monkeypatch.setattr(page_search, "WAITING", 1)
    lock = threading.Lock()
    lock.acquire()

    def waiting():
        signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
        lock.acquire()

    assert not page_search.ends_in_time(waiting, 1)
