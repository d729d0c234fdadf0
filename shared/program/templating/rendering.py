"""Renders a piece of a template: typed values in, a text of bounded length out."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2.exceptions import TemplateError as JinjaError

from shared.program.templating.filters import CURRENCY, ZONE, MissingError
from shared.program.templating.language import Record, TemplateError, compiled
from shared.program.templating.names import Names
from shared.program.templating.template import Piece
from shared.program.vocabulary.types import ANY, Kind, Type

__all__ = ["TemplateError", "render", "typed", "variables"]

CHARACTERS_MAX: Final = 200_000
"""Mail programs cut longer mails off."""

ITEMS_MAX: Final = 100
"""Of a list, such as the lines of an order."""

TEXT_MAX: Final = 1_000
"""Of one value; names and titles are shorter."""

_FAILURES = (JinjaError, ArithmeticError, TypeError, ValueError, LookupError, RecursionError, MemoryError)


def render(piece: Piece, given: Mapping[str, Any]) -> str:
    """The text of the piece with these variables. Raises `TemplateError`, whose text says what could not be done."""
    chunks: list[str] = []
    left = CHARACTERS_MAX
    try:
        for chunk in compiled(piece).generate(given):
            left -= len(chunk)
            if left < 0:
                raise TemplateError(f"the text is longer than {CHARACTERS_MAX} characters")
            chunks.append(chunk)
    except TemplateError:
        raise
    except MissingError as error:
        raise TemplateError(f"{error} (line {line_of(error)})") from error
    except _FAILURES as error:
        raise TemplateError(f"{_reason(error)} (line {line_of(error)})") from error
    return "".join(chunks)


def variables(
    names: Names, values: Mapping[str, Any], *, zone: ZoneInfo, currency: str, open_event: bool = False
) -> dict[str, Any]:
    """The values under the names that a template may use, each as its type asks for; what is not there is None.

    `zone` is the customer's, for dates. `open_event`: fields of the event that no name stands for are handed on.
    """
    given = {name: typed(values.get(name), found) for name, found in names.items()}
    if open_event:
        known = names["event"].fields or {}
        given["event"] = Record(
            values.get("event") or {}, lambda name, value: typed(value, known.get(name, ANY))
        )
    return {**given, ZONE: zone, CURRENCY: currency}


def typed(value: Any, kind: Type) -> Any:  # noqa: PLR0911  # one line a kind of value
    """A value as it travels (amounts and times are texts) as what a template computes with."""
    if kind.kind is Kind.RECORD:
        if kind.fields is None:
            return plain(value if isinstance(value, Mapping) else {})
        if value is None and kind.optional:
            return None
        fields = kind.fields
        there = value if isinstance(value, Mapping) else {}
        return Record(there, lambda name, item: typed(item, fields[name]) if name in fields else None)
    if value is None:
        return [] if kind.kind is Kind.LIST else None
    try:
        match kind.kind:
            case Kind.LIST:
                return [typed(item, kind.element or Type(Kind.ANY)) for item in list(value)[:ITEMS_MAX]]
            case Kind.NUMBER | Kind.WHOLE if isinstance(value, str):
                return Decimal(value)
            case Kind.TIME if isinstance(value, str):
                return datetime.fromisoformat(value)
    except (ValueError, ArithmeticError, TypeError):
        return None
    return plain(value)


def plain(value: Any) -> Any:
    """Anything at all as a template may have it: long texts and lists cut off, objects as records."""
    match value:
        case str():
            return value[:TEXT_MAX]
        case bool() | int() | float() | Decimal() | datetime() | date() | None:
            return value
        case Mapping():
            return Record(value, lambda _, item: plain(item))
        case list() | tuple():
            return [plain(item) for item in value[:ITEMS_MAX]]
    return str(value)[:TEXT_MAX]


def line_of(error: BaseException) -> int:
    """The line of the template in which it failed, from 1."""
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _reason(error: BaseException) -> str:
    if isinstance(error, ArithmeticError):
        return "a number is too large"
    return (str(error) or type(error).__name__)[:200]
