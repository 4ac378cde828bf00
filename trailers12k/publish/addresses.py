"""Which addresses of trailers and posters others can open: on the web, and without a secret.

Reads and writes nothing. Must not know which table an address is of.
"""

import re
from urllib.parse import urlsplit

from trailers12k.common.movie import is_web_address
from trailers12k.common.youtube import video_id
from trailers12k.downloads.addresses import LOCAL_NAMES

LOCAL_ENDS = (".local", ".localdomain", ".internal", ".lan", ".home.arpa")
NUMBERS = re.compile(r"[\d.]+|.*:.*|0x[\da-f.x]+")
"""Hosts that are numbers: machines of a local network, or without a name for others."""
SECRET = re.compile(
    r"(?:^|[&;])[^=&;]*"
    r"(?:sig|token|secret|passw|key|credential|auth|session|cookie)[^=&;]*=",
    re.IGNORECASE,
)
"""In the query of an address: a name whose value gives access."""


def public(address: str) -> str:
    """An address or a YouTube id that others can open; empty for local files, hosts of a local
    network, and addresses with a secret."""
    return address if video_id(address) or _is_public(address) else ""


def _is_public(address: str) -> bool:
    if not is_web_address(address):
        return False
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return False
    is_local = host in LOCAL_NAMES or "." not in host or host.endswith(LOCAL_ENDS)
    return not (is_local or NUMBERS.fullmatch(host) or SECRET.search(parts.query))
