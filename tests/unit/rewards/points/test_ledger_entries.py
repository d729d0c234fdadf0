"""Every way in which points move, to the last field of its entries: accounts, lot, rule, cause, times, key."""

from datetime import timedelta

import pytest

from services.rewards.domain.points import ledger
from services.rewards.domain.state.accounts import Account, Kind
from services.rewards.domain.state.lots import Lot
from shared.contracts.outcomes import Outcome
from tests.unit.rewards.building import CUSTOMER, NOW
from tests.unit.rewards.points.posting import EARLIER, entry, holding, start


def test_earning_credits_the_lot_and_pays_a_debt():
    """Given a debt; when points are earned that can be spent; then they are in their lot, and the debt is paid from it;
    pending ones pay nothing."""
    lot, waiting = Lot(number=5, expires_at=None, changed=False), Lot(number=6, expires_at=None, pending=True)
    waiting.changed = False
    member, changes = start(lot, waiting, debt=30, lifetime_earned=4)
    words = {"rule": "r", "cause": "c", "at": EARLIER}

    ledger.earn(member, changes, waiting, 25, key="k1", **words)
    ledger.earn(member, changes, lot, 100, key="k2", **words)

    assert changes.entries == [
        entry(8, Kind.EARN, Account.ISSUED, Account.PENDING, 25, 6, rule="r", key="k1"),
        entry(9, Kind.EARN, Account.ISSUED, Account.AVAILABLE, 100, 5, rule="r", key="k2"),
        entry(10, Kind.SETTLE, Account.AVAILABLE, Account.DEBT, 30, 5, key="settle/10"),
    ]
    assert (member.available, member.pending, member.debt, member.lifetime_earned) == (70, 25, 0, 129)
    assert (lot.points, lot.remaining, lot.changed) == (100, 70, True)
    assert (waiting.points, waiting.remaining, waiting.changed) == (25, 25, True)
    ledger.earn(member, changes, lot, 1, key="k3", **words)
    assert (lot.points, lot.remaining, len(changes.entries)) == (101, 71, 4)


def test_a_debt_is_paid_from_what_expires_first_until_it_is_paid():
    """Given points in several lots and a debt; when it is settled; then the lots that expire first pay, each by an
    entry of its own, and no lot is touched once nothing is owed."""
    first, second = holding(1, 10, ends=NOW), holding(2, 10, ends=NOW + timedelta(days=1))
    third = holding(3, 10)
    member, changes = start(third, second, first, debt=15)

    ledger.settle(member, changes, cause="c", at=EARLIER)

    assert changes.entries == [
        entry(8, Kind.SETTLE, Account.AVAILABLE, Account.DEBT, 10, 1, key="settle/8"),
        entry(9, Kind.SETTLE, Account.AVAILABLE, Account.DEBT, 5, 2, key="settle/9"),
    ]
    assert [first.remaining, second.remaining, third.remaining] == [0, 5, 10]
    assert [first.changed, second.changed, third.changed] == [True, True, False]


@pytest.mark.parametrize(
    ("part", "key"), [("", "reverse/r/c/{}"), ("order-1", "reverse/r/c/order-1/{}")], ids=["plain", "part"]
)
def test_what_is_taken_back_comes_from_the_own_lot_then_others_then_is_owed(part: str, key: str):
    """Given an order's lot of which some was spent and some expired, and another lot; when more is taken back than is
    there; then it comes, in this order, from the own lot, from what expired of it, from the other lot, and is owed."""
    own, other = holding(1, 10, points=40, expired=5), holding(2, 7)
    member, changes = start(own, other, lifetime_earned=100)

    ledger.take_back(member, changes, own, 30, rule="r", cause="c", at=EARLIER, part=part)

    reverse = Kind.REVERSE, Account.AVAILABLE, Account.ISSUED
    assert changes.entries == [
        entry(8, *reverse, 10, 1, rule="r", key=key.format(1)),
        entry(9, Kind.REVERSE, Account.EXPIRED, Account.ISSUED, 5, 1, rule="r", key=key.format("expired")),
        entry(10, *reverse, 7, 2, rule="r", key=key.format(2)),
        entry(11, Kind.REVERSE, Account.DEBT, Account.ISSUED, 8, None, rule="r", key=key.format("debt")),
    ]
    assert (own.remaining, own.expired, other.remaining) == (0, 0, 0)
    assert (member.available, member.debt, member.lifetime_earned) == (0, 8, 70)


def test_what_was_earned_in_all_never_falls_below_zero():
    """Given a customer whose share of what was earned came out too small when a merge was undone; when a refund takes
    back more than that; then it is zero (it was below, and the database refused the refund for ever)."""
    member, changes = start(holding(1, 50), lifetime_earned=5)
    ledger.take_back(member, changes, None, 9, rule="r", cause="c", at=EARLIER)
    assert (member.lifetime_earned, member.available) == (0, 41)


def test_what_is_taken_back_stops_where_it_is_enough():
    """Given points in the own lot, expired ones, and other lots; when fewer are taken back; then nothing beyond them is
    touched; pending ones are taken as pending."""
    own, other = holding(1, 10, pending=True), holding(2, 7)
    member, changes = start(own, other)
    ledger.take_back(member, changes, own, 10, rule="r", cause="c", at=EARLIER)
    assert changes.entries == [
        entry(8, Kind.REVERSE, Account.PENDING, Account.ISSUED, 10, 1, rule="r", key="reverse/r/c/1")
    ]
    assert (member.pending, member.available, other.changed) == (0, 7, False)

    own = holding(1, 0, points=9, expired=9)
    member, changes = start(own, other)
    ledger.take_back(member, changes, own, 4, rule="r", cause="c", at=EARLIER)
    assert [(one.debit, one.points) for one in changes.entries] == [(Account.EXPIRED, 4)]
    assert (own.expired, own.changed, other.remaining) == (5, True, 7)

    many = [holding(number, 1) for number in range(1, 4)]
    member, changes = start(*many)
    ledger.take_back(member, changes, None, 2, rule="r", cause="c", at=EARLIER)
    assert [(one.lot, one.points) for one in changes.entries] == [(1, 1), (2, 1)]
    assert (many[2].remaining, many[2].changed, member.debt) == (1, False, 0)


def test_time_releases_and_expires_to_the_moment_and_the_field():
    """Given lots whose time has just come, and lots for which it is a moment too early; when the member is brought
    up to date; then those that are due move, as of when they were due, whenever it is noticed."""
    soon = NOW + timedelta(microseconds=1)
    ready = holding(1, 10, pending=True, available_at=NOW)
    waits = holding(2, 20, pending=True, available_at=soon, ends=NOW)
    over, lasts = holding(3, 30, ends=EARLIER, expired=2, points=32), holding(4, 40, ends=soon)
    gone = holding(5, 0, ends=EARLIER, pending=True, available_at=EARLIER)
    member, changes = start(gone, ready, waits, over, lasts)

    ledger.bring_up_to_date(member, changes, NOW)

    one, three = "lot:0000000000000001", "lot:0000000000000003"
    by_lot = {each.lot: each for each in changes.entries}
    release, expire = by_lot[1], by_lot[3]
    assert release == entry(
        release.number,
        Kind.RELEASE_PENDING,
        Account.PENDING,
        Account.AVAILABLE,
        10,
        1,
        at=NOW,
        cause=one,
        key=f"release_pending/1/{release.number}",
    )
    assert expire == entry(
        expire.number,
        Kind.EXPIRE,
        Account.AVAILABLE,
        Account.EXPIRED,
        30,
        3,
        cause=three,
        key=f"expire/3/{expire.number}",
    )
    assert {release.number, expire.number} == {8, 9}
    assert (ready.pending, ready.remaining, ready.changed) == (False, 10, True)
    assert (waits.pending, waits.changed, gone.pending) == (True, False, True)
    assert (over.remaining, over.expired, over.changed) == (0, 32, True)
    assert (lasts.remaining, lasts.changed) == (40, False)
    assert (member.available, member.pending) == (50, 20)
    (told,) = changes.outcomes
    data = {"points": 30, "on": EARLIER.isoformat(), "available": told.data["available"]}
    assert told == Outcome(
        id=f"{CUSTOMER}/{expire.number}",
        customer_id=CUSTOMER,
        type="points.expired",
        time=NOW,
        cause=three,
        program_version=3,
        data=data,
    )
    before = len(changes.entries)
    ledger.bring_up_to_date(member, changes, NOW)
    assert len(changes.entries) == before


def test_points_that_can_be_spent_pay_a_debt_before_they_expire():
    """Given a debt, and points that waited and have expired since; when the member is brought up to date late; then
    they pay first, as of when they could be spent, and what is left of them expires."""
    lot = holding(1, 10, pending=True, available_at=EARLIER, ends=NOW)
    member, changes = start(lot, debt=4)

    ledger.bring_up_to_date(member, changes, NOW)

    cause = "lot:0000000000000001"
    assert changes.entries[1:] == [
        entry(9, Kind.SETTLE, Account.AVAILABLE, Account.DEBT, 4, 1, cause=cause, key="settle/9"),
        entry(
            10, Kind.EXPIRE, Account.AVAILABLE, Account.EXPIRED, 6, 1, at=NOW, cause=cause, key="expire/1/10"
        ),
    ]
    assert changes.entries[0].at == EARLIER
    assert (member.available, member.debt, lot.expired) == (0, 0, 6)


def test_who_could_be_spent_first_pays_a_debt_first_however_late_it_is_noticed():
    """Given a debt, and two lots whose waiting was over one day after the other; when both are noticed late, in any
    order; then the one that could be spent first has paid (it was the one that was loaded first)."""
    late = holding(1, 10, pending=True, available_at=NOW, ends=NOW + timedelta(days=9))
    early = holding(2, 10, pending=True, available_at=EARLIER)
    member, changes = start(late, early, debt=4)
    ledger.bring_up_to_date(member, changes, NOW)
    assert (early.remaining, late.remaining, member.debt) == (6, 10, 0)


def test_adjustments_give_to_their_lot_and_take_from_what_expires_first():
    """Given points, and a debt; when points are given and taken by hand; then each entry names its lot, and what is
    given pays the debt."""
    lot = Lot(number=9, expires_at=NOW, changed=False)
    member, changes = start(lot, debt=2)
    ledger.adjust(member, changes, 20, lot=lot, cause="c", at=EARLIER)
    assert changes.entries == [
        entry(8, Kind.ADJUST, Account.ADJUSTED, Account.AVAILABLE, 20, 9, key="adjust/c"),
        entry(9, Kind.SETTLE, Account.AVAILABLE, Account.DEBT, 2, 9, key="settle/9"),
    ]
    assert (lot.points, lot.remaining, lot.changed, member.lifetime_earned) == (20, 18, True, 0)
    ledger.adjust(member, changes, 1, lot=lot, cause="d", at=EARLIER)
    assert (lot.points, lot.remaining) == (21, 19)

    member, changes = start(holding(1, 10), holding(2, 10, ends=NOW), holding(3, 10))
    ledger.adjust(member, changes, -15, lot=None, cause="c", at=EARLIER)
    assert changes.entries == [
        entry(8, Kind.ADJUST, Account.AVAILABLE, Account.ADJUSTED, 10, 2, key="adjust/c/2"),
        entry(9, Kind.ADJUST, Account.AVAILABLE, Account.ADJUSTED, 5, 1, key="adjust/c/1"),
    ]


def test_nobody_draws_more_than_there_is():
    """Given lots; when exactly all is drawn; then each gives what it has; more is a fault in the code, not a balance
    below zero."""
    member, _ = start(holding(2, 3), holding(1, 4), holding(3, 5, pending=True))
    assert [(lot.number, points) for lot, points in ledger.draw(member, 7)] == [(1, 4), (2, 3)]
    with pytest.raises(AssertionError, match=r"^lots hold what the balance says$"):
        ledger.draw(member, 1)


def test_a_refund_takes_nothing_from_a_lot_that_is_over_though_nobody_has_noticed_yet() -> None:
    """Given a lot that ended an hour ago and another that lasts; when 30 points are taken back before the timed job has
    looked; then the first has expired and the second pays."""
    over, lasting = (
        holding(1, 50, ends=NOW - timedelta(hours=1)),
        holding(2, 40, ends=NOW + timedelta(days=9)),
    )
    member, changes = start(over, lasting)
    ledger.take_back(member, changes, None, 30, rule="purchase", cause="c", at=EARLIER)
    assert (over.remaining, over.expired, lasting.remaining) == (0, 50, 10)
    assert (member.available, member.debt) == (10, 0)
    assert [(one.kind, one.lot, one.points) for one in changes.entries] == [
        (Kind.EXPIRE, 1, 50),
        (Kind.REVERSE, 2, 30),
    ]


def test_points_that_could_be_spent_before_pay_a_debt_before_those_that_are_earned_now() -> None:
    """Given a debt of 20 and 30 points whose waiting is over, unnoticed; when 10 are earned; then the 30 pay."""
    waited = holding(1, 30, ends=NOW + timedelta(days=9), pending=True, available_at=NOW - timedelta(hours=1))
    member, changes = start(waited, debt=20)
    new = Lot(number=2, expires_at=NOW + timedelta(days=30))
    member.lots[2] = new
    ledger.earn(member, changes, new, 10, rule="purchase", cause="c", at=NOW, key="k")
    assert (waited.remaining, new.remaining) == (10, 10)
    assert (member.available, member.debt) == (20, 0)


def test_points_for_an_order_that_waits_wait_with_its_others_until_time_is_looked_at() -> None:
    """Given an order's points whose waiting is over, which nobody has noticed yet; when more are given for the order;
    then they wait with the others, and all of them become available together."""
    lot = holding(1, 10, pending=True, available_at=EARLIER)
    member, changes = start(lot)

    ledger.earn(member, changes, lot, 5, rule="r", cause="c", at=NOW, key="k")
    assert (member.pending, member.available) == (15, 0)

    ledger.bring_up_to_date(member, changes, NOW)
    assert (member.pending, member.available) == (0, 15)


def test_lots_expire_in_the_order_in_which_they_ended() -> None:
    """Given two lots that are over, the one that ended first with the greater number, and one whose points never
    expire; when time is looked at; then the entries stand in the order of the ends."""
    later, first = holding(1, 4, ends=NOW), holding(2, 5, ends=EARLIER)
    member, changes = start(later, first, holding(3, 6))

    ledger.bring_up_to_date(member, changes, NOW)

    assert [(one.kind, one.lot, one.points) for one in changes.entries] == [
        (Kind.EXPIRE, 2, 5),
        (Kind.EXPIRE, 1, 4),
    ]


def test_points_that_a_debt_took_as_they_came_do_not_expire_as_well() -> None:
    """Given a debt, and waiting points that became available and ended while nobody looked; when time is looked at;
    then they have paid the debt, and nothing is left to expire."""
    lot = holding(1, 10, pending=True, available_at=EARLIER, ends=NOW)
    member, changes = start(lot, debt=10)

    ledger.bring_up_to_date(member, changes, NOW)

    assert [one.kind for one in changes.entries] == [Kind.RELEASE_PENDING, Kind.SETTLE]
    assert (lot.remaining, lot.expired, member.debt) == (0, 0, 0)
