"""Makes the e-mail (RFC 5322) that goes to a mail server."""

import hashlib
import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from typing import Final

from services.deliveries.application.ports import Rendered

_ATOM = re.compile(r"\A[A-Za-z0-9._-]{1,200}\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NEVER = re.compile(r"[\x00-\x20\x7f<>()\[\]\\,;:\"]")
_MAILBOX = re.compile(r"\A(?P<name>[^<>\x00-\x1f\x7f]*)<(?P<spec>[^<>]+)>\s*\Z")
WHOLE: Final = frozenset({"message-id", "list-unsubscribe", "list-unsubscribe-post"})
"""Headers of one long word each: folded by the library, they would be broken up as encoded words, which no mailbox
reads."""


class _Policy(EmailPolicy):
    def fold(self, name: str, value: str) -> str:
        return f"{name}: {value}\r\n" if name.lower() in WHOLE else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() in WHOLE:
            return f"{name}: {value}\r\n".encode("ascii")
        return super().fold_binary(name, value)


_POLICY: Final = _Policy(linesep=SMTP.linesep, cte_type="7bit", max_line_length=78)
_POLICY_UTF8: Final = _POLICY.clone(utf8=True)


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

    Raises `ValueError` when a header could break out of its line: nothing of the kind is ever sent.
    """
    utf8 = not (to.addr_spec.isascii() and sender.addr_spec.isascii())
    mail = EmailMessage(policy=_POLICY_UTF8 if utf8 else _POLICY)
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = " ".join(_CONTROL.sub(" ", rendered.subject).split())
    mail["Date"] = now
    mail["Message-ID"] = message_id(key, sender.domain)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday notice answers it
    for name, value in rendered.headers.items():
        if not value.isascii() or _CONTROL.search(value) or "\r" in value or "\n" in value:
            raise ValueError(f"the header {name} has characters that no header may have")
        mail[name] = value
    mail.set_content(rendered.text, charset="utf-8")
    if rendered.html:
        mail.add_alternative(rendered.html, subtype="html", charset="utf-8")
    return mail.as_bytes()
