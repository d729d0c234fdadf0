"""A part of a customer goes to another customer: a merge that is undone, an address that proved to be somebody else's.

What the part brought goes with it: its orders with their lots, its milestones, limits, codes and redemptions. Of its
lots goes what is left in them: what was spent while the two were one had been taken from the lots that expire first,
and stays spent. `docs/ledger.md` states the policy.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from services.rewards.domain.changes import Changes
from services.rewards.domain.members.merging import merge_orders, spend_between, transfer
from services.rewards.domain.points import ledger
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.accounts import Account, Kind
from services.rewards.domain.state.lots import Lot, lot_number
from services.rewards.domain.state.member import Member
from services.rewards.domain.tiering import counting, tiers
from shared.contracts.activity import Activity

MERGED = "customer.merged"
PARTINGS = frozenset({MERGED, "customer.unmerged", "facts.corrected"})
"""Types that scoring alone writes. What a type of the shop's own carries in its data decides nothing."""


def is_parting(activity: Activity) -> bool:
    """Whether the activity says that something went from one customer to another."""
    return activity.type in PARTINGS and (activity.type == MERGED or "parts" in activity.data)


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Points of a rule that a merge took back because both customers had them; `key` is the entry's."""

    rule: str
    key: str
    points: int

    @property
    def owed(self) -> bool:
        """Whether it was not there any more, and became debt."""
        return self.key.endswith("/debt")

    @property
    def of(self) -> str:
        """What it was given for: an order's id, or the number of the lot that it was in."""
        return self.key.removeprefix(f"reverse/{self.rule}/").split("/", 1)[1].rsplit("/", 1)[0]


@dataclass(frozen=True, slots=True)
class OpenReservation:
    """A reservation under way: whose part it is, and from which lots it took how much."""

    id: str
    part: str | None
    points: int
    taken: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class History:
    """What must be known beside the two members: points ever earned into the lots that go, open reservations of the
    source, and, if a merge is undone, what it had taken back from the target."""

    earned: int
    reservations: Sequence[OpenReservation]
    taken_back: Sequence[TakenBack]


def goes(part: str | None, source: Member, parts: Collection[str]) -> bool:
    """Whether something of the source belongs to one of these parts."""
    return (part or source.customer_id) in parts


def part_ways(  # noqa: PLR0917
    source: Member,
    target: Member,
    parts: Collection[str],
    history: History,
    activity: Activity,
    rulebook: Rulebook,
    changes: Changes,
) -> list[OpenReservation]:
    """Move these parts of `source` to `target`; both must be loaded in full. Answers reservations that stay with the
    source and now take from other lots."""
    for member in (source, target):  # of each what was due until now
        ledger.bring_up_to_date(member, changes, changes.now)
    retaken = _part_reservations(source, target, parts, history, activity, changes)
    both = {
        id_
        for id_ in source.purchases.keys() & target.purchases
        if goes(source.purchases[id_].part, source, parts)
    }
    merge_orders(source, target, both, activity, rulebook, changes)
    moved = {lot.number for lot in source.lots.values() if goes(lot.part, source, parts)}
    for lot in [lot for lot in source.lots.values() if goes(lot.part, source, parts)]:
        if lot.remaining:
            account = Account.PENDING if lot.pending else Account.AVAILABLE
            transfer(
                source, target, account, lot.remaining, lot=lot.number, activity=activity, changes=changes
            )
        lot.part = _part_at(target, lot.part, source)
        lot.changed = True
        target.lots[lot.number] = source.lots.pop(lot.number)
    for order_id, purchase in list(source.purchases.items()):
        if goes(purchase.part, source, parts) and order_id not in target.purchases:
            purchase.part = _part_at(target, purchase.part, source)
            target.purchases[order_id] = source.purchases.pop(order_id)
    _part_tiers(source, target, parts, moved)
    gone = min(max(0, history.earned - _lost(source, target, moved, history)), source.lifetime_earned)
    source.lifetime_earned -= gone
    target.lifetime_earned += gone
    _restore(source, target, history, activity, rulebook, changes)
    for member in (source, target):
        ledger.settle(member, changes, cause=activity.id, at=activity.time)
        _reconsider(member, activity, rulebook, changes)
        changes.touch(member)
    return retaken


def _part_tiers(source: Member, target: Member, parts: Collection[str], moved: Collection[int]) -> None:
    """What counts towards tiers, and was granted, goes with its part."""
    going = [grant for grant in source.grants if goes(grant.part, source, parts)]
    target.grants = [*target.grants, *going]
    source.grants = [grant for grant in source.grants if grant not in going]
    counts, theirs = counting.of_lots(source), counting.of_lots(target)
    target.counted = theirs | {key: one for key, one in counts.items() if counting.lot_of(key) in moved}
    source.counted = {key: one for key, one in counts.items() if key not in target.counted}


def _part_at(target: Member, part: str | None, source: Member) -> str | None:
    named = part or source.customer_id
    return None if named == target.customer_id else named


def _part_reservations(  # noqa: PLR0917
    source: Member,
    target: Member,
    parts: Collection[str],
    history: History,
    activity: Activity,
    changes: Changes,
) -> list[OpenReservation]:
    """A reservation of a part goes with it. One that stays, but took from lots that go, keeps its points: should it be
    released, they return to a lot of their own with the same end."""
    going = sum(one.points for one in history.reservations if goes(one.part, source, parts))
    if going:
        transfer(source, target, Account.RESERVED, going, lot=None, activity=activity, changes=changes)
    retaken = []
    for one in history.reservations:
        owner = target if goes(one.part, source, parts) else source
        taken = []
        for number, points in one.taken:
            lot = source.lots.get(number)
            if lot is not None and goes(lot.part, source, parts) is not (owner is target):
                number = _stand_in(owner, lot, points, activity)  # noqa: PLW2901
            taken.append((number, points))
        if taken != one.taken:
            retaken.append(replace(one, taken=taken))
    return retaken


def _stand_in(owner: Member, lot: Lot, points: int, activity: Activity) -> int:
    number = lot_number(activity.id, f"{owner.customer_id}/{lot.number}")
    own = owner.lots.setdefault(
        number, Lot(number=number, expires_at=lot.expires_at, available_at=lot.available_at)
    )
    own.points += points
    own.changed = True
    return number


def _lost(source: Member, target: Member, moved: Collection[int], history: History) -> int:
    """What was taken back of the points that were earned into lots that have moved: of orders, and by the merge."""
    purchases = [*source.purchases.values(), *target.purchases.values()]
    of_orders = sum(grant.reversed for one in purchases if one.lot in moved for grant in one.grants)
    return of_orders + sum(one.points for one in history.taken_back if one.of not in target.purchases)


def _restore(  # noqa: PLR0917
    source: Member, target: Member, history: History, activity: Activity, rulebook: Rulebook, changes: Changes
) -> None:
    """Give again what a merge took back because the other customer had it too: into the lot from which it had come, as
    pending as that is, and with the time that it has left. What could only be owed was paid by the one who is left, and
    goes to them."""
    held: dict[int, int] = {}
    for number, points in (taken for one in history.reservations for taken in one.taken):
        held[number] = held.get(number, 0) + points
    for one in history.taken_back:
        number = _lot_of(one, target, activity)
        owner = source if one.owed else target
        if one.owed:
            number = lot_number(activity.id, f"{one.rule}/{one.key}")
        lot = owner.lots.get(number) or ledger.open_lot(
            owner, number, activity.time, rulebook.program, now=changes.now, at_once=one.owed
        )
        ledger.wait_no_longer(lot, changes.now)
        lot.remaining += one.points
        lot.points = max(lot.points, lot.remaining + lot.expired + held.get(number, 0))
        lot.changed = True
        target.lifetime_earned += one.points
        changes.post(
            owner,
            Kind.RESTORE,
            Account.ISSUED,
            Account.PENDING if lot.pending else Account.AVAILABLE,
            one.points,
            lot=number,
            rule=one.rule,
            cause=activity.id,
            at=activity.time,
            key=f"restore/{activity.id}/{one.key}",
        )


def _lot_of(one: TakenBack, target: Member, activity: Activity) -> int:
    """The lot from which it was taken; the order that it was given for stands again."""
    purchase = target.purchases.get(one.of)
    if purchase is None:
        return int(one.of) if one.of.isdigit() else lot_number(activity.id, f"{one.rule}/{one.key}")
    purchase.cancelled, purchase.changed = False, True
    for grant in purchase.grants:
        if grant.rule == one.rule:
            grant.reversed -= min(one.points, grant.reversed)
    return purchase.lot if purchase.lot is not None else lot_number(activity.id, f"{one.rule}/{one.key}")


def _reconsider(member: Member, activity: Activity, rulebook: Rulebook, changes: Changes) -> None:
    """The tier by what is the member's own now: kept while its own orders support it."""
    program = rulebook.program
    if program.tiers is None:
        return
    member.spend_since = tiers.start_of_window(program, changes.now)
    member.spend = spend_between(member, member.spend_since, None)
    tiers.decide_anew(member, program, changes, activity, reason="unmerge")
    if member.tier is not None:  # what it has brought may be the other's now, also where the tier stays
        member.tier_due = changes.now
