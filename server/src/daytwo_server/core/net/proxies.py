"""Whose request this is, when reverse proxies stand in between. No Django and no HTTP client: every request asks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from daytwo_server.core.net import addresses
from daytwo_server.core.net.addresses import Address, Network, plain


def client_address(peer: str | None, forwarded_for: str | None, trusted: Sequence[Network]) -> str:
    """The address of the client: `peer`, or what trusted proxies say in X-Forwarded-For.

    The header is read from the right, past the hops that are trusted, because only those wrote what stands left of
    them. A hop that is no address ends the walk at the last one that was. A peer that is no address (a unix socket,
    None) is returned as it is, "" for None.
    """
    if not forwarded_for or not is_trusted(peer, trusted):
        return _shown(peer)
    client = _shown(peer)
    for hop in reversed(forwarded_for.split(",")):
        address = _parsed(_without_port(hop.strip()))
        if address is None:
            return client
        client = str(address)
        if not _within(address, trusted):
            return client
    return client


def is_trusted(peer: str | None, trusted: Sequence[Network]) -> bool:
    """Whether the peer is a reverse proxy whose forwarded headers are believed."""
    address = _parsed(peer or "")
    return address is not None and _within(address, trusted)


def is_private(address: str) -> bool:
    """Whether the address is this machine or a private network. Text that is no address is not."""
    parsed = _parsed(address)
    return parsed is not None and addresses.is_private(parsed)


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _shown(peer: str | None) -> str:
    address = _parsed(peer or "")
    return str(address) if address else peer or ""


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Address | None:
    try:
        return plain(text)
    except ValueError:
        return None


def _without_port(hop: str) -> str:
    """Some proxies write `192.0.2.1:5000` and `[2001:db8::1]:5000`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
