"""One program played over the history of a few customers, from nothing on, by the same `decide` as on the stream."""

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from itertools import islice
from typing import Any

from services.rewards.domain import ledger, tiers
from services.rewards.domain.accounts import Account, Kind
from services.rewards.domain.changes import Changes
from services.rewards.domain.decide import decide
from services.rewards.domain.lots import lot_number
from services.rewards.domain.matching import match
from services.rewards.domain.member import Member
from services.rewards.domain.needs import ORDERS
from services.rewards.domain.purchases import ZERO
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.simulation.figures import Figures, Given, Standing
from services.rewards.domain.tier_time import pass_time
from shared.contracts.activity import Activity
from shared.program.condition import ConditionContext


class Played(Changes):
    """Changes that nobody is told of."""

    __slots__ = ()

    def tell(self, *_: Any, **__: Any) -> None:
        """Nobody listens."""


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


class Replay:
    """One program over the customers of one group. Figures count from `since` on.

    Time goes on with what happens: whatever was due by then is done first, in its order.
    """

    def __init__(self, rulebook: Rulebook, since: datetime | None) -> None:
        self._rulebook = rulebook
        self._program = rulebook.program
        self._since = since
        self._changes: Played | None = None
        self._players: dict[str, Player] = {}

    def happen(self, owner: str, activity: Activity, context: ConditionContext, now: datetime) -> None:
        """An activity of `owner` is taken at `now`; `context` answers conditions on it."""
        player, changes = self._at(owner, now)
        if activity.type in ORDERS:
            self._roll(player, now)
        decide(activity, match(activity, self._rulebook, context), player.member, self._rulebook, changes)
        if activity.type == "order.completed":
            _note_order(player, str(activity.data["order_id"]))
        self._count(player, changes)

    def spend(self, owner: str, points: int, now: datetime, cause: str) -> None:
        """The customer spends points at a checkout: as many of them as they have."""
        player, changes = self._at(owner, now)
        spent = min(points, max(player.member.spendable(), 0))
        player.figures.short += points - spent
        if spent:
            for lot, part in ledger.draw(player.member, spent):
                changes.post(
                    player.member,
                    Kind.CONFIRM,
                    Account.AVAILABLE,
                    Account.REDEEMED,
                    part,
                    lot=lot.number,
                    rule=None,
                    cause=cause,
                    at=now,
                    key=f"confirm/{cause}/{lot.number}",
                )
        self._count(player, changes)

    def adjust(self, owner: str, points: int, now: datetime, cause: str) -> None:
        """Points are given by hand, or taken: as many of them as there are."""
        player, changes = self._at(owner, now)
        member = player.member
        if points > 0:
            lot = ledger.open_lot(member, lot_number(cause), now, self._program, now=now)
            lot.pending = False
            ledger.adjust(member, changes, points, lot=lot, cause=cause, at=now)
        else:
            taken = min(-points, max(member.spendable(), 0))
            player.figures.short += -points - taken
            if taken:
                ledger.adjust(member, changes, -taken, lot=None, cause=cause, at=now)
        self._count(player, changes)

    def end(self, now: datetime) -> dict[str, Standing]:
        """Do what is due until `now`, and say how everybody stands."""
        for owner in list(self._players):
            player, _ = self._at(owner, now)
            player.figures.owed = player.member.available + player.member.pending - player.member.debt
        return {
            owner: Standing(figures=player.figures, tier=self._tier(player.member))
            for owner, player in self._players.items()
        }

    def _tier(self, member: Member) -> str | None:
        if self._program.tiers is None:
            return None
        return self._program.tiers.levels[tiers.current_level(self._program.tiers, member)].id

    def _at(self, owner: str, now: datetime) -> tuple[Player, Played]:
        """The customer at `now`, when everything due by then has been done."""
        player = self._players.get(owner)
        if player is None:
            player = self._players[owner] = Player(Member(owner))
        changes = self._changes
        if changes is None:
            changes = self._changes = Played(now, self._program.version)
        if player.due and player.due[0] <= now:
            self._pass_time(player, changes, now)
        changes.now = now
        return player, changes

    def _pass_time(self, player: Player, changes: Played, now: datetime) -> None:
        member = player.member
        while player.due and player.due[0] <= now:
            moment = heappop(player.due)
            while player.due and player.due[0] == moment:
                heappop(player.due)
            changes.now = moment
            ledger.bring_up_to_date(member, changes, moment)
            if member.tier_due is not None and member.tier_due <= moment:
                self._roll(player, moment)
                pass_time(member, self._rulebook, changes)
            self._count(player, changes)

    def _roll(self, player: Player, now: datetime) -> None:
        """Let the rolling spend begin where it does at `now`: orders that lie before leave the sum."""
        since, member = tiers.start_of_window(self._program, now), player.member
        before = member.spend_since
        if since is None or since == before:
            return
        if before is not None:
            start = bisect_left(player.placed, (min(before, since), ""))
            end = bisect_left(player.placed, (max(before, since), ""))
            orders = (member.purchases[order] for _, order in player.placed[start:end])
            moved = sum((order.net() for order in orders if order.counts), ZERO)
            member.spend += -moved if before < since else moved
        member.spend_since = since

    def _count(self, player: Player, changes: Played) -> None:
        """Add what was posted to the figures, and note when time will change something."""
        member = player.member
        if changes.entries or changes.offers:
            if self._since is None or changes.now >= self._since:
                _add(player.figures, changes)
            changes.entries.clear()
            changes.offers.clear()
        changes.tiers.clear()
        changes.standings.clear()
        changes.uses.clear()
        changes.milestones.clear()
        new = len(member.lots) - player.lots
        if new:
            for lot in islice(reversed(member.lots.values()), new):
                if lot.expires_at is not None:
                    heappush(player.due, lot.expires_at)
                if lot.pending and lot.available_at is not None:
                    heappush(player.due, lot.available_at)
            player.lots += new
        if member.renewed_until is not None and member.renewed_until != player.renewed_until:
            player.renewed_until = member.renewed_until
            heappush(player.due, member.renewed_until)
        if member.tier_due != player.tier_due:
            player.tier_due = member.tier_due
            if member.tier_due is not None:
                heappush(player.due, member.tier_due)


def _note_order(player: Player, order_id: str) -> None:
    """Keep in mind when an order was placed; told again, it may be another moment."""
    purchase = player.member.purchases[order_id]
    before = player.placed_at.get(order_id)
    if purchase.placed_at is None or purchase.placed_at == before:
        return
    if before is not None:
        del player.placed[bisect_left(player.placed, (before, order_id))]
    insort(player.placed, (purchase.placed_at, order_id))
    player.placed_at[order_id] = purchase.placed_at


def _add(figures: Figures, changes: Changes) -> None:
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
        elif kind is Kind.CONFIRM:
            figures.spent += entry.points
        elif kind is Kind.ADJUST:
            figures.adjusted += entry.points if entry.credit is Account.AVAILABLE else -entry.points
        if entry.credit is Account.EXPIRED:
            figures.expired += entry.points
        elif entry.debit is Account.EXPIRED:  # taken back all the same, or renewed late
            figures.expired -= entry.points
    for offer in changes.offers:
        figures.offers[offer.offer] = figures.offers.get(offer.offer, 0) + 1
