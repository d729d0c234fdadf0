"""The CloudEvent around the data of each type."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from services.ingest.domain.limits import TYPE_LENGTH_MAX
from shared.contracts.catalogue import CATALOGUE, Customer
from shared.contracts.values import Identifier

Moment = Annotated[
    datetime, Meta(tz=True, description='a moment with its offset from UTC such as "2026-11-21T10:00:00Z"')
]


class Envelope(Struct, frozen=True, kw_only=True):
    """The attributes of a CloudEvent beside `data`."""

    id: Identifier
    source: Identifier
    type: Annotated[str, Meta(min_length=1, max_length=TYPE_LENGTH_MAX, description="an event type")]
    time: Moment
    specversion: Literal["1.0"] | UnsetType = UNSET
    datacontenttype: (
        Annotated[
            str,
            Meta(
                pattern=r"^application/([\w.+\-]+\+)?json\s*(;.*)?\Z",
                max_length=200,
                description="a JSON media type",
            ),
        ]
        | UnsetType
        | None
    ) = UNSET


class CustomData(Struct, frozen=True, kw_only=True):
    """The data of the shop's own event types: `customer`, and anything beside it."""

    customer: Customer


ATTRIBUTES = frozenset({*Envelope.__struct_fields__, "data"})
"""The attributes of a CloudEvent that Regulars reads. All others are extensions: kept, sealed."""


def _event(data: type[Struct]) -> type[Envelope]:
    # A class for each, not a generic one filled in: msgspec finds its way through a class in a third of the time.
    name = f"{data.__name__}Event"
    event = defstruct(name, [("data", data)], bases=(Envelope,), frozen=True, kw_only=True)
    assert issubclass(event, Envelope)
    return event


_OF_DATA = {data: _event(data) for data in CATALOGUE.values()}

EVENTS: dict[str, type[Envelope]] = {kind: _OF_DATA[data] for kind, data in CATALOGUE.items()}
"""Event type to the shape of the whole event."""

CUSTOM_EVENT = _event(CustomData)
"""The shape of an event of the shop's own type."""
