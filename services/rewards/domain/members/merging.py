"""Two customers who prove to be one: points, orders and tier of the one move to the other; what both got for the same
thing is taken back once."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from services.rewards.domain.changes import Changes
from services.rewards.domain.earning.orders import give_again, take_back_undone
from services.rewards.domain.matching import limited
from services.rewards.domain.points import expiry, ledger
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.accounts import Account, Kind
from services.rewards.domain.state.baskets import Refund
from services.rewards.domain.state.lots import lot_number
from services.rewards.domain.state.member import Member, Use
from services.rewards.domain.state.purchases import ZERO, Purchase
from services.rewards.domain.tiering import counting, tiers
from shared.contracts.activity import Activity
from shared.program.model.earn import ONCE_EVER
from shared.program.model.program import Program
from shared.program.values.period import Period


def merge(
    source: Member, target: Member, activity: Activity, rulebook: Rulebook, changes: Changes
) -> frozenset[str]:
    """Move everything of `source` to `target`. Both must be loaded in full. What both have of which a customer can have
    only one stays behind: in `source` are then the orders, milestones and uses of rules that are not to move.

    Answers the milestones that both had reached: offers that the source got for them are to be revoked unless used.
    """
    program = rulebook.program
    for member in (source, target):  # of each what was due while they were two
        ledger.bring_up_to_date(member, changes, changes.now)
    merge_orders(
        source, target, source.purchases.keys() & target.purchases.keys(), activity, rulebook, changes
    )
    doubled = _take_back_doubles(source, target, activity, program, changes)
    _move_points(source, target, activity, changes)
    for order_id in [order_id for order_id in source.purchases if order_id not in target.purchases]:
        purchase = target.purchases[order_id] = source.purchases.pop(order_id)
        purchase.part = purchase.part or source.customer_id
    _merge_tier(source, target, activity, program, changes)
    target.milestones = {**source.milestones, **target.milestones}
    source.merged_into = target.customer_id
    source.merged_by = activity.id
    changes.touch(source)
    changes.touch(target)
    return doubled


def merge_orders(  # noqa: PLR0917
    source: Member,
    target: Member,
    both: Collection[str],
    activity: Activity,
    rulebook: Rulebook,
    changes: Changes,
) -> None:
    """Count orders that both have once: the target's stays, the source's is undone, refunds of either apply."""
    for order_id in sorted(both):
        theirs, ours = source.purchases[order_id], target.purchases[order_id]
        refunds, cancelled = _first_told(theirs.refunds, ours.refunds), theirs.cancelled or ours.cancelled
        if ours.placed_at is None and theirs.placed_at is not None:
            _take_over(ours, theirs)
        elif theirs.placed_at is not None:
            theirs.cancelled = theirs.changed = True
            take_back_undone(source, theirs, activity, changes)
        ours.refunds, ours.cancelled, ours.changed = refunds, cancelled, True
        owner = source if ours.lot in source.lots else target
        give_again(owner, ours, activity, rulebook, changes)
        take_back_undone(owner, ours, activity, changes)


def _first_told(theirs: dict[str, Refund], ours: dict[str, Refund]) -> dict[str, Refund]:
    """The refunds of either; of one that both have the telling that counts."""
    earlier = {
        id_: refund for id_, refund in theirs.items() if id_ in ours and refund.comes_before(ours[id_])
    }
    return {**theirs, **ours, **earlier}


def _take_over(ours: Purchase, theirs: Purchase) -> None:
    ours.placed_at, ours.currency, ours.total = theirs.placed_at, theirs.currency, theirs.total
    ours.counts, ours.lot, ours.told = theirs.counts, theirs.lot, theirs.told
    ours.grants, ours.basket = theirs.grants, theirs.basket


def _take_back_doubles(
    source: Member, target: Member, activity: Activity, program: Program, changes: Changes
) -> frozenset[str]:
    """What the program gives so many times per customer, and both got, was too much for one. Uses that were too many
    stay with the source, so that nobody takes the same points back again; the others move."""

    def back(rule: str, lot: int, points: int, part: str) -> None:
        own = source.lots.get(lot)
        ledger.take_back(
            source, changes, own, points, rule=rule, cause=activity.id, at=activity.time, part=part
        )

    stays: dict[str, list[Use]] = {}
    for rule in program.points.earn:
        if not limited(rule) or (rule.limit is not None and isinstance(rule.limit.per, Period)):
            continue
        times = 1 if rule.on == ONCE_EVER or rule.limit is None else rule.limit.times
        stays[rule.id] = _beyond(times, target.uses.get(rule.id, []), source.uses.get(rule.id, []))
        for use in stays[rule.id]:
            lot = lot_number(use.cause)
            purchase = next((one for one in source.purchases.values() if one.lot == lot), None)
            points = use.points if purchase is None else _call_in(purchase, rule.id)
            if points:
                back(rule.id, lot, points, str(lot) if purchase is None else purchase.order_id)
    for name, uses in source.uses.items():
        moving = [use for use in uses if use not in stays.get(name, ())]
        target.uses.setdefault(name, []).extend(moving)
    source.uses = stays
    doubled = source.milestones.keys() & target.milestones.keys()
    for name in sorted(doubled):
        milestone, reached = name.split("/", 1)[0], source.milestones[name]
        if reached.points:
            lot = lot_number(reached.cause, milestone)
            back(milestone, lot, reached.points, str(lot))
    return frozenset(doubled)


def _call_in(purchase: Purchase, rule: str) -> int:
    """What the customer still has of the points that the rule gave for the order; it counts as taken back from now on,
    so that no refund takes it once more."""
    held = 0
    for grant in purchase.grants:
        if grant.rule == rule:
            held += grant.earned - grant.reversed
            grant.reversed = grant.earned
            purchase.changed = True
    return held


def _beyond(times: int, first: list[Use], second: list[Use]) -> list[Use]:
    """The uses of `second` that go beyond `times` per scope when `first` has had its own."""
    used = Counter(use.scope for use in first)
    beyond = []
    for use in sorted(second, key=lambda use: (use.at, use.cause)):
        used[use.scope] += 1
        if used[use.scope] > times:
            beyond.append(use)
    return beyond


def _move_points(source: Member, target: Member, activity: Activity, changes: Changes) -> None:
    for lot in list(source.lots.values()):
        if lot.remaining:
            account = Account.PENDING if lot.pending else Account.AVAILABLE
            transfer(
                source, target, account, lot.remaining, lot=lot.number, activity=activity, changes=changes
            )
        lot.part = lot.part or source.customer_id
        lot.changed = True
        target.lots[lot.number] = lot
    source.lots.clear()
    if source.reserved:
        transfer(
            source, target, Account.RESERVED, source.reserved, lot=None, activity=activity, changes=changes
        )
    if source.debt:
        owed = source.debt
        _post(
            source,
            Account.MERGED,
            Account.DEBT,
            owed,
            what=target.customer_id,
            activity=activity,
            changes=changes,
        )
        _post(
            target,
            Account.DEBT,
            Account.MERGED,
            owed,
            what=source.customer_id,
            activity=activity,
            changes=changes,
        )
    expiry.join_renewals(target, source)
    target.lifetime_earned += source.lifetime_earned
    source.lifetime_earned = 0
    ledger.settle(target, changes, cause=activity.id, at=activity.time)


def transfer(
    source: Member,
    target: Member,
    account: Account,
    points: int,
    *,
    lot: int | None,
    activity: Activity,
    changes: Changes,
) -> None:
    """Move points of one account from the one customer to the other."""
    out, into = (lot, lot) if lot is not None else (target.customer_id, source.customer_id)
    _post(source, account, Account.MERGED, points, what=out, activity=activity, changes=changes)
    _post(target, Account.MERGED, account, points, what=into, activity=activity, changes=changes)


def _post(
    member: Member,
    debit: Account,
    credit: Account,
    points: int,
    *,
    what: int | str,
    activity: Activity,
    changes: Changes,
) -> None:
    """One half of a transfer: of a lot, by its number, or of what is in none, by the other customer's id: several may
    be at the other end of one change."""
    changes.post(
        member,
        Kind.MERGE,
        debit,
        credit,
        points,
        lot=what if isinstance(what, int) else None,
        rule=None,
        cause=activity.id,
        at=activity.time,
        key=f"merge/{activity.id}/{credit if debit is Account.MERGED else debit}/{what}",
    )


def _merge_tier(
    source: Member, target: Member, activity: Activity, program: Program, changes: Changes
) -> None:
    """The higher tier stays; then what counts of both together decides."""
    target.grants = [*target.grants, *source.grants]
    target.counted = counting.of_lots(source) | counting.of_lots(target)
    target.spend_since = tiers.start_of_window(program, changes.now)
    target.spend = spend_between(target, target.spend_since, None)
    source.tier_until = source.tier_due = None
    changes.stand(source)
    if program.tiers is None:
        return
    theirs = tiers.standing_of(source, program.tiers)
    if theirs.level > tiers.current_level(program.tiers, target):
        tiers.apply(
            target,
            theirs,
            program,
            changes,
            cause=activity.id,
            reason="merge",
            historical=activity.historical,
        )
    tiers.decide_anew(target, program, changes, activity, reason="merge")


def spend_between(member: Member, start: datetime | None, end: datetime | None) -> Decimal:
    """What was paid less what was refunded for orders placed in that time; None: without that end."""
    return sum(
        (
            purchase.net()
            for purchase in member.purchases.values()
            if purchase.counts
            and purchase.placed_at is not None
            and (start is None or purchase.placed_at >= start)
            and (end is None or purchase.placed_at <= end)
        ),
        ZERO,
    )
