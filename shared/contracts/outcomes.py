"""The record of `regulars.outcomes`: what rewards decided. Key of the stream: the customer id; empty for what concerns
the shop as a whole."""

from datetime import datetime
from typing import Any

from msgspec import Struct

OUTCOMES_TOPIC = "regulars.outcomes"


class Outcome(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One decision.

    `type`: `points.earned`, `points.reversed`, `points.reserved`, `points.spent`, `points.released`, `points.returned`,
    `points.adjusted`, `points.expiring`, `points.expired`, `tier.changed`, `offer.issued`, `offer.redeemed`,
    `offer.released`, `offer.revoked`, `alert.raised`, `alert.closed` (`customer_id` is empty where an alert is about
    the shop); and what is passed on to deliveries: `recipient.changed`, `customer.merged`, `customer.unmerged`,
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
