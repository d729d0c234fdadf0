"""The section `points`: how they are earned, when they can be spent and expire, what they are worth."""

from datetime import timedelta
from decimal import Decimal

from shared.program.document.fields import Fields
from shared.program.model.program import Points, Redeem
from shared.program.sections.points.earn import read_count, read_earn_rules, read_referral
from shared.program.sections.points.expiry import KEYS as EXPIRY_KEYS
from shared.program.sections.points.expiry import about_days, read_expiry
from shared.program.values import currencies
from shared.program.values.period import Period

KEYS = (*EXPIRY_KEYS, "pending_for", "count", "earn", "referral", "redeem")
REDEEM_KEYS = ("points", "value", "minimum", "reserve_for")

RESERVE_FOR = Period(rest=timedelta(minutes=30))
"""How long a checkout may take, when the program does not say."""


def read_points(root: Fields) -> Points:
    """The section; a program without it gives no points."""
    fields = root.fields("points", KEYS)
    if fields is None:
        return Points((), None, None, None, Period())
    expiry = read_expiry(fields)
    pending = fields.period("pending_for", zero=True) or Period()
    if expiry.days is not None and about_days(pending) >= expiry.days:
        fields.fault("pending_for", "Points would expire before they can be spent.", "Shorten pending_for.")
    return Points(
        earn=tuple(read_earn_rules(fields)),
        redeem=_redeem(fields),
        expire_after=expiry.after,
        expire_at=expiry.at,
        renewed_by=expiry.renewed_by,
        notice_before=expiry.notice_before,
        pending_for=pending,
        count=read_count(fields),
        referral=read_referral(fields, pending),
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
