"""What drives the customer away: complaints, and dropping off without a word.

Only bad news feeds these parts, so they count only where they lower the score (`Sign.LOWERS`).
"""

from collections.abc import Iterator

from services.scoring.domain.event import Event
from services.scoring.domain.score.parts.part import FactValue, Part, Sign, View, falling
from services.scoring.domain.score.parts.trace import Trace
from services.scoring.domain.state.tally import Tally

COMPLAINTS_HALF = 2
"""Complaints that halve the part, for somebody without orders."""

ORDERS_TO_BEAR_ONE = 4
"""So many orders let the customer bear as many complaints again."""

DAYS_TO_HAVE_A_HABIT = 3
"""On how many days somebody came before they can be missed."""

SHORTEST_RHYTHM_DAYS = 7
"""Who comes every day is not missed before a week."""

MISSED_HALF = 4
"""Missed visits (in the customer's own rhythm) that halve the part."""

UNOPENED_BORNE = 3
"""E-mails in a row that anybody may leave unopened."""

UNOPENED_HALF = 6
"""Unopened ones beyond these that halve the part."""

UNSUBSCRIBED = 40
"""What is left of the part for somebody who wants no more e-mails: said aloud, but no farewell yet."""


def complaints(view: View) -> int | None:
    """Tickets and reopenings, against what went well: two halve the part of somebody without orders, and every four
    orders let the customer bear as many again. An open ticket counts twice, a recovered one not.

    Voice is the alternative to exit (Hirschman 1970, "Exit, Voice, and Loyalty"), so complaints lower the score only
    mildly and are made good by a resolution (Fornell and Wernerfelt 1987, "Defensive marketing strategy by customer
    complaint management").
    """
    load = burden(view)
    if load <= 0:
        return None
    return falling(load, COMPLAINTS_HALF * (1 + view.state.orders / ORDERS_TO_BEAR_ONE))


def burden(view: View) -> int:
    """Tickets and reopenings, open ones twice, less recoveries."""
    tickets = view.state.tickets
    return tickets.opened.total + tickets.reopened + tickets.open - view.state.feedback.recoveries


def drop_off(view: View) -> int | None:
    """Whether somebody who used to come, sign in, use the product or open e-mails does so no more, without a word: the
    worse of visits missed in their own rhythm and e-mails left unopened. Unknown without a habit.

    Ascarza, Netzer and Hardie 2018, "Some customers would rather leave without saying goodbye": who leaves silently is
    told by engagement, not by cancellations.
    """
    found = [value for value in (_of_visits(view), _of_emails(view)) if value is not None]
    return min(found, default=None)


def missed_visits(view: View) -> float | None:
    """How often the customer did not come though their rhythm says so; None without a habit. An order is a visit."""
    habits = [_missed(view, habit) for habit in _habits(view)]
    return min(habits, default=None)


def _missed(view: View, habit: Tally) -> float:
    first, last = habit.days[0], habit.days[-1]
    rhythm = max(SHORTEST_RHYTHM_DAYS, (last - first) / (len(habit.days) - 1))
    last = max(last, view.state.last_order_day)
    return max(0.0, (view.today - last) / rhythm - 1)


def _habits(view: View) -> Iterator[Tally]:
    engagement = view.state.engagement
    for tally in (engagement.logins, engagement.visits, engagement.used):
        if len(tally.days) >= DAYS_TO_HAVE_A_HABIT:
            yield tally


def _of_visits(view: View) -> int | None:
    missed = missed_visits(view)
    return None if missed is None else falling(missed, MISSED_HALF)


def _of_emails(view: View) -> int | None:
    emails = view.state.emails
    if emails.unsubscribed_at is None and not emails.opened.total:
        return None
    value = falling(max(0, emails.unopened - UNOPENED_BORNE), UNOPENED_HALF)
    return value if emails.unsubscribed_at is None else min(value, UNSUBSCRIBED)


def _complaint_facts(view: View) -> dict[str, FactValue]:
    state = view.state
    return {
        "tickets": state.tickets.opened.total,
        "tickets_open": state.tickets.open,
        "reopened": state.tickets.reopened,
        "recoveries": state.feedback.recoveries,
        "orders": state.orders,
    }


def _drop_off_facts(view: View) -> dict[str, FactValue]:
    missed, emails = missed_visits(view), view.state.emails
    return {
        "visits_missed": None if missed is None else round(missed, 1),
        "emails_unopened": emails.unopened,
        "unsubscribed_at": emails.unsubscribed_at,
    }


_ENGAGED = ("login.recorded", "page.viewed", "product.used", "email.opened", "email.unsubscribed")


def _last_signs(trace: Trace) -> list[Event]:
    """The last of each kind of engagement: after it there was silence."""
    last = {event.record.type: event for event in trace.of(*_ENGAGED)}
    return sorted(last.values(), key=lambda event: (event.at, event.key))


TROUBLE = (
    Part(
        "complaints",
        complaints,
        _complaint_facts,
        lambda trace: trace.of("ticket.opened", "ticket.reopened"),
        fields=("tickets",),
        sign=Sign.LOWERS,
    ),
    Part(
        "drop_off",
        drop_off,
        _drop_off_facts,
        _last_signs,
        fields=("engagement", "emails"),
        sign=Sign.LOWERS,
    ),
)
