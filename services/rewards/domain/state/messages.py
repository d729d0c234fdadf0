"""What became of messages that campaigns asked for, as the stream tells it: noted with the run, for its report."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from shared.contracts.activity import Activity

NOTED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "email.sent": "sent",
        "sms.sent": "sent",
        "push.sent": "sent",
        "email.opened": "opened",
        "push.opened": "opened",
        "email.clicked": "clicked",
        "email.unsubscribed": "unsubscribed",
    }
)
"""Types of activities that tell what became of a message, and what that is."""


class AskedMessage(NamedTuple):
    """A row of `campaign_messages`: a run asked for a message. `message` is its id at deliveries."""

    message: str
    customer_id: str
    run: str
    campaign: str
    part: str | None
    asked_at: datetime


class Noted(NamedTuple):
    """What became of a message, and when for the first time; None: not yet, as far as is known."""

    message: str
    sent: datetime | None = None
    opened: datetime | None = None
    clicked: datetime | None = None
    unsubscribed: datetime | None = None


def noted(activity: Activity) -> Noted | None:
    """What the activity tells of a message; None if nothing. Whether a campaign asked for it is seen when it is
    written."""
    what = NOTED.get(activity.type)
    if what is None:
        return None
    message = activity.data.get("message_id")
    return Noted(message, **{what: activity.time}) if isinstance(message, str) else None


def earliest(notes: Iterable[Noted]) -> list[Noted]:
    """One of each message, sorted by it: of each thing the first time."""
    first: dict[str, Noted] = {}
    for note in notes:
        known = first.get(note.message)
        if known is not None:
            both = zip(known[1:], note[1:], strict=True)
            moments = (min((at for at in pair if at is not None), default=None) for pair in both)
            note = Noted(note.message, *moments)  # noqa: PLW2901
        first[note.message] = note
    return [first[message] for message in sorted(first)]
