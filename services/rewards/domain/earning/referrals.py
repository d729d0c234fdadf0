"""Referrals: points for who brought a friend and for the friend, once the friend's first order has been kept.

The two are told of in different streams, in any order. So what each tells is only noted, by the id that the shop gave
the referral, and decided when the friend's order has stood for so long: then from all that is known, under the locks
of both.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from services.rewards.domain.changes import Changes, RuleUse
from services.rewards.domain.earning.limits import within
from services.rewards.domain.points import ledger
from services.rewards.domain.state.lots import lot_number
from services.rewards.domain.state.member import Member, Use
from services.rewards.domain.state.referral_notes import Bringing, Coming
from services.rewards.domain.tiering import tiers
from shared.contracts.activity import Activity, Facts
from shared.program.model.earn import Referral
from shared.program.model.program import Program

KEPT = "referral.kept"
"""What a kept first order is called where an activity's type is asked for."""


def note_referral(member: Member, activity: Activity, program: Program, changes: Changes) -> None:
    """Note what an activity tells of referrals: who brings, who came, and that a friend has ordered."""
    referral = program.points.referral
    if referral is None or activity.unrewarded:
        return
    referral_id = activity.data.get("referral_id")
    if activity.type == "referral.made" and referral_id:
        changes.bringing.append(
            Bringing(str(referral_id), member.customer_id, activity.time, activity.id, member.part)
        )
    elif activity.type in {"customer.registered", "order.completed"}:
        ordered = activity.type == "order.completed"
        due = referral.kept_for.after(activity.time, program.time_zone) if ordered else changes.now
        if referral_id:
            changes.coming.append(
                Coming(member.customer_id, str(referral_id), activity.time, activity.id, due, member.part)
            )
        elif ordered:
            known = changes.ordered.get(member.customer_id, due)
            changes.ordered[member.customer_id] = min(known, due)


@dataclass(frozen=True, slots=True)
class Orders:
    """Of the friend's orders that stand: when the first was placed, and when the first one that is of the referral's
    minimum; None: there is none. `brought`: when the first one came whom the friend had brought:
    of any ring of customers who bring each other, one had before coming."""

    first: datetime | None
    fitting: datetime | None
    brought: datetime | None = None


class Close(NamedTuple):
    """What became of a friend's referral: looked at again at `due_at` (None: after the next order), or `closed` for
    good: `rewarded`, `known_before` (an order is older than the referral, or a friend of the friend's own is),
    or `self` (both are one customer)."""

    customer_id: str
    due_at: datetime | None
    closed: str | None


def settle_referral(  # noqa: PLR0917
    coming: Coming,
    bringing: Bringing,
    friend: Member,
    bringer: Member,
    orders: Orders,
    program: Program,
    changes: Changes,
) -> Close:
    """Decide a referral that is due, and give both sides their points if the first order was kept. Both are locked, and
    `bringer` has the uses of the referral's rule."""
    referral, zone = program.points.referral, program.time_zone
    if referral is None or orders.first is None or friend.merged_into is not None:
        return Close(coming.customer_id, None, None)
    if orders.first < coming.at or (orders.brought is not None and orders.brought <= coming.at):
        return Close(coming.customer_id, None, "known_before")
    if friend.customer_id == bringer.customer_id:
        return Close(coming.customer_id, None, "self")
    if orders.fitting is None:
        return Close(coming.customer_id, None, None)
    kept_at = referral.kept_for.after(orders.fitting, zone)
    if kept_at > changes.now:
        return Close(coming.customer_id, kept_at, None)
    if referral.friend is not None:
        side = _Side("friend", friend, coming.part, coming.cause, referral.friend)
        _give(side, referral, coming, kept_at, program, changes)
    uses = bringer.uses.setdefault(referral.id, [])
    if referral.points is not None and (
        referral.limit is None or within(referral.limit, uses, kept_at, "", zone)
    ):
        use = Use("", kept_at, coming.cause, referral.points, bringing.part)
        uses.append(use)
        changes.uses.append(
            RuleUse(bringer.customer_id, referral.id, use.scope, use.at, use.cause, use.points, use.part)
        )
        side = _Side("bringer", bringer, bringing.part, bringing.cause, referral.points)
        _give(side, referral, coming, kept_at, program, changes)
    return Close(coming.customer_id, None, "rewarded")


class _Side(NamedTuple):
    """One of the two customers of a referral: the part that it concerns, the activity that told of it, and the points
    that it brings them."""

    name: Literal["friend", "bringer"]
    member: Member
    part: str | None
    cause: str
    points: int


def _give(  # noqa: PLR0917
    side: _Side, referral: Referral, coming: Coming, at: datetime, program: Program, changes: Changes
) -> None:
    """Give one side its points, which can be spent at once: the order has been kept already."""
    name, member, part, cause, points = side
    member.part = part if part != member.customer_id else None
    before = member.lifetime_earned
    lot = ledger.open_lot(
        member, lot_number(coming.cause, f"{referral.id}/{name}"), at, program, now=changes.now, at_once=True
    )
    ledger.earn(
        member,
        changes,
        lot,
        points,
        rule=referral.id,
        cause=cause,
        at=at,
        key=member.key(f"earn/{referral.id}/{name}/{coming.cause}"),
    )
    kept = Activity(
        id=cause,
        customer_id=member.customer_id,
        type=KEPT,
        time=at,
        received=changes.now,
        facts=Facts(currency=program.currency),
    )
    tiers.follow_points(member, kept, program, changes, before)
    data: dict[str, Any] = {
        "points": points,
        "rules": [{"rule": referral.id, "points": points}],
        "available": member.spendable(),
        "referral_id": coming.referral_id,
    }
    changes.tell(member, "points.earned", id_=f"{coming.cause}/{referral.id}/{name}", cause=cause, data=data)
