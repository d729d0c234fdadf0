"""What the answers of a mail server mean.

Sources: RFC 5321, section 4.2 (reply codes: 4yz may succeed later, 5yz will not) and RFC 3463 (enhanced status codes,
of which class, subject and detail say whether it is the address, the mailbox, the mail system, or a policy).
"""

import re
from enum import StrEnum
from typing import Final

from services.deliveries.domain.providers.answers import Again, Receipt, Refused


class Step(StrEnum):
    """What the server was asked when it answered."""

    GREETING = "greeting"
    """The connection, EHLO, STARTTLS and AUTH: nothing of the message was said yet."""
    SENDER = "sender"
    """MAIL FROM: our own address, the same for every message."""
    RECIPIENT = "recipient"
    """RCPT TO."""
    CONTENT = "content"
    """DATA, and the message."""


DEAD: Final = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
"""Enhanced codes of an address that will not come to life: no such mailbox or domain, bad syntax, moved without a new
address, null MX (RFC 7505), mailbox disabled."""
FULL: Final = frozenset({"5.2.2"})
"""The mailbox is full: it may be emptied, so the address stays good."""
DEAD_CODES: Final = frozenset({550, 551, 553})
"""Basic codes that say the same of a recipient, where the server sends no enhanced one."""

_ENHANCED = re.compile(r"\A\s*([245]\.\d{1,3}\.\d{1,3})\b")


def enhanced(text: str) -> str | None:
    """The enhanced status code with which an answer begins, if it has one."""
    found = _ENHANCED.match(text)
    return found[1] if found else None


def answer_to(step: Step, code: int, text: str) -> Receipt:
    """What an answer that was no success means for the message. `code` and `text` are the server's."""
    status = enhanced(text)
    detail = f"{code} {status}" if status else str(code)
    if not 400 <= code <= 599:
        return Again("answered_wrongly", detail, down=True)
    if code == 421:
        return Again("closing", detail, down=True)
    if step in (Step.GREETING, Step.SENDER):
        # The next message would hear the same: ours is the fault, or the server's, and no message may be lost by it.
        return Again(f"refused_{step}", detail, down=True)
    if code < 500:
        return Again("put_off", detail)
    return _refusal(step, code, status, detail)


def _refusal(step: Step, code: int, status: str | None, detail: str) -> Refused:
    if step is Step.CONTENT:
        return Refused("content_refused", detail)
    if status in FULL:
        return Refused("mailbox_full", detail)
    if status in DEAD or (status is None and code in DEAD_CODES):
        return Refused("no_such_address", detail, suppress=True)
    return Refused("recipient_refused", detail)
