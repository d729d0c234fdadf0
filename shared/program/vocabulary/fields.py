"""Which fields a condition may name, and of which type: of the customer, and of each type of event.

The customer's are those of `shared.contracts.facts.Facts`, an event's those of its class in
`shared.contracts.catalogue`, so that a field added there can be used in conditions without a change here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import get_args, get_type_hints
from zoneinfo import ZoneInfo

import msgspec
from msgspec import inspect

from shared.contracts.activity import Facts
from shared.contracts.catalogue import CATALOGUE, CUSTOM_PREFIX
from shared.contracts.lifecycle import STAGES
from shared.contracts.values import Money
from shared.program.vocabulary.occasions import MISSING
from shared.program.vocabulary.types import ANY, COUNT, FLAG, NUMBER, TEXT, TIME, Kind, Type

SUBSCRIPTION_STATES = frozenset({"active", "paused", "cancelled"})

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_STAGE = Type(Kind.TEXT, choices=frozenset(STAGES))
SEGMENT = Type(Kind.TEXT, low=None, high=None)
"""The id of a segment; recognised by identity, as which ids exist is known only with the program."""

OWN_SEGMENTS = (
    "Rules name the program's segments; of one saved over the API, write its condition under segments."
)
"""Why: what is saved over the API may change or go at any time, and no version of the program would say so."""

_SOME_TEXT = replace(TEXT, optional=True)
_SOME_TIME = replace(TIME, optional=True)

_SILENCE: Mapping[str, Type] = {"days": COUNT, "since": TIME, "after": TEXT}
"""What every silence tells: since when, and after how long it was noticed (as the program says, ISO 8601)."""

OWN_EVENTS: Mapping[str, Mapping[str, Type]] = MappingProxyType(
    {
        "stage.changed": {"from": _STAGE, "to": _STAGE},
        "segment.entered": {"segment": SEGMENT},
        "segment.left": {"segment": SEGMENT},
        "customer.merged": {"from": TEXT},
        "customer.birthday": {"on": TEXT},
        "customer.anniversary": {"years": Type(Kind.WHOLE, low=1)},
        "membership.anniversary": {"years": Type(Kind.WHOLE, low=1)},
        "login.missing": _SILENCE,
        "order.missing": _SILENCE,
        "ticket.unanswered": {
            **_SILENCE,
            "ticket_id": TEXT,
            "priority": Type(Kind.TEXT, choices=frozenset({"low", "normal", "high", "urgent"})),
        },
        "renewal.due": {
            "what": Type(Kind.TEXT, choices=frozenset({"contract", "subscription"})),
            "renews_on": TEXT,
            "days": COUNT,
            "after": TEXT,
            "account_id": _SOME_TEXT,
            "contract_id": _SOME_TEXT,
            "subscription_id": _SOME_TEXT,
            "plan": _SOME_TEXT,
        },
        "alert.closed": {
            "kind": TEXT,
            "alert_id": TEXT,
            "campaign": replace(TEXT, optional=True),
            "days": COUNT,
        },
    }
)
"""Events that scoring itself causes, and what they tell."""

EVENT_TYPES = frozenset(CATALOGUE) | frozenset(OWN_EVENTS)

REWARDS_EVENTS: Mapping[str, Mapping[str, Type]] = MappingProxyType(
    {
        "milestone.reached": {"milestone": TEXT, "points": COUNT, "offer": _SOME_TEXT, "occasion": TEXT},
        "tier.changed": {"from": _SOME_TEXT, "to": TEXT, "reason": TEXT, "until": _SOME_TIME},
        "tier.expiring": {"tier": TEXT, "to": TEXT, "missing": NUMBER, "until": TIME, "on": TEXT},
        "points.expiring": {"points": COUNT, "on": TEXT, "available": Type(Kind.WHOLE)},
        "offer.issued": {"offer": TEXT, "rule": TEXT, "valid_until": TIME},
    }
)
"""What rewards itself decides: campaigns begin on it, and nothing else does."""

COMMON: Mapping[str, Type] = MappingProxyType(
    {
        "type": TEXT,
        "source": TEXT,
        "time": TIME,
        "received": TIME,
        "late": FLAG,
        "historical": FLAG,
        "weekday": Type(Kind.TEXT, choices=frozenset(WEEKDAYS)),
        "hour": Type(Kind.WHOLE, low=0, high=23),
        "day": Type(Kind.WHOLE, low=1, high=31),
        "month": Type(Kind.WHOLE, low=1, high=12),
    }
)
"""What every event has. The last four are those of `time` in the program's time zone."""

DERIVED = frozenset({"weekday", "hour", "day", "month"})
"""Computed from `time` when a condition asks for them."""

SCORE_FIELDS = frozenset({"score", "score_behavioural", "score_emotional"})
"""What the score tells, of 0 to 100."""

_PERCENTILES = ("spend_percentile", "orders_percentile", "recency_percentile")
_BOUNDS = {
    **dict.fromkeys((*SCORE_FIELDS, *_PERCENTILES), (0, 100)),
    **dict.fromkeys(("rfm_recency", "rfm_value"), (1, 5)),
    "sentiment": (-100, 100),
}


@cache
def customer_fields() -> Mapping[str, Type]:
    """The fields of `customer`, by name."""
    fields: dict[str, Type] = {}
    for part in msgspec.structs.fields(Facts):
        found = _of_info(inspect.type_info(part.type))
        low, high = _BOUNDS.get(part.name, (found.low, found.high))
        fields[part.name] = replace(found, low=low, high=high)
    fields["stage"] = _STAGE
    fields["subscription"] = replace(fields["subscription"], choices=SUBSCRIPTION_STATES)
    return MappingProxyType(fields)


@cache
def fact_shapes() -> Mapping[str, frozenset[object]]:
    """What Python holds a fact as: its type, or each of a union."""
    hints = get_type_hints(Facts)
    return MappingProxyType({name: frozenset(get_args(hint) or (hint,)) for name, hint in hints.items()})


@dataclass(frozen=True, slots=True)
class EventFields:
    """The fields of `event` in one rule. `personal` are those that are sealed and so reach no rule; `open` when the
    data may hold anything more."""

    fields: Mapping[str, Type]
    personal: frozenset[str] = frozenset()
    open: bool = False


UTC = ZoneInfo("UTC")
ANY_EVENT = EventFields(COMMON, open=True)
"""An event of which nothing is known beforehand."""


@cache
def event_fields(event_type: str | None) -> EventFields:
    """The fields of an event of that type; of any event when the type is None."""
    if event_type is None:
        return _any_event()
    common = {**COMMON, "type": Type(Kind.TEXT, choices=frozenset({event_type}))}
    own = OWN_EVENTS.get(event_type) or REWARDS_EVENTS.get(event_type)
    if own is None and event_type.endswith(MISSING) and not event_type.startswith(CUSTOM_PREFIX):
        own = _SILENCE
    if own is not None:
        return EventFields(MappingProxyType({**own, **common}))
    if event_type.startswith(CUSTOM_PREFIX):
        return EventFields(MappingProxyType(common), open=True)
    shape = inspect.type_info(CATALOGUE[event_type])
    fields, personal = _of_struct(shape)
    return EventFields(MappingProxyType({**fields, **common}), personal | {"customer"})


def _any_event() -> EventFields:
    fields: dict[str, Type] = {}
    personal: set[str] = set()
    for event_type in sorted(EVENT_TYPES):
        known = event_fields(event_type)
        personal |= known.personal
        for name, found in known.fields.items():
            fields[name] = _either(fields.get(name, found), found)
    return EventFields(MappingProxyType({**fields, **COMMON}), frozenset(personal - set(fields)))


def _either(one: Type, other: Type) -> Type:
    """What is known of a field that may come from either event. Most events lack it, so that it is never null but
    undefined, and the condition false."""
    if one.kind is not other.kind:
        return ANY
    if one.element is not None and one.element != other.element:
        return Type(one.kind, element=ANY)
    return Type(one.kind, element=one.element)


def _of_struct(shape: inspect.Type) -> tuple[dict[str, Type], frozenset[str]]:
    assert isinstance(shape, inspect.StructType)
    fields: dict[str, Type] = {}
    personal: set[str] = set()
    for part in shape.fields:
        if _is_personal(part.type):
            personal.add(part.encode_name)
        elif part.encode_name != "customer":
            fields[part.encode_name] = _of_info(part.type)
    return fields, frozenset(personal)


def _is_personal(info: inspect.Type) -> bool:
    if isinstance(info, inspect.Metadata):
        return bool((info.extra or {}).get("personal")) or _is_personal(info.type)
    if isinstance(info, inspect.UnionType):
        return any(_is_personal(part) for part in info.types)
    return False


_MONEY_PATTERN = next(part.pattern for part in get_args(Money) if isinstance(part, msgspec.Meta))


_ALWAYS_ALIKE: Mapping[type[inspect.Type], Type] = MappingProxyType(
    {
        inspect.BoolType: FLAG,
        inspect.DateType: TEXT,  # a day travels as YYYY-MM-DD
        inspect.DateTimeType: TIME,
        inspect.DecimalType: NUMBER,
    }
)


def _of_info(info: inspect.Type) -> Type:  # noqa: PLR0911  # one line a kind reads best
    match info:
        case inspect.Metadata():
            return _of_info(info.type)
        case inspect.UnionType():
            rest = [part for part in info.types if not isinstance(part, inspect.NoneType)]
            found = _of_info(rest[0]) if len(rest) == 1 else ANY
            return replace(found, optional=len(rest) < len(info.types))
        case inspect.StrType(pattern=pattern):
            return Type(Kind.NUMBER, low=0) if pattern == _MONEY_PATTERN else TEXT
        case inspect.IntType():
            return Type(Kind.WHOLE, low=info.ge, high=info.le)
        case inspect.FloatType():
            return replace(NUMBER, low=info.ge, high=info.le)
        case inspect.LiteralType():
            return Type(Kind.TEXT, choices=frozenset(str(value) for value in info.values))
        case inspect.ListType():
            return Type(Kind.LIST, element=_of_info(info.item_type))
        case inspect.StructType():
            return Type(Kind.RECORD, fields=MappingProxyType(_of_struct(info)[0]))
        case _:
            return _ALWAYS_ALIKE.get(type(info), ANY)
