"""What alerts look like in requests and answers."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from services.scoring.application.alerts.closing import Alert
from services.scoring.entrypoints.customers.schemas import HIDDEN
from shared.http.shapes import Shape
from shared.http.types import refuse_nul

NOTE_MAX = 2_000

Assignee = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9._\-]{1,64}$"),
    Field(description="A team or a colleague as your shop calls them: 1 to 64 letters, digits, . _ -"),
]
Note = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NOTE_MAX, strip_whitespace=True),
    AfterValidator(refuse_nul),
    Field(description=f"What was done, in up to {NOTE_MAX:,} characters. It rests sealed."),
]


class AssignRequest(Shape):
    """Who works on the alert; null: nobody any more."""

    to: Assignee | None


class CloseRequest(Shape):
    """What was done about it, and whether the customer is to hear of it."""

    note: Note
    tell: bool = Field(
        False,
        strict=True,
        description="Let the customer know: a campaign `on: alert.closed` of the program writes to them.",
    )


class AlertView(BaseModel):
    """One alert."""

    id: str
    kind: str = Field(description="What it is, such as `loyal-at-risk`.")
    state: Literal["open", "closed"]
    customer: str | None = Field(description="Our id; null where it is about the shop.")
    subject: str | None = Field(description="What else it is about, such as `offer:summer`.")
    campaign: str | None = Field(description="The campaign that raised it; null: the system itself.")
    cause: str = Field(description="The activity, or the period, that raised it.")
    program_version: int | None
    raised_at: datetime
    last_at: datetime = Field(description="When there was reason for it last.")
    times: int = Field(description="How often there was reason while it was open.")
    details: dict[str, Any] = Field(description="The figures behind it.")
    assigned_to: str | None
    assigned_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None = Field(description="The API key by which it was closed.")
    tell: bool | None = Field(description="Whether the customer was to hear of it; null while open.")
    note: str | None = Field(description="Needs the scope personal:read; null too where it was erased.")
    hidden: str | None = Field(None, description="Why the note is not shown, if it is not.")

    @classmethod
    def of(cls, alert: Alert, note: str | None, *, hidden: bool) -> "AlertView":
        """An alert as it is stored, with its note if that may be seen."""
        return cls(
            id=alert.id,
            kind=alert.kind,
            state="open" if alert.closed_at is None else "closed",
            customer=alert.customer_id or None,
            subject=alert.subject or None,
            campaign=alert.rule,
            cause=alert.cause,
            program_version=alert.program_version,
            raised_at=alert.raised_at,
            last_at=alert.last_at,
            times=alert.times,
            details=alert.details,
            assigned_to=alert.assigned_to,
            assigned_at=alert.assigned_at,
            closed_at=alert.closed_at,
            closed_by=alert.closed_by,
            tell=alert.tell,
            note=note,
            hidden=HIDDEN if hidden and alert.note is not None else None,
        )
