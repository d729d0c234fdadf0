"""A simulation's result as it is shown: what a contrast means in money, and what it does not cover."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from services.rewards.domain.simulation.contrast import Contrast, CustomerContrast
from services.rewards.domain.simulation.figures import Figures, Given
from services.rewards.domain.simulation.result import (
    CustomerRow,
    OfferRow,
    RuleRow,
    SegmentRow,
    Side,
    Summary,
    TierRow,
)
from services.rewards.domain.state.redemptions import worth
from shared.program.model.program import Program

NONE = Given()


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
        not_played=_not_played(proposed),
        notes=_notes(contrast, live, proposed),
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


def _not_played(program: Program) -> list[str]:
    """What of a program a simulation leaves out: what takes messages, two histories, or a row that all share."""
    found = [f"campaigns.{campaign.id}" for campaign in program.campaigns]
    if program.points.referral is not None:
        found.append("points.referral")
    found += [f"offers.{id_}.stock" for id_, offer in program.offers.items() if offer.terms.stock is not None]
    found += [f"rewards.{id_}.stock" for id_, one in program.rewards.items() if one.terms.stock is not None]
    return found


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
