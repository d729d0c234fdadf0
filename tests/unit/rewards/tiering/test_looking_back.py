"""For which activities all that counts is loaded: whoever could reach or lose a tier by it, and few others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.rewards.domain.concerns import NOTHING
from services.rewards.domain.matching import match
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import Member
from services.rewards.domain.tiering.looking_back import LookBack
from shared.contracts.activity import Activity
from tests.unit.rewards.building import NOW, PROGRAM, activity, cancellation, money, order, refund, rulebook
from tests.unit.rewards.earning.earn_rules import HEAD

INSTANT = timedelta(microseconds=1)
TODAY = datetime(2026, 6, 1, 4, tzinfo=UTC)  # midnight in New York
YESTERDAY = TODAY - INSTANT
WINDOW = datetime(2025, 6, 1, 4, tzinfo=UTC)
RULES = rulebook()
TIERS = f"{HEAD}tiers:\n  basis: {{spend_over: P12M}}\n  levels: [{{id: member, name: M}}"
ONE_TIER, TWO_TIERS = rulebook(f"{TIERS}]\n"), rulebook(f"{TIERS}, {{id: gold, name: G, at: 200}}]\n")


def by(basis: str) -> Rulebook:
    """The program where this counts."""
    return rulebook(PROGRAM.replace("{spend_over: P12M}", basis).replace("200.01", "200"))


def needed(told: Activity, tier: str | None = None, rules: Rulebook = RULES, *, matches: bool = True) -> bool:
    """Whether it is, for a member of this tier."""
    look = LookBack.of(rules.program)
    assert look is not None
    return look.needed(told, match(told, rules) if matches else NOTHING, Member("cus_a", tier=tier), NOW)


def bought(
    spend: str = "5000", first: datetime | None = None, at: datetime = YESTERDAY, *, late: bool = False
) -> Activity:
    """An order, with the spend of the whole life after it, and when the first one was."""
    facts: dict[str, Any] = {"spend": money(spend), "first_order_at": first}
    told = order("1", "10", at=at, facts=facts)
    fields = {name: getattr(told, name) for name in Activity.__struct_fields__}
    return Activity(**fields | {"late": late})


def test_a_program_without_tiers_never_looks_back() -> None:
    assert LookBack.of(rulebook(f"{HEAD}points: {{}}\n").program) is None


@pytest.mark.parametrize("at", [TODAY, NOW, NOW + INSTANT])
def test_an_order_of_today_needs_none_unless_it_is_late(at: datetime) -> None:
    """Given spend that reaches any tier; when the order is of today; then the sum that is kept says enough, unless
    later ones are known."""
    assert not needed(bought(at=at))
    assert needed(bought(at=at, late=True))


@pytest.mark.parametrize(
    ("spend", "tier", "reaches"),
    [
        ("200", None, False),
        ("200.01", None, True),
        ("200.01", "member", True),
        ("200.01", "gone", True),
        ("1999.99", "gold", False),
        ("2000", "gold", True),
        ("5000", "platinum", False),
    ],
)
def test_an_older_order_needs_it_where_all_spend_ever_reaches_a_higher_tier(
    spend: str, tier: str | None, reaches: bool
) -> None:
    assert needed(bought(spend), tier) is reaches


@pytest.mark.parametrize(("first", "needs"), [(WINDOW - INSTANT, True), (WINDOW, False), (None, True)])
def test_an_older_order_needs_none_where_nothing_has_left_the_window(
    first: datetime | None, needs: bool
) -> None:
    assert needed(bought(first=first)) is needs


@pytest.mark.parametrize(("spend", "needs"), [("200", False), ("200.01", True)])
@pytest.mark.parametrize("tier", [None, "platinum"])
def test_a_late_order_needs_it_where_any_tier_was_in_reach(spend: str, needs: bool, tier: str | None) -> None:
    """When an order comes before others that are known; then a tier of then may change, whatever there is now."""
    assert needed(bought(spend, WINDOW, late=True), tier) is needs


def test_where_there_is_one_tier_nothing_is_in_reach() -> None:
    assert not needed(bought(), rules=ONE_TIER)
    assert not needed(bought(late=True), rules=ONE_TIER)
    assert needed(bought(late=True), rules=TWO_TIERS)


@pytest.mark.parametrize("told", [refund("1", "r", "1"), cancellation("1")])
def test_what_undoes_an_order_always_needs_it(told: Activity) -> None:
    assert needed(told)
    assert needed(told, rules=ONE_TIER)


@pytest.mark.parametrize(
    "basis", ["{orders_over: P12M}", "{points_over: P12M}", "{spend_in: anniversary_year}"]
)
def test_what_is_not_kept_as_a_sum_is_always_looked_up(basis: str) -> None:
    assert needed(bought("0", NOW, at=NOW), rules=by(basis))


def test_other_activities_need_it_where_their_points_count() -> None:
    """Given tiers by points; when a review or a milestone gives some; then it is needed, for nothing else."""
    points = by("{points_over: P12M}")
    review = activity("review.posted", "r", rating=5)
    fifth = activity("login.recorded", "l", facts={"orders": 5})

    assert needed(review, rules=points)
    assert needed(fifth, rules=points)
    assert not needed(activity("login.recorded", "l"), rules=points)
    assert not needed(review)
    assert not needed(fifth)
