"""The customer's voice: what readings of texts amount to, and for how long."""

from datetime import timedelta

import pytest

from services.scoring.domain.language.reading import DELIVERY, FRUSTRATED, LOYALTY, Mention, Reading
from services.scoring.domain.state.voice import (
    CLEAR,
    EVIDENCE_MAX,
    NEWEST_MAX,
    NO_VOICE,
    Voice,
    heard,
    sentiment_at,
    tags_at,
)
from tests.support.life import moment


def reading(sentiment: int | None = None, *tags: str) -> Reading:
    return Reading(
        engine="trial", sentiment=sentiment, mentions=tuple(Mention(tag, "text", 0, 4) for tag in tags)
    )


def voice_of(*readings: Reading) -> Voice:
    """One reading a day."""
    voice = NO_VOICE
    for day, one in enumerate(readings):
        voice = heard(voice, one, moment(day), f"{day:032x}")
    return voice


@pytest.mark.parametrize(
    ("sentiments", "mean"),
    [((), None), ((40,), 40), ((1, 2), 2), ((-1, -2), -2), ((100, -100), 0), ((0, 0, -1), 0), ((0, 1), 1)],
)
def test_sentiment_is_the_mean_rounded_half_away_from_zero(sentiments, mean):
    assert sentiment_at(voice_of(*map(reading, sentiments)), moment(30)) == mean


def test_only_the_newest_texts_count_in_the_mean():
    voice = voice_of(reading(-100), *[reading(50)] * NEWEST_MAX)

    assert (voice.texts, sentiment_at(voice, moment(20))) == (NEWEST_MAX + 1, 50)


def test_all_texts_are_counted_by_how_clearly_they_sound():
    voice = voice_of(*map(reading, (CLEAR, CLEAR - 1, -CLEAR, -CLEAR + 1, 100)))

    assert (voice.texts, voice.sum, voice.positive, voice.negative) == (5, 100, 2, 1)


def test_a_text_counts_for_a_year():
    voice = voice_of(reading(-80), reading(20))

    assert sentiment_at(voice, moment(364.9)) == -30
    assert sentiment_at(voice, moment(365)) == 20
    assert sentiment_at(voice, moment(366)) is None


def test_a_text_that_could_not_be_judged_changes_no_sentiment():
    voice = voice_of(reading(60), reading(None, LOYALTY))

    assert (voice.texts, sentiment_at(voice, moment(2))) == (1, 60)
    assert tags_at(voice, moment(2)) == [LOYALTY]


def test_a_tag_keeps_its_count_and_its_newest_events():
    voice = voice_of(*[reading(0, DELIVERY, DELIVERY)] * (EVIDENCE_MAX + 2))

    tagged = voice.tags[DELIVERY]
    assert tagged.count == EVIDENCE_MAX + 2
    assert list(tagged.keys) == [f"{day:032x}" for day in range(2, EVIDENCE_MAX + 2)]
    assert (tagged.first_at, tagged.last_at) == (moment(0), moment(EVIDENCE_MAX + 1))


def test_frustration_passes_sooner_than_an_opinion():
    voice = voice_of(reading(-50, FRUSTRATED, LOYALTY))

    assert tags_at(voice, moment() + timedelta(days=90, seconds=-1)) == [FRUSTRATED, LOYALTY]
    assert tags_at(voice, moment(90)) == [LOYALTY]
    assert tags_at(voice, moment(365)) == []


def test_any_kind_of_friction_is_friction_as_well():
    assert tags_at(voice_of(reading(-10, DELIVERY)), moment(1)) == ["friction", DELIVERY]
