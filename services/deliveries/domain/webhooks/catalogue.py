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
    """A type one can subscribe to. `hidden`: keys of the outcome's data that are not sent; `shown`: where there are
    some, no others are."""

    name: str
    tells: str
    hidden: frozenset[str] = frozenset()
    shown: frozenset[str] = frozenset()

    def sent(self, data: dict[str, Any]) -> dict[str, Any]:
        """What of an outcome's data leaves the house."""
        return {
            key: value
            for key, value in data.items()
            if key not in self.hidden and (not self.shown or key in self.shown)
        }


_STAGE = frozenset({"from", "to", "at"})
_SEGMENT = frozenset({"segment", "at"})
_MERGE = frozenset({"from"})
_TYPES = (
    EventType("points.earned", "Points were given, by which rules."),
    EventType("points.reversed", "Points were taken back, because an order was refunded or cancelled."),
    EventType("points.reserved", "Points are set aside for a redemption."),
    EventType("points.spent", "A redemption was confirmed."),
    EventType("points.released", "A redemption was given up; its points can be spent again."),
    EventType("points.returned", "Points that were spent came back with a refund."),
    EventType("points.adjusted", "Points were given or taken by hand.", frozenset({"reason"})),
    EventType("points.expiring", "Points will expire soon, notice of it."),
    EventType("points.expired", "Points have expired."),
    EventType("tier.changed", "The customer has another tier."),
    EventType("tier.grace", "What the tier needs is no longer reached; it is kept for a while."),
    EventType("tier.expiring", "The tier will be lost soon, notice of it."),
    EventType("milestone.reached", "The customer reached a milestone."),
    EventType("offer.issued", "The customer was given a code."),
    EventType("offer.redeemed", "A code was used."),
    EventType("offer.released", "A code that was used can be used again, because the order was undone."),
    EventType("offer.revoked", "A code is no longer good."),
    EventType("stage.changed", "The customer is in another stage of the life cycle.", shown=_STAGE),
    EventType("segment.entered", "The customer came into a segment.", shown=_SEGMENT),
    EventType("segment.left", "The customer left a segment.", shown=_SEGMENT),
    EventType("customer.merged", "Two customers proved to be one; `from` ended in `customer`.", shown=_MERGE),
    EventType("customer.unmerged", "A merge was undone: `customer` came out of `from`.", shown=_MERGE),
    EventType("campaign.action", "A campaign of the program calls this endpoint by its name."),
    EventType("alert.raised", "Something wants a person's attention."),
    EventType("alert.closed", "An alert was closed.", frozenset({"note"})),
    EventType("webhook.test", "A test, sent on request."),
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
