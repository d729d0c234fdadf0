"""A member as a replay keeps them, and what is noted of them along the way."""

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from datetime import datetime

from services.rewards.domain.accounts import Account, Kind
from services.rewards.domain.changes import Changes
from services.rewards.domain.counting import lot_key
from services.rewards.domain.member import Counted, Member
from services.rewards.domain.purchases import ZERO
from services.rewards.domain.simulation.figures import Figures, Given
from shared.contracts.activity import Activity


@dataclass(slots=True)
class Player:
    """A member with all of their state, and when time alone will change it next."""

    member: Member
    figures: Figures = field(default_factory=Figures)
    due: list[datetime] = field(default_factory=list)
    """A heap of moments."""
    lots: int = 0
    """Lots whose moments are in `due`."""
    tier_due: datetime | None = None
    renewed_until: datetime | None = None
    """What of the member is in `due`."""
    placed: list[tuple[datetime, str]] = field(default_factory=list)
    """When orders were placed, sorted."""
    placed_at: dict[str, datetime] = field(default_factory=dict)
    order_lots: set[int | None] = field(default_factory=set)


def note_order(player: Player, order_id: str) -> None:
    """Keep in mind when an order was placed; told again, it may be another moment."""
    purchase = player.member.purchases[order_id]
    player.order_lots.add(purchase.lot)
    before = player.placed_at.get(order_id)
    if purchase.placed_at is None or purchase.placed_at == before:
        return
    if before is not None:
        del player.placed[bisect_left(player.placed, (before, order_id))]
    insort(player.placed, (purchase.placed_at, order_id))
    player.placed_at[order_id] = purchase.placed_at


def count_points(
    counted: dict[str, Counted], order_lots: set[int | None], activity: Activity, changes: Changes
) -> None:
    """Keep what no order brought by its lot, as it is stored, not by the activity that has just brought it."""
    counted.pop(activity.id, None)
    for entry in changes.entries:
        if entry.kind is Kind.EARN and entry.lot is not None and entry.lot not in order_lots:
            key = lot_key(entry.lot)
            before = counted[key].amount if key in counted else ZERO
            counted[key] = Counted(entry.at, before + entry.points)


def add_posted(figures: Figures, changes: Changes) -> None:
    """Add what was posted, and codes issued, to the figures."""
    for entry in changes.entries:
        kind = entry.kind
        if kind is Kind.EARN or kind is Kind.REVERSE:
            points = entry.points if kind is Kind.EARN else -entry.points
            if kind is Kind.EARN:
                figures.earned += points
            else:
                figures.reversed -= points
            given = figures.rules.get(entry.rule or "")
            if given is None:
                given = figures.rules[entry.rule or ""] = Given()
            given.points += points
            given.times += 1
        elif kind is Kind.CONFIRM or kind is Kind.RETURN:
            figures.spent += entry.points if kind is Kind.CONFIRM else -entry.points
        elif kind is Kind.ADJUST:
            figures.adjusted += entry.points if entry.credit is Account.AVAILABLE else -entry.points
        if entry.credit is Account.EXPIRED:
            figures.expired += entry.points
        elif entry.debit is Account.EXPIRED:  # taken back all the same, or renewed late
            figures.expired -= entry.points
    for offer in changes.offers:
        figures.offers[offer.offer] = figures.offers.get(offer.offer, 0) + 1
