"""What the customer's own words amount to: sentiment and tags, with the events that they come from."""

from datetime import datetime

from msgspec import Struct


class Reading(Struct, frozen=True):
    """What a reader made of the text of one event: `sentiment` from -100 to 100, and the tags that apply, sorted.
    The words themselves stay sealed in the event."""

    sentiment: int
    tags: tuple[str, ...] = ()


class Tag(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One tag: how often, when first and last, and the newest events behind it, newest last (`EVIDENCE_MAX`)."""

    count: int
    first_at: datetime
    last_at: datetime
    keys: tuple[str, ...]


class Voice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All texts read: `sum` of their sentiments, how many were positive (20 and more) and negative (-20 and less), the
    newest sentiments, newest last, as (time, sentiment, event key)."""

    texts: int = 0
    sum: int = 0
    positive: int = 0
    negative: int = 0
    newest: tuple[tuple[datetime, int, str], ...] = ()
    tags: dict[str, Tag] = {}


NO_VOICE = Voice()
