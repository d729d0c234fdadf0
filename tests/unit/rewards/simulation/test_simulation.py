"""Histories played again in memory: what the clock and refunds do to points."""

from datetime import timedelta

import pytest

from services.rewards.domain.simulation.figures import CustomerResult
from services.rewards.domain.simulation.groups import Group, Movement, Plan, play
from shared.contracts.activity import Activity
from shared.contracts.codec import encode
from tests.unit.rewards.building import CUSTOMER, NOW, PROGRAM, cancellation, order, rulebook

SHORT = PROGRAM.replace("expire_after: P12M", "expire_after: P1M")


def played(*movements: Movement, activities: list[Activity], program: str = SHORT) -> CustomerResult:
    """The customer after a year under the program in force."""
    book = rulebook(program)
    plan = Plan(live=book, proposed=book, since=None, until=NOW + timedelta(days=365))
    found = play(Group([encode(each) for each in activities], movements), plan)
    assert found.live == found.proposed
    return found.live[CUSTOMER]


def test_points_that_come_back_when_they_are_over_expire() -> None:
    """Given points of an order, spent on another one that is cancelled when they are over; when a year has passed; then
    they came back and expired, and nothing is owed."""
    spent = Movement(NOW + timedelta(days=1), CUSTOMER, "spent", "s", 60, "b")
    history = [
        order("a", "100", at=NOW),
        order("b", "0.50", at=NOW + timedelta(hours=1)),
        cancellation("b", at=NOW + timedelta(days=60)),
    ]

    figures = played(spent, activities=history).figures

    assert (figures.earned, figures.spent, figures.expired, figures.owed) == (100, 0, 100, 0)


@pytest.mark.parametrize(
    "zones", [("America/New_York", "Pacific/Auckland"), ("Pacific/Auckland", "America/New_York")]
)
def test_days_in_conditions_are_those_of_the_program_in_force(zones: tuple[str, str]) -> None:
    """Given a milestone on Mondays, and a rule on Mondays that another program has instead, in another time zone; when
    an order of Monday in New York is played; then what either gives goes by the days of the program in force."""
    monday = "on: order.completed, points: 7, when: \"event.weekday == 'monday'\""
    live, proposed = (
        PROGRAM.replace("America/New_York", zone).replace(
            before, f"{before}\n{indent}- {{id: monday, {monday}}}"
        )
        for zone, before, indent in zip(zones, ("milestones:", "earn:"), ("  ", "    "), strict=True)
    )
    plan = Plan(live=rulebook(live), proposed=rulebook(proposed), since=None, until=NOW + timedelta(days=9))
    placed = order("a", "100", at=NOW.replace(hour=20))  # Monday in New York, Tuesday in Auckland

    found = play(Group([encode(placed)]), plan)

    points = 107 if zones[0] == "America/New_York" else 100
    assert found.live[CUSTOMER].figures.earned == found.proposed[CUSTOMER].figures.earned == points


def test_points_expire_at_their_time_though_nothing_happens_then() -> None:
    """Given points of two orders, a month apart; when the year ends; then both have expired."""
    history = [order("a", "100", at=NOW), order("b", "20", at=NOW + timedelta(days=25))]

    figures = played(activities=history).figures

    assert (figures.earned, figures.expired, figures.owed) == (120, 120, 0)


@pytest.mark.parametrize("historical", [False, True])
def test_a_tier_brings_each_of_its_offers_also_where_history_was_imported(historical: bool) -> None:
    """Given an order that reaches Gold, with an offer each half year, imported or not; when a year has passed; then
    both halves brought theirs: what a program costs is what it would have been."""
    brings = SHORT.replace("keep_for: P12M}", "keep_for: P12M, benefits: [{every: P6M, offer: five-off}]}", 1)
    reaching = order("a", "250", at=NOW + timedelta(days=1), historical=historical)

    assert played(activities=[reaching], program=brings).figures.offers == {"five-off": 2}
