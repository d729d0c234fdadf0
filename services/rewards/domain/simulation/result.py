"""What a simulation answers: the proposed program against the one in force, in points and money, row by row."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one program gives, or what the proposed one gives more than the one in force.

    Points by what became of them within the reported time; `points_owed` is what stands at its end, and `liability`
    what that is worth at the checkout. `cost` is what the points given are worth, without those that expired.
    `points_short` are points that customers really spent and would not have had. `offers` counts codes, `offers_value`
    is what those with a fixed amount are worth if each is used once; percentages depend on the orders, and are not in
    it. Money is null where the program redeems no points, and rounded down to what can be paid.
    """

    points_earned: int
    points_taken_back: int
    points_expired: int
    points_spent: int
    points_short: int
    points_owed: int
    liability: Decimal | None
    cost: Decimal | None
    offers: int
    offers_value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """What one rule or milestone gives, less what refunds took back, and in how many postings; null where the program
    has no such rule, or it never gave anything."""

    rule: str
    live_points: int | None
    live_times: int | None
    proposed_points: int | None
    proposed_times: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRow:
    """Codes issued of one offer."""

    offer: str
    live: int
    proposed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRow:
    """Customers by the tier that they have at the end under either program."""

    live: str | None
    proposed: str | None
    customers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    """Customers who were in a segment at the end: how many gain and lose, points given, points owed."""

    segment: str
    customers: int
    gain: int
    lose: int
    live_points: int
    proposed_points: int
    live_owed: int
    proposed_owed: int
    cost_difference: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRow:
    """One customer under both programs: points given, points owed at the end, the tier, codes issued."""

    customer: str
    gain: int
    live_points: int
    proposed_points: int
    live_owed: int
    proposed_owed: int
    live_tier: str | None
    proposed_tier: str | None
    live_offers: int
    proposed_offers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The proposed program against the one in force over real history. `gain`, `lose`: customers by points given;
    `same`: those who would notice nothing at all. `not_played` names what of the proposed program was left out, by its
    place in the file (`campaigns.we-miss-you`); `notes` say what else is not covered."""

    program: str
    live_version: int
    currency: str
    since: datetime | None
    until: datetime
    first: datetime | None
    last: datetime | None
    activities: int
    customers: int
    gain: int
    lose: int
    same: int
    tier_up: int
    tier_down: int
    live: Side
    proposed: Side
    difference: Side
    rules: list[RuleRow]
    offers: list[OfferRow]
    tiers: list[TierRow]
    segments: list[SegmentRow]
    gain_most: list[CustomerRow]
    lose_most: list[CustomerRow]
    not_played: list[str]
    notes: list[str]
