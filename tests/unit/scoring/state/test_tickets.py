"""Tickets: response and resolution times, reopenings, who waits."""

from services.scoring.domain.assess import assess
from services.scoring.domain.fold.evolve import fold
from tests.support.life import SETTINGS, event, moment


def ticket(kind, hours, **data):
    return event(f"ticket.{kind}", moment(hours=hours), {"ticket_id": "t-1", **data})


def facts(*events):
    state = fold(events, SETTINGS).state
    return assess(state, state.last_at, SETTINGS).facts


def test_the_first_answer_by_an_agent_is_the_response():
    known = facts(
        ticket("opened", 0), ticket("replied", 1, by="customer"), ticket("replied", 3), ticket("replied", 9)
    )

    assert known.first_response_hours == 3.0
    assert (known.tickets, known.tickets_open, known.waiting_since) == (1, 1, None)


def test_the_customer_waits_since_they_last_spoke_unanswered():
    known = facts(ticket("opened", 0), ticket("replied", 1), ticket("replied", 5, by="customer"))

    assert known.waiting_since == moment(hours=5)


def test_a_reopening_takes_the_resolution_back_and_the_next_one_counts_from_the_opening():
    opened, resolved, reopened = ticket("opened", 0), ticket("resolved", 2), ticket("reopened", 10)

    once = facts(opened, resolved)
    again = facts(opened, resolved, reopened)
    at_last = facts(opened, resolved, reopened, ticket("resolved", 30, by="agent"))

    assert (once.resolution_hours, once.tickets_resolved, once.tickets_open) == (2.0, 1, 0)
    assert (again.resolution_hours, again.tickets_resolved, again.tickets_open) == (None, 0, 1)
    assert (at_last.resolution_hours, at_last.tickets_reopened) == (30.0, 1)


def test_a_five_star_review_after_a_resolution_is_one_recovery():
    review = [event("review.posted", moment(day), {"rating": 5}) for day in (5, 6)]

    assert facts(ticket("opened", 0), ticket("resolved", 2), *review).recoveries == 1
    assert facts(ticket("opened", 0), *review).recoveries == 0
    assert facts(ticket("opened", 0), ticket("resolved", 2), ticket("reopened", 3), *review).recoveries == 0


def test_a_review_long_after_the_resolution_is_no_recovery():
    late = event("review.posted", moment(91, hours=3), {"rating": 5})

    assert facts(ticket("opened", 0), ticket("resolved", 2), late).recoveries == 0
