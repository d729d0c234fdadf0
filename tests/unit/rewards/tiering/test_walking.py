"""The walk through a customer's tiers by all that counts: grace, downgrades, and what leaves the window; and how days,
years and lots count in it."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import Counted, Member
from services.rewards.domain.state.purchases import Purchase
from services.rewards.domain.tiering import counting
from services.rewards.domain.tiering.counting import Calendar
from services.rewards.domain.tiering.standing import GRACE, Standing, earned, reached
from shared.program.model.tiers import Measure, Tiers
from shared.program.values.period import Period
from tests.unit.rewards.building import CUSTOMER, NOW, order, refund
from tests.unit.rewards.tiering.test_tier_policies import LEVELS, living, new_york

DAY = timedelta(days=1)
ENDS = new_york(2027, 6, 2)
"""When Gold ends that was reached on 1 June 2026."""
ROLLING = "{spend_over: P12M}"
YEARS = "{spend_in: calendar_year}"
GRACEFUL = living(ROLLING, "grace: P14D").rules


def walk(rules: Rulebook, now: datetime, *items: tuple[datetime, int]) -> Standing:
    """Where somebody stands of whom this counts."""
    tiers = tiers_of(rules)
    calendar = Calendar.of(tiers.basis, rules.program.time_zone, Member(CUSTOMER))
    return earned([Counted(at, Decimal(amount)) for at, amount in items], tiers, calendar, now)


def tiers_of(rules: Rulebook) -> Tiers:
    """The program's."""
    assert rules.program.tiers is not None
    return rules.program.tiers


def calendar(basis: str, member: Member | None = None) -> Calendar:
    """A member's calendar under such a program."""
    program = living(basis).rules.program
    assert program.tiers is not None
    return Calendar.of(program.tiers.basis, program.time_zone, member or Member(CUSTOMER))


def test_in_grace_what_reaches_the_tier_anew_keeps_it_since_it_was_first_reached() -> None:
    """Given Gold in grace; when so much comes that Gold is reached again; then it runs a year from then, and is had
    since it was first reached."""
    later = ENDS + 3 * DAY
    assert walk(GRACEFUL, later, (NOW, 250), (later, 250)) == Standing(1, NOW, new_york(2028, 6, 6))


def test_in_grace_what_reaches_nothing_leaves_all_as_it_was() -> None:
    """Given Gold in grace; when a little comes; then it is in grace for as long as it was."""
    later = ENDS + 3 * DAY
    assert walk(GRACEFUL, later, (NOW, 250), (later, 10)) == Standing(1, NOW, ENDS + 14 * DAY, GRACE)


def test_what_was_taken_back_no_longer_weighs_when_it_has_left_the_window() -> None:
    """Given points of which 100 were taken back 13 months ago, and 150 and 100 given since; then these reach Gold: what
    was taken back lies before the window, though in all there are but 150."""
    rules = living("{points_over: P12M}", levels=LEVELS.replace("200.01", "201")).rules
    items = (NOW - 395 * DAY, -100), (NOW - 100 * DAY, 150), (NOW, 100)
    assert walk(rules, NOW, *items) == Standing(1, NOW, ENDS)


def test_the_lowest_tier_never_ends_whatever_the_program_keeps_it_for() -> None:
    """Given a program that keeps the lowest tier for a year, which says nothing; when it is reached, or Gold falls to
    it; then it has no end."""
    rules = living(levels=LEVELS.replace("name: Member", "name: Member, keep_for: P12M")).rules
    assert reached(tiers_of(rules), calendar(ROLLING), 0, NOW) == Standing(0, NOW, None)
    assert walk(rules, ENDS, (NOW, 250)) == Standing(0, ENDS, None)


def test_a_tier_below_that_is_kept_for_good_has_no_end_when_one_falls_to_it() -> None:
    """Given Platinum, and Gold that is kept for good; when Platinum is over and one step down leads to Gold; then Gold
    stays for ever."""
    levels = LEVELS.replace("at: 200.01, keep_for: P12M", "at: 200.01")
    rules = living(ROLLING, "downgrade: one_step", levels=levels).rules
    assert walk(rules, ENDS + 900 * DAY, (NOW, 2000)) == Standing(1, ENDS, None)


def test_years_of_membership_begin_on_the_local_day_of_joining_where_they_count() -> None:
    """Given somebody who joined late on 28 February in New York, where it was March in London; then their years begin
    on the 28th; years of the calendar begin with January, though it is known since when they are a member."""
    member = Member(CUSTOMER, joined_at=new_york(2025, 2, 28, 23))
    assert calendar("{spend_in: anniversary_year}", member).joined == date(2025, 2, 28)
    assert calendar(YEARS, member).joined == date(2000, 1, 1)


@pytest.mark.parametrize(
    ("basis", "ended", "again"),
    [
        (ROLLING, new_york(2027, 3, 1), new_york(2027, 8, 29)),
        (YEARS, new_york(2027, 1, 1), new_york(2027, 7, 1)),
    ],
)
def test_a_tier_that_is_kept_again_lasts_whole_local_days(
    basis: str, ended: datetime, again: datetime
) -> None:
    """Given a tier kept for six months; when it ended with February, or with the year, and was reached again; then it
    lasts through 28 August, or through June, by the clocks of New York in summer."""
    assert calendar(basis).end_again(ended, Period(months=6)) == again


def test_a_tier_of_a_year_is_kept_for_so_long_after_the_year() -> None:
    """Given tiers by years that are kept for six months; when one is reached; then it lasts through June 2027."""
    assert calendar(YEARS).end(NOW, Period(months=6)) == new_york(2027, 7, 1)


@pytest.mark.parametrize("measure", Measure)
def test_an_order_of_which_only_a_refund_is_known_is_worth_nothing(measure: Measure) -> None:
    """Given an order that nobody has told yet; then it counts nothing, whatever is counted."""
    assert counting.worth(Purchase(order_id="1"), measure) == 0


def test_orders_that_were_refunded_in_full_are_not_among_what_counts() -> None:
    """Given two orders, one of which is refunded in full, and was counted when stored; then the other is all that
    counts."""
    life = living().happen(order("1", "250"), order("2", "30"), refund("1", "a", "250"))
    life.member.counted = {"1": Counted(NOW, Decimal(250))}
    assert counting.counted(life.member, Measure.SPEND) == [Counted(NOW, Decimal(30))]


def test_points_that_no_order_brought_count_under_their_lot() -> None:
    """Given points of an order and of a review; then those of the review are under a key from which their lot is read
    again, and they are what counts besides orders; of whom nothing was loaded there is nothing."""
    key, points = counting.lot_key(2**62), Counted(NOW, Decimal(50))
    assert (key, counting.lot_of(key)) == (f"lot:{2**62}", 2**62)

    member = Member(CUSTOMER, counted={"order-1": Counted(NOW, Decimal(9)), key: points})
    assert counting.of_lots(member) == {key: points}
    assert counting.of_lots(Member(CUSTOMER)) == {}
