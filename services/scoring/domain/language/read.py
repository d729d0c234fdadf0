"""Reads the texts of one event: how they sound, by an engine, and what they give tags for, by our rules."""

from collections.abc import Mapping
from typing import Protocol

from services.scoring.domain.language.aspects import complaints_in
from services.scoring.domain.language.english import is_english
from services.scoring.domain.language.reading import (
    EDITION,
    FRICTIONS,
    FRUSTRATED,
    LOYALTY,
    SENTIMENT_MAX,
    SENTIMENT_MIN,
    TRUST,
    Mention,
    Reading,
)
from services.scoring.domain.language.tagging import tags_in
from services.scoring.domain.language.wording import wording_of

MENTIONS_MAX = 20
"""Mentions kept of one event: the first ones."""

COMPLAINT_WEIGHS, FRUSTRATION_WEIGHS, PRAISE_WEIGHS = 30, 50, 50
"""By how much friction, frustration, and loyalty or trust move the sentiment."""

_COMPLAINTS = FRICTIONS | {FRUSTRATED}
_PRAISE = frozenset({LOYALTY, TRUST})


class SentimentEngine(Protocol):
    """Tells how a text sounds. The same text always sounds the same, whatever was asked before."""

    @property
    def name(self) -> str:
        """Its name with its version, which every reading carries."""

    def sentiment(self, text: str) -> int | None:
        """From -100 (as bad as can be) to 100; None where it cannot tell, as in a language that it does not know."""


def read(texts: Mapping[str, str], engine: SentimentEngine) -> Reading | None:
    """The reading of an event's texts, by field. None when nothing could be read in them."""
    mentions = tuple(mention for field, text in texts.items() for mention in _mentions(field, text, engine))[
        :MENTIONS_MAX
    ]
    sentiment = engine.sentiment("\n".join(texts.values()))
    if sentiment is None and not mentions:
        return None
    return Reading(
        engine=engine.name, sentiment=_weighed(sentiment, mentions), mentions=mentions, edition=EDITION
    )


def _weighed(sentiment: int | None, mentions: tuple[Mention, ...]) -> int | None:
    """The sentiment of the words, moved by what they say: "the charger stopped working" sounds neutral, and is not.
    Praise and complaint in one text outweigh each other."""
    if sentiment is None:
        return None
    tags = {mention.tag for mention in mentions}
    complains, praises = not tags.isdisjoint(_COMPLAINTS), not tags.isdisjoint(_PRAISE)
    if complains and not praises:
        sentiment -= FRUSTRATION_WEIGHS if FRUSTRATED in tags else COMPLAINT_WEIGHS
    elif praises and not complains:
        sentiment += PRAISE_WEIGHS
    return max(SENTIMENT_MIN, min(SENTIMENT_MAX, sentiment))


def _mentions(field: str, text: str, engine: SentimentEngine) -> list[Mention]:
    wording = wording_of(text)
    if not is_english(wording.words):
        return []
    by_rule = list(tags_in(wording))
    known = {tag for tag, _, _ in by_rule}
    aspects = complaints_in(wording, text, known, engine.sentiment)
    places = sorted({(tag, *wording.place(start, end)) for tag, start, end in (*by_rule, *aspects)})
    mentions: list[Mention] = []
    for tag, start, end in places:
        last = mentions[-1] if mentions else None
        if last is not None and last.tag == tag and start <= last.end:
            mentions[-1] = Mention(tag, field, last.start, max(end, last.end))
        else:
            mentions.append(Mention(tag, field, start, end))
    return sorted(mentions, key=lambda one: (one.start, one.end, one.tag))
