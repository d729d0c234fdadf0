"""What is noted of referrals, and what becomes of one when it is due."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.rewards.domain.changes import RuleUse
from services.rewards.domain.earning.referrals import Close, Orders, settle_referral
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.lots import lot_number
from services.rewards.domain.state.member import Member, Use
from services.rewards.domain.state.referral_notes import Bringing, Coming
from tests.unit.rewards.building import CUSTOMER, NOW, Life, activity, order, rulebook
from tests.unit.rewards.earning.earn_rules import HEAD

DAY = timedelta(days=1)


def rules(referral: str) -> Rulebook:
    """A program with such a referral, where points of orders wait."""
    return rulebook(f"{HEAD}points:\n  pending_for: P7D\n  referral: {{id: friends, {referral}}}\n")


RULES = rules("points: 300, friend: 100, kept_for: P14D, limit: {times: 2, per: P1M}")
FRIEND = "cus_friend"
COMING = Coming(FRIEND, "R-1", NOW, "c" * 32, NOW + 15 * DAY, FRIEND)
BRINGING = Bringing("R-1", CUSTOMER, NOW - DAY, "b" * 32, CUSTOMER)
KEPT = Orders(first=NOW + DAY, fitting=NOW + DAY)
CLOSED = Close(FRIEND, None, "rewarded")


def shop() -> Life:
    """A member where friends who order are worth points."""
    return Life(RULES)


def test_who_brings_friends_is_noted() -> None:
    """When a referral is made; then its id is the customer's, since then."""
    made = activity("referral.made", "m", referral_id="R-1")

    assert shop().happen(made).changes.bringing == [Bringing("R-1", CUSTOMER, NOW, made.id)]


def test_a_friend_who_comes_is_looked_at_at_once_and_one_who_orders_when_the_order_was_kept() -> None:
    """When a friend registers, or orders, with a referral's id; then it is due at once, or in 14 days."""
    came = activity("customer.registered", "r", referral_id="R-1", at=NOW - DAY)
    ordered = order("1", "10", referral_id="R-1", at=NOW - DAY)

    assert shop().happen(came, ordered).changes.coming == [
        Coming(CUSTOMER, "R-1", NOW - DAY, came.id, NOW),
        Coming(CUSTOMER, "R-1", NOW - DAY, ordered.id, NOW + 13 * DAY),
    ]


@pytest.mark.parametrize("days", [(0, 1), (1, 0)])
def test_of_several_orders_the_first_decides_when_to_look_again(days: tuple[int, int]) -> None:
    """Given two orders that name no referral, told in any order; then the earlier one counts."""
    orders = [order(str(day), "10", at=NOW + day * DAY) for day in days]

    assert shop().happen(*orders).changes.ordered == {CUSTOMER: NOW + 14 * DAY}


def test_nothing_is_noted_of_other_events_of_unrewarded_ones_and_where_the_program_has_no_referral() -> None:
    login = activity("login.recorded", "l", referral_id="R-1")
    nameless = [activity("referral.made", "m"), activity("customer.registered", "r")]
    unrewarded = [
        activity("referral.made", "m2", referral_id="R-1", unrewarded=True),
        order("1", "10", referral_id="R-1", unrewarded=True),
    ]
    without = Life().happen(activity("referral.made", "m3", referral_id="R-1"), order("2", "10"))

    for life in (shop().happen(login, *nameless, *unrewarded), without):
        assert (life.changes.bringing, life.changes.coming, life.changes.ordered) == ([], [], {})


def settled(
    life: Life, orders: Orders = KEPT, *, days: int = 15, friend: Member | None = None, n: int = 1
) -> Close:
    """What becomes of the n-th friend's referral, so many days after coming."""
    life.changes.now = NOW + days * DAY
    coming = COMING._replace(cause=f"{n:032x}")
    friend = friend or Member(FRIEND)
    return settle_referral(coming, BRINGING, friend, life.member, orders, life.rules.program, life.changes)


def test_both_get_their_points_once_the_first_order_was_kept() -> None:
    """Given a friend's order; when 14 days have passed; then both have points to spend, told and explained."""
    life, friend = shop(), Member(FRIEND)

    assert settled(life, friend=friend) == CLOSED
    assert (friend.available, life.member.available) == (100, 300)
    assert [*friend.lots, *life.member.lots] == [
        lot_number(f"{1:032x}", f"friends/{side}") for side in ("friend", "bringer")
    ]
    assert [(one.rule, one.cause, one.at) for one in life.changes.entries] == [
        ("friends", f"{1:032x}", NOW + 15 * DAY),
        ("friends", BRINGING.cause, NOW + 15 * DAY),
    ]
    assert len({one.id for one in life.changes.outcomes}) == 2
    assert [(one.type, one.cause, one.data) for one in life.changes.outcomes] == [
        (
            "points.earned",
            cause,
            {
                "points": points,
                "rules": [{"rule": "friends", "points": points}],
                "available": points,
                "referral_id": "R-1",
            },
        )
        for points, cause in ((100, f"{1:032x}"), (300, BRINGING.cause))
    ]
    use = RuleUse(CUSTOMER, "friends", "", NOW + 15 * DAY, f"{1:032x}", 300, CUSTOMER)
    assert life.changes.uses == [use]
    assert life.member.uses == {"friends": [Use("", use.at, use.cause, 300, CUSTOMER)]}


@pytest.mark.parametrize(
    ("orders", "days", "close"),
    [
        (KEPT, 14, Close(FRIEND, NOW + 15 * DAY, None)),
        (Orders(first=None, fitting=None), 15, Close(FRIEND, None, None)),
        (Orders(first=NOW, fitting=None), 15, Close(FRIEND, None, None)),
        (Orders(first=NOW - DAY, fitting=NOW + DAY), 15, Close(FRIEND, None, "known_before")),
        (replace(KEPT, brought=NOW), 15, Close(FRIEND, None, "known_before")),
    ],
)
def test_nothing_is_given_before_that_nor_to_who_was_known(orders: Orders, days: int, close: Close) -> None:
    """When the order is not kept long enough, none fits, or one was before the friend came; then it waits, or ends."""
    life = shop()

    assert settled(life, orders, days=days) == close
    assert life.changes.entries == []


@pytest.mark.parametrize(
    "orders", [replace(KEPT, first=NOW), replace(KEPT, brought=NOW + timedelta(seconds=1))]
)
def test_who_orders_as_they_come_was_not_known_before(orders: Orders) -> None:
    assert settled(shop(), orders) == CLOSED


def test_nobody_brings_themselves_and_who_was_merged_away_waits() -> None:
    life = shop()

    assert settled(life, friend=life.member) == Close(FRIEND, None, "self")
    assert settled(life, friend=Member(FRIEND, merged_into=CUSTOMER)) == Close(FRIEND, None, None)
    assert life.changes.entries == []


def test_a_limit_holds_for_who_brings_not_for_friends() -> None:
    """Given two friends a month at most; when three come; then the third gets points all the same."""
    life = shop()
    friends = [Member(FRIEND) for _ in range(3)]

    assert [settled(life, friend=friend, n=n) for n, friend in enumerate(friends)] == [CLOSED] * 3
    assert life.member.available == 600
    assert [friend.available for friend in friends] == [100, 100, 100]


@pytest.mark.parametrize(("referral", "points"), [("points: 300", (0, 300)), ("friend: 100", (100, 0))])
def test_one_side_alone_may_be_given_points_without_a_limit(referral: str, points: tuple[int, int]) -> None:
    life, friend = Life(rules(f"{referral}, kept_for: P14D")), Member(FRIEND)

    assert settled(life, friend=friend) == CLOSED
    assert (friend.available, life.member.available) == points


def test_points_are_of_the_parts_that_came_and_brought() -> None:
    """Given two customers who were merged into others; when the referral is due; then those have the points, marked
    with the parts, so that they move when the merge is undone."""
    life, friend = Life(RULES, Member("cus_whole")), Member("cus_other")

    settled(life, friend=friend)

    assert [one.part for lots in (friend.lots, life.member.lots) for one in lots.values()] == [
        FRIEND,
        CUSTOMER,
    ]
    assert {one.key for one in life.changes.entries} == {
        f"earn/friends/friend/{1:032x}/{FRIEND}",
        f"earn/friends/bringer/{1:032x}/{CUSTOMER}",
    }


def test_what_a_part_tells_is_noted_of_the_part() -> None:
    life = shop()
    life.member.part = "cus_part"

    life.happen(
        activity("referral.made", "m", referral_id="R-1"),
        activity("customer.registered", "r", referral_id="R-2"),
    )

    assert [one.part for one in (*life.changes.bringing, *life.changes.coming)] == ["cus_part"] * 2


def test_days_are_those_of_the_shops_time_zone() -> None:
    """Given an order two weeks before clocks change; then it is kept as long as the shop's calendar says."""
    before = datetime(2026, 10, 26, 12, tzinfo=UTC)
    kept_at = before + 14 * DAY + timedelta(hours=1)

    assert shop().happen(order("1", "10", at=before)).changes.ordered == {CUSTOMER: kept_at}
    assert settled(shop(), Orders(before, before), days=150) == Close(FRIEND, kept_at, None)


def test_where_the_program_has_no_referral_any_more_it_waits() -> None:
    assert settled(Life()) == Close(FRIEND, None, None)


def test_the_points_of_a_referral_count_towards_tiers_when_the_order_was_kept() -> None:
    """Given gold from 300 points on, which last a year; when a referral that is noticed late gives them; then the tier,
    and the year, begin when the order had been kept."""
    points = "points: 300, kept_for: P14D"
    source = f"""{HEAD}
points:
  expire_after: P12M
  referral: {{id: friends, {points}}}
tiers:
  basis: {{points_over: P12M}}
  levels: [{{id: member, name: M}}, {{id: gold, name: G, at: 300, keep_for: P12M}}]
"""
    life = Life(rulebook(source))

    assert settled(life, days=20) == CLOSED
    (lot,) = life.member.lots.values()
    assert lot.expires_at == datetime(2027, 6, 17, 4, tzinfo=UTC)
    (change,) = life.changes.tiers
    assert (change.new, change.cause, change.spend, change.at) == (
        "gold",
        BRINGING.cause,
        300,
        NOW + 20 * DAY,
    )
    assert life.member.tier_until == datetime(2027, 6, 17, 4, tzinfo=UTC)


def test_a_limit_by_day_is_one_of_the_shops_days() -> None:
    """Given one friend a day, and a day of 25 hours; when two orders were kept 24 hours and a half apart; then one
    counts."""
    life = Life(rules("points: 300, kept_for: P14D, limit: {times: 1, per: P1D}"))
    for n, kept in enumerate(
        (datetime(2026, 10, 17, 16, tzinfo=UTC), datetime(2026, 10, 18, 15, 30, tzinfo=UTC))
    ):
        assert settled(life, Orders(kept, kept), days=200, n=n) == CLOSED

    assert life.member.available == 300


def test_a_limit_without_a_period_holds_for_ever() -> None:
    life = Life(rules("points: 300, kept_for: P14D, limit: {times: 1}"))

    for n in range(2):
        assert settled(life, n=n) == CLOSED

    assert life.member.available == 300
