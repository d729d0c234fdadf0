"""The report of a campaign as the API shows it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, Field

from services.rewards.domain.experiments.arms import HOLDOUT
from services.rewards.domain.experiments.comparing import Comparison, Difference
from services.rewards.domain.experiments.figures import Figures
from services.rewards.domain.experiments.proportions import Estimate
from services.rewards.domain.experiments.report import Arm, Report
from services.rewards.domain.experiments.words import says
from shared.program.values.currencies import DECIMALS

SHARE_DIGITS = 4


class ShareView(BaseModel):
    """A share or a difference of shares, and its interval of 95 %."""

    value: float
    low: float
    high: float


class MoneyView(BaseModel):
    """An amount in the program's currency, and its interval of 95 %."""

    value: Decimal
    low: Decimal
    high: Decimal


class DifferenceView(BaseModel):
    """How much more than in the arm compared with. `better`, `worse`: the interval leaves 0 out; `not_shown`: there is
    no difference or a smaller one than such numbers show; `too_few`: such numbers could hardly show even a doubling."""

    verdict: Literal["better", "worse", "not_shown", "too_few"]


class ShareDifference(DifferenceView):
    """Of the shares who reached the goal: Newcombe's interval of the difference of two Wilson intervals."""

    difference: ShareView | None
    detectable: float | None = Field(
        description="The least difference that so many customers show, in 8 of 10 cases."
    )


class MoneyDifference(DifferenceView):
    """Of what customers paid on average: Welch's interval. `too_few` also where sums are so uneven, or buyers so few,
    that the interval would not hold what it promises."""

    difference: MoneyView | None
    detectable: Decimal | None = Field(
        description="The least difference that so many customers show, in 8 of 10 cases."
    )


class ComparisonView(BaseModel):
    """An arm against another."""

    arm: str
    base: str
    level: float = Field(
        description="How often the intervals hold the truth: higher where several pairs are compared."
    )
    goal: ShareDifference
    revenue: MoneyDifference = Field(description="By customer.")


class CostView(BaseModel):
    """What was given away."""

    points: int
    points_worth: Decimal | None = Field(
        description="What they buy; null: the program does not say what points are worth."
    )
    discounts: Decimal = Field(description="What the campaign's codes took off orders.")
    total: Decimal


class IncrementalView(BaseModel):
    """What would not have come without the campaign; null where too few to tell."""

    goals: ShareView | None
    revenue: MoneyView | None
    gain: MoneyView | None = Field(
        description="The revenue less what points are worth; discounts are off the revenue already."
    )
    return_on_cost: ShareView | None = Field(description="The gain for each unit of cost.")


class ArmView(BaseModel):
    """One arm, or all treated arms together. All but `runs`, `revenue` and the cost are numbers of customers, each of
    whom counts once, by the first run in the period."""

    arm: str
    share: float | None = Field(
        description="How large a part of all customers the program makes it; null: no more."
    )
    customers: int
    runs: int
    still_open: int = Field(description="Who may still reach the goal in time.")
    sent: int = Field(description="Who was sent a message, by any channel.")
    opened: int
    clicked: int
    unsubscribed: int
    offered: int = Field(description="Who got a code.")
    redeemed: int = Field(description="Whose code stands used.")
    goals: int = Field(description="Who reached the goal in time.")
    rate: ShareView | None = Field(description="The share who reached the goal: Wilson's interval.")
    buyers: int = Field(description="Who ordered in the time of the goal, and did not give all of it back.")
    revenue: Decimal = Field(description="What they paid for these orders less refunds, discounts taken off.")
    revenue_by_customer: Decimal | None
    cost: CostView
    against_holdout: ComparisonView | None
    incremental: IncrementalView | None
    says: str | None = Field(description="What the comparison with the hold-out means, in words.")


class RemarkView(BaseModel):
    """Something to know before the report is believed."""

    code: str
    says: str


class CampaignReport(BaseModel):
    """A campaign's arms, what it brought against leaving customers alone, and what it cost."""

    campaign: str
    program_version: int = Field(description="The version whose campaign this is.")
    since: datetime | None = Field(serialization_alias="from")
    until: datetime | None = Field(serialization_alias="to")
    currency: str
    all: ArmView
    arms: list[ArmView]
    variants: list[ComparisonView] = Field(
        description="Each two variants, the one with the higher rate first."
    )
    remarks: list[RemarkView]


def report_view(  # noqa: PLR0917
    campaign: str,
    version: int,
    period: tuple[datetime | None, datetime | None],
    currency: str,
    found: Report,
    shares: Mapping[str, float],
) -> CampaignReport:
    """The report, shown."""
    alone = next((arm.figures for arm in found.arms if arm.name == HOLDOUT), Figures())
    whole = sum(share for name, share in shares.items() if name != HOLDOUT)
    view = _Views(currency, alone)
    return CampaignReport(
        campaign=campaign,
        program_version=version,
        since=period[0],
        until=period[1],
        currency=currency,
        all=view.arm(found.all, whole),
        arms=[view.arm(arm, shares.get(arm.name)) for arm in found.arms],
        variants=[view.comparison(each) for each in found.between],
        remarks=[RemarkView(code=each.code, says=each.says) for each in found.remarks],
    )


class _Views:
    """Makes views in one currency."""

    def __init__(self, currency: str, alone: Figures) -> None:
        self._alone = alone
        self._unit = Decimal(1).scaleb(-DECIMALS.get(currency, 2))

    def arm(self, arm: Arm, share: float | None) -> ArmView:
        figures, against, effect = arm.figures, arm.against, arm.effect
        counted = {name: getattr(figures, name) for name in ArmView.model_fields if name in Figures.__slots__}
        return ArmView(
            **counted
            | {
                "arm": arm.name,
                "share": None if share is None else round(share, SHARE_DIGITS),
                "still_open": figures.open,
                "rate": None
                if arm.rate is None
                else share_view(Estimate(figures.rate.value, arm.rate), SHARE_DIGITS),
                "revenue": self._money(figures.revenue.mean * figures.customers),
                "revenue_by_customer": self._money(figures.revenue.mean) if figures.customers else None,
                "cost": CostView(
                    points=figures.points,
                    points_worth=None if arm.cost.points is None else arm.cost.points.quantize(self._unit),
                    discounts=arm.cost.discounts.quantize(self._unit),
                    total=arm.cost.total.quantize(self._unit),
                ),
                "against_holdout": None if against is None else self.comparison(against),
                "incremental": None
                if effect is None
                else IncrementalView(
                    goals=share_view(effect.goals, 1),
                    revenue=self._estimate(effect.revenue),
                    gain=self._estimate(effect.gain),
                    return_on_cost=share_view(effect.return_, 2),
                ),
                "says": None if against is None else says(against, figures, self._alone),
            }
        )

    def comparison(self, found: Comparison) -> ComparisonView:
        goal, revenue = found.goal, found.revenue
        return ComparisonView(
            arm=found.arm,
            base=found.base,
            level=round(found.level, SHARE_DIGITS),
            goal=ShareDifference(
                verdict=goal.verdict,
                difference=share_view(goal.estimate, SHARE_DIGITS),
                detectable=_round(goal.detectable),
            ),
            revenue=self._revenue(revenue),
        )

    def _revenue(self, found: Difference) -> MoneyDifference:
        return MoneyDifference(
            verdict=found.verdict,
            difference=self._estimate(found.estimate),
            detectable=None if found.detectable is None else self._money(found.detectable),
        )

    def _estimate(self, estimate: Estimate | None) -> MoneyView | None:
        if estimate is None:
            return None
        low, high = estimate.interval.low, estimate.interval.high
        return MoneyView(value=self._money(estimate.value), low=self._money(low), high=self._money(high))

    def _money(self, amount: float) -> Decimal:
        return Decimal(amount).quantize(self._unit)


def share_view(estimate: Estimate | None, digits: int) -> ShareView | None:
    """An estimate, rounded."""
    if estimate is None:
        return None
    low, high = estimate.interval.low, estimate.interval.high
    return ShareView(value=round(estimate.value, digits), low=round(low, digits), high=round(high, digits))


def _round(share: float | None) -> float | None:
    return None if share is None else round(share, SHARE_DIGITS)
