"""What a customer has at a moment, and what they had before entries that were recorded since."""

from datetime import timedelta

import pytest

from services.rewards.domain.points.accounts import Account, Kind
from services.rewards.domain.points.balances import Held, Holdings, LotGoneError, Moved
from tests.unit.rewards.building import NOW

SOON, LATER = NOW + timedelta(days=1), NOW + timedelta(days=9)
HOLDINGS = Holdings(
    {
        1: Held(pending=5, available=0, available_at=SOON, expires_at=None),
        2: Held(pending=0, available=30, available_at=None, expires_at=LATER),
        3: Held(pending=0, available=0, available_at=None, expires_at=SOON),
    },
    reserved=7,
    debt=4,
    lifetime_earned=50,
)


def test_points_wait_until_their_time_and_are_gone_after_it() -> None:
    """Given points that wait, points that end, and a debt; when asked at moments before and at each; then they count
    from that moment on, or no more, whoever has noticed."""
    now, soon, later = (HOLDINGS.at(moment) for moment in (NOW, SOON, LATER))

    assert (now.available, now.pending, now.expiring) == (26, 5, [(LATER, 30)])
    assert (soon.available, soon.pending) == (31, 0)
    assert (later.available, later.pending, later.expiring) == (1, 0, [])
    assert {(one.reserved, one.lifetime_earned) for one in (now, soon, later)} == {(7, 50)}


def test_points_that_end_at_one_moment_are_told_together() -> None:
    """Given lots of which two end at one moment; then what expires is told by moment, soonest first."""
    lots = {number: Held(0, number, None, LATER if number < 3 else SOON) for number in (1, 2, 3)}

    assert Holdings(lots, reserved=0, debt=0, lifetime_earned=6).at(NOW).expiring == [(SOON, 3), (LATER, 3)]


@pytest.mark.parametrize(
    ("moved", "balances"),
    [
        (Moved(Kind.EARN, Account.ISSUED, Account.PENDING, 1, 5), (26, 0, 7, 45)),
        (Moved(Kind.EARN, Account.ISSUED, Account.PENDING, 1, 2), (26, 3, 7, 48)),
        (Moved(Kind.EARN, Account.ISSUED, Account.AVAILABLE, 2, 10), (16, 5, 7, 40)),
        (Moved(Kind.REVERSE, Account.AVAILABLE, Account.ISSUED, 2, 10), (36, 5, 7, 60)),
        (Moved(Kind.REVERSE, Account.DEBT, Account.ISSUED, None, 3), (29, 5, 7, 53)),
        (Moved(Kind.REVERSE, Account.EXPIRED, Account.ISSUED, 2, 3), (26, 5, 7, 53)),
        (Moved(Kind.RESTORE, Account.ISSUED, Account.AVAILABLE, 2, 10), (16, 5, 7, 40)),
        (Moved(Kind.RESERVE, Account.AVAILABLE, Account.RESERVED, 2, 7), (33, 5, 0, 50)),
        (Moved(Kind.CONFIRM, Account.RESERVED, Account.REDEEMED, None, 7), (26, 5, 14, 50)),
        (Moved(Kind.SETTLE, Account.AVAILABLE, Account.DEBT, 2, 6), (26, 5, 7, 50)),
        (Moved(Kind.RELEASE_PENDING, Account.PENDING, Account.AVAILABLE, 2, 30), (26, 5, 7, 50)),
        (Moved(Kind.ADJUST, Account.AVAILABLE, Account.ADJUSTED, 2, 9), (35, 5, 7, 50)),
    ],
    ids=lambda value: value.kind if isinstance(value, Moved) else None,
)
def test_before_an_entry_there_was_what_it_moved(moved: Moved, balances: tuple[int, ...]) -> None:
    """Given what there is, and an entry; then before it there was as much more or less as it moved, in each account.
    Points that were released count as available before it too: their time had come."""
    then = HOLDINGS.before([moved]).at(NOW)
    assert (then.available, then.pending, then.reserved, then.lifetime_earned) == balances
    assert HOLDINGS.lots[2].available == 30


def test_points_in_a_lot_that_is_gone_are_not_guessed() -> None:
    """Given an entry of a lot that the customer has no more; then what was before it is not known."""
    with pytest.raises(LotGoneError):
        HOLDINGS.before([Moved(Kind.EXPIRE, Account.AVAILABLE, Account.EXPIRED, 9, 1)])
