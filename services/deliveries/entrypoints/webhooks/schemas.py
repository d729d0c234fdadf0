"""The bodies of the webhook routes."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import Path
from pydantic import BaseModel, Field, StringConstraints

from services.deliveries.adapters.webhooks.listing import Fetched, Shown, ShownAttempt
from services.deliveries.domain.webhooks.endpoint import Endpoint
from services.deliveries.domain.webhooks.retrying import State
from services.deliveries.domain.webhooks.targets import URL_CHARACTERS_MAX
from shared.http.shapes import Shape
from shared.http.types import Instant, ShortText

EndpointId = Annotated[
    str, Path(pattern=r"^whe_[0-9a-f]{24}$", description="The endpoint, as `GET /v1/webhooks` lists it.")
]
MessageId = Annotated[str, Path(pattern=r"^msg_[0-9a-f]{32}$", description="`webhook-id` of the message.")]
Url = Annotated[str, StringConstraints(min_length=1, max_length=URL_CHARACTERS_MAX)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Events = Annotated[
    list[Annotated[str, StringConstraints(max_length=100)]], Field(min_length=1, max_length=100)
]

_EVENTS = "Types, families of them (`points.*`), or `*`; `GET /v1/webhook-types` lists them."
_NAME = "By which campaigns of the program call it: `do: [{webhook: crm}]`."


class EndpointRequest(Shape):
    """A new endpoint."""

    url: Url | None = Field(
        None,
        description="Where to post, beginning with https://. Left out: a listener, which fetches its events by "
        "`POST /v1/webhooks/{webhook}/take`, as `regulars listen` does; after 10 minutes without it is forgotten.",
    )
    events: Events = Field(description=_EVENTS)
    name: Name | None = Field(None, description=_NAME)
    description: ShortText | None = None


class EndpointChange(Shape):
    """What to change; what is left out stays."""

    url: Url | None = None
    events: Events | None = Field(None, description=_EVENTS)
    name: Name | None = Field(None, description=_NAME)
    description: ShortText | None = None
    enabled: bool | None = Field(
        None, description="True: send to it (again); what was held meanwhile is sent by a replay."
    )


class RotationRequest(Shape):
    """How to change over."""

    immediately: bool = Field(
        False, description="True: the old secret is not signed with any more, because somebody else has it."
    )


class EndpointView(BaseModel):
    """An endpoint."""

    id: str
    url: str | None
    name: str | None
    description: str | None
    events: list[str]
    state: Literal["enabled", "disabled", "listening"]
    reason: str | None = Field(
        description="Why it is disabled: `by_hand`, `failing` for days, `gone` (HTTP 410)."
    )
    disabled_at: datetime | None
    failing_since: datetime | None = Field(description="The first failure after the last success.")
    previous_secret_until: datetime | None = Field(
        description="Until when it is signed with the secret before, too."
    )
    created_at: datetime

    @classmethod
    def of(cls, endpoint: Endpoint, now: datetime, **more: Any) -> Self:
        """The view of an endpoint."""
        rotating = endpoint.previous_until is not None and now < endpoint.previous_until
        return cls(
            id=endpoint.id,
            url=endpoint.url,
            name=endpoint.name,
            description=endpoint.description or None,
            events=list(endpoint.events),
            state="disabled" if not endpoint.enabled else "enabled" if endpoint.url else "listening",
            reason=endpoint.reason,
            disabled_at=endpoint.disabled_at,
            failing_since=endpoint.failing_since,
            previous_secret_until=endpoint.previous_until if rotating else None,
            created_at=endpoint.created_at,
            **more,
        )


class EndpointWithSecret(EndpointView):
    """An endpoint and its secret, which is shown this once."""

    secret: str = Field(description="`whsec_…`: what receivers verify signatures with. Shown this once.")


class TypeView(BaseModel):
    """A type one can subscribe to."""

    type: str
    tells: str


class TypesView(BaseModel):
    """All of them. There is no next page."""

    items: list[TypeView]
    next: None = None


class MessageView(BaseModel):
    """An event on its way to an endpoint."""

    id: str
    type: str
    at: datetime = Field(description="When it happened.")
    customer: str | None
    made_at: datetime = Field(description="When it was put in the queue.")
    state: State = Field(
        description="`waiting`; `delivered`; `failed`: ten tries did; `held`: the endpoint was disabled. "
        "A replay sends any of them."
    )
    due_at: datetime | None = Field(description="When it is tried next, at the earliest.")
    attempts: int
    status: int | None = Field(description="Of the last answer.")
    error: str | None = Field(description="Of the last try, when it got no answer.")
    settled_at: datetime | None

    @classmethod
    def of(cls, shown: Shown, **more: Any) -> Self:
        """The view of a message."""
        return cls(
            id=shown.event_id,
            type=shown.type,
            at=shown.at,
            customer=shown.customer_id,
            made_at=shown.made_at,
            state=State(shown.state),
            due_at=shown.due_at,
            attempts=shown.attempts,
            status=shown.status,
            error=shown.error,
            settled_at=shown.settled_at,
            **more,
        )


class AttemptView(BaseModel):
    """One try."""

    number: int
    at: datetime
    took_ms: int
    status: int | None
    error: str | None = Field(
        description="`timeout`, `connect_timeout`, `connection_refused`, `connection_failed`, `cut_off`, `not_http`, "
        "`name_not_found`, `address_refused`, `certificate_refused`, `tls_failed`."
    )
    answer: str = Field(description="The beginning of what the receiver answered.")

    @classmethod
    def of(cls, shown: ShownAttempt) -> Self:
        """The view of an attempt."""
        fields = shown._asdict()
        return cls(answer=fields.pop("excerpt"), **fields)


class MessageWithAttempts(MessageView):
    """A message with what is sent, and every try."""

    body: Any = Field(description="What is signed and sent.")
    tries: list[AttemptView]


class ReplayRequest(Shape):
    """Which messages to send again: those put in the queue from `from` until before `to`, in these states."""

    since: Instant = Field(alias="from")
    until: Instant = Field(alias="to")
    states: list[Literal["failed", "held", "delivered"]] = Field(
        ["failed", "held"],
        min_length=1,
        max_length=3,
        description="`delivered` too: send again what arrived.",
    )
    cursor: str | None = Field(None, max_length=1000, description="`next` of the answer before.")


class Replayed(BaseModel):
    """How many messages are in the queue again, and, if there may be more, the cursor to go on with."""

    replayed: int
    next: str | None


class Accepted(BaseModel):
    """A message that is in the queue."""

    id: str


class FetchedView(BaseModel):
    """What a listener is given."""

    id: str
    type: str
    at: datetime
    body: str = Field(description="The very text to sign and to forward.")

    @classmethod
    def of(cls, fetched: Fetched) -> Self:
        """The view of one."""
        return cls(id=fetched.id, type=fetched.type, at=fetched.at, body=fetched.body.decode())


class Taken(BaseModel):
    """What a listener had not fetched yet, the oldest first."""

    items: list[FetchedView]
