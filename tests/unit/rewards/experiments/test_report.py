"""Reports: arms beside their shares, the cost beside what it brought, and remarks for who would misread them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from services.rewards.domain.experiments.arms import HOLDOUT, TREATED
from services.rewards.domain.experiments.figures import Figures
from services.rewards.domain.experiments.means import Moments
from services.rewards.domain.experiments.report import Report, report, shares_of
from services.rewards.domain.experiments.words import says
from shared.program.model.program import Program
from shared.program.parse import load_program

PROGRAM = """
name: Test program
currency: USD
time_zone: America/New_York
points: {earn: [], redeem: {points: 100, value: 1.00}}
offers: {miss-you: {discount: {percent: 10}, valid_for: P30D}}
campaigns:
  - id: plain
    on: subscription.paused
    do: [{points: 50}]
    holdout: 10%
    success: {on: order.completed, within: P30D}
  - id: ways
    on: subscription.paused
    variants: {few: {do: [{points: 50}], share: 25%}, many: {do: [{points: 500}], share: 75%}}
    holdout: 20%
    success: {on: order.completed, within: P30D}
  - {id: bare, on: subscription.paused, do: [{points: 50}]}
"""


def program(text: str = PROGRAM) -> Program:
    return load_program(text, version=3)


def paid(buyers: int, customers: int, amount: float = 40.0) -> Moments:
    """So many pay the amount, half of them 20 more and half 20 less; the others nothing."""
    sums = [amount - 20, amount + 20] * (buyers // 2) + [0.0] * (customers - buyers)
    mean = sum(sums) / customers
    spread, lean = (sum((each - mean) ** power for each in sums) / customers for power in (2, 3))
    return Moments(customers, mean, spread, lean)


def arm(customers: int, goals: int, **more: int | Decimal) -> Figures:
    figures = {"runs": customers, "customers": customers, "goals": goals, "buyers": goals, **more}
    return Figures(**figures, revenue=paid(goals, customers))  # type: ignore[arg-type]


def made(
    campaign: str, counted: dict[str, Figures], text: str = PROGRAM, versions: tuple[int, ...] = ()
) -> Report:
    live = program(text)
    found = next(each for each in live.campaigns if each.id == campaign)
    return report(found, live, counted, versions)


def codes(found: Report) -> list[str]:
    return [remark.code for remark in found.remarks]


def test_what_a_campaign_brought_and_cost() -> None:
    """Given 1,800 customers reached, of whom 30 % order, and 200 left alone, of whom 20 % do; when they were given 50
    points and discounts; then the report says how many orders and how much money came of it, what it cost, and what
    came back for that."""
    treated = arm(1800, 540, points=90_000, discounts=Decimal("600.00"))

    found = made("plain", {TREATED: treated, HOLDOUT: arm(200, 40)})

    assert codes(found) == []
    effect, against = found.all.effect, found.all.against
    assert effect is not None
    assert against is not None
    assert effect.goals is not None
    assert effect.revenue is not None
    assert effect.gain is not None
    assert effect.return_ is not None
    assert (against.goal.verdict, against.revenue.verdict) == ("better", "better")
    assert effect.goals.value == pytest.approx(180)  # 10 in 100 of 1,800
    assert effect.revenue.value == pytest.approx(1800 * (12 - 8))
    assert (found.all.cost.points, found.all.cost.total) == (Decimal(900), Decimal(1500))
    assert effect.gain.value == pytest.approx(7200 - 900), "discounts are off the revenue already"
    assert effect.return_.value == pytest.approx(6300 / 1500)
    low, high = effect.return_.interval.low, effect.return_.interval.high
    assert low < 4.2 < high
    assert effect.revenue.interval.high - effect.revenue.interval.low == pytest.approx((high - low) * 1500)
    assert [each.name for each in found.arms] == [TREATED, HOLDOUT]
    again = made("plain", {TREATED: replace(treated, runs=5000), HOLDOUT: arm(200, 40)}).all
    assert again.effect == effect, "by customers, however often they came"
    assert found.arms[1].against is None


def test_arms_are_those_of_the_file_and_those_that_were_once() -> None:
    """Given two variants and a hold-out; then their shares are of all customers, and a variant that is no more still
    has its row."""
    found = made("ways", {"few": arm(200, 20), "old": arm(3, 0)})

    assert shares_of(program().campaigns[1]) == {"few": 0.2, "many": pytest.approx(0.6), HOLDOUT: 0.2}
    assert [each.name for each in found.arms] == ["few", "many", HOLDOUT, "old"]
    assert found.arms[1].rate is None, "nobody yet"
    assert found.all.figures.customers == 203


def test_variants_are_compared_with_each_other_at_a_level_that_holds_for_all() -> None:
    """Given two variants, then three; when they are compared; then one pair has 95 %, and each of three pairs 98.3 %,
    so that all hold at once in 95 % of the cases; the higher rate stands first."""
    two = made("ways", {"few": arm(250, 25), "many": arm(750, 150), HOLDOUT: arm(250, 25)})
    three = made("ways", {"few": arm(250, 25), "many": arm(750, 150), "old": arm(500, 60)})

    (pair,) = two.between
    assert (pair.arm, pair.base, pair.level, pair.goal.verdict) == (
        "many",
        "few",
        pytest.approx(0.95),
        "better",
    )
    assert [each.level for each in three.between] == [pytest.approx(1 - 0.05 / 3)] * 3
    assert [(each.arm, each.base) for each in three.between] == [
        ("many", "old"),
        ("many", "few"),
        ("old", "few"),
    ]
    assert three.all.against is None, "nobody left alone is in this period"


def test_too_few_are_said_to_be_too_few_and_nothing_is_made_of_them() -> None:
    """Given 18 customers reached and 2 left alone; then the report says so, and has no return that one would quote."""
    found = made("plain", {TREATED: arm(18, 4, points=900), HOLDOUT: arm(2, 0)})

    assert found.all.against is not None
    assert found.all.effect is not None
    assert (found.all.against.goal.verdict, found.all.against.revenue.verdict) == ("too_few", "too_few")
    effect = found.all.effect
    assert (effect.goals, effect.revenue, effect.gain, effect.return_) == (None, None, None, None)
    assert says(found.all.against, found.all.figures, found.arms[1].figures) == (
        "22.2 in 100 of 18 customers reached the goal, and 0.0 in 100 of the 2 left alone:"
        " too few to tell whether the campaign did anything."
    )


@pytest.mark.parametrize(
    ("goals", "says_so"),
    [
        (540, "the campaign made 10.0 in 100 more reach it (3.6 to 15.4 with 95 % confidence)."),
        (380, "no difference is shown. One of 8.5 in 100 would most likely have been."),
        (180, "the campaign made 10.0 in 100 fewer reach it (4.8 to 16.2 with 95 % confidence)."),
    ],
)
def test_what_is_found_is_said_in_words(goals: int, says_so: str) -> None:
    """Given a hold-out of whom 20 % reach the goal; then the sentence says what the interval says."""
    treated, alone = arm(1800, goals), arm(200, 40)
    found = made("plain", {TREATED: treated, HOLDOUT: alone}).all.against

    assert found is not None
    assert says_so in says(found, treated, alone)


def test_remarks_come_before_figures_are_believed() -> None:
    """Given reports that one could misread; then each says why."""
    assert codes(made("plain", {})) == ["no_runs"]
    assert codes(made("bare", {TREATED: arm(10, 0)})) == ["no_success", "no_holdout"]
    assert codes(made("plain", {TREATED: arm(10, 0)})) == ["holdout_empty"], "10 % of ten may be nobody"
    fine = {TREATED: arm(900, 90), HOLDOUT: arm(100, 10)}
    assert codes(made("plain", fine)) == []
    assert codes(made("plain", fine, versions=(2, 3))) == ["changed"]
    assert codes(made("plain", fine | {TREATED: arm(900, 90, open=7)})) == ["still_open"]
    assert codes(made("plain", fine | {TREATED: arm(900, 90, runs=1000)})) == ["repeated"]
    unpriced = PROGRAM.replace(", redeem: {points: 100, value: 1.00}", "")
    found = made("plain", fine | {TREATED: arm(900, 90, points=5)}, unpriced)
    assert codes(found) == ["points_unpriced"]
    assert (found.all.cost.points, found.all.cost.total) == (None, 0)


def test_nothing_is_said_of_a_campaign_without_success() -> None:
    """Given a campaign that names no success; then it has its funnel, and neither rates nor comparisons."""
    found = made("bare", {TREATED: arm(10, 0, sent=9, opened=4)})

    assert (found.all.figures.sent, found.all.rate, found.all.against, found.between) == (9, None, None, [])


@pytest.mark.parametrize(("alone", "said"), [(100, False), (130, False), (60, True), (150, True)])
def test_arms_that_are_not_as_large_as_their_shares_are_told_of(alone: int, said: bool) -> None:
    """Given a hold-out of 10 %; when of 1,000 customers 60 or 150 are in it, which chance does not do; then the report
    says that something is wrong."""
    found = made("plain", {TREATED: arm(1000 - alone, 90), HOLDOUT: arm(alone, 10)})

    assert ("uneven" in codes(found)) is said
