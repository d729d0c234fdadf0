"""Which events carry the customer's own words, and in which fields."""

from typing import Any

from services.scoring.domain.event import Event
from services.scoring.domain.language.reading import EDITION

TEXT_MAX = 5_000
"""Characters of a text that are read: what somebody has to say is said by then, and a reading stays quick."""

WORDS: dict[str, tuple[str, ...]] = {
    "review.posted": ("text",),
    "ticket.opened": ("subject", "text"),
    "ticket.replied": ("text",),
    "ticket.resolved": ("text",),
    "ticket.reopened": ("text",),
    "survey.answered": ("comment",),
    "feedback.given": ("text",),
    "social.mentioned": ("text",),
}
"""Event type to the fields in which the customer speaks. Whoever asks about their mood must hear of these types too:
`services/rewards/domain/forwarding.py`."""

_MOSTLY_OURS = frozenset({"ticket.resolved"})
"""Written by an agent, unless the event says otherwise."""


def may_speak(event: Event) -> bool:
    """Whether there may be words of the customer in the event: it is of such a type, and no agent wrote it."""
    record = event.record
    if record.type not in WORDS or record.sealed is None:
        return False
    by = record.data.get("by")
    return by != "agent" and (by == "customer" or record.type not in _MOSTLY_OURS)


def to_read_again(event: Event, engine: str) -> bool:
    """Whether the engine of this name, and our rules of now, may read something else in the event than what is known:
    others read it, or nobody could."""
    reading = event.reading
    return may_speak(event) and (reading is None or (reading.engine, reading.edition) != (engine, EDITION))


def texts_of(event: Event, sealed: dict[str, Any]) -> dict[str, str]:
    """The customer's texts by field, from the part of the data that was sealed; each as far as it is read."""
    texts = {}
    for field in WORDS.get(event.record.type, ()):
        text = sealed.get(field)
        if isinstance(text, str) and text.strip():
            texts[field] = text[:TEXT_MAX]
    return texts
