"""The address of an endpoint: what is wrong with it, before anything is sent there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from services.deliveries.domain.webhooks.addresses import Network, may_connect

URL_CHARACTERS_MAX = 2_000
_PORTS = {"https": 443, "http": 80}
_VISIBLE = re.compile(r"^[\x21-\x7e]+$")
_HOST = re.compile(r"^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?\.?$")


class BadTargetError(ValueError):
    """The address cannot be one of an endpoint; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address, taken apart. `host` is in lower case, without brackets; `path` begins with a slash and has the
    query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """As the `Host` header names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse_target(url: str, allowed: Sequence[Network] = ()) -> Target:
    """The parts of `url`. Raises `BadTargetError`.

    Plain http is taken only where the operator has allowed private networks; that it stays inside them is checked when
    it connects (see `may_send`).
    """
    if len(url) > URL_CHARACTERS_MAX:
        raise BadTargetError(f"must have at most {URL_CHARACTERS_MAX} characters")
    if not _VISIBLE.match(url) or "\\" in url:
        raise BadTargetError("must be written in visible ASCII characters, others percent-encoded")
    parts, port = _split(url)
    if parts.scheme not in _PORTS or (parts.scheme == "http" and not allowed):
        raise BadTargetError(
            "must begin with https://; http:// is taken only where REGULARS_WEBHOOK_PRIVATE_NETWORKS is set, and to a"
            " receiver on your own machine `regulars listen --forward-to` brings events"
        )
    if parts.username is not None or parts.password is not None:
        raise BadTargetError("must not carry a user or a password; a secret may be part of the path")
    if parts.fragment:
        raise BadTargetError("must not have a fragment (#…), which is never sent")
    host = (parts.hostname or "").lower()
    if not host:
        raise BadTargetError("must name a host")
    target = Target(
        parts.scheme,
        host,
        port or _PORTS[parts.scheme],
        (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )
    _check_host(target, allowed)
    return target


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadTargetError("is not an address of the web") from None
    if port == 0:
        raise BadTargetError("must not have the port 0")
    return parts, port


def _check_host(target: Target, allowed: Sequence[Network]) -> None:
    """A host that is an address is judged at once; a name whenever it is resolved."""
    try:
        address = ip_address(target.host)
    except ValueError:
        if not _HOST.match(target.host) or ".." in target.host:
            raise BadTargetError("must name a host in letters, digits, dots and hyphens") from None
        return
    if not may_connect(address, allowed):
        raise BadTargetError("must be reachable on the public internet; this address is private or reserved")


def may_send(scheme: str, address: str, allowed: Sequence[Network]) -> bool:
    """Whether a request may go to this resolved address: encrypted to public ones, plain only to allowed networks."""
    found = ip_address(address.partition("%")[0])
    if scheme == "https":
        return may_connect(found, allowed)
    return any(network.version == found.version and found in network for network in allowed)
