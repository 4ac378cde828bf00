"""Which network addresses a download may contact: public ones, and private ones where allowed.

Reads and writes nothing. Must not know clients, connections or what is downloaded.
"""

import socket
from contextlib import suppress
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

GLOBAL = IPv6Network("2000::/3")
"""The only range from which global addresses of IPv6 are assigned."""
NAT64 = IPv6Network("64:ff9b::/96")
"""Of IPv6 addresses that end with one of IPv4."""
LOCAL_NAMES = (
    *("localhost", "localhost.localdomain", "localhost6", "localhost6.localdomain6"),
    *("ip6-localhost", "ip6-loopback"),
)
"""Names of this machine. Where a proxy resolves names, only they and numbers can be checked."""

HOW = "allowed with private_addresses: true below downloads: in the configuration"


class Private(Enum):
    """Which private addresses a download may contact: of this machine and of local networks."""

    NEVER = "for an address that a table of movies or a web page names"
    NAMED = "for an address that the user names: private ones until a public one was contacted"
    ALWAYS = "where the user allows them"


def is_private(number: str) -> bool:
    """Whether an IP address is none of the public internet.

    number: as the system gives it, such as `10.0.0.1`, `::1` or `fe80::1%eth0`.
    """
    address: IPv4Address | IPv6Address = ip_address(number)
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None and (address not in GLOBAL or address.teredo):
            return True
        address = inner or address
    return not address.is_global or address.is_multicast


def number_of(host: str) -> str:
    """The IP address that a host is without a resolver, in any form that systems accept; else "".

    IPv4 also as `127.1`, `2130706433`, `0x7f000001` or `0177.0.0.1`, and names of this machine.
    """
    host = host.strip("[]").rstrip(".").lower()
    if host in LOCAL_NAMES or host.endswith(".localhost"):
        return "127.0.0.1"
    with suppress(ValueError):
        return str(ip_address(host))
    with suppress(OSError, ValueError):
        return socket.inet_ntoa(socket.inet_aton(host))
    return ""


def host_of(url: str) -> str:
    """The host of a URL; empty for an invalid URL."""
    with suppress(ValueError):
        return urlsplit(url).hostname or ""
    return ""


class Reach:
    """The addresses that one download may contact, with its redirects and what its pages name."""

    def __init__(self, private: Private):
        self._private = private
        self._public = False

    def allows(self, number: str) -> bool:
        """Whether an IP address may be contacted now."""
        if self._private is Private.ALWAYS or not is_private(number):
            return True
        return self._private is Private.NAMED and not self._public

    def contacted(self, number: str) -> None:
        """Record that an IP address was contacted; empty for one that only a proxy resolves."""
        self._public = self._public or not number or not is_private(number)
