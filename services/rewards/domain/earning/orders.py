"""Orders, refunds and cancellations, in whatever order and however often they arrive."""

from decimal import Decimal

from services.rewards.domain.changes import Changes
from services.rewards.domain.concerns import Match
from services.rewards.domain.earning.caps import room
from services.rewards.domain.earning.earn import earn_for_order, note_use, tell_earned
from services.rewards.domain.earning.grants import grant_for, hindrance, terms_of
from services.rewards.domain.earning.undoing import give_back
from services.rewards.domain.matching import remembered
from services.rewards.domain.points import ledger
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.skips import Why
from services.rewards.domain.state.baskets import basket_of, refund_told
from services.rewards.domain.state.lots import lot_number
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.purchases import Grant, Purchase, due_points, kept_points
from services.rewards.domain.tiering import tiers
from shared.contracts.activity import Activity
from shared.program.model.program import Program


def order_completed(
    member: Member, activity: Activity, matched: Match, rulebook: Rulebook, changes: Changes
) -> None:
    """Points and spend for an order. What was refunded before it arrived is taken back at once. Told again, the telling
    with the earliest time counts, whichever arrives first, as in the customer's profile."""
    order_id = str(activity.data["order_id"])
    purchase = member.purchases.get(order_id)
    if purchase is None:
        purchase = Purchase(order_id=order_id, part=member.part)
        member.purchases[order_id] = purchase
    elif purchase.placed_at is not None:
        for rule in matched.rules:
            changes.skip(rule.id, Why.TOLD_BEFORE)
        if _is_earlier(activity, purchase):
            _tell_again(member, purchase, activity, matched, rulebook, changes)
        return
    program = rulebook.program
    purchase.lot = lot_number(activity.id)
    _place(purchase, activity, program)
    changes.touch(member)
    earn_for_order(member, activity, matched, program, changes, purchase=purchase)
    if purchase.refunds or purchase.cancelled:
        give_back(member, purchase, activity, rulebook, changes)
        take_back_undone(member, purchase, activity, changes)
    tiers.follow_order(member, purchase, tiers.NOTHING_SPENT, activity, program, changes)


def _place(purchase: Purchase, activity: Activity, program: Program) -> None:
    """Let the order be as the activity tells it: when it was placed, what it came to, and whether that counts."""
    purchase.placed_at = activity.time
    purchase.currency = str(activity.data["currency"])
    purchase.total = Decimal(activity.data["total"])
    purchase.counts = purchase.currency == program.currency
    purchase.changed = True


def _is_earlier(activity: Activity, purchase: Purchase) -> bool:
    """Whether the activity tells the order with an earlier time than the telling that counts; at the same time the
    identities decide, as in the profile: a lot's number is the beginning of one."""
    assert purchase.placed_at is not None
    counts = purchase.told if purchase.told is not None else purchase.lot
    if activity.time != purchase.placed_at or counts is None:
        return activity.time < purchase.placed_at
    return lot_number(activity.id) < counts


def _tell_again(  # noqa: PLR0917
    member: Member,
    purchase: Purchase,
    activity: Activity,
    matched: Match,
    rulebook: Rulebook,
    changes: Changes,
) -> None:
    """Put the order right by a telling with an earlier time: its money and its day count. Rules that gave points give
    the difference or take it back; rules without a limit that match only now give theirs."""
    program, before = rulebook.program, tiers.spent(purchase)
    purchase.told = lot_number(activity.id)
    _place(purchase, activity, program)
    changes.touch(member)
    _adjust_terms(purchase, activity, rulebook)
    known = {grant.rule for grant in purchase.grants}
    for rule in matched.rules:
        if rule.id in known or rule.points is not None or remembered(rule) or rule.cap is not None:
            continue
        if hindrance(rule, member, activity, program) is None:
            grant = grant_for(rule, purchase, sum(due_points(purchase)), activity.data, program)
            if grant is not None:
                grant.earned = 0
                purchase.grants.append(grant)
    _give_missing(member, purchase, activity, matched, rulebook, changes)
    give_back(member, purchase, activity, rulebook, changes)
    take_back_undone(member, purchase, activity, changes)
    tiers.follow_order(member, purchase, before, activity, program, changes)


def _adjust_terms(purchase: Purchase, activity: Activity, rulebook: Rulebook) -> None:
    """Let grants go by the lines that are told now, where they go by lines, under the rules that there still are."""
    rules = {rule.id: rule for rule in rulebook.rules.get(activity.type, ())}
    if purchase.basket is not None:
        purchase.basket = basket_of(activity.data)
    for grant in purchase.grants:
        rule = rules.get(grant.rule)
        if rule is not None:
            grant.terms = terms_of(rule, activity.data, rulebook.program)
            if grant.terms is not None and not grant.terms.whole:
                purchase.basket = purchase.basket or basket_of(activity.data)


def _give_missing(  # noqa: PLR0917
    member: Member,
    purchase: Purchase,
    activity: Activity,
    matched: Match,
    rulebook: Rulebook,
    changes: Changes,
) -> None:
    """Earn, per rule, what the order gives beyond what the customer has of it. A rule with a cap gives only if it
    matches: else what it gave before, and what is left of it, is not at hand."""
    given: list[dict[str, object]] = []
    rules = {rule.id: rule for rule in rulebook.rules.get(activity.type, ())}
    for grant, due in zip(purchase.grants, due_points(purchase), strict=True):
        points, rule = due - (grant.earned - grant.reversed), rules.get(grant.rule)
        if rule is not None and rule.cap is not None and rule not in matched.rules:
            continue
        left = room(member, rule, activity.time, rulebook.program, changes) if rule is not None else None
        points = points if left is None else min(points, left)
        if points <= 0:
            continue
        grant.earned += points
        if rule is not None and rule.cap is not None:
            note_use(member, rule, activity, points, changes)
        _earn_again(member, purchase, grant, points, activity, rulebook.program, changes)
        given.append({"rule": grant.rule, "points": points})
    if given:
        tell_earned(member, activity, changes, given, order_id=purchase.order_id)


def _earn_again(  # noqa: PLR0917
    member: Member,
    purchase: Purchase,
    grant: Grant,
    points: int,
    activity: Activity,
    program: Program,
    changes: Changes,
) -> None:
    """Add points of a grant to the lot of the order, which is opened anew where nothing is left of it."""
    assert purchase.lot is not None
    lot = member.lots.get(purchase.lot) or ledger.open_lot(
        member, purchase.lot, activity.time, program, now=changes.now
    )
    ledger.earn(
        member,
        changes,
        lot,
        points,
        rule=grant.rule,
        cause=activity.id,
        at=activity.time,
        key=member.key(f"earn/{grant.rule}/{purchase.order_id}/{activity.id}"),
    )


def order_refunded(member: Member, activity: Activity, rulebook: Rulebook, changes: Changes) -> None:
    """Take back what the refunded part of the order had earned. A refund id counts once: told again, by the telling
    with the earliest time, whichever arrives first."""
    purchase = _known(member, str(activity.data["order_id"]))
    refund_id, refund = str(activity.data["refund_id"]), refund_told(activity)
    known = purchase.refunds.get(refund_id)
    if known is not None and not refund.comes_before(known):
        return
    before = tiers.spent(purchase)
    purchase.refunds[refund_id] = refund
    _undo(member, purchase, activity, rulebook, changes, before=before)


def order_cancelled(member: Member, activity: Activity, rulebook: Rulebook, changes: Changes) -> None:
    """Take back all that the order had earned and not lost yet."""
    purchase = _known(member, str(activity.data["order_id"]))
    if purchase.cancelled:
        return
    before = tiers.spent(purchase)
    purchase.cancelled = True
    _undo(member, purchase, activity, rulebook, changes, before=before)


def _known(member: Member, order_id: str) -> Purchase:
    """The purchase, or the memory of one that has yet to arrive."""
    purchase = member.purchases.get(order_id)
    if purchase is None:
        purchase = Purchase(order_id=order_id, part=member.part)
        member.purchases[order_id] = purchase
    return purchase


def _undo(
    member: Member,
    purchase: Purchase,
    activity: Activity,
    rulebook: Rulebook,
    changes: Changes,
    *,
    before: tiers.Spent,
) -> None:
    purchase.changed = True
    changes.touch(member)
    give_back(member, purchase, activity, rulebook, changes)
    if purchase.placed_at is None:
        return
    give_again(member, purchase, activity, rulebook, changes)
    take_back_undone(member, purchase, activity, changes)
    tiers.follow_order(member, purchase, before, activity, rulebook.program, changes)


def give_again(
    member: Member, purchase: Purchase, activity: Activity, rulebook: Rulebook, changes: Changes
) -> None:
    """Give, per rule, what a refund took back that turns out to have been smaller; of an order that was told again,
    also what that refund hid of the later telling."""
    given: list[dict[str, object]] = []
    capped = {rule.id for rule in rulebook.rules.get("order.completed", ()) if rule.cap is not None}
    for grant, due, kept in zip(purchase.grants, due_points(purchase), kept_points(purchase), strict=True):
        hidden = purchase.told is not None and grant.rule not in capped
        points = (due if hidden else kept) - (grant.earned - grant.reversed)
        if points <= 0:
            continue
        again = min(points, grant.reversed)
        grant.reversed -= again
        grant.earned += points - again
        _earn_again(member, purchase, grant, points, activity, rulebook.program, changes)
        given.append({"rule": grant.rule, "points": points})
    if given:
        purchase.changed = True
        tell_earned(member, activity, changes, given, order_id=purchase.order_id)


def take_back_undone(member: Member, purchase: Purchase, activity: Activity, changes: Changes) -> None:
    """Reverse, per rule, exactly what the order no longer earns and was not reversed yet."""
    own = member.lots.get(purchase.lot) if purchase.lot is not None else None
    taken: list[dict[str, object]] = []
    for grant, kept in zip(purchase.grants, kept_points(purchase), strict=True):
        points = grant.earned - kept - grant.reversed
        if points <= 0:
            continue
        grant.reversed += points
        ledger.take_back(
            member,
            changes,
            own,
            points,
            rule=grant.rule,
            cause=activity.id,
            at=activity.time,
            part=purchase.order_id,
        )
        taken.append({"rule": grant.rule, "points": points})
    if taken:
        purchase.changed = True
        changes.tell(
            member,
            "points.reversed",
            id_=f"{activity.id}/reversed/{purchase.order_id}",
            cause=activity.id,
            data={
                "points": sum(int(str(part["points"])) for part in taken),
                "rules": taken,
                "order_id": purchase.order_id,
                "available": member.spendable(),
            },
            historical=activity.historical,
        )
