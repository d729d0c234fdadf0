"""The CloudEvent around the data of each type."""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from services.ingest.domain.limits import TYPE_LENGTH_MAX
from shared.contracts.catalogue import CATALOGUE, Customer
from shared.contracts.values import Identifier

D = TypeVar("D")

Moment = Annotated[
    datetime, Meta(tz=True, description='a moment with its offset from UTC such as "2026-11-21T10:00:00Z"')
]


class Event(Struct, Generic[D], frozen=True, kw_only=True):
    """A CloudEvent with data of one type."""

    id: Identifier
    source: Identifier
    type: Annotated[str, Meta(min_length=1, max_length=TYPE_LENGTH_MAX, description="an event type")]
    time: Moment
    data: D
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


ATTRIBUTES = frozenset(Event.__struct_fields__)
"""The attributes of a CloudEvent that Regulars reads. All others are extensions: kept, sealed."""

EVENTS: dict[str, Any] = {kind: Event[data] for kind, data in CATALOGUE.items()}  # type: ignore[valid-type]
"""Event type to the shape of the whole event."""

CUSTOM_EVENT: Any = Event[CustomData]
"""The shape of an event of the shop's own type."""
