"""When points expire, and what lets them last."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.rewards.domain.points import ledger
from services.rewards.domain.points.expiry import give_notice, renew
from services.rewards.domain.state.lots import lot_number
from shared.program.model.program import ExpireAt
from shared.program.values.calendar import end_of_day_after
from shared.program.values.period import Period
from tests.unit.rewards.building import NOW, PROGRAM, Life, activity, order, rulebook

NEW_YORK = ZoneInfo("America/New_York")
INACTIVE = rulebook(
    PROGRAM.replace("expire_after: P12M", "expire_after: P12M\n  renewed_by: [order.completed]")
)


def local(year: int, month: int, day: int) -> datetime:
    """Midnight in New York."""
    return datetime(year, month, day, tzinfo=NEW_YORK).astimezone(UTC)


@pytest.mark.parametrize(
    ("earned", "period", "at", "end"),
    [
        (datetime(2026, 6, 1, 12, tzinfo=UTC), "P12M", "day", local(2027, 6, 2)),
        (datetime(2026, 6, 1, 12, tzinfo=UTC), "P12M", "month", local(2027, 7, 1)),
        (datetime(2026, 6, 1, 12, tzinfo=UTC), "P12M", "year", local(2028, 1, 1)),
        (datetime(2026, 6, 1, 12, tzinfo=UTC), "P0D", "year", local(2027, 1, 1)),
        (datetime(2026, 6, 1, 12, tzinfo=UTC), "P0D", "month", local(2026, 7, 1)),
        # 1 January in London, still 31 December where the shop is
        (datetime(2027, 1, 1, 3, tzinfo=UTC), "P0D", "year", local(2027, 1, 1)),
        (datetime(2026, 12, 15, 12, tzinfo=UTC), "P1M", "month", local(2027, 2, 1)),
        # leap days: a year after 29 February is 28 February; four years after, 29 February
        (datetime(2028, 2, 29, 12, tzinfo=UTC), "P12M", "day", local(2029, 3, 1)),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), "P48M", "day", local(2032, 3, 1)),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "P1M", "day", local(2026, 3, 1)),
        # the clocks go forward on 14 March 2027 and back on 7 November 2027
        (datetime(2027, 3, 13, 12, tzinfo=UTC), "P1D", "day", local(2027, 3, 15)),
        (datetime(2027, 11, 6, 12, tzinfo=UTC), "P1D", "day", local(2027, 11, 8)),
        (datetime(2027, 11, 30, 12, tzinfo=UTC), "P0D", "month", local(2027, 12, 1)),
    ],
)
def test_points_live_through_their_last_day(
    earned: datetime, period: str, at: ExpireAt, end: datetime
) -> None:
    """Given a moment of earning and a policy; then points end at this local midnight."""
    assert end_of_day_after(earned, Period.parse(period), NEW_YORK, at=at) == end


def test_points_of_a_year_end_together() -> None:
    """Given points that expire at the end of the year after; when a spring and an autumn order are placed; then both
    end at the same midnight, and not a second before."""
    life = Life(
        rulebook(PROGRAM.replace("expire_after: P12M", "expire_after: P12M\n  expire_at: end_of_year"))
    )
    life.happen(order("1", "10", at=NOW), order("2", "20", at=NOW + timedelta(days=90)))
    assert {lot.expires_at for lot in life.member.lots.values()} == {local(2028, 1, 1)}

    life.wait(local(2028, 1, 1) - timedelta(seconds=1) - life.now)
    assert life.member.available == 30
    life.wait(timedelta(seconds=1))
    assert life.member.available == 0


def test_each_order_lets_all_points_last() -> None:
    """Given points that expire after a year without an order; when an order comes after 300 days; then old and new
    points end a year after it; without any more, all at once."""
    life = Life(INACTIVE)
    life.happen(activity("review.posted", "r", at=NOW), order("1", "10", at=NOW))
    life.wait(timedelta(days=300))
    life.happen(order("2", "20", at=life.now))
    life.wait(timedelta(days=364))
    assert life.member.available == 80
    life.wait(timedelta(days=3))
    assert life.member.available == 0
    assert [points for kind, _, points in life.kinds() if kind == "expire"] == [50, 10, 20]


def test_what_does_not_renew_lets_nothing_last() -> None:
    """Given points that orders let last; when a review is posted; then the old points end as before."""
    life = Life(INACTIVE)
    life.happen(order("1", "10", at=NOW))
    life.wait(timedelta(days=300))
    life.happen(activity("review.posted", "r", at=life.now))
    life.wait(timedelta(days=70))
    assert life.member.available == 50


def test_points_that_had_expired_do_not_come_back_with_a_later_order() -> None:
    """Given points that expired for want of orders; when one is placed afterwards; then only its own points are
    there."""
    life = Life(INACTIVE)
    life.happen(order("1", "10", at=NOW))
    life.wait(timedelta(days=400))
    life.happen(order("2", "20", at=life.now))
    assert life.member.available == 20
    life.wait(timedelta(days=1))
    assert life.member.available == 20


def test_an_order_that_arrives_late_brings_points_back() -> None:
    """Given points that expired for want of orders; when an order of before that arrives; then they are there again, as
    they would be had it come in time, and expire a year after it, once."""
    late, timely = Life(INACTIVE), Life(INACTIVE)
    second = order("2", "20", at=NOW + timedelta(days=300))
    for life in (late, timely):
        life.happen(order("1", "10", at=NOW))
    timely.wait(timedelta(days=300))
    timely.happen(second)
    timely.wait(timedelta(days=100))
    late.wait(timedelta(days=400))
    assert late.member.available == 0
    late.happen(second)

    assert late.member.available == timely.member.available == 30
    assert ("renew", None, 10) in late.kinds()
    for life in (late, timely):
        life.wait(timedelta(days=267))
        assert life.member.available == 0
        assert sum(lot.expired for lot in life.member.lots.values()) == 30


def test_points_that_come_back_pay_what_is_owed() -> None:
    """Given expired points and a debt; when a late order lets the points last; then they pay the debt first."""
    life = Life(INACTIVE)
    life.happen(order("1", "10", at=NOW))
    life.wait(timedelta(days=400))
    lot = ledger.open_lot(life.member, lot_number("x"), life.now, life.rules.program, now=life.now)
    ledger.take_back(life.member, life.changes, lot, 4, rule="purchase", cause="x", at=life.now)
    assert life.member.debt == 4
    renewal = activity("order.completed", "o", at=NOW + timedelta(days=200), order_id="9", total="0")
    renew(life.member, renewal, life.rules.program, life.changes)
    assert (life.member.available, life.member.debt) == (6, 0)


def test_notice_goes_out_once_per_lot_and_together_for_a_day() -> None:
    """Given two lots that end on one day, and one that ends later; when the notice period of each begins; then one
    notice of both, and later one of the third; never again."""
    life = Life()
    life.happen(
        order("1", "10", at=NOW), order("2", "20", at=NOW), order("3", "5", at=NOW + timedelta(days=10))
    )
    told = []
    for _ in range(380):
        life.wait(timedelta(days=1))
        give_notice(life.member, life.rules.program, life.changes)
        told += [
            (life.now.date().isoformat(), each.data["points"], each.data["on"])
            for each in life.changes.outcomes
            if each.type == "points.expiring"
        ]
        life.changes.outcomes.clear()
    assert told == [("2027-05-03", 30, "2027-06-01"), ("2027-05-13", 5, "2027-06-11")]


def test_points_that_last_longer_are_told_of_anew() -> None:
    """Given a notice of points that are about to expire; when an order lets them last; then the next notice comes
    before the new end."""
    life = Life(INACTIVE)
    life.happen(order("1", "10", at=NOW))
    life.wait(timedelta(days=340))
    give_notice(life.member, life.rules.program, life.changes)
    life.happen(order("2", "20", at=life.now))
    give_notice(life.member, life.rules.program, life.changes)
    life.wait(timedelta(days=340))
    give_notice(life.member, life.rules.program, life.changes)
    told = [each.data["points"] for each in life.changes.outcomes if each.type == "points.expiring"]
    assert told == [10, 30]
    ids = [each.id for each in life.changes.outcomes if each.type == "points.expiring"]
    assert len(set(ids)) == 2
