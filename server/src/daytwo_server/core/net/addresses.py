"""Which addresses a target named by a user may have. The one rule behind every outgoing connection."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Only this part of IPv6 is given out as public addresses (IANA, IPv6 global unicast assignments).
_PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")
# What `is_global` of the supported Python versions lets through: relay and translation prefixes, documentation.
_NOT_PUBLIC = [
    ipaddress.ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20", "fec0::/10")
]
# Not link-local: that is where clouds keep their metadata services. Nor 100.64.0.0/10, which strangers may share.
_PRIVATE = [
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "::1/128", "fc00::/7")
]
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True)
class Policy:
    """`allow_private` opens private and loopback addresses; `allowed` opens exactly those networks."""

    allow_private: bool = False
    allowed: Sequence[Network] = ()

    def permits(self, address: Address | str) -> bool:
        """Whether a connection to this address may be made. Text that is no address may not."""
        try:
            address = plain(address)
        except ValueError:
            return False
        if any(address in network for network in self.allowed):
            return True
        if is_public(address):
            return True
        return self.allow_private and is_private(address)


def plain(address: Address | str) -> Address:
    """Where a connection ends: an IPv4 address hidden in an IPv6 one is taken out. Raises `ValueError`."""
    if isinstance(address, str):
        address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether the address is one host on the open Internet. Give it a `plain` one."""
    if any(address in network for network in _NOT_PUBLIC if network.version == address.version):
        return False
    if isinstance(address, ipaddress.IPv6Address) and address not in _PUBLIC_IPV6:
        return False
    return address.is_global and not address.is_multicast


def is_private(address: Address) -> bool:
    """Whether the address is this machine or a private network. Give it a `plain` one."""
    return any(address in network for network in _PRIVATE)
