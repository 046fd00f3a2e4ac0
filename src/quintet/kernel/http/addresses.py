"""Client addresses: whom a request came from, as far as trusted proxies can be believed."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import Any


class Addresses:
    """Knows which proxies may speak for others."""

    def __init__(self, trusted_proxies: Sequence[str]) -> None:
        self._trusted = tuple(ipaddress.ip_network(proxy) for proxy in trusted_proxies)
        self._key = lru_cache(4096)(_limit_key)

    def of(self, scope: Any) -> str:
        """The address a request counts against: IPv4 whole, IPv6 by its /64.

        `X-Forwarded-For` is read from the right, past proxies named in settings; a client can write
        anything it likes further left.
        """
        client = scope.get("client")
        address: str = client[0] if client else "local"
        if self._trusted and self._is_trusted(address):
            forwarded = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
            for hop in reversed(forwarded.decode("latin-1").split(",")):
                if not hop.strip():
                    break
                address = hop.strip()
                if not self._is_trusted(address):
                    break
        return self._key(address)

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)


def _limit_key(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
