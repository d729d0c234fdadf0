"""What templates may name: of the customer, of the event behind the message, of the offer, of the shop.

The facts are those of `shared.contracts.facts`, the event's fields those of its class in `shared.contracts.catalogue`;
personal fields of events reach no template, as they reach no rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Final

from shared.program.vocabulary.fields import customer_fields, event_fields
from shared.program.vocabulary.types import ANY, TEXT, TIME, WHOLE, Kind, Type

Names = Mapping[str, Type]

OFFERING: Final = frozenset({"offer.issued"})
"""Occasions that bring an offer by themselves."""

PERSON: Final = ("id", "first_name", "last_name", "name", "email", "phone", "locale", "time_zone")
"""What the customer told: sealed on the streams, and opened for the message alone. `id` is the shop's own."""

_MAYBE: Final = replace(TEXT, optional=True)

OFFER: Final[Names] = MappingProxyType({"code": TEXT, "name": TEXT, "valid_until": TIME})
OPEN: Final = Type(Kind.RECORD)
"""Values of the shop's own, under names that are not known beforehand."""
SHOP: Final[Names] = MappingProxyType({"name": TEXT, "currency": TEXT})
LINKS: Final = ("unsubscribe_url", "preferences_url")

ROOTS: Final = ("customer", "event", "points", "tier", "offer", "shop", *LINKS)


@dataclass(frozen=True, slots=True)
class Occasion:
    """When a template is sent: by which campaign, on which event, and whether an offer goes with it."""

    campaign: str
    event: str | None
    offer: bool


def names_of(occasions: Sequence[Occasion]) -> Names:
    """The names of a template that is sent on these occasions; on any event when there is none."""
    offers = [occasion.offer for occasion in occasions]
    return MappingProxyType(
        {
            "customer": customer_type(),
            "event": Type(Kind.RECORD, fields=event_names([occasion.event for occasion in occasions])),
            "points": WHOLE,
            "tier": _MAYBE,
            "offer": Type(Kind.RECORD, fields=OFFER, optional=not offers or not all(offers)),
            "shop": Type(Kind.RECORD, fields=SHOP),
            **dict.fromkeys(LINKS, TEXT),
        }
    )


@cache
def customer_type() -> Type:
    """The customer, as every template sees one."""
    return Type(Kind.RECORD, fields=customer_names())


def customer_names() -> Names:
    """The facts, and what the person told."""
    own = {"attributes": OPEN, "custom": OPEN}
    return MappingProxyType({**customer_fields(), **own, **dict.fromkeys(PERSON, _MAYBE)})


def event_names(event_types: Sequence[str | None]) -> Names:
    """The fields of these events; what some of them lack may be missing. Empty where all are of the shop's own."""
    if not event_types:
        event_types = [None]
    each = [_own(event_type) for event_type in dict.fromkeys(event_types)]
    merged: dict[str, Type] = {}
    for fields in each:
        for name, found in fields.items():
            before = merged.get(name, found)
            kind = found if before.kind is found.kind else ANY
            merged[name] = replace(kind, optional=before.optional or found.optional)
    return MappingProxyType(
        {
            name: found if all(name in fields for fields in each) else replace(found, optional=True)
            for name, found in merged.items()
        }
    )


def is_open(event_types: Sequence[str | None]) -> bool:
    """Whether one of these events may tell more than is known beforehand."""
    return not event_types or any(event_fields(event_type).open for event_type in event_types)


def personal_names(event_types: Sequence[str | None]) -> frozenset[str]:
    """Fields of these events that never leave the seal."""
    return frozenset().union(*(event_fields(event_type).personal for event_type in event_types))


def _own(event_type: str | None) -> Names:
    """What the event itself tells, and when it happened."""
    common = event_fields("x.any").fields
    fields = event_fields(event_type).fields
    return {name: found for name, found in fields.items() if name == "time" or name not in common}
