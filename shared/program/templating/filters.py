"""How values read in a message, and the filters that templates may use. None makes a text longer than it must be."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

from shared.program.values.currencies import DECIMALS
from shared.program.values.words import in_digits

ZONE, CURRENCY = "_zone", "_currency"
"""Names under which filters find the customer's time zone and the shop's currency; no template can reach them."""

DECIMALS_MAX = 6
SIGNS: Final = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩"}
"""Currencies whose sign everybody knows; others go by their code."""

MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
STYLES: Final = ("long", "short", "iso", "weekday", "time")


class MissingError(ValueError):
    """What should be printed is not known of this customer."""


def shown(value: Any) -> Any:  # noqa: PLR0911  # one line a kind of value
    """A value as it stands in a text. Raises `MissingError` for what is not known: nobody is greeted as None."""
    match value:
        case str() | Undefined():
            return value
        case None:
            raise MissingError("what should be printed is not known")
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return in_digits(value)
        case float():
            return f"{value:.10g}"
        case datetime() | date():
            return _long(value)
        case list() | tuple():
            return ", ".join(str(shown(each)) for each in value)
        case int():
            return value
    raise ValueError("this cannot be printed")


def default(value: Any, otherwise: Any = "") -> Any:
    """`otherwise`, where the value is not known or empty."""
    missing = value is None or isinstance(value, Undefined) or (isinstance(value, str) and not value.strip())
    return otherwise if missing else value


@pass_context
def money(context: Context, value: Any, currency: str | None = None) -> str:
    """An amount with its currency, by default the shop's: `$49.20`, `49.20 CHF`."""
    code = currency or str(context.get(CURRENCY, ""))
    amount = _decimal(value).quantize(Decimal(1).scaleb(-DECIMALS.get(code, 2)), ROUND_HALF_EVEN)
    figure = f"{abs(amount):,}"
    minus = "-" if amount < 0 else ""
    return f"{minus}{SIGNS[code]}{figure}" if code in SIGNS else f"{minus}{figure} {code}".rstrip()


def number(value: Any, decimals: int = 0) -> str:
    """A number with commas between thousands, rounded half to even."""
    places = min(max(int(decimals), 0), DECIMALS_MAX)
    return f"{_decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN):,}"


@pass_context
def date_in(context: Context, value: Any, style: str = "long") -> str:
    """A day or a moment, in the customer's time zone: `27 November 2026`; `short`: `27 Nov`; `iso`: `2026-11-27`;
    `weekday`: `Friday`; `time`: `17:30`."""
    found = _moment(value)
    if isinstance(found, datetime):
        found = found.astimezone(context.get(ZONE) or ZoneInfo("UTC"))
    match style:
        case "long":
            return _long(found)
        case "short":
            return f"{found.day} {MONTHS[found.month - 1][:3]}"
        case "iso":
            return f"{found:%Y-%m-%d}"
        case "weekday":
            return DAYS[found.weekday()]
        case "time" if isinstance(found, datetime):
            return f"{found:%H:%M}"
    raise ValueError(f"a date is written {', '.join(STYLES)}, not {style}")


def plural(count: Any, one: str, many: str) -> str:
    """`one` or `many`, as the count asks for."""
    return one if _decimal(count) == 1 else many


def truncate(value: Any, length: int = 80) -> str:
    """The first characters; an ellipsis stands for what is left out."""
    text = str(value)
    return text if len(text) <= length else text[: max(int(length) - 1, 0)].rstrip() + "…"


def join(values: Any, between: str = ", ") -> str:
    """The items of a list in one text."""
    return between.join(str(shown(value)) for value in values or ())


def first(values: Any) -> Any:
    """The first item of a list; nothing of an empty one."""
    return next(iter(values or ()), None)


def last(values: Any) -> Any:
    """The last item of a list; nothing of an empty one."""
    return values[-1] if values else None


def length(values: Any) -> int:
    """How many items, or characters."""
    return len(values or ())


def urlencode(value: Any) -> str:
    """Fit to stand within an address."""
    return quote(str(shown(value)), safe="")


def _text(change: Callable[[str], str]) -> Callable[[Any], str]:
    return lambda value: change(str(shown(value)))


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "capitalize": _text(lambda text: text[:1].upper() + text[1:]),
    "date": date_in,
    "default": default,
    "first": first,
    "join": join,
    "last": last,
    "length": length,
    "lower": _text(str.lower),
    "money": money,
    "number": number,
    "plural": plural,
    "title": _text(str.title),
    "trim": _text(str.strip),
    "truncate": truncate,
    "upper": _text(str.upper),
    "urlencode": urlencode,
}

FORGIVING: Final = frozenset({"default", "first", "join", "last", "length"})
"""Filters that take what is not known, too."""

PERHAPS_NOTHING: Final = frozenset({"first", "last"})
"""Filters that may have nothing to give."""


def _long(value: date) -> str:
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def _moment(value: Any) -> date:
    """A datetime, or a day; both also as they travel. Raises `ValueError`."""
    if isinstance(value, date):  # every datetime is one
        return value
    text = str(value)
    return date.fromisoformat(text) if len(text) == len("2026-11-27") else datetime.fromisoformat(text)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or value is None:
        raise TypeError("a number is needed")
    try:
        number = Decimal(str(value))
    except ArithmeticError as error:
        raise ValueError(f"{str(value)[:40]!r} is no number") from error
    if not number.is_finite() or abs(number) >= Decimal(10) ** 20:
        raise ValueError("a number of ordinary size is needed")
    return number
