"""Which addresses of trailers and posters others can open: on the web, and without a secret.

Reads and writes nothing. Must not know which table an address is of.

An address is judged by what is known to be harmless: whoever signs addresses or gives out tokens
names them as they like, so no list of secrets is ever complete.
"""

import re
import unicodedata
from urllib.parse import unquote, urlsplit

from trailers12k.common.movie import is_web_address
from trailers12k.common.youtube import IMAGE_DOMAINS, PAGE, is_youtube_id, video_id
from trailers12k.downloads.addresses import LOCAL_NAMES

LOCAL_ENDS = (
    *(".local", ".localdomain", ".localhost", ".internal", ".intranet", ".intra", ".lan", ".home"),
    *(".home.arpa", ".corp", ".private", ".priv", ".test", ".invalid", ".example", ".nas"),
    *(".workgroup", ".domain", ".router", ".gateway", ".dhcp", ".vpn", ".cluster", ".svc"),
    *(".docker", ".consul", ".onion", ".i2p", ".alt", ".speedport.ip", ".fritz.box"),
    *(".myfritz.net", ".ts.net", ".tailscale.net", ".nip.io", ".sslip.io", ".ngrok.io"),
    *(".ngrok.app", ".ngrok.dev", ".ngrok-free.app", ".ngrok-free.dev", ".trycloudflare.com"),
    *(".duckdns.org", ".dyndns.org", ".synology.me", ".myqnapcloud.com"),
)
"""Hosts of local networks, and of somebody's own machine."""
NUMBERS = re.compile(r"[\d.]+|.*:.*|0x[\da-f.x]+")
"""Hosts that are numbers: machines of a local network, or without a name for others."""
HARMLESS = frozenset(
    (
        *("v", "id", "t", "list", "index", "start", "end", "lang", "hl", "format", "fmt", "ext"),
        *("type", "width", "height", "size", "w", "h", "q", "quality", "dpr", "fit", "crop"),
        *("resize", "version", "ver", "page", "download", "dl"),
    )
)
"""Names in the query of an address whose values say which file, and in which form."""
HARMLESS_VALUE = re.compile(r"[\w.,:~+-]{0,40}", re.ASCII)
"""Signed tokens are longer."""
MAIL = re.compile(r"[\w.+-]@\w")


def public(address: str) -> str:
    """An address or a YouTube id that others can open; empty for local files, hosts of a local
    network, and addresses that may hold a secret. Of a page of YouTube, only the video stays."""
    if is_youtube_id(address) or _is_public(address):
        return address
    if video := video_id(address):
        thumbnail = address.strip().partition("?")[0].partition("#")[0]
        is_picture = any(f".{domain}/" in thumbnail for domain in IMAGE_DOMAINS)
        if not is_picture:
            return f"{PAGE}{video}"
        return thumbnail if _is_public(thumbnail) else ""
    return ""


def cleaned(address: str) -> str:
    """An address within a text: without user, password, and what may be a secret.

    Only the name of the file is left of one on a host of a local network.
    """
    if _is_public(address):
        return address
    try:
        parts = urlsplit(address)
        plain = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.partition(';')[0]}"
    except ValueError:
        return ""
    if _is_public(plain) or parts.scheme.lower() not in ("http", "https"):
        return plain
    return parts.path.partition(";")[0].rstrip("/").rpartition("/")[2]


def _is_public(address: str) -> bool:
    if not is_web_address(address):
        return False
    try:
        parts = urlsplit(address)
        host = unicodedata.normalize("NFKC", parts.hostname or "").rstrip(".")
        _ = parts.port
    except ValueError:
        return False
    is_local = host in LOCAL_NAMES or "." not in host or host.endswith(LOCAL_ENDS)
    path = unquote(parts.path)
    is_plain = "#" not in address and ";" not in path and not MAIL.search(path)
    return bool(
        is_plain
        and not is_local
        and not NUMBERS.fullmatch(host)
        and all(map(_is_harmless, parts.query.split("&")))
    )


def _is_harmless(part: str) -> bool:
    """Whether one part of a query, `name=value`, is without a secret."""
    name, _, value = part.partition("=")
    return not part or (name in HARMLESS and HARMLESS_VALUE.fullmatch(value) is not None)
