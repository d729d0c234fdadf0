"""The report of a campaign: its arms, what it brought, and what must be known to read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce

from services.rewards.domain.experiments.arms import HOLDOUT, TREATED
from services.rewards.domain.experiments.comparing import (
    Comparison,
    Cost,
    Effect,
    between_variants,
    compare,
    effect,
    uneven,
)
from services.rewards.domain.experiments.figures import Figures
from services.rewards.domain.experiments.proportions import Interval, wilson
from services.rewards.domain.experiments.words import Remark, remarks
from services.rewards.domain.state.redemptions import worth
from shared.program.model.campaigns import Campaign
from shared.program.model.program import Program


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm, or all that are not left alone together. `rate` is the interval of the share who reached the goal, None
    while nobody is in it. `against` compares it with the hold-out, `effect` is what it brought; None without one."""

    name: str
    figures: Figures
    rate: Interval | None
    cost: Cost
    against: Comparison | None = None
    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """`all` are those who were not left alone, together. `between`: each two variants."""

    all: Arm
    arms: list[Arm]
    between: list[Comparison]
    remarks: list[Remark]


def report(
    campaign: Campaign,
    program: Program,
    counted: Mapping[str, Figures],
    versions: Sequence[int],
    *,
    removed: bool = False,
) -> Report:
    """The report of a campaign, as the program has it. `versions`: the versions of the program under which the campaign
    has run as it is now and otherwise, oldest first, if it has been another one within the period; else none.
    `removed`: the program in force has it no more."""
    goal = campaign.success is not None
    shares = shares_of(campaign)
    arms = {name: counted.get(name, Figures()) for name in [*shares, *sorted(counted.keys() - shares.keys())]}
    left_alone = arms.get(HOLDOUT)
    treated = reduce(Figures.plus, (each for name, each in arms.items() if name != HOLDOUT), Figures())
    base = left_alone if goal else None
    return Report(
        all=_arm("all", treated, base, goal, program),
        arms=[
            _arm(name, each, base if name != HOLDOUT else None, goal, program) for name, each in arms.items()
        ],
        between=between_variants(arms) if goal else [],
        remarks=remarks(
            campaign,
            treated,
            left_alone,
            versions=versions,
            uneven=not versions and uneven(arms, shares),
            priced=program.points.redeem is not None,
            removed=removed,
        ),
    )


def shares_of(campaign: Campaign) -> dict[str, float]:
    """How large the arms are to be, from 0 to 1: those that are done something with, and the hold-out last."""
    alone = float(campaign.holdout or 0) / 100
    of_rest = {each.id: float(each.share) / 100 for each in campaign.variants} or {TREATED: 1.0}
    shares = {name: share * (1 - alone) for name, share in of_rest.items()}
    return shares | ({HOLDOUT: alone} if alone else {})


def _arm(name: str, figures: Figures, base: Figures | None, goal: bool, program: Program) -> Arm:
    cost = _cost(figures, program)
    against = compare(figures, base, arm=name, base_arm=HOLDOUT) if base is not None else None
    return Arm(
        name,
        figures,
        wilson(figures.rate) if goal and figures.customers else None,
        cost,
        against,
        effect(against, figures.customers, cost) if against is not None else None,
    )


def _cost(figures: Figures, program: Program) -> Cost:
    redeem = program.points.redeem
    points = worth(figures.points, redeem, program.currency) if redeem is not None else None
    return Cost(points if figures.points else Decimal(0), figures.discounts)
