"""What a profile shows one by one: tickets, subscriptions, consent, channels."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from services.scoring.domain.state import State


class Ticket(BaseModel):
    """A support ticket. Its words are in the timeline."""

    id: str
    status: Literal["open", "resolved"]
    priority: str
    opened_at: datetime | None = Field(description="Null when its opening was never told.")
    answered_at: datetime | None = Field(description="The first answer by an agent.")
    waiting_since: datetime | None = Field(description="Since when the customer waits for an answer.")
    resolved_at: datetime | None
    reopened: int


class Subscription(BaseModel):
    """A subscription; `id` is null for one that came without."""

    id: str | None
    state: Literal["active", "paused", "cancelled"]
    since: datetime = Field(description="When it came into this state.")
    started_at: datetime | None = Field(description="Null when its start was never told.")
    plan: str | None
    renewals: int
    pauses: int


class Consent(BaseModel):
    """Whether the customer approves of a purpose, and since when."""

    purpose: str
    given: bool
    since: datetime | None


class Details(BaseModel):
    """Tickets and subscriptions are the newest ones, 50 and 20 at most."""

    tickets: list[Ticket]
    subscriptions: list[Subscription]
    consent: list[Consent]
    channels: dict[str, int] = Field(description="Orders by channel.")

    @classmethod
    def of(cls, state: State) -> "Details":
        """The details of a state."""
        return cls(
            tickets=[
                Ticket(
                    id=id_,
                    status="open" if one.is_open else "resolved",
                    priority=one.priority,
                    opened_at=one.opened_at,
                    answered_at=one.answered_at,
                    waiting_since=one.waiting_since,
                    resolved_at=one.resolved_at,
                    reopened=one.reopened,
                )
                for id_, one in state.tickets.newest.items()
            ],
            subscriptions=[
                Subscription.model_validate(
                    {
                        "id": id_ or None,
                        "state": one.state,
                        "since": one.since,
                        "started_at": one.started_at,
                        "plan": one.plan,
                        "renewals": one.renewals,
                        "pauses": one.pauses,
                    }
                )
                for id_, one in state.subscriptions.newest.items()
            ],
            consent=[
                Consent(purpose=purpose, given=given, since=state.consent_at.get(purpose))
                for purpose, given in sorted(state.consent.items())
            ],
            channels=state.goods.channels,
        )
