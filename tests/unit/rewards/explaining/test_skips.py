"""A decision says, when it is asked, why a rule whose condition holds gave nothing."""

from datetime import timedelta

import pytest

from services.rewards.domain.skips import Skip, Why
from shared.contracts.activity import Activity
from tests.unit.rewards.building import NOW, Life, activity, order

VIP = {"segments": ["vip"]}


def skipped(life: Life, asked: Activity) -> list[Skip]:
    life.changes.skips = []
    life.happen(asked)
    return life.changes.skips


@pytest.mark.parametrize(
    ("before", "asked", "skips"),
    [
        ([], order("1", "0.40"), [("purchase", Why.NO_WHOLE_POINT)]),
        ([], order("1", "49.20", currency="EUR"), [("purchase", Why.OTHER_CURRENCY)]),
        (
            [],
            order("1", "0.40", facts=VIP),
            [("purchase", Why.NO_WHOLE_POINT), ("vip-double", Why.NOTHING_TO_MULTIPLY)],
        ),
        ([], order("1", "1.00", facts=VIP), [("vip-double", Why.NO_WHOLE_POINT)]),
        ([order("1", "20")], order("1", "20", name="again"), [("purchase", Why.TOLD_BEFORE)]),
        (
            [activity("social.followed", "f", network="x")],
            activity("social.followed", "g", network="x"),
            [("follow", Why.LIMIT)],
        ),
        (
            [activity("customer.registered", "r")],
            activity("customer.registered", "s"),
            [("welcome", Why.LIMIT)],
        ),
        ([], activity("customer.registered", "r", unrewarded=True), [("welcome", Why.UNREWARDED)]),
        (
            [order("1", "20", facts={"orders": 5})],
            activity("page.viewed", "p", facts={"orders": 5}),
            [("fifth-purchase", Why.REACHED_BEFORE)],
        ),
        (
            [],
            activity("page.viewed", "p", facts={"orders": 5}, unrewarded=True),
            [("fifth-purchase", Why.UNREWARDED)],
        ),
        ([], order("1", "49.20"), []),
    ],
)
def test_what_gave_nothing_says_why(
    before: list[Activity], asked: Activity, skips: list[tuple[str, Why]]
) -> None:
    life = Life().happen(*before)

    assert [(skip.rule, skip.why) for skip in skipped(life, asked)] == skips


def test_a_limit_by_period_says_so_in_the_period_only() -> None:
    """Given two reviews this month; when a third comes; then the limit is told; a month later it gives again."""
    life = Life().happen(*(activity("review.posted", name, rating=5) for name in "ab"))

    assert skipped(life, activity("review.posted", "c", rating=5)) == [Skip("review", Why.LIMIT)]
    assert skipped(life, activity("review.posted", "d", rating=5, at=NOW + timedelta(days=40))) == []


def test_nothing_is_kept_when_nobody_asks() -> None:
    """Given the stream's changes; when a rule gives nothing; then no reason is kept."""
    life = Life().happen(order("1", "0.40"))

    assert life.changes.skips is None
