"""Which internet addresses a webhook may be sent to: those of the public internet, and what the operator allows.

An address of a webhook comes from outside, and the request leaves from inside the network: without this check it would
reach databases, routers and the metadata service of a cloud (server-side request forgery). The ranges are those of the
IANA special-purpose address registries (RFC 6890 and its updates, as of 2026); Python's own `is_global` differs between
patch releases (CVE-2024-4032), so they are written out.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_PUBLIC_V4 = tuple(
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # behind a carrier's NAT; metadata of some clouds
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link local; metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, abandoned
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)

_PUBLIC_V6 = IPv6Network("2000::/3")
"""All global unicast addresses that exist; whatever lies outside it is local, reserved or multicast."""

_NOT_PUBLIC_V6 = tuple(
    IPv6Network(each)
    for each in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address in disguise, abandoned
        "3fff::/20",  # documentation
    )
)

_TRANSLATED = IPv6Network("64:ff9b::/96")
"""NAT64: the last 32 bits are an IPv4 address, and that is where it leads."""


def may_connect(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Whether a webhook may go to this address: it is public, or in a network that the operator has allowed."""
    real = unwrapped(address)
    if any(network.version == real.version and real in network for network in allowed):
        return True
    if isinstance(real, IPv4Address):
        return not any(real in network for network in _NOT_PUBLIC_V4)
    return real in _PUBLIC_V6 and not any(real in network for network in _NOT_PUBLIC_V6)


def unwrapped(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that stands for it, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def parse_networks(text: str) -> tuple[Network, ...]:
    """Networks in CIDR notation, separated by commas. Raises `ValueError` naming the one that is none."""
    return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())
