"""Milestones: counts, sums, first times, days that come round; each occasion once, for ever."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.rewards.domain.changes import Reached
from services.rewards.domain.skips import Why
from services.rewards.domain.state.lots import lot_number
from services.rewards.domain.state.member import Use
from tests.unit.rewards.building import CUSTOMER, NOW, PROGRAM, Life, activity, order, rulebook

HEAD = PROGRAM[: PROGRAM.index("milestones:")]
SEGMENTS = PROGRAM[PROGRAM.index("segments:") :]


def living(*milestones: str) -> Life:
    """A life under these milestones alone, of which orders give no points."""
    lines = "".join(f"  - {{{one}}}\n" for one in milestones)
    return Life(rules=rulebook(f"{HEAD}milestones:\n{lines}{SEGMENTS}"))


def reached(life: Life) -> list[tuple[str, str, int]]:
    """(milestone, occasion, points) of all that were reached."""
    return [(one.milestone, one.occasion, one.points) for one in life.changes.milestones]


def ordering(number: int, orders: int, **facts: Any) -> Any:
    """An order after which the customer has so many."""
    return order(str(number), "10", facts={"orders": orders, **facts})


def test_a_count_is_reached_once_also_when_it_jumps_over_the_number() -> None:
    """Given a milestone at five orders; when six are there at once, and then one more; then it is reached once."""
    life = living("id: fifth, at: {orders: 5}, points: 50")

    life.happen(ordering(1, 4), ordering(2, 6), ordering(3, 7))

    assert reached(life) == [("fifth", "", 50)]


def test_a_milestone_is_not_reached_again_after_a_cancellation() -> None:
    """Given five orders, of which one is called off; when another comes and makes five again; then nothing is given."""
    life = living("id: fifth, at: {orders: 5}, points: 50")

    life.happen(ordering(1, 5), activity("page.viewed", "p", facts={"orders": 4}), ordering(2, 5))

    assert reached(life) == [("fifth", "", 50)]


def test_every_multiple_of_a_sum_is_an_occasion_of_its_own() -> None:
    """Given 10 points for every 1,000 spent; when spend comes to 999, 2,500, 1,500 (refunded) and 3,000; then the
    first, second and third thousand are each rewarded once, the two of one order by one outcome."""
    life = living("id: thousand, every: {spend: 1000}, points: 10")
    for number, spend in enumerate((999, 2500, 1500, 3000)):
        life.happen(activity("page.viewed", f"p{number}", facts={"spend": spend}))

    assert reached(life) == [("thousand", "1", 10), ("thousand", "2", 10), ("thousand", "3", 10)]
    assert life.member.available == 30
    told = [outcome for outcome in life.changes.outcomes if outcome.type == "points.earned"]
    assert [one.data["points"] for one in told] == [20, 10]
    assert len({one.id for one in life.changes.outcomes}) == len(life.changes.outcomes)


def test_two_multiples_at_once_give_two_codes() -> None:
    """Given a code for every tenth order; when the customer comes to 20 at once; then there are two different codes."""
    life = living("id: tenth, every: {orders: 10}, offer: five-off").happen(ordering(1, 20))

    assert len({offer.code for offer in life.changes.offers}) == 2


def test_a_first_time_is_once() -> None:
    """Given points for the first review; when two are posted; then the first alone gives them."""
    life = living("id: first-review, on: review.posted, points: 5")
    life.happen(activity("review.posted", "r1"), activity("review.posted", "r2"))

    assert reached(life) == [("first-review", "", 5)]


def test_an_anniversary_is_once_for_each_year_of_it_and_years_can_be_asked_for() -> None:
    """Given 100 points each anniversary and a gift for the fifth; when the fourth is told twice and the fifth once;
    then each gives its own, once."""
    life = living(
        "id: yearly, on: customer.anniversary, points: 100",
        "id: five-years, on: membership.anniversary, when: event.years == 5, offer: fifth",
    )
    for name, type_, years in (
        ("a", "customer.anniversary", 4),
        ("b", "customer.anniversary", 4),
        ("c", "customer.anniversary", 5),
        ("d", "membership.anniversary", 4),
        ("e", "membership.anniversary", 5),
    ):
        life.happen(activity(type_, name, years=years))

    assert reached(life) == [("yearly", "4", 100), ("yearly", "5", 100), ("five-years", "5", 0)]


def test_a_birthday_belongs_to_the_year_of_its_day_wherever_that_begins() -> None:
    """Given a customer in Tokyo born on 1 January; when their day begins, which is still December in UTC; then it is
    the birthday of the new year, and the next one comes a year later."""
    life = living("id: birthday, on: customer.birthday, offer: five-off")
    for year in (2027, 2028):
        begins = datetime(year - 1, 12, 31, 15, tzinfo=UTC)
        life.happen(activity("customer.birthday", f"b{year}", at=begins, on=f"{year}-01-01"))

    assert reached(life) == [("birthday", "2027", 0), ("birthday", "2028", 0)]


@pytest.mark.parametrize("orders", [0, 4])
def test_why_a_count_gave_nothing_is_said(orders: int) -> None:
    """Given a milestone at five orders; when it is asked why fewer orders gave none; then how far it had come."""
    life = living("id: fifth, at: {orders: 5}, points: 50")
    life.changes.skips = []
    life.happen(ordering(1, orders))

    (skip,) = [one for one in life.changes.skips if one.rule == "fifth"]
    assert skip.why is Why.COUNT
    assert skip.figures == {"fact": "orders", "is": orders, "of": 5}
    assert life.member.customer_id == CUSTOMER


@pytest.mark.parametrize(
    ("part", "key"), [(None, "milestone/fifth/"), ("cus_part", "milestone/fifth//cus_part")]
)
def test_a_milestone_is_written_to_the_last_field(part: str | None, key: str) -> None:
    """Given 50 points and a code for the fifth order; when it was reached yesterday, by a part of a customer; then
    memory, record, entry, lot and outcomes tell of it, each by its own name."""
    life, at = living("id: fifth, at: {orders: 5}, points: 50, offer: five-off"), NOW - timedelta(days=1)
    life.member.part = part
    reaching = activity("page.viewed", "p", at=at, facts={"orders": 5})
    life.happen(reaching)

    assert life.member.milestones == {"fifth/": Use("", at, reaching.id, 50, part)}
    assert life.changes.milestones == [Reached(CUSTOMER, "fifth", "", at, reaching.id, 50, 1, part)]
    (entry,) = life.changes.entries
    number = lot_number(reaching.id, "fifth")
    assert (entry.lot, entry.points, entry.rule, entry.cause, entry.at, entry.key) == (
        number,
        50,
        "fifth",
        reaching.id,
        at,
        key,
    )
    assert [(lot.number, lot.points) for lot in life.member.lots.values()] == [(number, 50)]
    offered, told, earned = life.changes.outcomes
    assert (offered.type, offered.id) == ("offer.issued", f"{CUSTOMER}/{reaching.id}/offer/fifth")
    assert (told.type, told.id, told.cause, told.data) == (
        "milestone.reached",
        f"{reaching.id}/milestone/fifth/",
        reaching.id,
        {"milestone": "fifth", "occasion": "", "points": 50, "offer": "five-off"},
    )
    assert (earned.type, earned.data["rules"]) == ("points.earned", [{"rule": "fifth", "points": 50}])


def test_occasions_of_one_activity_share_a_lot_and_two_milestones_do_not() -> None:
    """Given 10 points for every 1,000 spent and 5 for a first visit; when a visit tells of 2,000; then the thousands
    fill one lot, and the visit another."""
    life = living("id: thousand, every: {spend: 1000}, points: 10", "id: visit, on: page.viewed, points: 5")
    visit = activity("page.viewed", "p", facts={"spend": 2000})
    life.happen(visit)

    assert {number: lot.points for number, lot in life.member.lots.items()} == {
        lot_number(visit.id, "thousand"): 20,
        lot_number(visit.id, "visit"): 5,
    }


def test_points_of_a_milestone_wait_where_points_do() -> None:
    """Given points that wait for two weeks; when a milestone gives some; then they wait."""
    life = Life(
        rules=rulebook(PROGRAM.replace("expire_after: P12M", "expire_after: P12M\n  pending_for: P14D"))
    )
    life.happen(activity("page.viewed", "p", facts={"orders": 10}))

    assert (life.member.available, life.member.pending) == (0, 500)


def test_what_earns_nothing_reaches_a_milestone_empty_handed() -> None:
    """Given 50 points and a code for the fifth order; when history that earns nothing reaches it; then it is reached,
    and nothing is given or told; why is said."""
    life = living("id: fifth, at: {orders: 5}, points: 50, offer: five-off")
    life.changes.skips = []
    life.happen(activity("page.viewed", "p", facts={"orders": 5}, unrewarded=True))

    assert reached(life) == [("fifth", "", 0)]
    assert (life.changes.entries, life.changes.offers, life.told()) == ([], [], [])
    assert life.changes.members == {CUSTOMER: life.member}
    assert [(skip.rule, skip.why) for skip in life.changes.skips] == [("fifth", Why.UNREWARDED)]


@pytest.mark.parametrize(
    ("milestone", "reaching"),
    [
        ("id: one, at: {orders: 5}, points: 50", {"facts": {"orders": 5}}),
        ("id: one, on: page.viewed, points: 50", {}),
    ],
)
def test_what_was_reached_before_says_so(milestone: str, reaching: dict[str, Any]) -> None:
    """Given a milestone of a count or of a first time; when it is reached again; then that is why nothing comes."""
    life = living(milestone).happen(activity("page.viewed", "p", **reaching))
    life.changes.skips = []
    life.happen(activity("page.viewed", "q", **reaching))

    assert [(skip.rule, skip.why) for skip in life.changes.skips] == [("one", Why.REACHED_BEFORE)]
