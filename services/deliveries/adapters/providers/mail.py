"""Makes the e-mail (RFC 5322) that goes to a mail server."""

import hashlib
import re
from base64 import encodebytes
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.utils import format_datetime
from typing import Final

from services.deliveries.application.ports import Rendered

_ATOM = re.compile(r"\A[A-Za-z0-9._-]{1,200}\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NEVER = re.compile(r"[\x00-\x20\x7f<>()\[\]\\,;:\"]")
_MAILBOX = re.compile(r"\A(?P<name>[^<>\x00-\x1f\x7f]*)<(?P<spec>[^<>]+)>\s*\Z")
_TOKEN = re.compile(r"\A[A-Za-z0-9-]{1,64}\Z")
LINE_MAX: Final = 998
"""Characters of a line, RFC 5322, section 2.1.1."""


class BadAddressError(ValueError):
    """It is no e-mail address that can be put on the wire."""


def read_address(spec: str) -> Address:
    """A bare address, such as `ana@example.com`. Raises `BadAddressError`.

    The domain is put into its ASCII form (IDNA), so that only a local part beyond ASCII needs SMTPUTF8 (RFC 6531). What
    only quoting would allow, such as blanks, is refused: no mailbox of a customer has it, and tricks do.
    """
    local, at, domain = spec.rpartition("@")
    if not (local and at and domain) or _NEVER.search(spec):
        raise BadAddressError("no e-mail address")
    try:
        return Address(username=local, domain=domain.encode("idna").decode())
    except Exception as error:  # the parser raises a dozen kinds of errors
        raise BadAddressError("no e-mail address") from error


def read_mailbox(text: str) -> Address:
    """An address with a name before it, such as `Mugs & more <hello@example.com>`, or without. Raises
    `BadAddressError`."""
    found = _MAILBOX.match(text)
    if found is None:
        return read_address(text.strip())
    address = read_address(found["spec"])
    return Address(found["name"].strip().strip('"'), address.username, address.domain)


def message_id(key: str, domain: str) -> str:
    """The Message-ID of an idempotency key: the same for every attempt, so that a mailbox shows the message once."""
    local = key if _ATOM.match(key) else hashlib.sha256(key.encode()).hexdigest()
    return f"<{local}@{domain}>"


def write_mail(rendered: Rendered, sender: Address, to: Address, key: str, now: datetime) -> bytes:
    """The whole message, its lines ended by CR LF; ASCII unless the local part of an address is not.

    Raises `ValueError` when a header could break out of its line: nothing of the kind is ever sent. It is put together
    here, because the library takes ten times as long, and folds long links into encoded words, which mailboxes do not
    follow.
    """
    subject = " ".join(_CONTROL.sub(" ", rendered.subject).split())
    lines = [
        f"From: {_mailbox(sender)}",
        f"To: {to.addr_spec}",
        f"Subject: {_words(subject)}",
        f"Date: {format_datetime(now)}",
        f"Message-ID: {message_id(key, sender.domain)}",
        "Auto-Submitted: auto-generated",  # RFC 3834: nobody's holiday notice answers it
        *(_header(name, value) for name, value in rendered.headers.items()),
        "MIME-Version: 1.0",
    ]
    if rendered.html:
        mark = f"=_{hashlib.sha256(key.encode()).hexdigest()[:32]}"  # no line of a body begins so
        lines += [f'Content-Type: multipart/alternative; boundary="{mark}"', "", f"--{mark}"]
        lines += [
            *_part("plain", rendered.text),
            f"--{mark}",
            *_part("html", rendered.html),
            f"--{mark}--",
            "",
        ]
    else:
        lines += _part("plain", rendered.text)
    return "\r\n".join(lines).encode()


def _mailbox(address: Address) -> str:
    if not address.display_name:
        return address.addr_spec
    if address.display_name.isascii() and "=?" not in address.display_name:
        name = address.display_name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{name}" <{address.addr_spec}>'
    return f"{_words(address.display_name)} <{address.addr_spec}>"


def _words(text: str) -> str:
    """Text as a header has it: as it is, or as encoded words (RFC 2047), on lines of their own."""
    if text.isascii() and len(text) < LINE_MAX - 20 and "=?" not in text:
        return text
    return Header(text, "utf-8", maxlinelen=75, header_name="Subject").encode(linesep="\r\n")


def _header(name: str, value: str) -> str:
    line = f"{name}: {value}"
    if not _TOKEN.match(name) or not value.isascii() or not value.isprintable() or len(line) > LINE_MAX:
        raise ValueError(f"the header {name} has characters that no header may have, or too many")
    return line


def _part(kind: str, content: str) -> list[str]:
    """A body as it is, where it is plain ASCII, so that people can read what is on the wire. Anything else in base64:
    whatever is said in it, it is lines of 76 characters that nothing can break out of."""
    body = content.replace("\r\n", "\n")
    body = body if body.endswith("\n") else body + "\n"
    plain = _plain(body)
    coding = "7bit" if plain else "base64"
    body = body.replace("\n", "\r\n")
    encoded = body if plain else encodebytes(body.encode()).decode().replace("\n", "\r\n")
    return [f"Content-Type: text/{kind}; charset=utf-8", f"Content-Transfer-Encoding: {coding}", "", encoded]


def _plain(body: str) -> bool:
    """Whether a body can travel as it is: no line too long, none that could end the part, none that old mailboxes
    change ("From "), and no characters but visible ones."""
    return (
        body.isascii()
        and not _CONTROL.search(body)
        and "\r" not in body
        and all(len(line) <= LINE_MAX and not line.startswith(("--=_", "From ")) for line in body.split("\n"))
    )
