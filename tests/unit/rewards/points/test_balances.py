"""What a customer has at a moment, and what they had before entries that were recorded since."""

from datetime import timedelta

import pytest

from services.rewards.domain.points.balances import Held, Holdings, Moved
from services.rewards.domain.state.accounts import Account, Kind
from tests.unit.rewards.building import NOW

SOON, LATER = NOW + timedelta(days=1), NOW + timedelta(days=9)
HOLDINGS = Holdings(
    [
        Held(waits=True, ends_at=LATER, points=5),
        Held(waits=False, ends_at=SOON, points=20),
        Held(waits=False, ends_at=LATER, points=30),
        Held(waits=False, ends_at=None, points=1),
        Held(waits=False, ends_at=SOON + timedelta(days=1), points=0),
    ],
    reserved=7,
    debt=4,
    lifetime_earned=50,
)


def test_points_are_gone_after_their_time() -> None:
    """Given points that wait, points that end, and a debt; when asked at moments before and at each end; then they
    count until that moment, whoever has noticed."""
    now, soon, later = (HOLDINGS.at(moment) for moment in (NOW, SOON, LATER))

    assert (now.available, now.pending, now.expiring) == (47, 5, [(SOON, 20), (LATER, 35)])
    assert (soon.available, soon.pending, soon.expiring) == (27, 5, [(LATER, 35)])
    assert (later.available, later.pending, later.expiring) == (-3, 0, [])
    assert {(one.reserved, one.lifetime_earned) for one in (now, soon, later)} == {(7, 50)}


@pytest.mark.parametrize(
    ("moved", "balances"),
    [
        (Moved(Kind.EARN, Account.ISSUED, Account.PENDING, 5), (7, 4, 45)),
        (Moved(Kind.EARN, Account.ISSUED, Account.AVAILABLE, 10), (7, 4, 40)),
        (Moved(Kind.REVERSE, Account.AVAILABLE, Account.ISSUED, 10), (7, 4, 60)),
        (Moved(Kind.REVERSE, Account.DEBT, Account.ISSUED, 3), (7, 1, 53)),
        (Moved(Kind.REVERSE, Account.EXPIRED, Account.ISSUED, 3), (7, 4, 53)),
        (Moved(Kind.RESTORE, Account.ISSUED, Account.AVAILABLE, 10), (7, 4, 40)),
        (Moved(Kind.RESERVE, Account.AVAILABLE, Account.RESERVED, 7), (0, 4, 50)),
        (Moved(Kind.CONFIRM, Account.RESERVED, Account.REDEEMED, 7), (14, 4, 50)),
        (Moved(Kind.SETTLE, Account.AVAILABLE, Account.DEBT, 6), (7, 10, 50)),
        (Moved(Kind.ADJUST, Account.AVAILABLE, Account.ADJUSTED, 9), (7, 4, 50)),
    ],
    ids=lambda value: value.kind if isinstance(value, Moved) else None,
)
def test_before_an_entry_there_was_what_it_moved(moved: Moved, balances: tuple[int, ...]) -> None:
    """Given what is reserved, owed and was ever earned, and an entry; then before it there was as much more or less as
    it moved."""
    then = HOLDINGS.before([moved])
    assert (then.reserved, then.debt, then.lifetime_earned) == balances
