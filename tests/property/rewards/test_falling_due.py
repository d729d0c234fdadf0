"""What time alone makes due comes to the same as where each thing is looked for anew, one after the other."""

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from services.rewards.domain.changes import Changes
from services.rewards.domain.points import ledger
from services.rewards.domain.state.accounts import Account, Kind
from services.rewards.domain.state.lots import Lot, oldest_first
from services.rewards.domain.state.member import Member
from tests.property.rewards.test_ledger import Step, World, steps
from tests.unit.rewards.building import NOW
from tests.unit.rewards.points.posting import holding, start

BringUpToDate = Callable[[Member, Changes, datetime], None]


def naive(member: Member, changes: Changes, now: datetime) -> None:
    """Bring up to date by looking through all lots for what is due next, until nothing is."""
    for lot in member.lots.values():
        if lot.remaining and lot.changed:
            changes.touch(member)
    over = [
        lot
        for lot in member.lots.values()
        if lot.remaining and lot.expires_at is not None and lot.expires_at <= now
    ]
    while waiting := [lot for lot in member.lots.values() if _waits_no_longer(lot, now)]:
        lot = min(waiting, key=lambda lot: (lot.available_at, lot.number))
        assert lot.available_at is not None
        lot.pending, lot.changed = False, True
        _post(
            member,
            changes,
            Kind.RELEASE_PENDING,
            Account.PENDING,
            lot,
            lot.remaining,
            lot.number,
            lot.available_at,
        )
        for paying in oldest_first(member.lots.values()):
            if paid := min(paying.remaining, member.debt):
                paying.remaining -= paid
                paying.changed = True
                _post(
                    member,
                    changes,
                    Kind.SETTLE,
                    Account.AVAILABLE,
                    paying,
                    paid,
                    lot.number,
                    lot.available_at,
                )
    while ending := [lot for lot in over if lot.remaining and not lot.pending]:
        lot = min(ending, key=lambda lot: (lot.expires_at, lot.number))
        ledger._expire(member, changes, lot)


def _waits_no_longer(lot: Lot, now: datetime) -> bool:
    return bool(lot.remaining and lot.pending and lot.available_at is not None and lot.available_at <= now)


def _post(  # noqa: PLR0917
    member: Member,
    changes: Changes,
    kind: Kind,
    debit: Account,
    lot: Lot,
    points: int,
    due: int,
    at: datetime,
) -> None:
    key = f"settle/{member.entries + 1}"
    if kind is Kind.RELEASE_PENDING:
        key = f"release_pending/{lot.number}/{member.entries + 1}"
    changes.post(
        member,
        kind,
        debit,
        Account.DEBT if kind is Kind.SETTLE else Account.AVAILABLE,
        points,
        lot=lot.number,
        rule=None,
        cause=f"lot:{due:016x}",
        at=at,
        key=key,
    )


def lived(history: list[Step], bring_up_to_date: BringUpToDate) -> World:
    """A life in which time does its work in this way."""
    with patch.object(ledger, "bring_up_to_date", bring_up_to_date):
        world = World(pending=True)
        for step in history:
            world.do(step)
    return world


moments = st.none() | st.integers(-5, 5).map(lambda hours: NOW + timedelta(hours=hours))


@st.composite
def accounts(draw: st.DrawFn) -> tuple[Member, Changes]:
    """A member with lots that wait, and end, before and after now; one who owes has nothing available."""
    debt = draw(st.integers(0, 60))
    lots = []
    for number in draw(st.permutations(range(draw(st.integers(0, 12))))):
        available_at = draw(moments)
        pending = available_at is not None and (debt > 0 or draw(st.booleans()))
        held = draw(st.integers(0, 20)) if pending or not debt else 0
        lot = holding(number, held, ends=draw(moments), pending=pending, available_at=available_at)
        lot.changed = draw(st.booleans())
        lots.append(lot)
    return start(*lots, debt=debt)


@settings(max_examples=200)
@given(accounts())
def test_lots_fall_due_as_if_each_were_looked_for(account: tuple[Member, Changes]) -> None:
    """Given any lots, and a debt or none; when all that is due is done in the one way or the other; then it comes to
    the same entries, lots, balances and outcomes."""
    (member, changes), (other, naively) = account, deepcopy(account)
    ledger.bring_up_to_date(member, changes, NOW)
    naive(other, naively, NOW)
    assert (member, changes) == (other, naively)


@settings(max_examples=50)
@given(st.lists(steps, min_size=10, max_size=40))
def test_what_is_due_is_done_as_if_each_thing_were_looked_for(history: list[Step]) -> None:
    """Given a life of points that wait, are refunded into debt, and expire; when what is due is done in the one way or
    the other; then every entry, lot and balance is the same, and so is what is told."""
    one, other = lived(history, ledger.bring_up_to_date), lived(history, naive)
    assert one.life.changes.entries == other.life.changes.entries
    assert one.life.member == other.life.member
    assert one.life.changes.outcomes == other.life.changes.outcomes
