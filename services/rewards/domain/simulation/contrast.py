"""Two programs set against each other over many customers: sums that can be added up, and who gains and loses most."""

from collections.abc import Iterable
from datetime import datetime
from heapq import nlargest

from msgspec import Struct, field

from services.rewards.domain.simulation.figures import CustomerResult, Figures
from services.rewards.domain.simulation.groups import Played

NOTABLE = 20
"""Customers named who gain most, and who lose most."""
NOBODY = CustomerResult(figures=Figures(), tier=None)


class CustomerContrast(Struct, kw_only=True):
    """One customer under both programs: what each gave, what stands at the end, the tier, codes issued."""

    customer: str
    live_points: int
    proposed_points: int
    live_owed: int
    proposed_owed: int
    live_tier: str | None
    proposed_tier: str | None
    live_offers: int
    proposed_offers: int

    @property
    def gain(self) -> int:
        """Points that the proposed program gives more (or, negative, less)."""
        return self.proposed_points - self.live_points

    @property
    def differs(self) -> bool:
        """Whether the customer would notice anything."""
        live = self.live_points, self.live_owed, self.live_tier, self.live_offers
        proposed = self.proposed_points, self.proposed_owed, self.proposed_tier, self.proposed_offers
        return live != proposed


class SegmentContrast(Struct, kw_only=True):
    """The customers who were in a segment at the end."""

    customers: int = 0
    gain: int = 0
    lose: int = 0
    live_points: int = 0
    proposed_points: int = 0
    live_owed: int = 0
    proposed_owed: int = 0


class Contrast(Struct, kw_only=True):
    """Everything that is known of the two programs over some customers. Of two such, `add` makes one.

    `tiers` counts customers by the tier at the end: under the program in force, then under the proposed one.
    """

    activities: int = 0
    customers: int = 0
    gain: int = 0
    lose: int = 0
    differ: int = 0
    first: datetime | None = None
    last: datetime | None = None
    live: Figures = field(default_factory=Figures)
    proposed: Figures = field(default_factory=Figures)
    tiers: dict[str, dict[str, int]] = {}
    segments: dict[str, SegmentContrast] = {}
    gained: list[CustomerContrast] = []
    lost: list[CustomerContrast] = []

    def count(self, played: Played) -> list[CustomerContrast]:
        """Add a group that was played; its customers one by one."""
        self.activities += played.activities
        self._lasts(played.first, played.last)
        found = []
        for owner in sorted(played.live.keys() | played.proposed.keys()):
            live, proposed = played.live.get(owner, NOBODY), played.proposed.get(owner, NOBODY)
            found.append(self._customer(owner, live, proposed, played.segments.get(owner, ())))
        return found

    def add(self, other: "Contrast") -> None:
        """Add what was found over other customers."""
        self.activities += other.activities
        self.customers += other.customers
        self.gain += other.gain
        self.lose += other.lose
        self.differ += other.differ
        self._lasts(other.first, other.last)
        self.live.add(other.live)
        self.proposed.add(other.proposed)
        for live, row in other.tiers.items():
            mine = self.tiers.setdefault(live, {})
            for proposed, customers in row.items():
                mine[proposed] = mine.get(proposed, 0) + customers
        for name, segment in other.segments.items():
            known = self.segments.setdefault(name, SegmentContrast())
            for each in SegmentContrast.__struct_fields__:
                setattr(known, each, getattr(known, each) + getattr(segment, each))
        self.gained = _most(self.gained + other.gained)
        self.lost = _least(self.lost + other.lost)

    def _lasts(self, first: datetime | None, last: datetime | None) -> None:
        if first is not None:
            self.first = min(self.first or first, first)
        if last is not None:
            self.last = max(self.last or last, last)

    def _customer(
        self, owner: str, live: CustomerResult, proposed: CustomerResult, segments: Iterable[str]
    ) -> CustomerContrast:
        one = CustomerContrast(
            customer=owner,
            live_points=live.figures.points,
            proposed_points=proposed.figures.points,
            live_owed=live.figures.owed,
            proposed_owed=proposed.figures.owed,
            live_tier=live.tier,
            proposed_tier=proposed.tier,
            live_offers=sum(live.figures.offers.values()),
            proposed_offers=sum(proposed.figures.offers.values()),
        )
        self.customers += 1
        self.gain += one.gain > 0
        self.lose += one.gain < 0
        self.differ += one.differs
        self.live.add(live.figures)
        self.proposed.add(proposed.figures)
        row = self.tiers.setdefault(live.tier or "", {})
        row[proposed.tier or ""] = row.get(proposed.tier or "", 0) + 1
        for name in segments:
            _count_segment(self.segments.setdefault(name, SegmentContrast()), one)
        if one.gain > 0 and (len(self.gained) < NOTABLE or one.gain >= self.gained[-1].gain):
            self.gained = _most([*self.gained, one])
        elif one.gain < 0 and (len(self.lost) < NOTABLE or one.gain <= self.lost[-1].gain):
            self.lost = _least([*self.lost, one])
        return one


def _count_segment(segment: SegmentContrast, one: CustomerContrast) -> None:
    segment.customers += 1
    segment.gain += one.gain > 0
    segment.lose += one.gain < 0
    segment.live_points += one.live_points
    segment.proposed_points += one.proposed_points
    segment.live_owed += one.live_owed
    segment.proposed_owed += one.proposed_owed


def _most(customers: list[CustomerContrast]) -> list[CustomerContrast]:
    return nlargest(NOTABLE, customers, key=lambda one: (one.gain, one.customer))


def _least(customers: list[CustomerContrast]) -> list[CustomerContrast]:
    return nlargest(NOTABLE, customers, key=lambda one: (-one.gain, one.customer))
