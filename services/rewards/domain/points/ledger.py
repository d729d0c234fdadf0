"""Every way in which points move. Each function posts entries and keeps lots and balances in step with them."""

from datetime import datetime

from services.rewards.domain.changes import Changes
from services.rewards.domain.state.accounts import Account, Kind
from services.rewards.domain.state.lots import Lot, end_of_points, keep_in_step, oldest_first
from services.rewards.domain.state.member import Member
from shared.program.model.program import Program


def open_lot(
    member: Member, number: int, at: datetime, program: Program, *, now: datetime, at_once: bool = False
) -> Lot:
    """A new empty lot for points earned at `at`, pending and expiring as the program says; or (`at_once`) for points
    that can be spent from then on, whatever others wait for."""
    points = program.points
    lot = Lot(number=number, expires_at=None, part=member.part)
    spendable_at = at
    if points.wait and not at_once:
        spendable_at = lot.available_at = points.pending_for.after(at, program.time_zone)
        lot.pending = lot.available_at > now
    lot.expires_at = end_of_points(spendable_at, program)
    lot.renewable = bool(points.renewed_by)
    if lot.renewable:
        keep_in_step(lot, member.renewed_since, member.renewed_until)
    member.lots[number] = lot
    return lot


def wait_no_longer(lot: Lot, now: datetime) -> None:
    """Points that come into an empty lot now wait only if its time has not come: time passes over empty lots."""
    if not lot.remaining and lot.available_at is not None:
        lot.pending = lot.available_at > now


def earn(
    member: Member,
    changes: Changes,
    lot: Lot,
    points: int,
    *,
    rule: str,
    cause: str,
    at: datetime,
    key: str,
) -> None:
    """Credit points to a lot; a debt is paid from them at once."""
    if member.debt:
        bring_up_to_date(member, changes, changes.now)  # what could be spent before these pays before them
    if lot.available_at is not None:
        wait_no_longer(lot, changes.now)
    credit = Account.PENDING if lot.pending else Account.AVAILABLE
    lot.points += points
    lot.remaining += points
    lot.changed = True
    member.lifetime_earned += points
    changes.post(
        member,
        Kind.EARN,
        Account.ISSUED,
        credit,
        points,
        lot=lot.number,
        rule=rule,
        cause=cause,
        at=at,
        key=key,
    )
    if member.debt and not lot.pending:
        settle(member, changes, cause=cause, at=at)


def settle(member: Member, changes: Changes, *, cause: str, at: datetime) -> None:
    """Pay the debt from available points, oldest first, until one of the two is used up."""
    for lot in oldest_first(member.lots.values()):
        if not member.debt:
            return
        _pay(member, changes, lot, cause=cause, at=at)


def _pay(member: Member, changes: Changes, lot: Lot, *, cause: str, at: datetime) -> None:
    """Pay of the debt what the lot has for it."""
    paid = min(lot.remaining, member.debt)
    _draw(lot, paid)
    changes.post(
        member,
        Kind.SETTLE,
        Account.AVAILABLE,
        Account.DEBT,
        paid,
        lot=lot.number,
        rule=None,
        cause=cause,
        at=at,
        key=f"settle/{member.entries + 1}",
    )


def take_back(
    member: Member,
    changes: Changes,
    own: Lot | None,
    points: int,
    *,
    rule: str,
    cause: str,
    at: datetime,
    part: str = "",
) -> None:
    """Undo the earning of `points` by `rule`: from the order's own lot first; points of it that expired count as taken
    back already; then from the other lots, oldest first; what is left becomes debt. Exactly `points` in all.

    `part` tells apart several takings of one rule with one cause. What is due is done first: a lot that is over pays
    nothing, though nobody has noticed yet.
    """
    bring_up_to_date(member, changes, changes.now)
    # Never below zero: merges that were undone may have split it a little wrongly (docs/ledger.md).
    member.lifetime_earned = max(member.lifetime_earned - points, 0)
    left = points

    def reverse(debit: Account, taken: int, lot: int | None, place: object) -> None:
        changes.post(
            member,
            Kind.REVERSE,
            debit,
            Account.ISSUED,
            taken,
            lot=lot,
            rule=rule,
            cause=cause,
            at=at,
            key=f"reverse/{rule}/{cause}/{part}/{place}" if part else f"reverse/{rule}/{cause}/{place}",
        )

    if own is not None and (taken := min(own.remaining, left)):
        _draw(own, taken)
        left -= taken
        reverse(Account.PENDING if own.pending else Account.AVAILABLE, taken, own.number, own.number)
    if own is not None and (taken := min(own.expired, left)):
        own.expired -= taken
        own.changed = True
        left -= taken
        reverse(Account.EXPIRED, taken, own.number, "expired")
    if left:
        for lot in oldest_first(member.lots.values()):
            taken = min(lot.remaining, left)
            _draw(lot, taken)
            left -= taken
            reverse(Account.AVAILABLE, taken, lot.number, lot.number)
            if not left:
                break
    if left:
        reverse(Account.DEBT, left, None, "debt")


def spendable_at(member: Member, now: datetime) -> int:
    """What the member can spend at `now`, to the moment, whether or not the timed jobs have come by. Needs the lots
    that are due."""
    spendable = member.spendable()
    for lot in member.lots.values():
        ended = lot.expires_at is not None and lot.expires_at <= now
        if lot.pending and not ended and lot.available_at is not None and lot.available_at <= now:
            spendable += lot.remaining
        elif ended and not lot.pending:
            spendable -= lot.remaining
    return spendable


def bring_up_to_date(member: Member, changes: Changes, now: datetime) -> None:
    """Do what time alone has made due: pending points become available, lots past their last day expire.

    Needs the lots of the member that are due.
    """
    waiting: list[tuple[datetime, int, Lot]] = []
    ending: list[tuple[datetime, int, Lot]] = []
    for lot in member.lots.values():
        if not lot.remaining:
            continue
        if lot.changed:  # brought in step with the customer's activity
            changes.touch(member)
        if lot.pending and lot.available_at is not None and lot.available_at <= now:
            waiting.append((lot.available_at, lot.number, lot))
        if lot.expires_at is not None and lot.expires_at <= now:
            ending.append((lot.expires_at, lot.number, lot))
    # In the order in which it became due, whenever it is noticed: what can be spent first pays a debt first.
    for _, _, lot in sorted(waiting):
        _release_pending(member, changes, lot)
    for _, _, lot in sorted(ending):
        if not lot.pending and lot.remaining:
            _expire(member, changes, lot)


def _release_pending(member: Member, changes: Changes, lot: Lot) -> None:
    assert lot.available_at is not None
    lot.pending = False
    lot.changed = True
    cause = f"lot:{lot.number:016x}"
    changes.post(
        member,
        Kind.RELEASE_PENDING,
        Account.PENDING,
        Account.AVAILABLE,
        lot.remaining,
        lot=lot.number,
        rule=None,
        cause=cause,
        at=lot.available_at,
        key=f"release_pending/{lot.number}/{member.entries + 1}",
    )
    if member.debt:  # who owes has nothing else available: all there was has paid
        _pay(member, changes, lot, cause=cause, at=lot.available_at)


def _expire(member: Member, changes: Changes, lot: Lot) -> None:
    assert lot.expires_at is not None
    points = lot.remaining
    _draw(lot, points)
    lot.expired += points
    cause = f"lot:{lot.number:016x}"
    number = member.entries + 1
    changes.post(
        member,
        Kind.EXPIRE,
        Account.AVAILABLE,
        Account.EXPIRED,
        points,
        lot=lot.number,
        rule=None,
        cause=cause,
        at=lot.expires_at,
        key=f"expire/{lot.number}/{number}",
    )
    changes.tell(
        member,
        "points.expired",
        id_=f"{member.customer_id}/{number}",
        cause=cause,
        data={"points": points, "on": lot.expires_at.isoformat(), "available": member.spendable()},
    )


def adjust(
    member: Member, changes: Changes, points: int, *, lot: Lot | None, cause: str, at: datetime
) -> None:
    """Add points (to `lot`) or, negative, take them from available lots, oldest first. The caller has made sure that
    there are enough."""
    if points > 0:
        assert lot is not None
        lot.points += points
        lot.remaining += points
        changes.post(
            member,
            Kind.ADJUST,
            Account.ADJUSTED,
            Account.AVAILABLE,
            points,
            lot=lot.number,
            rule=None,
            cause=cause,
            at=at,
            key=f"adjust/{cause}",
        )
        settle(member, changes, cause=cause, at=at)
        return
    for source, taken in draw(member, -points):
        changes.post(
            member,
            Kind.ADJUST,
            Account.AVAILABLE,
            Account.ADJUSTED,
            taken,
            lot=source.number,
            rule=None,
            cause=cause,
            at=at,
            key=f"adjust/{cause}/{source.number}",
        )


def draw(member: Member, points: int) -> list[tuple[Lot, int]]:
    """Take points out of the available lots, oldest expiry first; which lot gave how many."""
    taken = []
    for lot in oldest_first(member.lots.values()):
        part = min(lot.remaining, points)
        _draw(lot, part)
        taken.append((lot, part))
        points -= part
        if not points:
            return taken
    raise AssertionError("lots hold what the balance says")


def _draw(lot: Lot, points: int) -> None:
    lot.remaining -= points
    lot.changed = True
    assert lot.remaining >= 0
