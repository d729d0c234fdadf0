"""The record of `regulars.outcomes`: what rewards decided. Key of the stream: the customer id; empty for what concerns
the shop as a whole."""

from base64 import b32encode
from datetime import datetime
from hashlib import blake2b
from typing import Any, Literal

from msgspec import Struct

from shared.contracts.activity import Person

OUTCOMES_TOPIC = "regulars.outcomes"


class Outcome(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One decision.

    `type`: `points.earned`, `points.reversed`, `points.reserved`, `points.spent`, `points.released`, `points.returned`,
    `points.adjusted`, `points.expiring`, `points.expired`, `tier.changed`, `offer.issued`, `offer.redeemed`,
    `offer.released`, `offer.revoked`, `milestone.reached`; what campaigns ask for: `message.due`, `message.withdrawn`,
    `tag.due`, `webhook.due`; `alert.raised`, `alert.closed` (`customer_id` is empty where an alert is about the shop);
    and what is passed on to deliveries: `recipient.changed`, `customer.merged`, `customer.unmerged`,
    `customer.corrected`, `stage.changed`, `segment.entered`, `segment.left` (`services/rewards/domain/forwarding.py`
    has their data). `id` derives from the cause. `cause` is the activity's id, or the API request's. `data` carries the
    details of the type (points, rule, tier, code …).
    """

    id: str
    customer_id: str
    type: str
    time: datetime
    cause: str
    program_version: int
    data: dict[str, Any] = {}
    historical: bool = False


class RecipientChanged(Struct, frozen=True, kw_only=True):
    """The data of `recipient.changed`: how a part of a customer is reached. `at`, `type`: of the activity that told it;
    `event`: the key that what is sealed is bound to. `state_of`: the customer of whom all but the contacts is."""

    part: str
    at: datetime
    event: str
    type: str = ""
    person: Person | None = None
    state_of: str = ""
    tickets_angry: bool = False
    emails_unopened: int = 0


class MessageDue(Struct, frozen=True, kw_only=True):
    """The data of `message.due`: a run of a campaign asks for a message. `message` names the template, `context` is
    what it may speak of."""

    campaign: str
    run: str = ""
    part: str = ""
    message: str
    arm: str = ""
    purpose: Literal["marketing", "service"] = "marketing"
    context: dict[str, Any] = {}
    caused_at: datetime | None = None
    expires_at: datetime | None = None


def message_id(outcome_id: str) -> str:
    """The id of the message that an outcome `message.due` of this id asks for: what deliveries calls it, and events
    such as `email.opened` name as their `message_id`. Rewards knows by it which run of a campaign they are of."""
    digest = blake2b(outcome_id.encode(), digest_size=15, person=b"regulars.msg").digest()
    return "msg_" + b32encode(digest).decode().lower()
