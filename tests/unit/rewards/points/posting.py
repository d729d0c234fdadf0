"""Members with lots, and the entries that movements of their points are expected to make."""

from datetime import datetime, timedelta

from services.rewards.domain.changes import Changes
from services.rewards.domain.state.accounts import Account, Entry, Kind
from services.rewards.domain.state.lots import Lot
from services.rewards.domain.state.member import Member
from tests.unit.rewards.building import CUSTOMER, NOW, PROGRAM, rulebook

EARLIER = NOW - timedelta(days=1)
PLAIN = rulebook().program
WAITING = rulebook(PROGRAM.replace("expire_after: P12M", "expire_after: P3M\n  pending_for: P14D")).program
RENEWED = rulebook(
    PROGRAM.replace("expire_after: P12M", "expire_after: P3M\n  renewed_by: [order.completed]")
).program

FOR_GOOD = rulebook(PROGRAM.replace("expire_after: P12M\n  notice_before: P30D", "")).program


def start(*lots: Lot, **balances: int) -> tuple[Member, Changes]:
    """A member with these lots and, beside what they hold, these balances, who has 7 entries already."""
    member = Member(CUSTOMER, entries=7, **balances)
    member.lots = {lot.number: lot for lot in lots}
    member.available += sum(lot.remaining for lot in lots if not lot.pending)
    member.pending += sum(lot.remaining for lot in lots if lot.pending)
    return member, Changes(NOW, 3)


def holding(number: int, remaining: int, *, ends: datetime | None = None, **more: object) -> Lot:
    """A stored lot."""
    lot = Lot(
        number=number,
        expires_at=ends,
        points=remaining,
        remaining=remaining,
        stored=True,
        changed=False,
    )
    for name, value in more.items():
        setattr(lot, name, value)
    return lot


def entry(  # noqa: PLR0917
    number: int, kind: Kind, debit: Account, credit: Account, points: int, lot: int | None, **more: object
) -> Entry:
    """An entry of the test's customer and version, of `EARLIER` unless it says another time."""
    given = {"at": EARLIER, "rule": None, "cause": "c", "key": ""} | more
    return Entry(
        CUSTOMER,
        number,
        given["at"],  # type: ignore[arg-type]
        NOW,
        kind,
        debit,
        credit,
        points,
        lot,
        given["rule"],  # type: ignore[arg-type]
        str(given["cause"]),
        3,
        str(given["key"]),
    )
