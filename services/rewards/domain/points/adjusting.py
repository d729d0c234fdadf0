"""Points given or taken by hand: by an operator, or as opening balances when a shop moves in."""

from services.rewards.domain.changes import Changes
from services.rewards.domain.points import ledger
from services.rewards.domain.refusals import insufficient_points
from services.rewards.domain.state.lots import Lot, lot_number
from services.rewards.domain.state.member import Member
from shared.program.model.program import Program


def adjust(member: Member, program: Program, changes: Changes, *, id_: str, points: int, reason: str) -> None:
    """Give `points`, or take them if negative, and tell it as `points.adjusted`.

    Points given can be spent at once and expire as the program says; points are taken from the lots that expire first.
    `id_` is the adjustment's and becomes the cause of the entries. Needs the lots that are due and, to take points, the
    oldest that have so many. Raises `RefusedError` (`insufficient_points`) when fewer can be spent than shall be taken.
    """
    available = ledger.spendable_at(member, changes.now)
    if points < 0 and -points > available:
        raise insufficient_points(-points, available)
    ledger.bring_up_to_date(member, changes, changes.now)
    lot: Lot | None = None
    if points > 0:
        lot = ledger.open_lot(member, lot_number(id_), changes.now, program, now=changes.now, at_once=True)
    ledger.adjust(member, changes, points, lot=lot, cause=id_, at=changes.now)
    changes.tell(
        member,
        "points.adjusted",
        id_=f"{id_}/adjusted",
        cause=id_,
        data={"points": points, "reason": reason, "available": member.spendable()},
    )
