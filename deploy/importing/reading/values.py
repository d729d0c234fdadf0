"""Reads the cells of an order: money, moments, pieces, statuses, as shops write them."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from deploy.importing.reading.faults import CellError

DECIMALS_MAX = 4

_SYMBOLS = re.compile(r"^(?:[A-Z]{0,3}[$€£¥₹]|[A-Z]{2,3})[\s\u00a0]*|[\s\u00a0]*(?:[A-Z]{2,3}|[$€£¥₹])$")
_POINT = re.compile(r"\d+(?:\.\d+)?\Z", re.ASCII)
_POINT_GROUPED = re.compile(r"\d{1,3}(?:(?:,\d{3})+\.\d+|(?:,\d{3}){2,})\Z", re.ASCII)
_COMMA = re.compile(r"(?:\d+|\d{1,3}(?:[.'\s\u00a0\u202f]\d{3})+)(?:,\d+)?\Z", re.ASCII)
_GROUPING = re.compile(r"[.'\s\u00a0\u202f]")
_OFFSET = re.compile(r"\s+([+-]\d{2}:?\d{2}|Z|UTC)$")

_FORMATS = ("%b %d, %Y %I:%M:%S %p", "%b %d, %Y", "%d %b %Y %H:%M:%S", "%d %b %Y")
"""Beside ISO 8601: forms in which day and month cannot be mixed up."""

Status = Literal["paid", "unpaid", "cancelled", "refunded"]

_STATUSES: dict[Status, tuple[str, ...]] = {
    "paid": (
        "paid", "partially_refunded", "complete", "completed", "processing", "shipped", "partially_shipped",
        "awaiting_fulfillment", "awaiting_shipment", "awaiting_pickup", "fulfilled", "delivered", "closed", "success",
    ),
    "unpaid": (
        "unpaid", "pending", "pending_payment", "authorized", "partially_paid", "voided", "expired", "on_hold",
        "holded", "failed", "checkout_draft", "draft", "trash", "incomplete", "awaiting_payment", "declined",
        "payment_review", "fraud", "new", "manual_verification_required",
    ),
    "cancelled": ("cancelled", "canceled"),
    "refunded": ("refunded",),
}  # fmt: skip

STATUSES: dict[str, Status] = {name: status for status, names in _STATUSES.items() for name in names}
"""What the shops' words for an order's state mean."""


def money(field: str, text: str, *, decimal_comma: bool) -> str:
    """The amount as a decimal string with a point. Raises `CellError`."""
    if text.isascii() and text.replace(".", "", 1).isdigit() and not decimal_comma:
        digits = text
    else:
        digits = _digits(field, text, decimal_comma=decimal_comma)
    whole, _, fraction = digits.partition(".")
    if len(fraction) > DECIMALS_MAX:
        fraction = fraction.rstrip("0")
        if len(fraction) > DECIMALS_MAX:
            raise CellError(field, f"{text!r} has more than {DECIMALS_MAX} decimals", "Round it")
        digits = f"{whole}.{fraction}" if fraction else whole
    return digits if whole and not digits.endswith(".") else f"{whole or 0}.{fraction or 0}"


def _digits(field: str, text: str, *, decimal_comma: bool) -> str:
    bare = _SYMBOLS.sub("", text.strip())
    if decimal_comma:
        if _COMMA.match(bare):
            return _GROUPING.sub("", bare).replace(",", ".")
        raise CellError(
            field, f"{text!r} is no amount", "With --decimal-comma amounts look like 1.234,50; write it so"
        )
    if _POINT.match(bare):
        return bare
    if _POINT_GROUPED.match(bare):
        return bare.replace(",", "")
    if _COMMA.match(bare):
        remedy = "Give --decimal-comma if the comma begins the decimals; else leave the comma out"
        raise CellError(field, f"{text!r} can be read in two ways", remedy)
    remedy = "Write it like 49.20, not negative" if bare else "Fill it in, such as 49.20"
    raise CellError(field, f"{text!r} is no amount", remedy)


@lru_cache(maxsize=4096)
def moment(field: str, text: str, zone: ZoneInfo | None, form: str | None) -> str:
    """The moment in UTC, RFC 3339. `zone` is that of times without an offset, `form` a strptime format that goes
    before those known. Raises `CellError`."""
    found = _read(text.strip(), form)
    if found is None:
        remedy = (
            "Write it like 2026-11-21T10:00:00Z, or say with --time-format how it is written (%d/%m/%Y %H:%M)"
        )
        raise CellError(field, f"{text!r} is no moment that is sure to be read right", remedy)
    if found.tzinfo is None:
        if zone is None:
            remedy = "Say of which zone it is with --time-zone, such as --time-zone Europe/Berlin"
            raise CellError(field, f"{text!r} has no offset from UTC", remedy)
        found = found.replace(tzinfo=zone)
    try:
        return found.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        raise CellError(field, f"{text!r} is beyond the calendar", "Mend the year") from None


def _read(text: str, form: str | None) -> datetime | None:
    if form is not None:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007  # the caller knows the zone
        except ValueError:
            return None
    try:
        return datetime.fromisoformat(_OFFSET.sub(r"\1", text).replace("UTC", "+00:00"))
    except ValueError:
        pass
    for each in _FORMATS:
        try:
            return datetime.strptime(text, each)  # noqa: DTZ007
        except ValueError:
            continue
    return None


def pieces(text: str) -> int | None:
    """How many pieces; None when that is no whole number above nothing."""
    whole, _, fraction = text.strip().partition(".")
    if not (whole.isascii() and whole.isdigit()) or fraction.strip("0"):
        return None
    return int(whole) or None


def status_word(text: str) -> str:
    """A status in the form in which `STATUSES` has it."""
    word = re.sub(r"[\s\-]+", "_", text.strip().lower())
    return word.removeprefix("wc_")
