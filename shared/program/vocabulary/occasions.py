"""Occasions: what campaigns begin on beside events: silence, dates ahead, and what rewards itself decides.

`login.missing`, `order.missing`, `<event type>.missing`: an event did not come for so long, of customers from whom it
used to. `ticket.unanswered`: nobody answered for so long. `renewal.due`: a renewal comes up so long ahead.

Scoring tells of each length that the program in force names by itself: `data.after` of such an activity is the
campaign's `after` (for renewals: its `before`) as ISO 8601 (`str(period)`), and only campaigns of that length begin.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

MISSING: Final = ".missing"

SHORT: Mapping[str, str] = MappingProxyType({"login": "login.recorded", "order": "order.completed"})
"""Short names of events whose silence is watched most."""

WATCHED: Final = frozenset(
    {
        "order.completed",
        "login.recorded",
        "page.viewed",
        "product.used",
        "email.opened",
        "email.clicked",
        "push.opened",
        "social.followed",
        "social.liked",
        "social.mentioned",
        "referral.made",
        "review.posted",
        "subscription.renewed",
    }
)
"""Events of the catalogue whose silence is noticed: what customers do again and again. So are the shop's own events."""

AHEAD: Final = "renewal.due"
UNANSWERED: Final = "ticket.unanswered"


def awaited(occasion: str) -> str | None:
    """The type of the event that did not come: `order.completed` for `order.missing`, `x.workout.finished` for
    `x.workout.finished.missing`; None for an occasion of another kind."""
    name = occasion.removesuffix(MISSING)
    return None if name == occasion else SHORT.get(name, name)


def counts_silence(occasion: str) -> bool:
    """Whether a campaign must say how long the silence is, or how long ahead the date."""
    return occasion.endswith(MISSING) or occasion in (UNANSWERED, AHEAD)
