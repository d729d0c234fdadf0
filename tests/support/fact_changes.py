"""Which event changes which fact, found by trying: `python -m tests.support.fact_changes` prints the table of
`docs/facts.md`."""

from collections.abc import Iterator
from typing import Any

from services.scoring.domain.assess import assess
from services.scoring.domain.fold.evolve import fold
from shared.contracts.catalogue import CATALOGUE
from shared.contracts.facts import Facts
from tests.support.life import SETTINGS, event, moment

EVERY = frozenset({"events", "first_event_at", "last_event_at"})
"""Facts that every event changes."""

FOLLOWING = frozenset(
    name
    for name in Facts.__struct_fields__
    if name.startswith(("score", "stage", "segments", "rfm")) or name.endswith("percentile")
)
"""Facts that follow from the others."""

OF_WORDS = frozenset({"texts", "sentiment"})
"""Facts that a text changes, in whichever event it comes. (It may change `tags` too.)"""

NOW = moment(40)
_LINES = [{"sku": "A-1", "category": "Kitchen", "quantity": 1, "unit_price": "49.20"}]
_ORDER = {"currency": "USD", "total": "49.20", "lines": _LINES, "channel": "web"}
_OTHER = [{"sku": "B-2", "category": "Garden", "quantity": 1, "unit_price": "49.20"}]
_PROMPTED = {
    **_ORDER,
    "lines": _OTHER,
    "order_id": "o-3",
    "coupon": "SPRING",
    "campaign": "spring",
    "channel": "store",
}
_TOLD = {"customer": {"consent": {"email": True, "sms": False}, "attributes": {"plan": "pro"}}}
_SEALED = ["customer.email", "customer.phone", "customer.birthday", "customer.preferences"]

VARIANTS: dict[str, list[dict[str, Any]]] = {
    "customer.tagged": [{"tag": "winback"}],
    "customer.untagged": [{"tag": "checked"}],
    "order.completed": [_PROMPTED, {**_ORDER, "order_id": "o-4"}],
    "order.refunded": [{"order_id": "o-2", "refund_id": "r-1", "total": "9.20"}],
    "order.cancelled": [{"order_id": "o-1"}, {"order_id": "o-2"}],
    "order.delivered": [{"order_id": "o-2", "days_late": 2}],
    "email.opened": [{"message_id": "m-1"}],
    "email.clicked": [{"message_id": "m-1"}],
    "product.used": [{"feature": "export"}],
    "review.posted": [{"rating": 5}],
    "ticket.opened": [{"ticket_id": "t-9", "priority": "urgent"}],
    "ticket.replied": [{"ticket_id": "t-1", "by": "agent"}],
    "ticket.resolved": [{"ticket_id": "t-1", "by": "agent"}],
    "ticket.reopened": [{"ticket_id": "t-2"}],
    "survey.answered": [
        {"kind": "nps", "score": 9},
        {"kind": "nps", "score": 1},
        {"kind": "csat", "score": 5},
    ],
    "subscription.started": [{"subscription_id": "s-9", "plan": "yearly"}],
    "subscription.renewed": [
        {"subscription_id": "s-1", "automatic": True},
        {"subscription_id": "s-1", "automatic": False},
        {"subscription_id": "s-2"},
    ],
    "subscription.paused": [{"subscription_id": "s-1"}],
    "subscription.resumed": [{"subscription_id": "s-2"}],
    "subscription.cancelled": [{"subscription_id": "s-1"}, {"subscription_id": "s-2"}],
    "account.updated": [{"account_id": "a-9"}],
    "stakeholder.added": [{"account_id": "a-9", "role": "buyer"}],
    "contract.signed": [{"account_id": "a-9", "renews_on": "2027-01-31"}],
    "review.held": [{"account_id": "a-9"}],
    "review.missed": [{"account_id": "a-9"}],
}

PRELUDE = [
    ("order.completed", {**_ORDER, "order_id": "o-1", "coupon": "HELLO"}),
    ("order.completed", {**_ORDER, "order_id": "o-2"}),
    ("order.completed", {**_ORDER, "order_id": "o-5"}),
    ("email.sent", {"message_id": "m-0"}),
    ("email.clicked", {"message_id": "m-0"}),
    ("email.sent", {"message_id": "m-1"}),
    ("email.sent", {"message_id": "m-2"}),
    ("ticket.opened", {"ticket_id": "t-1"}),
    ("ticket.opened", {"ticket_id": "t-2"}),
    ("ticket.resolved", {"ticket_id": "t-2"}),
    ("survey.answered", {"kind": "nps", "score": 3}),
    ("survey.answered", {"kind": "csat", "score": 2}),
    ("review.posted", {"rating": 1}),
    ("subscription.started", {"subscription_id": "s-1", "plan": "monthly"}),
    ("subscription.started", {"subscription_id": "s-2", "plan": "weekly"}),
    ("subscription.paused", {"subscription_id": "s-2"}),
    ("customer.updated", {"customer": {"consent": {"email": True}}}),
    ("review.missed", {"account_id": "a-1"}),
    ("customer.tagged", {"tag": "checked"}),
    ("order.delivered", {"order_id": "o-2", "days_late": 3}),
]
"""A life in which most things have happened once; the last one is a late delivery, still to be forgiven."""

LIVES: list[list[tuple[str, dict[str, Any]]]] = [
    PRELUDE,
    [("order.completed", {**_PROMPTED, "order_id": "o-1"})],
    [("ticket.opened", {"ticket_id": "t-2"}), ("ticket.resolved", {"ticket_id": "t-2"})],
    [("login.recorded", {})],
]
"""Lives in which an event is tried."""


def changed_by(event_type: str) -> frozenset[str]:
    """The facts that an event of this type changes in any of these lives, the ones that follow apart."""
    told = event_type.startswith(("customer.", "consent.")) and not event_type.endswith("tagged")
    names: set[str] = set()
    for life in LIVES:
        before = [event(type_, moment(day), data) for day, (type_, data) in enumerate(life, 10)]
        was = _facts(before)
        for data in VARIANTS.get(event_type, [_TOLD if told else {"message_id": "m-3", "network": "web"}]):
            one = event(event_type, NOW, data, sealed_fields=_SEALED if told else ["text", "comment"])
            names |= {name for name, now in _facts([*before, one]).items() if now != was[name]}
    return frozenset(names - EVERY - FOLLOWING - OF_WORDS)


def rows() -> Iterator[str]:
    """One row an event type, facts in the order of the contract."""
    for event_type in (*CATALOGUE, "x.anything"):
        changed = changed_by(event_type)
        listed = ", ".join(f"`{name}`" for name in Facts.__struct_fields__ if name in changed)
        yield f"| `{event_type}` | {listed or '-'} |"


def _facts(events: list[Any]) -> dict[str, Any]:
    facts = assess(fold(events, SETTINGS).state, NOW, SETTINGS).facts
    return {name: getattr(facts, name) for name in Facts.__struct_fields__}


if __name__ == "__main__":
    print("\n".join(rows()))
