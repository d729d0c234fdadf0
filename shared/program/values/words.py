"""Numbers, amounts and periods as people read them: the words of all sentences about a program."""

from datetime import timedelta
from decimal import Decimal

from shared.program.values.currencies import DECIMALS
from shared.program.values.period import Period


def in_words(period: Period) -> str:
    """Such as `12 months`, `30 days`, `1 month and 2 hours`."""
    days, rest = divmod(period.rest, timedelta(days=1))
    hours, rest = divmod(rest, timedelta(hours=1))
    minutes, rest = divmod(rest, timedelta(minutes=1))
    counted = (
        (Decimal(period.months), "month"),
        (Decimal(days), "day"),
        (Decimal(hours), "hour"),
        (Decimal(minutes), "minute"),
        (Decimal(str(rest.total_seconds())), "second"),
    )
    parts = [f"{in_digits(many)} {word}" + ("" if many == 1 else "s") for many, word in counted if many]
    return " and ".join(parts) or "no time"


def in_times(many: int) -> str:
    """Such as `once`, `3 times`."""
    return "once" if many == 1 else f"{many} times"


def in_points(many: int | Decimal) -> str:
    """Such as `1 point`, `0.5 points`."""
    return f"{in_digits(Decimal(many))} point" + ("" if many == 1 else "s")


def in_money(amount: Decimal, currency: str) -> str:
    """Such as `10 USD`, `200.01 USD`."""
    whole = amount == amount.to_integral_value()
    decimals = 0 if whole else max(DECIMALS.get(currency, 2), -int(amount.normalize().as_tuple().exponent))
    return f"{amount:.{decimals}f} {currency}"


def in_digits(number: Decimal) -> str:
    """Such as `1.5`, without zeros behind."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
