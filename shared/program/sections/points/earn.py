"""Within the section `points`: the rules under `earn`, what of an order they `count`, and the `referral`."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from shared.program.document.fields import Fields
from shared.program.model.earn import Cap, Counted, EarnRule, Products, Referral
from shared.program.model.ids import RULE
from shared.program.sections import windows
from shared.program.sections.offers.gifts import read_money, read_names, read_tiers
from shared.program.sections.triggers import read_event_type, read_limit, read_when
from shared.program.values.period import Period

EARN_KEYS = (
    "id",
    "on",
    "points",
    "points_per_unit",
    "multiply",
    "when",
    "tiers",
    "products",
    "categories",
    "without",
    "minimum_order",
    "limit",
    "cap",
    *windows.KEYS,
)
PRODUCT_KEYS = ("products", "categories")
CAP_KEYS = ("order", "day", "month", "customer", "program")
COUNT_KEYS = ("shipping", "tax", "discounts")
REFERRAL_KEYS = ("id", "points", "friend", "kept_for", "minimum_order", "limit")

AMOUNT_EVENTS = frozenset({"order.completed"})
"""The events that tell what was paid, and for which products."""
OF_ORDERS = (*PRODUCT_KEYS, "without", "minimum_order")
"""Keys that ask what was bought."""

RATE_MAX = Decimal(1_000_000)
MULTIPLY_MAX = Decimal(1000)
KEPT_FOR = Period(rest=timedelta(days=14))
"""How long a friend's first order must stand, when the program says neither this nor `pending_for`."""


def read_earn_rules(fields: Fields) -> Iterator[EarnRule]:
    """The rules."""
    multipliers: list[tuple[Fields, EarnRule]] = []
    paid: list[EarnRule] = []
    for rule in fields.items("earn", EARN_KEYS):
        made = _earn_rule(rule)
        if made.multiply is not None:
            multipliers.append((rule, made))
        if made.points_per_unit is not None:
            paid.append(made)
        yield made
    for rule, made in multipliers:
        if made.on:
            _check_multiplier(rule, made, [one for one in paid if one.on == made.on])


def _check_multiplier(rule: Fields, made: EarnRule, paid: Sequence[EarnRule]) -> None:
    """A fault when there is never anything to multiply: no points per unit, or none for its products or on its days."""
    if not paid:
        message = f"There is nothing to multiply: no rule gives points_per_unit on {made.on}."
        rule.fault("multiply", message, "Add such a rule, or give points.")
    elif made.only is not None and all(one.without and _within(made.only, one.without) for one in paid):
        message = "There is nothing to multiply: no rule gives points_per_unit for these products."
        rule.fault("multiply", message, "Give points for them, or name other products.")
    elif not any(_overlap(made, one) for one in paid):
        message = "There is nothing to multiply: no rule gives points_per_unit on these days."
        rule.fault("multiply", message, "Correct from or until.")


def _overlap(one: EarnRule, other: EarnRule) -> bool:
    """Whether both rules count at some moment."""
    begins = max((rule.begins for rule in (one, other) if rule.begins is not None), default=None)
    ends = min((rule.ends for rule in (one, other) if rule.ends is not None), default=None)
    return begins is None or ends is None or begins < ends


def _earn_rule(rule: Fields) -> EarnRule:
    name = rule.id("id", RULE)
    rule.need("on", "Say which event gives the points, such as on: order.completed.")
    event_type = read_event_type(rule)
    rule.one_of(("points", "points_per_unit", "multiply"), "An earn rule")
    rate = rule.amount("points_per_unit", low=None, above=Decimal(0), high=RATE_MAX)
    if "points_per_unit" in rule and event_type is not None and event_type not in AMOUNT_EVENTS:
        message = f"{event_type} tells no amount that was paid."
        rule.fault("points_per_unit", message, "Use points for a fixed number, or on: order.completed.")
    if event_type is not None and event_type not in AMOUNT_EVENTS:
        for key in OF_ORDERS:
            if key in rule:
                rule.fault(key, f"{event_type} is no purchase.", f"Remove {key}, or use on: order.completed.")
    begins, ends = windows.read_window(rule)
    only, without = Products(*(read_names(rule, key) for key in PRODUCT_KEYS)), _without(rule)
    if only != Products() and without and _within(only, without):
        rule.fault("without", "No product is left: it takes away all that the rule is for.", "Remove one.")
    return EarnRule(
        id=name,
        on=event_type or "",
        points=rule.whole("points"),
        points_per_unit=rate,
        multiply=rule.amount("multiply", low=None, above=Decimal(1), high=MULTIPLY_MAX),
        when=read_when(rule, event_type),
        limit=read_limit(rule, "limit", event_type, by_field=True),
        cap=_cap(rule, event_type),
        only=only if only != Products() else None,
        without=without,
        minimum_order=read_money(rule, "minimum_order"),
        tiers=read_tiers(rule),
        begins=begins,
        ends=ends,
    )


def _without(rule: Fields) -> Products | None:
    inside = rule.fields("without", PRODUCT_KEYS)
    if inside is None:
        return None
    if not inside.node.entries:
        rule.fault("without", "It names no product.", "Write such as without: {categories: [Kitchen]}.")
    return Products(*(read_names(inside, key) for key in PRODUCT_KEYS))


def _within(only: Products, without: Products) -> bool:
    return only.products <= without.products and only.categories <= without.categories


def _cap(rule: Fields, event_type: str | None) -> Cap | None:
    inside = rule.fields("cap", CAP_KEYS)
    if inside is None:
        return None
    if not inside.node.entries:
        rule.fault("cap", "It caps nothing.", "Write such as cap: {month: 1000}.")
    if "order" in inside and event_type is not None and event_type not in AMOUNT_EVENTS:
        inside.fault("order", f"{event_type} is no purchase.", "Cap the day or the month, or use points.")
    cap = Cap(*(inside.whole(key) for key in CAP_KEYS))
    bounds = [(key, bound) for key in CAP_KEYS if (bound := getattr(cap, key)) is not None]
    for (shorter, low), (longer, high) in pairwise(bounds):
        if low > high:
            message = f"{shorter}: {low} is never reached, because {longer} allows {high} at most."
            inside.fault(shorter, message, f"Remove {shorter}, or raise {longer}.")
    return cap


def read_count(fields: Fields) -> Counted:
    """What of an order counts as paid."""
    inside = fields.fields("count", COUNT_KEYS)
    if inside is None:
        return Counted()
    flags = {key: inside.flag(key) for key in COUNT_KEYS}
    return Counted(**{key: flag for key, flag in flags.items() if flag is not None})


def read_referral(fields: Fields, pending: Period) -> Referral | None:
    """The referral; an order is kept once the time is over after which its points can be spent."""
    inside = fields.fields("referral", REFERRAL_KEYS)
    if inside is None:
        return None
    name = inside.id("id", RULE)
    points, friend = inside.whole("points"), inside.whole("friend")
    if "points" not in inside and "friend" not in inside:
        fields.fault(
            "referral", "The referral gives nothing.", "Add points for who brings a friend, or friend."
        )
    return Referral(
        id=name,
        points=points,
        friend=friend,
        kept_for=inside.period("kept_for") or pending or KEPT_FOR,
        minimum_order=read_money(inside, "minimum_order"),
        limit=read_limit(inside, "limit", None, by_field=False),
    )
