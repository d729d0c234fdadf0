"""A message: what is to be said to whom and why, and how far it has come."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.deliveries.domain.channels import Channel, Purpose


class State(StrEnum):
    """Where a message is. `waiting`: to be looked at when it is due. `held`: looked at, and not yet; `reason` says why.
    `sending`: handed to a sender, whose lease ends at `due_at`. The other three are final."""

    WAITING = "waiting"
    HELD = "held"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    SKIPPED = "skipped"


FINAL = frozenset({State.SENT, State.FAILED, State.SKIPPED})


class Reason(StrEnum):
    """Why a message is held, skipped or has failed. Shown by the API, so names stay."""

    QUIET_HOURS = "quiet_hours"
    TOO_OFTEN = "too_often"
    CATCHING_UP = "catching_up"
    ANGRY_TICKET = "angry_ticket"
    CONTACT_AWAITED = "contact_awaited"
    NO_PROVIDER = "no_provider"
    PROVIDER_DOWN = "provider_down"
    RETRY = "retry"

    EXPIRED = "expired"
    GOAL_REACHED = "goal_reached"
    SAME_CAUSE = "same_cause"
    NEWER_MESSAGE = "newer_message"
    NO_CONSENT = "no_consent"
    NO_CONTACT = "no_contact"
    ERASED = "erased"
    NO_TEMPLATE = "no_template"

    REFUSED = "refused"
    GAVE_UP = "gave_up"
    NOT_RENDERED = "not_rendered"


@dataclass(frozen=True, slots=True)
class Held:
    """A time of waiting: why, since when, and until when it was to be looked at again."""

    reason: Reason
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one customer, as the outcome `message.due` asked for it."""

    id: str
    """Derives from the outcome's, so that the same outcome asks for the same message."""
    customer_id: str
    part: str
    """The part of the customer that it came about for."""
    campaign: str
    run: str
    template: str
    """The name of its words in the program, of `program_version` or a later one."""
    arm: str
    purpose: Purpose
    cause: str
    """The activity behind it, which happened at `caused_at`."""
    caused_at: datetime
    created_at: datetime
    expires_at: datetime
    """From then on it is not worth sending."""
    program_version: int
    context: dict[str, Any] = field(default_factory=dict)
    """What the words may speak of."""
    state: State = State.WAITING
    reason: Reason | None = None
    due_at: datetime | None = None
    """When it is looked at next; None once its state is final."""
    channel: Channel | None = None
    attempts: int = 0
    """How often a sender had it, not counting faults of the provider."""
    sent_at: datetime | None = None
    withdrawn: bool = False
    """Whether its campaign has reached its goal."""
    holds: tuple[Held, ...] = ()
    """What it has waited for, oldest first."""
    begun_at: datetime | None = None
    """Since when a provider may have it without anybody having noted the answer; None: no provider may."""
