"""A simulation's result as it is shown: what a contrast means in money, and what it does not cover."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.rewards.domain.redemptions import worth
from services.rewards.domain.simulation.contrast import Contrast, CustomerContrast
from services.rewards.domain.simulation.figures import Figures, Given
from shared.program.model import Program

NONE = Given()


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
    `same`: those who would notice nothing at all. `notes` say what is not covered."""

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
    notes: list[str]


def summarize(
    contrast: Contrast, live: Program, proposed: Program, since: datetime | None, until: datetime
) -> Summary:
    """The result, shown. Rules and segments come with the greatest difference first."""
    sides = _side(contrast.live, live), _side(contrast.proposed, proposed)
    up, down = _tier_moves(contrast, live, proposed)
    return Summary(
        program=proposed.name,
        live_version=live.version,
        currency=live.currency,
        since=since,
        until=until,
        first=contrast.first,
        last=contrast.last,
        activities=contrast.activities,
        customers=contrast.customers,
        gain=contrast.gain,
        lose=contrast.lose,
        same=contrast.customers - contrast.differ,
        tier_up=up,
        tier_down=down,
        live=sides[0],
        proposed=sides[1],
        difference=_difference(*sides),
        rules=_rules(contrast.live.rules, contrast.proposed.rules),
        offers=[
            OfferRow(
                offer=name,
                live=contrast.live.offers.get(name, 0),
                proposed=contrast.proposed.offers.get(name, 0),
            )
            for name in sorted(contrast.live.offers.keys() | contrast.proposed.offers.keys())
        ],
        tiers=[
            TierRow(live=before or None, proposed=after or None, customers=customers)
            for before, row in sorted(contrast.tiers.items())
            for after, customers in sorted(row.items())
        ],
        segments=_segments(contrast, live, proposed),
        gain_most=[customer_row(one) for one in contrast.gained],
        lose_most=[customer_row(one) for one in contrast.lost],
        notes=list(_notes(contrast, live, proposed)),
    )


def customer_row(one: CustomerContrast) -> CustomerRow:
    """A customer, shown."""
    return CustomerRow(
        gain=one.gain, **{name: getattr(one, name) for name in CustomerContrast.__struct_fields__}
    )


def _worth(points: int, program: Program) -> Decimal | None:
    """What points are worth, rounded towards zero; None where they cannot be redeemed."""
    redeem = program.points.redeem
    return worth(points, redeem, program.currency) if redeem is not None else None


def _side(figures: Figures, program: Program) -> Side:
    amounts = {name: offer.amount or Decimal(0) for name, offer in program.offers.items()}
    return Side(
        points_earned=figures.earned,
        points_taken_back=figures.reversed,
        points_expired=figures.expired,
        points_spent=figures.spent,
        points_short=figures.short,
        points_owed=figures.owed,
        liability=_worth(figures.owed, program),
        cost=_worth(figures.points - figures.expired, program),
        offers=sum(figures.offers.values()),
        offers_value=sum(
            (amounts.get(name, Decimal(0)) * count for name, count in figures.offers.items()), Decimal(0)
        ),
    )


def _difference(live: Side, proposed: Side) -> Side:
    def less(name: str) -> Decimal | None:
        before, after = getattr(live, name), getattr(proposed, name)
        return None if before is None or after is None else after - before

    return Side(
        points_earned=proposed.points_earned - live.points_earned,
        points_taken_back=proposed.points_taken_back - live.points_taken_back,
        points_expired=proposed.points_expired - live.points_expired,
        points_spent=proposed.points_spent - live.points_spent,
        points_short=proposed.points_short - live.points_short,
        points_owed=proposed.points_owed - live.points_owed,
        liability=less("liability"),
        cost=less("cost"),
        offers=proposed.offers - live.offers,
        offers_value=proposed.offers_value - live.offers_value,
    )


def _rules(live: Mapping[str, Given], proposed: Mapping[str, Given]) -> list[RuleRow]:
    def change(rule: str) -> tuple[int, str]:
        return -abs(proposed.get(rule, NONE).points - live.get(rule, NONE).points), rule

    def row(rule: str) -> RuleRow:
        before, after = live.get(rule), proposed.get(rule)
        return RuleRow(
            rule=rule,
            live_points=before.points if before else None,
            live_times=before.times if before else None,
            proposed_points=after.points if after else None,
            proposed_times=after.times if after else None,
        )

    return [row(rule) for rule in sorted(live.keys() | proposed.keys(), key=change)]


def _segments(contrast: Contrast, live: Program, proposed: Program) -> list[SegmentRow]:
    rows = []
    for name, one in contrast.segments.items():
        before, after = _worth(one.live_points, live), _worth(one.proposed_points, proposed)
        rows.append(
            SegmentRow(
                segment=name,
                customers=one.customers,
                gain=one.gain,
                lose=one.lose,
                live_points=one.live_points,
                proposed_points=one.proposed_points,
                live_owed=one.live_owed,
                proposed_owed=one.proposed_owed,
                cost_difference=None if before is None or after is None else after - before,
            )
        )
    return sorted(rows, key=lambda row: (-abs(row.proposed_points - row.live_points), row.segment))


def _tier_moves(contrast: Contrast, live: Program, proposed: Program) -> tuple[int, int]:
    """How many end in a higher tier, and how many in a lower one, by the order of the proposed program's levels; a tier
    that it no longer has counts as the one at its place."""
    if live.tiers is None or proposed.tiers is None:
        return 0, 0
    before = {level.id: place for place, level in enumerate(live.tiers.levels)}
    after = {level.id: place for place, level in enumerate(proposed.tiers.levels)}
    up = down = 0
    for old, row in contrast.tiers.items():
        for new, customers in row.items():
            step = after.get(new, 0) - after.get(old, before.get(old, 0))
            up += customers if step > 0 else 0
            down += customers if step < 0 else 0
    return up, down


def _notes(contrast: Contrast, live: Program, proposed: Program) -> list[str]:
    """What whoever reads the figures should know."""
    notes = []
    if not contrast.activities:
        notes.append("No history is kept for this time: there is nothing to compare.")
    if (live.stages, live.score) != (proposed.stages, proposed.score):
        notes.append(
            "Stages and scores are those of the program in force: the proposed settings are not played."
        )
    if (live.currency, live.time_zone) != (proposed.currency, proposed.time_zone):
        notes.append("Sums, windows and days in conditions are those of the currency and time zone in force.")
    if live.campaigns != proposed.campaigns:
        notes.append("Campaigns and messages are not played.")
    if live.points.referral is not None or proposed.points.referral is not None:
        notes.append(
            "Points for referrals (`points.referral`) are not played: they need two customers' histories."
        )
    if any(rule.cap is not None and rule.cap.program is not None for rule in proposed.points.earn):
        notes.append(
            "What a rule gives to all customers together at most is shared out by customer, not by time."
        )
    if contrast.proposed.short > contrast.live.short:
        notes.append(
            "Some customers spent points that they would not have had; they spend as many as they have."
        )
    return notes
