"""The mail server, as its address says: `smtp://name:password@mail.example.com:587`."""

import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit


class Tls(StrEnum):
    """How the connection is kept private."""

    FROM_START = "from_start"
    """TLS before the first word (RFC 8314), as `smtps://` says."""
    REQUIRED = "required"
    """STARTTLS, or nothing is sent."""
    OFFERED = "offered"
    """STARTTLS if the server has it."""
    OFF = "off"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over, and as whom."""

    host: str
    port: int
    tls: Tls
    user: str | None = None
    password: str | None = field(default=None, repr=False)


PORTS: Final = {"smtp": 587, "smtps": 465}
STARTTLS: Final = {"required": Tls.REQUIRED, "offered": Tls.OFFERED, "off": Tls.OFF}


def parse_mail_server(url: str) -> MailServer:
    """Read the address. Raises `ValueError`, which never repeats the password.

    `smtp://` upgrades by STARTTLS: required, except to this machine itself, where it is used if offered; `?starttls=`
    `required`, `offered` or `off` says otherwise. `smtps://` is TLS from the start. A password goes to no other machine
    in the clear.
    """
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError("it must look like smtp://name:password@mail.example.com:587, or smtps://…:465")
    query = parse_qs(parts.query, strict_parsing=bool(parts.query))
    chosen = query.pop("starttls", None)
    if query or parts.path not in ("", "/") or (chosen and parts.scheme == "smtps"):
        raise ValueError(
            "after the host and port only ?starttls=required, offered or off may stand, with smtp://"
        )
    if chosen and chosen[-1] not in STARTTLS:
        raise ValueError("starttls is required, offered or off")
    here = is_this_machine(parts.hostname)
    if parts.scheme == "smtps":
        tls = Tls.FROM_START
    elif chosen:
        tls = STARTTLS[chosen[-1]]
    else:
        tls = Tls.OFFERED if here else Tls.REQUIRED
    user = unquote(parts.username) if parts.username else None
    if user and not here and tls in (Tls.OFF, Tls.OFFERED):
        raise ValueError(
            "a password may not go over the network in the clear: use smtps://, or starttls=required"
        )
    password = unquote(parts.password) if parts.password else None
    return MailServer(parts.hostname, parts.port or PORTS[parts.scheme], tls, user, password)


def is_this_machine(host: str) -> bool:
    """Whether what is sent there never leaves the machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
