"""What one rule gives for an order, and what keeps a rule from giving anything."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec import structs

from services.rewards.domain.skips import Why
from services.rewards.domain.state.baskets import basket_of, chosen
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.purchases import (
    ZERO,
    Grant,
    GrantTerms,
    Purchase,
    due_points,
    whole_points,
)
from services.rewards.domain.tiering.tiers import current_level
from shared.contracts.activity import Activity
from shared.program.model.earn import Counted, EarnRule
from shared.program.model.program import Program


def hindrance(rule: EarnRule, member: Member, activity: Activity, program: Program) -> Why | None:
    """What keeps the rule from giving this member anything for this activity, beside its condition; None: nothing.

    Tiers are those that the member has before the activity.
    """
    if not rule.runs(activity.time):
        return Why.OTHER_DATE
    if rule.tiers and (
        program.tiers is None
        or program.tiers.levels[current_level(program.tiers, member)].id not in rule.tiers
    ):
        return Why.OTHER_TIER
    if rule.minimum_order is not None:
        if activity.data.get("currency") != program.currency:
            return Why.OTHER_CURRENCY
        if Decimal(activity.data["total"]) < rule.minimum_order:
            return Why.MINIMUM_ORDER
    if (rule.only or rule.without) and chosen(rule, activity.data) == []:
        return Why.NO_PRODUCT
    return None


def grant_for(
    rule: EarnRule, purchase: Purchase, base: int, data: Mapping[str, Any], program: Program
) -> Grant | None:
    """What the rule gives for the order as it was placed; None if that is nothing. `base` are the points for what was
    paid that rules before it gave."""
    terms = terms_of(rule, data, program)
    if terms is not None and not terms.whole:
        return _by_basket(rule, purchase, terms, data)
    grant = empty_grant(rule, terms)
    if rule.points is not None:
        grant.earned = rule.points
    elif rule.points_per_unit is not None:
        grant.earned = whole_points(purchase.total, rule.points_per_unit) if purchase.counts else 0
    else:
        assert rule.multiply is not None
        grant.earned = whole_points(Decimal(base), rule.multiply - 1)
    if terms is not None and terms.most is not None:
        grant.earned = min(grant.earned, terms.most)
    return grant if grant.earned > 0 else None


def _by_basket(
    rule: EarnRule, purchase: Purchase, terms: GrantTerms, data: Mapping[str, Any]
) -> Grant | None:
    """The same for a rule to which not all that was paid counts; the purchase then remembers its basket."""
    grant, basket = empty_grant(rule, terms), purchase.basket or basket_of(data)
    grants = [*purchase.grants, grant]
    placed = structs.replace(purchase, refunds={}, cancelled=False, grants=grants, basket=basket)
    grant.earned = due_points(placed)[-1]
    if grant.earned <= 0:
        return None
    purchase.basket = basket
    return grant


def empty_grant(rule: EarnRule, terms: GrantTerms | None) -> Grant:
    """The grant of a rule before anything was earned by it."""
    if rule.points is not None:
        return Grant(rule.id, "fixed", str(rule.points), 0, 0, terms)
    if rule.points_per_unit is not None:
        return Grant(rule.id, "unit", str(rule.points_per_unit), 0, 0, terms)
    assert rule.multiply is not None
    return Grant(rule.id, "times", str(rule.multiply - 1), 0, 0, terms)


def terms_of(rule: EarnRule, data: Mapping[str, Any], program: Program) -> GrantTerms | None:
    """The terms under which the rule gives points for an order; None where all that was paid counts, without bounds."""
    count = program.points.count
    if rule.free and all_counts(count, data):
        return None  # as mostly
    most = rule.cap.order if rule.cap is not None else None
    minimum = rule.minimum_order
    if (
        most is None
        and minimum is None
        and rule.only is None
        and rule.without is None
        and all_counts(count, data)
    ):
        return None
    # What shipping and tax cost is of no product: a rule for some products does not count them.
    beside = rule.only is None
    return GrantTerms(
        skus=chosen(rule, data),
        shipping=beside and (count.shipping or not _told(data, "shipping")),
        tax=beside and (count.tax or not _told(data, "tax")),
        discounts=count.discounts and _told(data, "discount"),
        most=most,
        minimum=str(minimum) if minimum is not None else None,
    )


def all_counts(count: Counted, data: Mapping[str, Any]) -> bool:
    """Whether what counts of this order is just what was paid."""
    return (
        (count.shipping or not _told(data, "shipping"))
        and (count.tax or not _told(data, "tax"))
        and not (count.discounts and _told(data, "discount"))
    )


def _told(data: Mapping[str, Any], key: str) -> bool:
    amount = data.get(key)
    return amount is not None and Decimal(amount) > ZERO


def why_nothing(rule: EarnRule, purchase: Purchase, base: int) -> Why:
    """Why `grant_for` gives nothing."""
    if rule.multiply is not None:
        return Why.NO_WHOLE_POINT if base else Why.NOTHING_TO_MULTIPLY
    return Why.NO_WHOLE_POINT if purchase.counts else Why.OTHER_CURRENCY
