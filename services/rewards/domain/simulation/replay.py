"""One program played over the history of a few customers, from nothing on, by the same `decide` as on the stream."""

from bisect import bisect_left
from datetime import datetime, timedelta
from heapq import heappop, heappush

from services.rewards.domain.concerns import Match
from services.rewards.domain.decide import decide
from services.rewards.domain.points import ledger
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.simulation.counting import Counting
from services.rewards.domain.simulation.figures import Ending
from services.rewards.domain.simulation.players import Player, count_points, note_order
from services.rewards.domain.state.accounts import Account, Kind
from services.rewards.domain.state.budgets import Budget
from services.rewards.domain.state.lots import Lot, lot_number
from services.rewards.domain.state.member import Member, TierGrant
from services.rewards.domain.state.purchases import ORDERS, ZERO
from services.rewards.domain.state.redemptions import Redemption, Status
from services.rewards.domain.tiering import tiers
from services.rewards.domain.tiering.looking_back import LookBack
from services.rewards.domain.tiering.recurring import MONTH
from services.rewards.domain.tiering.tier_time import pass_time
from shared.contracts.activity import Activity
from shared.program.model.program import Program
from shared.program.model.tiers import Measure

ROUNDED = timedelta(days=5)
"""More than a month may be short of its mean length, and a day of 24 hours."""


class Replay:
    """One program over the customers of one group. Figures count from `since` on.

    Time goes on with what happens: whatever was due by then is done first, in its order.
    """

    def __init__(self, rulebook: Rulebook, since: datetime | None, budgets: dict[str, Budget]) -> None:
        """`budgets` are what rules may give to all customers together: one group after the other uses them up."""
        self._rulebook = rulebook
        self._program = rulebook.program
        self._tiers = rulebook.program.tiers
        self._by_points = tiers.measure_of(rulebook.program) is Measure.POINTS
        self._changes = Counting(rulebook.program.version, since, budgets, by_points=self._by_points)
        self._players: dict[str, Player] = {}
        self._rolls_for = _at_least(self._program)
        self._look = LookBack.of(self._program)

    def happen(self, owner: str, activity: Activity, matched: Match, now: datetime) -> None:
        """An activity of `owner`, which meets these rules, is taken at `now`."""
        player, changes = self._at(owner, now)
        member = player.member
        if activity.type not in ORDERS:
            decide(activity, matched, member, self._rulebook, changes)
        else:
            if self._look is None:
                decide(activity, matched, member, self._rulebook, changes)
            else:
                self._order(player, activity, matched, self._look, now)
            if member.redemptions:
                heappush(player.due, now)  # points that came back may belong to lots that are over
        if self._by_points and member.counted is not None:
            count_points(member.counted, player.order_lots, activity, changes)
            changes.brought.clear()
        player.note_due()

    def _order(
        self, player: Player, activity: Activity, matched: Match, look: LookBack, now: datetime
    ) -> None:
        """What is told of an order, where there are tiers."""
        member = player.member
        self._roll(player, activity.time, now)
        if member.counted is None and look.needed(activity, matched, member, now):
            member.counted = {}
        order_id = str(activity.data["order_id"])
        known = member.purchases.get(order_id)
        before = known.placed_at if known is not None else None
        decide(activity, matched, member, self._rulebook, self._changes)
        purchase = known or member.purchases[order_id]
        note_order(player, purchase, before)
        if self._by_points:
            player.order_lots.add(purchase.lot)
        else:
            self._look_no_more(member)

    def spend(self, owner: str, points: int, now: datetime, cause: str, order_id: str | None) -> None:
        """The customer spends points at a checkout: as many of them as they have."""
        player, changes = self._at(owner, now)
        member = player.member
        spent = min(points, max(member.spendable(), 0))
        player.figures.short += points - spent
        if spent:
            taken = ledger.draw(member, spent)
            for lot, part in taken:
                changes.post(
                    member,
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
            if order_id is not None:  # should the order be undone, they are given back
                redemption = _spent(member, spent, now, cause, order_id, taken)
                member.redemptions.setdefault(order_id, []).append(redemption)
        player.note_due()

    def adjust(self, owner: str, points: int, now: datetime, cause: str) -> None:
        """Points are given by hand, or taken: as many of them as there are."""
        player, changes = self._at(owner, now)
        member = player.member
        if points > 0:
            lot = ledger.open_lot(member, lot_number(cause), now, self._program, now=now, at_once=True)
            ledger.adjust(member, changes, points, lot=lot, cause=cause, at=now)
        else:
            taken = min(-points, max(member.spendable(), 0))
            player.figures.short += -points - taken
            if taken:
                ledger.adjust(member, changes, -taken, lot=None, cause=cause, at=now)
        player.note_due()

    def grant(self, owner: str, grant: TierGrant) -> None:
        """A tier is given by hand."""
        player, changes = self._at(owner, grant.at)
        member = player.member
        if self._tiers is None or all(level.id != grant.tier for level in self._tiers.levels):
            return
        member.grants.append(grant)
        member.counted = member.counted or {}
        standing = tiers.present(member, self._program, grant.at)
        tiers.apply(member, standing, self._program, changes, cause=grant.id, reason="grant")
        self._look_no_more(member)
        player.note_due()

    def end(self, now: datetime) -> dict[str, Ending]:
        """Do what is due until `now`, and say how everybody ends."""
        for owner in list(self._players):
            player, _ = self._at(owner, now)
            player.figures.owed = player.member.available + player.member.pending - player.member.debt
        return {
            owner: Ending(player.figures, player.brought_in, self._tier(player.member))
            for owner, player in self._players.items()
        }

    def _tier(self, member: Member) -> str | None:
        if self._tiers is None:
            return None
        return self._tiers.levels[tiers.current_level(self._tiers, member)].id

    def _at(self, owner: str, now: datetime) -> tuple[Player, Counting]:
        """The customer at `now`, when everything due by then has been done."""
        player = self._players.get(owner)
        if player is None:
            player = self._players[owner] = Player(Member(owner, counted={} if self._by_points else None))
        changes = self._changes
        changes.figures, changes.brought_in = player.figures, player.brought_in
        due = player.next_due()
        if due is not None and due <= now:
            self._pass_time(player, due, now)
        changes.now = now
        return player, changes

    def _pass_time(self, player: Player, due: datetime | None, now: datetime) -> None:
        member, changes = player.member, self._changes
        while due is not None and due <= now:
            changes.now = due
            if player.due and player.due[0] <= due:
                while player.due and player.due[0] <= due:
                    heappop(player.due)
                ledger.bring_up_to_date(member, changes, due)
            if member.tier_due is not None and member.tier_due <= due:
                member.counted = member.counted or {}
                pass_time(member, self._rulebook, changes, same_program=True)
                self._look_no_more(member)
                assert member.tier_due is None or member.tier_due > due, "what is due gets done"
            due = player.next_due()  # time brings no lots

    def _look_no_more(self, member: Member) -> None:
        """All orders are at hand: that their sum is to be walked through is said anew each time. Points that no order
        brought are kept in mind."""
        if not self._by_points:
            member.counted = None

    def _roll(self, player: Player, at: datetime, now: datetime) -> None:
        """Let the rolling spend begin where it does at `now`: orders that lie before leave the sum. One of `at` may be
        about to join it. Nothing is done as long as no order can have left: days are counted only then."""
        leaves = at + self._rolls_for if self._rolls_for is not None else None
        if leaves is not None and player.none_leaves_before is not None:
            player.none_leaves_before = min(player.none_leaves_before, leaves)
            if now < player.none_leaves_before:
                return
        self._roll_to(player, now)
        if self._rolls_for is not None and leaves is not None and player.member.spend_since is not None:
            first = bisect_left(player.placed, (player.member.spend_since, ""))
            if first < len(player.placed):
                leaves = min(leaves, player.placed[first][0] + self._rolls_for)
            player.none_leaves_before = leaves

    def _roll_to(self, player: Player, now: datetime) -> None:
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


def _at_least(program: Program) -> timedelta | None:
    """How long an order counts at least that rolls out of the sum; None where none does."""
    over = program.tiers.basis.over if program.tiers is not None else None
    return over.months * MONTH + over.rest - ROUNDED if over is not None else None


def _spent(  # noqa: PLR0917
    member: Member, points: int, now: datetime, id_: str, order_id: str, taken: list[tuple[Lot, int]]
) -> Redemption:
    return Redemption(
        id=id_,
        customer_id=member.customer_id,
        order_id=order_id,
        points=points,
        value=None,
        currency="",
        status=Status.CONFIRMED,
        reserved_at=now,
        expires_at=now,
        taken=[(lot.number, part) for lot, part in taken],
        program_version=0,
    )
