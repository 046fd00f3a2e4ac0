"""Where messages may be sent: a subscription names the address, so it could name one inside our own network.

Invariant: nothing is connected to but an address that was looked at here; a name is resolved once, and the
connection goes to the address found, so that a second answer of the name's server gains nothing.
"""

import asyncio
import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

import msgspec


class Target(msgspec.Struct, frozen=True):
    """An endpoint with the address to connect to."""

    url: str
    host: str  # as the endpoint names it, port included
    sni: str


class ForbiddenEndpoint(Exception):
    """The endpoint is none that a message may be sent to."""


def parts_of(endpoint: str, *, private: bool) -> SplitResult:
    """The parts of an endpoint; raises ForbiddenEndpoint. `private` allows http and our own network."""
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError as error:
        raise ForbiddenEndpoint("not an address") from error
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise ForbiddenEndpoint("an endpoint is an https address")
    if not parts.hostname or "@" in parts.netloc or port == 0:
        raise ForbiddenEndpoint("an endpoint has a host, and no user")
    if not endpoint.isascii() or any(one <= " " or one == "\x7f" for one in endpoint):
        raise ForbiddenEndpoint("an endpoint is printable ASCII")
    if not private:
        if parts.hostname == "localhost" or parts.hostname.endswith((".localhost", ".local", ".internal")):
            raise ForbiddenEndpoint("an endpoint is a public host")
        try:
            _check_public(parts.hostname)
        except ValueError:
            if "." not in parts.hostname:
                raise ForbiddenEndpoint("an endpoint is a public host") from None
    return parts


async def target_of(endpoint: str, *, private: bool) -> Target:
    """Resolve an endpoint; raises ForbiddenEndpoint, or OSError where the name does not resolve."""
    parts = parts_of(endpoint, private=private)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses:
        raise OSError("the name has no address")
    if not private:
        for address in addresses:  # all of them: a mixed answer is an attempt
            _check_public(address)
    address = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
    url = parts._replace(netloc=f"{address}:{port}", fragment="").geturl()
    return Target(url, parts.netloc, host)


def _check_public(address: str) -> None:
    """Raise ForbiddenEndpoint for an address that is not of the public internet; ValueError for a name."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip.sixtofour or ip
    if not ip.is_global or ip.is_multicast:
        raise ForbiddenEndpoint("an endpoint is a public host")
