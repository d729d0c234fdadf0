"""Tries a template out on two made-up customers before it goes live: one of whom all is known, one of whom nothing is.
What no reading of a template shows (a text that is added to a number, a division by zero) shows here."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from shared.program.templating.names import Names, customer_type
from shared.program.templating.rendering import TemplateError, render, typed, variables
from shared.program.templating.template import Piece
from shared.program.vocabulary.types import Kind, Type

MOMENT = datetime(2026, 11, 27, 12, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")


def try_out(piece: Piece, names: Names, *, open_event: bool, currency: str) -> str | None:
    """What goes wrong with one of the made-up customers; None when nothing does."""
    for missing in (False, True):
        given = _given(names, missing=missing, open_event=open_event, currency=currency)
        try:
            render(piece, given)
        except TemplateError as error:
            return str(error)
    return None


def _given(names: Names, *, missing: bool, open_event: bool, currency: str) -> Mapping[str, Any]:
    """All that a template may name. The customer, with some two hundred facts, is made up once."""
    customer = names.get("customer")
    if customer is not customer_type():
        values = sample(Type(Kind.RECORD, fields=names), missing=missing)
        return variables(names, values, zone=UTC_ZONE, currency=currency, open_event=open_event)
    rest = {name: found for name, found in names.items() if name != "customer"}
    values = sample(Type(Kind.RECORD, fields=rest), missing=missing)
    given = variables(rest, values, zone=UTC_ZONE, currency=currency, open_event=open_event)
    return {**given, "customer": _customer(missing=missing)}


@cache
def _customer(*, missing: bool) -> Any:
    return typed(sample(customer_type(), missing=missing), customer_type())


def sample(kind: Type, *, missing: bool = False) -> Any:  # noqa: PLR0911  # one line a kind of value
    """A value of that type; with `missing` the least there can be: None, zero, an empty list."""
    if missing and kind.optional:
        return None
    match kind.kind:
        case Kind.RECORD:
            return {name: sample(found, missing=missing) for name, found in (kind.fields or {}).items()}
        case Kind.LIST:
            return [] if missing else [sample(kind.element or Type(Kind.TEXT))] * 2
        case Kind.WHOLE:
            return _number(kind, missing=missing)
        case Kind.NUMBER:
            return Decimal(_number(kind, missing=missing))
        case Kind.FLAG:
            return not missing
        case Kind.TIME:
            return MOMENT.isoformat()
        case Kind.TEXT:
            return min(kind.choices) if kind.choices else "2026-11-27"
    return None if missing or kind.optional else "something"


def _number(kind: Type, *, missing: bool) -> int:
    low = int(kind.low) if kind.low is not None else 0
    return low if missing else max(low, 3)
