"""How the customer stays: renewals of subscriptions, and tenure."""

from datetime import datetime

from services.scoring.domain.event import Event
from services.scoring.domain.score.parts.part import FactValue, Part, View, rising, rounded
from services.scoring.domain.score.parts.trace import Trace
from services.scoring.domain.state import State
from services.scoring.domain.state.engagement import NO_EMAILS, NO_ENGAGEMENT
from services.scoring.domain.state.subscriptions import NO_SUBSCRIPTIONS

TENURE_HALF_DAYS = 365
"""Days together that give half of the tenure part."""


def renewals(view: View) -> int | None:
    """Of the decisions about subscriptions, the share that was to stay, in per cent: a renewal, automatic or by hand,
    is one for staying, a cancellation one for leaving, a pause half of one. Unknown before the first decision.

    Retention as a series of such coin tosses is the model of Fader and Hardie 2007, "How to project customer
    retention"; who let it renew by itself trusts without being asked.
    """
    subscriptions = view.state.subscriptions
    stayed = subscriptions.automatic + subscriptions.manual
    halves = 2 * (stayed + subscriptions.cancelled) + subscriptions.pauses
    return rounded(200 * stayed / halves) if halves else None


def decisions(view: View) -> int:
    """Renewals, cancellations and pauses."""
    subscriptions = view.state.subscriptions
    return subscriptions.automatic + subscriptions.manual + subscriptions.cancelled + subscriptions.pauses


def tenure(view: View) -> int:
    """How long the customer has been with the shop: a year gives half. It is counted from the first event to the last
    time that the customer came, bought or renewed, not to now: silence is not loyalty. Nor is a complaint.

    Reichheld 1996, "The Loyalty Effect", makes much of long relationships; Reinartz and Kumar 2000, "On the
    profitability of long-life customers", show how little they say alone. Hence the small weight.
    """
    state = view.state
    first, last = state.first_at, last_came_at(state)
    return rising((last - first).days, TENURE_HALF_DAYS) if first and last and last > first else 0


def last_came_at(state: State) -> datetime | None:
    """When the customer last bought, renewed, visited, used the product, opened an e-mail or a push message, referred a
    friend, or did something on a social network."""
    last = state.last_order_at or state.registered_at
    engagement, emails, subscriptions = state.engagement, state.emails, state.subscriptions
    if subscriptions is not NO_SUBSCRIPTIONS:
        last = _later(last, subscriptions.last_renewed_at)
    if emails is not NO_EMAILS:
        last = _later(_later(last, emails.opened.last_at), emails.clicked.last_at)
    if engagement is not NO_ENGAGEMENT:
        for tally in (
            engagement.views,
            engagement.logins,
            engagement.used,
            engagement.follows,
            engagement.likes,
            engagement.mentions,
            engagement.referrals,
            engagement.pushes_opened,
        ):
            last = _later(last, tally.last_at)
    return last


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return other if one is None or (other is not None and other > one) else one


def _renewal_facts(view: View) -> dict[str, FactValue]:
    subscriptions = view.state.subscriptions
    return {
        "renewed_automatically": subscriptions.automatic,
        "renewed_by_hand": subscriptions.manual,
        "cancelled": subscriptions.cancelled,
        "paused": subscriptions.pauses,
    }


def _tenure_facts(view: View) -> dict[str, FactValue]:
    state = view.state
    return {"first_event_at": state.first_at, "last_came_at": last_came_at(state)}


def _first_and_last(trace: Trace) -> list[Event]:
    last = last_came_at(trace.state)
    return [event for event in trace.events if event is trace.events[0] or event.at == last]


STAYING = (
    Part(
        "renewals",
        renewals,
        _renewal_facts,
        lambda trace: trace.of("subscription.renewed", "subscription.cancelled", "subscription.paused"),
        fields=("subscriptions",),
        evidence=decisions,
    ),
    Part("tenure", tenure, _tenure_facts, _first_and_last),
)
