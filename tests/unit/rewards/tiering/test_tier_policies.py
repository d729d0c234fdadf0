"""Tiers by policy: years, grace, downgrade, notice; days that are not like others."""

from datetime import UTC, datetime, timedelta

import pytest

from services.rewards.domain.state.member import TierGrant
from tests.unit.rewards.building import NOW, PROGRAM, Life, activity, order, refund, rulebook

LEVELS = PROGRAM[PROGRAM.index("  levels:") : PROGRAM.index("offers:")]


def living(basis: str = "{spend_over: P12M}", *more: str, at: datetime = NOW, levels: str = LEVELS) -> Life:
    """A life under a program with these tiers, which begins at that moment."""
    head, tail = PROGRAM[: PROGRAM.index("tiers:")], PROGRAM[PROGRAM.index("offers:") :]
    extra = "".join(f"  {line}\n" for line in more)
    return Life(rules=rulebook(f"{head}tiers:\n  basis: {basis}\n{extra}{levels}{tail}"), now=at)


def new_york(year: int, month: int, day: int, hour: int = 0) -> datetime:
    """A local moment, in UTC."""
    zone = rulebook().program.time_zone
    return datetime(year, month, day, hour, tzinfo=zone).astimezone(UTC)


def until(life: Life, moment: datetime) -> Life:
    """Let time pass until then."""
    return life.wait(moment - life.now)


def reasons(life: Life) -> list[tuple[str, str]]:
    """(tier, reason) of each change."""
    return [(change.new, change.reason) for change in life.changes.tiers]


def test_a_calendar_year_counts_from_its_first_day_and_keeps_through_the_next_year() -> None:
    """Given Gold at 200.01 within a calendar year, kept for 12 months; when 150 are spent on the last evening of 2026
    and 60 on the first morning of 2027; then nothing is reached; with 150 more it is, until the end of 2028."""
    life = living("{spend_in: calendar_year}", at=new_york(2026, 12, 31, 23))
    life.happen(order("1", "150", at=life.now))
    until(life, new_york(2027, 1, 1, 1)).happen(order("2", "60", at=life.now))
    assert life.member.tier is None

    life.happen(order("3", "150", at=life.now))

    assert (life.member.tier, life.member.tier_until) == ("gold", new_york(2029, 1, 1))


def test_a_calendar_year_is_looked_at_by_the_year_that_is_over() -> None:
    """Given Gold reached in 2026 and kept through 2027; when 2027 brings enough, Gold stays through 2028; when 2028
    brings nothing, Gold is over with it, though 2029 has begun with an order."""
    life = living("{spend_in: calendar_year}", at=new_york(2026, 7, 1))
    life.happen(order("1", "300", at=life.now))
    until(life, new_york(2027, 3, 1)).happen(order("2", "201", at=life.now))
    until(life, new_york(2028, 1, 1))
    assert (life.member.tier, life.member.tier_until) == ("gold", new_york(2029, 1, 1))

    life.now = new_york(2029, 1, 1, 6)
    life.happen(order("3", "50", at=new_york(2029, 1, 1, 5))).wait(timedelta(0))

    assert (life.member.tier, life.member.tier_since) == ("member", new_york(2029, 1, 1))


def test_a_year_of_membership_begins_on_its_day_also_for_who_joined_on_29_february() -> None:
    """Given a registration on 29 February 2024; when 150 are spent on 27 February 2026 and 60 on the 28th; then the
    second began a new year, and Gold takes 150 more; its year ends on 27 February 2027, and Gold a year after."""
    life = living("{spend_in: anniversary_year}", at=new_york(2026, 2, 27, 12))
    facts = {"registered_at": new_york(2024, 2, 29, 9)}
    life.happen(order("1", "150", at=life.now, facts=facts))
    life.now = new_york(2026, 2, 28, 1)
    life.happen(order("2", "60", at=life.now, facts=facts))
    assert life.member.tier is None

    life.happen(order("3", "150", at=life.now, facts=facts))

    assert (life.member.tier, life.member.tier_until) == ("gold", new_york(2028, 2, 28))


def test_grace_keeps_a_tier_a_while_and_an_order_in_it_keeps_it_longer() -> None:
    """Given Gold with 14 days of grace; when its time is over; then it is in grace, and told; an order in that time
    keeps it for another period, and without one it falls."""
    for rescued in (False, True):
        life = living("{spend_over: P12M}", "grace: P14D").happen(order("1", "250"))
        until(life, new_york(2027, 6, 2))
        assert (life.member.tier, life.member.tier_status) == ("gold", "grace")
        assert life.member.tier_until == new_york(2027, 6, 16)
        assert life.told()[-1] == "tier.grace"
        if rescued:
            until(life, new_york(2027, 6, 10)).happen(order("2", "250", at=life.now))
        until(life, new_york(2027, 6, 16))

        if rescued:
            assert (life.member.tier, life.member.tier_status) == ("gold", "")
            assert life.member.tier_until == new_york(2028, 6, 11)
        else:
            assert reasons(life) == [("gold", "spend"), ("gold", "grace"), ("member", "review")]


@pytest.mark.parametrize(("more", "tier"), [((), "member"), (("downgrade: one_step",), "gold")])
def test_a_downgrade_goes_to_what_is_earned_or_one_step(more: tuple[str, ...], tier: str) -> None:
    """Given Platinum; when its time is over and nothing was bought; then the customer is a member again; one step at a
    time, has Gold for a period, and then is one."""
    life = living("{spend_over: P12M}", *more).happen(order("1", "2000"))
    until(life, new_york(2027, 6, 2))
    assert life.member.tier == tier

    until(life, new_york(2028, 6, 2))
    assert life.member.tier == "member"
    assert life.member.tier_until is None


def test_orders_on_one_day_a_year_never_make_one_order_count_twice() -> None:
    """Given Gold of 28 February 2023; when the last day is 28 February of a leap year; then the order of then does not
    keep it, and one of the day after begins anew."""
    at = new_york(2023, 2, 28, 12)
    life = living(at=at).happen(order("1", "250", at=at))
    until(life, new_york(2024, 2, 29))
    assert life.member.tier == "member"

    life.happen(order("2", "1", at=life.now))
    assert life.member.tier == "member"


def test_a_tier_ends_with_its_local_day_whatever_the_clocks_do() -> None:
    """Given Gold for a month, reached the evening before clocks go forward; then it ends at midnight a month later in
    summer time."""
    at = new_york(2026, 3, 7, 23)
    levels = LEVELS.replace("P12M", "P1M")
    life = living(at=at, levels=levels).happen(order("1", "250", at=at))

    assert life.member.tier_until == datetime(2026, 4, 8, 4, tzinfo=UTC)


def test_orders_that_are_refunded_in_full_do_not_count_and_those_of_nothing_do() -> None:
    """Given Gold at two orders; when one is free and one refunded in part; then both count; when that one is
    refunded in full; then one does."""
    life = living("{orders_over: P12M}", levels=LEVELS.replace("200.01", "2"))
    life.happen(order("1", "0"), order("2", "10"), refund("2", "a", "5"))
    assert life.member.tier == "gold"

    life.happen(refund("2", "b", "5"))
    assert reasons(life) == [("gold", "spend"), ("member", "refund")]


def test_points_count_whatever_gave_them_and_go_with_the_order_that_is_refunded() -> None:
    """Given Gold at 201 points; when a registration gives 100 and an order 110; then Gold; when 10 are refunded; then
    not; when a review gives 50, Gold again: what was earned by another way counts as well."""
    life = living("{points_over: P12M}", levels=LEVELS.replace("200.01", "201"))
    life.happen(activity("customer.registered", "r"), order("1", "110"))
    assert life.member.tier == "gold"

    life.happen(refund("1", "a", "10"))
    assert life.member.tier == "member"

    life.happen(activity("review.posted", "v"))
    assert reasons(life) == [("gold", "spend"), ("member", "refund"), ("gold", "spend")]


def test_a_grant_outlives_a_refund_and_ends_in_what_is_reached() -> None:
    """Given Gold by an order, and Gold granted for longer; when the order is refunded; then Gold stays, as granted, and
    ends with the grant."""
    life = living().happen(order("1", "250"))
    life.member.grants.append(TierGrant("tgr_1", "gold", NOW, NOW + timedelta(days=500)))
    life.happen(refund("1", "a", "250"))
    assert (life.member.tier, life.member.tier_status) == ("gold", "granted")

    life.wait(timedelta(days=500))
    assert reasons(life)[-1] == ("member", "grant_ended")


def test_a_program_that_asks_for_more_takes_nothing_before_the_time_is_over() -> None:
    """Given Gold at 250; when the program asks for 500, and a small order comes, and a late one; then Gold stays until
    its time is over, and is then lost."""
    life = living().happen(order("1", "250"))
    life.rules = living(levels=LEVELS.replace("200.01", "500")).rules
    life.happen(order("2", "10"), order("3", "10", at=NOW - timedelta(days=5), late=True))
    assert life.member.tier == "gold"

    until(life, life.member.tier_until or NOW)
    assert life.member.tier == "member"


def test_an_order_at_the_very_beginning_of_a_year_belongs_to_it() -> None:
    """Given a calendar year; when 150 are spent at its first moment and 60 in summer; then Gold is reached."""
    life = living("{spend_in: calendar_year}", at=new_york(2027, 1, 1))
    life.happen(order("1", "150", at=life.now))
    until(life, new_york(2027, 7, 1)).happen(order("2", "60", at=life.now))

    assert life.member.tier == "gold"


def test_what_was_counted_at_the_first_moment_of_the_window_is_counted_off_by_its_refund() -> None:
    """Given an order at the first moment of the window; when it is refunded; then nothing is left of it in the sum."""
    life = living().happen(order("1", "100", at=new_york(2025, 6, 1)))
    assert life.member.spend == 100

    life.happen(refund("1", "a", "100"))
    assert life.member.spend == 0


def test_a_grant_of_a_tier_that_is_reached_makes_it_last_longer() -> None:
    """Given Gold by an order; when Gold is granted beyond its time; then it lasts as long as the grant."""
    life = living().happen(order("1", "250"))
    life.member.grants.append(TierGrant("tgr_1", "gold", NOW, NOW + timedelta(days=500)))
    life.happen(order("2", "1"))
    assert (life.member.tier_since, life.member.tier_until) == (NOW, NOW + timedelta(days=500))

    until(life, new_york(2027, 6, 2))
    assert (life.member.tier, life.member.tier_status) == ("gold", "granted")
    assert life.member.tier_until == NOW + timedelta(days=500)

    life.wait(timedelta(days=200))
    assert life.member.tier == "member"
