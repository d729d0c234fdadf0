"""The functions that a condition may call: those of CEL that make sense on facts and events."""

from dataclasses import dataclass

from shared.program.vocabulary.types import FLAG, NUMBER, SPAN, TEXT, TIME, WHOLE, Kind, Type


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes and gives; `target` is what stands before its dot."""

    arguments: tuple[tuple[Kind, ...], ...]
    result: Type
    example: str
    target: tuple[Kind, ...] = ()


_TEXT = (Kind.TEXT,)
_SIZED = (Kind.TEXT, Kind.LIST)

FUNCTIONS: dict[str, Signature] = {
    "size": Signature((_SIZED,), WHOLE, "size(customer.tags) >= 2"),
    "double": Signature(((Kind.TEXT, Kind.WHOLE, Kind.NUMBER),), NUMBER, "double(event.minutes) > 1.5"),
    "int": Signature(((Kind.TEXT, Kind.WHOLE, Kind.NUMBER),), WHOLE, "int(event.level) == 3"),
    "string": Signature(((Kind.TEXT, Kind.WHOLE, Kind.NUMBER),), TEXT, "string(event.level) == '3'"),
    "timestamp": Signature((_TEXT,), TIME, "event.time < timestamp('2026-01-31T00:00:00Z')"),
    "duration": Signature((_TEXT,), SPAN, "event.time - customer.last_order_at > duration('720h')"),
}
"""Called as `name(value)`."""

METHODS: dict[str, Signature] = {
    "startsWith": Signature((_TEXT,), FLAG, "event.coupon.startsWith('VIP')", _TEXT),
    "endsWith": Signature((_TEXT,), FLAG, "event.coupon.endsWith('-10')", _TEXT),
    "contains": Signature(
        ((Kind.TEXT, Kind.WHOLE, Kind.NUMBER),), FLAG, "customer.tags.contains('friction')", _SIZED
    ),
    "matches": Signature((_TEXT,), FLAG, "event.coupon.matches('^VIP[0-9]+$')", _TEXT),
    "size": Signature((), WHOLE, "event.lines.size() >= 3", _SIZED),
}
"""Called as `value.name(…)`."""
