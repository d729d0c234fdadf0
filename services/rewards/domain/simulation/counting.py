"""Changes of which figures alone are kept: nothing is written, nobody is told."""

from datetime import UTC, datetime
from typing import Any

from services.rewards.domain.changes import Changes, move
from services.rewards.domain.simulation.figures import Figures, Given
from services.rewards.domain.state.accounts import Account, Kind
from services.rewards.domain.state.budgets import Budget
from services.rewards.domain.state.member import Member

# Looked up for every entry: a module's name costs a third of an enum's member.
EARN, REVERSE, CONFIRM, RETURN, ADJUST = Kind.EARN, Kind.REVERSE, Kind.CONFIRM, Kind.RETURN, Kind.ADJUST
AVAILABLE, EXPIRED = Account.AVAILABLE, Account.EXPIRED


BEGINNING = datetime.min.replace(tzinfo=UTC)


class Counting(Changes):
    """Counts what is posted, and codes, in `figures` of whoever it is about, from `since` on (None: always); codes that
    a tier has `brought_in`, apart from the others.

    With `by_points` it also keeps what was `brought`: the lot, when, and how many points.
    """

    __slots__ = ("brought", "brought_in", "by_points", "figures", "since")

    tells = False

    def __init__(
        self, version: int, since: datetime | None, budgets: dict[str, Budget], *, by_points: bool
    ) -> None:
        super().__init__(BEGINNING, version, budgets=budgets)
        self.figures = Figures()
        self.brought_in: dict[str, int] = {}
        self.since = since
        self.by_points = by_points
        self.brought: list[tuple[int, datetime, int]] = []

    def tell(self, *_: Any, **__: Any) -> None:
        """Nobody listens."""

    def only_counts(self, offer: str, *, recurring: bool = False) -> bool:
        """One more code."""
        if self.since is None or self.now >= self.since:
            offers = self.brought_in if recurring else self.figures.offers
            offers[offer] = offers.get(offer, 0) + 1
        return True

    def post(
        self,
        member: Member,
        kind: Kind,
        debit: Account,
        credit: Account,
        points: int,
        *,
        lot: int | None,
        rule: str | None,
        cause: str,
        at: datetime,
        key: str,
    ) -> None:
        """Move the points and count them; no entry is made."""
        assert points > 0, "an entry moves points"
        move(member, debit, -points)
        move(member, credit, points)
        member.entries += 1
        if self.by_points and kind is EARN and lot is not None:
            self.brought.append((lot, at, points))
        if self.since is None or self.now >= self.since:
            self._count(kind, debit, credit, points, rule or "")

    def _count(self, kind: Kind, debit: Account, credit: Account, points: int, rule: str) -> None:
        figures = self.figures
        if kind is EARN:
            figures.earned += points
            _give(figures, rule, points)
            return
        if kind is REVERSE:
            figures.reversed += points
            _give(figures, rule, -points)
        elif kind is CONFIRM:
            figures.spent += points
        elif kind is RETURN:
            figures.spent -= points
        elif kind is ADJUST:
            figures.adjusted += points if credit is AVAILABLE else -points
        if credit is EXPIRED:
            figures.expired += points
        elif debit is EXPIRED:  # taken back all the same, or renewed late
            figures.expired -= points


def _give(figures: Figures, rule: str, points: int) -> None:
    given = figures.rules.get(rule)
    if given is None:
        given = figures.rules[rule] = Given()
    given.points += points
    given.times += 1
