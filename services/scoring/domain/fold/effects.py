"""What events other than orders change: one function an event type, named in `EFFECTS`.

Each adds to the changes the parts of the state that become others. `docs/facts.md` has the same table for people.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from services.scoring.domain.event import Event, text_of
from services.scoring.domain.fold.person import withdraw_email
from services.scoring.domain.fold.purchases import Changes
from services.scoring.domain.state import (
    State,
    business,
    deliveries,
    engagement,
    feedback,
    labels,
    subscriptions,
    tickets,
)
from services.scoring.domain.state.tally import NONE
from shared.contracts.catalogue import CUSTOM_PREFIX
from shared.contracts.codec import MalformedRecordError

CUSTOM_MAX = 50
"""So many types of the shop's own events are counted for a customer: those that came first."""

FRIENDLY_STARS = 4

Effect = Callable[[State, Event, int, Changes], None]
"""Adds to the changes; the number is the event's day in the program's zone."""


def effect_of(event_type: str) -> Effect | None:
    """What an event of this type does beside being counted."""
    found = EFFECTS.get(event_type)
    if found is None and event_type.startswith(CUSTOM_PREFIX):
        return _custom
    return found


def _custom(state: State, event: Event, day: int, changes: Changes) -> None:
    type_, known = event.record.type, state.custom
    if type_ in known or len(known) < CUSTOM_MAX:
        changes["custom"] = {**known, type_: known.get(type_, NONE).plus(event.at, day)}


# Deliveries


def _delivered(state: State, event: Event, day: int, changes: Changes) -> None:
    days_late = _whole(event.record.data, "days_late", 0)
    changes["deliveries"] = deliveries.delivered(
        state.deliveries, days_late, event.at, event.key, state.last_order_at
    )


def _friendly(state: State, at: datetime, changes: Changes) -> None:
    if state.deliveries.pending:
        changes["deliveries"] = deliveries.befriended(state.deliveries, at)


# E-mails


def _email_sent(state: State, event: Event, day: int, changes: Changes) -> None:
    changes["emails"] = engagement.sent(state.emails, event.at, day)


def _email_opened(state: State, event: Event, day: int, changes: Changes) -> None:
    message = _text(event.record.data, "message_id")
    changes["emails"] = engagement.opened(state.emails, message, event.at, day)


def _email_clicked(state: State, event: Event, day: int, changes: Changes) -> None:
    message = _text(event.record.data, "message_id")
    changes["emails"] = engagement.clicked(state.emails, message, event.at, day)


def _email_unsubscribed(state: State, event: Event, day: int, changes: Changes) -> None:
    changes["emails"] = engagement.unsubscribed(state.emails, event.at)
    withdraw_email(state, event.at, changes)


# Visits, sign-ins, use, social networks, referrals


def _viewed(state: State, event: Event, day: int, changes: Changes) -> None:
    changes["engagement"] = engagement.viewed(state.engagement, event.at, day)


def _used(state: State, event: Event, day: int, changes: Changes) -> None:
    data = event.record.data
    what = _text(data, "feature") or _text(data, "product")
    changes["engagement"] = engagement.used(state.engagement, what, event.at, day)


def _tallied(name: str, *, friendly: bool = False) -> Effect:
    """The event adds to one tally of `engagement`."""

    def effect(state: State, event: Event, day: int, changes: Changes) -> None:
        changes["engagement"] = engagement.tallied(state.engagement, name, event.at, day)
        if friendly:
            _friendly(state, event.at, changes)

    return effect


# Tags given by a campaign, or by people of the shop


def _tagged(state: State, event: Event, day: int, changes: Changes) -> None:
    data = event.record.data
    changes["labels"] = labels.given(
        state.labels, text_of(data, "tag"), event.at, event.key, _text(data, "by")
    )


def _untagged(state: State, event: Event, day: int, changes: Changes) -> None:
    changes["labels"] = labels.taken_away(state.labels, text_of(event.record.data, "tag"))


# Tickets


def _ticket_opened(state: State, event: Event, day: int, changes: Changes) -> None:
    data = event.record.data
    priority = _text(data, "priority") or "normal"
    changes["tickets"] = tickets.opened(
        state.tickets, text_of(data, "ticket_id"), event.at, day, priority=priority, key=event.key
    )


def _ticket_replied(state: State, event: Event, day: int, changes: Changes) -> None:
    data = event.record.data
    changes["tickets"] = tickets.replied(
        state.tickets, text_of(data, "ticket_id"), event.at, by_agent=_by_agent(data)
    )


def _ticket_resolved(state: State, event: Event, day: int, changes: Changes) -> None:
    data = event.record.data
    after = tickets.resolved(state.tickets, text_of(data, "ticket_id"), event.at, by_agent=_by_agent(data))
    if after.resolved > state.tickets.resolved:
        changes["tickets"] = after
        changes["feedback"] = feedback.relieved(state.feedback, event.at)


def _ticket_reopened(state: State, event: Event, day: int, changes: Changes) -> None:
    ticket_id = text_of(event.record.data, "ticket_id")
    before = state.tickets.newest.get(ticket_id)
    changes["tickets"] = tickets.reopened(state.tickets, ticket_id, event.at)
    if before is not None and before.resolved_at is not None:
        changes["feedback"] = feedback.troubled(state.feedback, before.resolved_at)


def _by_agent(data: dict[str, Any]) -> bool:
    return bool(data.get("by", "agent") == "agent")


# Feedback


def _reviewed(state: State, event: Event, day: int, changes: Changes) -> None:
    stars = _whole(event.record.data, "rating")
    changes["feedback"] = feedback.reviewed(state.feedback, stars, event.at, event.key)
    if stars >= FRIENDLY_STARS:
        _friendly(state, event.at, changes)


def _survey_answered(state: State, event: Event, day: int, changes: Changes) -> None:
    data = event.record.data
    kind, score = text_of(data, "kind").lower(), data.get("score")
    if not isinstance(score, int | float):
        score = None
    changes["feedback"] = feedback.answered(
        state.feedback, kind, score, event.at, event.key, comment="comment" in event.record.sealed_fields
    )
    if feedback.is_friendly(kind, score):
        _friendly(state, event.at, changes)


def _commented(state: State, event: Event, day: int, changes: Changes) -> None:
    changes["feedback"] = feedback.commented(state.feedback, event.at)


# Subscriptions

Change = Callable[[subscriptions.Subscriptions, str, str | None, datetime], subscriptions.Subscriptions]


def _subscription(change: Change) -> Effect:
    """The event moves one subscription, and may tell when it renews."""

    def effect(state: State, event: Event, day: int, changes: Changes) -> None:
        data = event.record.data
        after = change(state.subscriptions, *_named(data), event.at)
        changes["subscriptions"] = subscriptions.renewing(after, _named(data)[0], data.get("renews_on"))

    return effect


def _renewed(state: State, event: Event, day: int, changes: Changes) -> None:
    data = event.record.data
    automatic = data.get("automatic") is True
    after = subscriptions.renewed(state.subscriptions, *_named(data), event.at, automatic=automatic)
    changes["subscriptions"] = subscriptions.renewing(after, _named(data)[0], data.get("renews_on"))
    if not automatic:
        _friendly(state, event.at, changes)


def _named(data: dict[str, Any]) -> tuple[str, str | None]:
    return _text(data, "subscription_id") or "", _text(data, "plan")


# Business accounts


def _account(state: State, event: Event, day: int, changes: Changes) -> None:
    record = event.record
    changes["business"] = business.told(state.business, record.type, record.data, event.at)


EFFECTS: dict[str, Effect] = {
    "order.delivered": _delivered,
    "email.sent": _email_sent,
    "email.opened": _email_opened,
    "email.clicked": _email_clicked,
    "email.unsubscribed": _email_unsubscribed,
    "sms.sent": _tallied("texts"),
    "push.sent": _tallied("pushes"),
    "push.opened": _tallied("pushes_opened"),
    "customer.tagged": _tagged,
    "customer.untagged": _untagged,
    "page.viewed": _viewed,
    "login.recorded": _tallied("logins"),
    "product.used": _used,
    "social.followed": _tallied("follows", friendly=True),
    "social.liked": _tallied("likes", friendly=True),
    "social.mentioned": _tallied("mentions"),
    "review.posted": _reviewed,
    "referral.made": _tallied("referrals", friendly=True),
    "referral.converted": _tallied("referrals_converted"),
    "ticket.opened": _ticket_opened,
    "ticket.replied": _ticket_replied,
    "ticket.resolved": _ticket_resolved,
    "ticket.reopened": _ticket_reopened,
    "survey.answered": _survey_answered,
    "feedback.given": _commented,
    "subscription.started": _subscription(subscriptions.started),
    "subscription.renewed": _renewed,
    "subscription.paused": _subscription(subscriptions.paused),
    "subscription.resumed": _subscription(subscriptions.resumed),
    "subscription.cancelled": _subscription(subscriptions.cancelled),
    "account.updated": _account,
    "stakeholder.added": _account,
    "contract.signed": _account,
    "review.held": _account,
    "review.missed": _account,
}
"""Event type to what it does. Registration, consent and what is told of the person are in `person`, orders in `evolve`;
types of the shop's own are counted in `custom`."""


def _text(data: dict[str, Any], name: str) -> str | None:
    value = data.get(name)
    return value if isinstance(value, str) else None


def _whole(data: dict[str, Any], name: str, default: int | None = None) -> int:
    value = data.get(name, default)
    if not isinstance(value, int):
        raise MalformedRecordError(f"data.{name} is not a whole number")
    return value
