"""What webhooks tell: the types one can subscribe to, and what leaves the house of each.

Only what is named here goes out. What deliveries is told for its own work (`recipient.changed`, `message.due` …) and
whatever has personal data or free text of operators in it stays inside.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class EventType:
    """A type one can subscribe to. `shown`: the keys of the data that are sent; what is not named stays inside."""

    name: str
    tells: str
    shown: frozenset[str]

    def sent(self, data: dict[str, Any]) -> dict[str, Any]:
        """What of the data leaves the house."""
        return {key: value for key, value in data.items() if key in self.shown}


def _type(name: str, tells: str, *shown: str) -> EventType:
    return EventType(name, tells, frozenset(shown))


_REDEMPTION = ("redemption", "order_id", "reward", "points", "value", "status", "available")
_TIER = ("from", "to", "reason", "until")
_ALERT = ("kind", "alert_id", "subject", "campaign", "raised_at", "times", "details")
_MESSAGE = ("message", "campaign", "run", "arm", "template", "purpose", "channel")
_TYPES = (
    _type(
        "points.earned",
        "Points were given, by which rules.",
        *("points", "rules", "available", "order_id", "run", "referral_id"),
    ),
    _type(
        "points.reversed",
        "Points were taken back, because an order was refunded or cancelled.",
        *("points", "rules", "available", "order_id"),
    ),
    _type("points.reserved", "Points are set aside for a redemption.", *_REDEMPTION),
    _type("points.spent", "A redemption was confirmed.", *_REDEMPTION),
    _type("points.released", "A redemption was given up; its points can be spent again.", *_REDEMPTION),
    _type("points.returned", "Points that were spent came back with a refund.", *_REDEMPTION),
    _type("points.adjusted", "Points were given or taken by hand.", "points", "available"),
    _type(
        "points.expiring",
        "Points will expire soon, notice of it.",
        *("points", "on", "expires_at", "available"),
    ),
    _type("points.expired", "Points have expired.", "points", "on", "available"),
    _type("tier.changed", "The customer has another tier.", *_TIER),
    _type("tier.grace", "What the tier needs is no longer reached; it is kept for a while.", *_TIER),
    _type(
        "tier.expiring", "The tier will be lost soon, notice of it.", "tier", "to", "until", "on", "missing"
    ),
    _type(
        "milestone.reached",
        "The customer reached a milestone.",
        *("milestone", "occasion", "points", "offer"),
    ),
    _type("offer.issued", "The customer was given a code.", "offer", "code", "rule", "valid_until"),
    _type("offer.redeemed", "A code was used.", "code", "offer", "order_id", "discount"),
    _type(
        "offer.released",
        "A code that was used can be used again, because the order was undone.",
        *("code", "offer", "order_id"),
    ),
    _type("offer.revoked", "A code is no longer good.", "code", "offer", "reason"),
    _type("stage.changed", "The customer is in another stage of the lifecycle.", "from", "to", "at"),
    _type("segment.entered", "The customer came into a segment.", "segment", "at"),
    _type("segment.left", "The customer left a segment.", "segment", "at"),
    _type("customer.merged", "Two customers proved to be one; `from` ended in `customer`.", "from"),
    _type("customer.unmerged", "A merge was undone: `customer` came out of `from`.", "from"),
    _type("message.sent", "A provider took a message to the customer.", *_MESSAGE),
    _type("message.failed", "A message could not be sent, and will not be.", *_MESSAGE, "reason"),
    _type("message.opened", "An e-mail was opened, the first time.", *_MESSAGE),
    _type("message.clicked", "A link in an e-mail was followed, each the first time.", *_MESSAGE),
    _type("message.unsubscribed", "The customer unsubscribed by the link in a message.", *_MESSAGE),
    _type(
        "campaign.action",
        "A campaign of the program calls this endpoint by its name.",
        *("campaign", "run", "arm", "webhook", "context"),
    ),
    _type("alert.raised", "Something wants a person's attention.", *_ALERT),
    _type("alert.closed", "An alert was closed.", *_ALERT, "closed_at", "tell"),
    _type("webhook.test", "A test, sent on request."),
)

TYPES = {each.name: each for each in _TYPES}


def unknown(pattern: str) -> str | None:
    """What is wrong with a subscription, in words; None if nothing is. A subscription is a type, a family of them
    (`points.*`), or `*`."""
    if pattern == EVERYTHING or pattern in TYPES:
        return None
    family = pattern.removesuffix("*")
    if family != pattern and family.endswith(".") and any(name.startswith(family) for name in TYPES):
        return None
    near = get_close_matches(pattern, [*TYPES, *families()], n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(TYPES)}"
    return f"is not a type of event{hint}"


def families() -> list[str]:
    """`points.*` and its like."""
    return sorted({f"{name.partition('.')[0]}.*" for name in TYPES})


def expanded(patterns: Iterable[str]) -> frozenset[str]:
    """All types that these subscriptions ask for."""
    wanted: set[str] = set()
    for pattern in patterns:
        if pattern.endswith("*"):
            wanted.update(name for name in TYPES if name.startswith(pattern[:-1]))
        elif pattern in TYPES:
            wanted.add(pattern)
    return frozenset(wanted)
