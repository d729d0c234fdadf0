"""The section `points`: how they are earned, when they can be spent and expire, what they are worth."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from shared.program import currencies
from shared.program.ids import RULE
from shared.program.model import EarnRule, Points, Redeem
from shared.program.period import Period
from shared.program.reading import Fields
from shared.program.sections.triggers import read_event_type, read_limit, read_when

KEYS = ("expire_after", "notice_before", "pending_for", "earn", "redeem")
EARN_KEYS = ("id", "on", "points", "points_per_unit", "multiply", "when", "limit")
REDEEM_KEYS = ("points", "value", "minimum", "reserve_for")

AMOUNT_EVENTS = frozenset({"order.completed"})
"""The events that tell what was paid."""

RESERVE_FOR = Period(rest=timedelta(minutes=30))
"""How long a checkout may take, when the program does not say."""

RATE_MAX = Decimal(1_000_000)
MULTIPLY_MAX = Decimal(1000)


def read_points(root: Fields) -> Points:
    """The section; a program without it gives no points."""
    fields = root.fields("points", KEYS)
    if fields is None:
        return Points((), None, None, None, Period())
    expire, notice = fields.period("expire_after"), fields.period("notice_before")
    pending = fields.period("pending_for", zero=True) or Period()
    if notice is not None and expire is None and "expire_after" not in fields:
        fields.fault(
            "notice_before", "Points never expire, so nobody can be told before.", "Add expire_after."
        )
    if notice is not None and expire is not None and _days(notice) >= _days(expire):
        fields.fault("notice_before", "notice_before must be shorter than expire_after.")
    if expire is not None and _days(pending) >= _days(expire):
        fields.fault("pending_for", "Points would expire before they can be spent.", "Shorten pending_for.")
    earn = tuple(_earn_rules(fields))
    return Points(earn, _redeem(fields), expire, notice, pending)


def _earn_rules(fields: Fields) -> Iterator[EarnRule]:
    multipliers: list[tuple[Fields, str]] = []
    paid: set[str] = set()
    for rule in fields.items("earn", EARN_KEYS):
        made = _earn_rule(rule)
        if made.multiply is not None:
            multipliers.append((rule, made.on))
        if made.points_per_unit is not None:
            paid.add(made.on)
        yield made
    for rule, event_type in multipliers:
        if event_type and event_type not in paid:
            message = f"There is nothing to multiply: no rule gives points_per_unit on {event_type}."
            rule.fault("multiply", message, "Add such a rule, or give points.")


def _earn_rule(rule: Fields) -> EarnRule:
    name = rule.id("id", RULE)
    rule.need("on", "Say which event gives the points, such as on: order.completed.")
    event_type = read_event_type(rule)
    rule.one_of(("points", "points_per_unit", "multiply"), "An earn rule")
    rate = rule.amount("points_per_unit", low=None, above=Decimal(0), high=RATE_MAX)
    if "points_per_unit" in rule and event_type is not None and event_type not in AMOUNT_EVENTS:
        message = f"{event_type} tells no amount that was paid."
        rule.fault("points_per_unit", message, "Use points for a fixed number, or on: order.completed.")
    return EarnRule(
        id=name,
        on=event_type or "",
        points=rule.whole("points"),
        points_per_unit=rate,
        multiply=rule.amount("multiply", low=None, above=Decimal(1), high=MULTIPLY_MAX),
        when=read_when(rule, event_type),
        limit=read_limit(rule, "limit", event_type, by_field=True),
    )


def _redeem(fields: Fields) -> Redeem | None:
    redeem = fields.fields("redeem", REDEEM_KEYS)
    if redeem is None:
        return None
    for key in ("points", "value"):
        redeem.need(key, "Write such as {points: 100, value: 1.00}: 100 points are worth 1.00.")
    points, value = redeem.whole("points"), redeem.amount("value", low=None, above=Decimal(0))
    minimum = redeem.whole("minimum") or points
    currency = fields.reading.currency
    if value is not None and not currencies.fits(value, currency):
        message = f"{value} {currency} cannot be paid: it has {currencies.DECIMALS[currency]} decimals."
        redeem.fault("value", message, "Name a value for more points, such as 1000 instead of 100.")
    elif points and value and minimum and currency in currencies.DECIMALS:
        smallest = currencies.smallest(currency)
        if minimum * value / points < smallest:
            message = (
                f"{minimum} points are worth less than {smallest} {currency}, so nobody could spend them."
            )
            redeem.fault(
                "minimum" if "minimum" in redeem else "value", message, "Raise the minimum or the value."
            )
    return Redeem(points or 1, value or Decimal(1), minimum or 1, redeem.period("reserve_for") or RESERVE_FOR)


def _days(period: Period) -> float:
    """About how many days; exact enough to say which of two periods is the longer one."""
    return period.months * 30.4 + period.rest / timedelta(days=1)
