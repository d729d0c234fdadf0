"""Whom messages go to: contacts, consent, and what is known of their mood and habits."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.deliveries.domain.channels import Channel


@dataclass(frozen=True, slots=True)
class Contact:
    """An address by which a person is reached. `value` is the e-mail address, the telephone number, or, for push, the
    shop's own id of the customer. `part` is the part of the customer that it belongs to: what becomes of the message is
    told of that part, under `subject` and `identifiers` (kind to pseudonym)."""

    channel: Channel
    value: str = field(repr=False)
    part: str
    subject: str
    identifiers: dict[str, str]
    suppressed: bool = False


@dataclass(frozen=True, slots=True)
class Recipient:
    """A customer as one who is written to. Holds personal data in the clear: never logged, never stored.

    `contacts`: for each channel the newest one known. `personal`: `first_name`, `last_name`, `name`, `preferences`, as
    far as they are known, for the words. `preferred`: the channels that the customer chose, the dearest first.
    `erased`: contacts were known and cannot be read any more. `awaited`: a part has come to the customer of which
    nothing was told yet, as partitions are not ordered among each other.
    """

    customer_id: str
    contacts: dict[Channel, Contact] = field(default_factory=dict, repr=False)
    personal: dict[str, Any] = field(default_factory=dict, repr=False)
    locale: str | None = None
    zone: ZoneInfo | None = None
    consents: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()
    preferred: tuple[Channel, ...] = ()
    tickets_angry: bool = False
    emails_unopened: int = 0
    erased: bool = False
    awaited: bool = False
    told_at: datetime | None = None
