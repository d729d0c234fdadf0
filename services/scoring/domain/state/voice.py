"""What the customer's own words amount to: sentiment and tags, with the events that they come from."""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from services.scoring.domain.language.reading import FRICTION, FRICTIONS, FRUSTRATED, Reading

NEWEST_MAX = 10
"""Texts that the customer's sentiment is the mean of: the newest ones."""

EVIDENCE_MAX = 5
"""Events kept behind a tag: the newest ones."""

CLEAR = 20
"""From this sentiment on a text is positive, from its negative on negative."""

OPINION_LASTS = timedelta(days=365)
"""How long a text counts."""

FRUSTRATION_LASTS = timedelta(days=90)
"""How long the tag `frustrated` stands: it is a mood, the others are opinions."""


class Tag(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One tag: in how many events it was ever seen, when first and last, and the newest of these events, newest last
    (`EVIDENCE_MAX`)."""

    count: int
    first_at: datetime
    last_at: datetime
    keys: tuple[str, ...]


class Voice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All texts that could be judged: the `sum` of their sentiments, how many were positive and negative (`CLEAR`), and
    the newest ones, newest last, as (time, sentiment, event key)."""

    texts: int = 0
    sum: int = 0
    positive: int = 0
    negative: int = 0
    newest: tuple[tuple[datetime, int, str], ...] = ()
    tags: dict[str, Tag] = {}


NO_VOICE = Voice()


def heard(voice: Voice, reading: Reading, at: datetime, key: str) -> Voice:
    """The voice after one more event, which comes after all others in it."""
    sentiment, told = reading.sentiment, sorted({mention.tag for mention in reading.mentions})
    tags = {**voice.tags, **{name: _once_more(voice.tags.get(name), at, key) for name in told}}
    if sentiment is None:
        return replace(voice, tags=tags)
    return Voice(
        texts=voice.texts + 1,
        sum=voice.sum + sentiment,
        positive=voice.positive + (sentiment >= CLEAR),
        negative=voice.negative + (sentiment <= -CLEAR),
        newest=(*voice.newest, (at, sentiment, key))[-NEWEST_MAX:],
        tags=tags,
    )


def _once_more(tag: Tag | None, at: datetime, key: str) -> Tag:
    if tag is None:
        return Tag(count=1, first_at=at, last_at=at, keys=(key,))
    return Tag(count=tag.count + 1, first_at=tag.first_at, last_at=at, keys=(*tag.keys, key)[-EVIDENCE_MAX:])


def sentiment_at(voice: Voice, moment: datetime) -> int | None:
    """How the customer sounds at a moment, -100 to 100: the mean of the newest texts of the last 365 days, rounded
    half away from zero; None without any."""
    counted = [sentiment for at, sentiment, _ in voice.newest if moment - at < OPINION_LASTS]
    if not counted:
        return None
    total, count = sum(counted), len(counted)
    size = (2 * abs(total) + count) // (2 * count)
    return size if total >= 0 else -size


def tags_at(voice: Voice, moment: datetime) -> list[str]:
    """The tags that stand at a moment, sorted: seen less than a year ago, `frustrated` less than 90 days ago. Any
    kind of friction is `friction` as well."""
    standing = {name for name, tag in voice.tags.items() if stands(name, tag, moment)}
    if not standing.isdisjoint(FRICTIONS):
        standing.add(FRICTION)
    return sorted(standing)


def stands(name: str, tag: Tag, moment: datetime) -> bool:
    """Whether a tag still counts at a moment."""
    return moment - tag.last_at < (FRUSTRATION_LASTS if name == FRUSTRATED else OPINION_LASTS)
