"""Reading texts: what gives a tag and what does not, where the words stand, how it sounds, and how well."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.adapters.language.engines import EngineError, load_engine
from services.scoring.adapters.language.vader import Vader
from services.scoring.domain.language.read import MENTIONS_MAX, read
from services.scoring.domain.language.reading import (
    DELIVERY,
    FRUSTRATED,
    LOYALTY,
    PRICE,
    QUALITY,
    SERVICE,
    TAGS,
    TRUST,
    decode_reading,
    encode_reading,
)
from services.scoring.domain.texts import TEXT_MAX, may_speak, texts_of
from tests.language.measure import DEVELOPMENT, HELD_OUT, measure, sentences
from tests.support.life import event, moment

VADER = Vader()
FLOORS = {
    LOYALTY: (0.90, 0.55),
    TRUST: (0.90, 0.60),
    DELIVERY: (0.80, 0.65),
    PRICE: (0.90, 0.75),
    QUALITY: (0.90, 0.70),
    SERVICE: (0.90, 0.70),
    FRUSTRATED: (0.85, 0.70),
}
"""Precision and recall on the held-out sentences below which nobody may go unseen."""


def tags_of(text: str) -> list[str]:
    reading = read({"text": text}, VADER)
    return sorted({mention.tag for mention in reading.mentions}) if reading else []


def words_of(text: str) -> dict[str, str]:
    reading = read({"text": text}, VADER)
    assert reading is not None
    return {mention.tag: text[mention.start : mention.end] for mention in reading.mentions}


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("I love this brand", LOYALTY),
        ("They always fix issues fast", TRUST),
        ("Wish delivery was quicker", DELIVERY),
        ("Way too expensive", PRICE),
        ("It stopped working after a week", QUALITY),
        ("Nobody answers the phone", SERVICE),
        ("I am so frustrated", FRUSTRATED),
    ],
)
def test_each_tag_is_found(text, tag):
    assert tags_of(text) == [tag]


@pytest.mark.parametrize(
    "text",
    [
        "I don't love this brand",
        "I used to love this brand",
        "They do not always fix issues fast",
        "Delivery was not late",
        "It is not too expensive",
        "If the delivery is late, can I cancel?",
        "Do you ship to Norway?",
        "",
        "\U0001f4f7",
    ],
)
def test_a_negation_a_supposition_or_a_question_gives_no_tag(text):
    assert tags_of(text) == []


def test_the_words_are_those_of_the_text_as_written():
    assert words_of("Hm \u2014 I LOOOVE this  brand!") == {LOYALTY: "I LOOOVE this  brand"}
    assert words_of("the delivary took for ever")[DELIVERY].startswith("delivary")


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ("It is bad", "It is not bad"),
        ("It is good", "It is VERY GOOD!!!"),
        ("package lost", "package arrived \U0001f60d"),
        ("I have problems", "I have no problems"),
        ("not good", "good"),
    ],
)
def test_negation_emphasis_and_emoji_count(worse, better):
    first, second = VADER.sentiment(worse), VADER.sentiment(better)
    assert first is not None
    assert second is not None
    assert first < second


def test_what_is_said_counts_also_where_no_word_sounds_bad():
    reading = read({"text": "Still no reply to three emails."}, VADER)
    assert reading is not None
    assert reading.sentiment is not None
    assert reading.sentiment <= -20


@pytest.mark.parametrize("text", ["Die Lieferung war leider zu spät", "Отличный сервис", "最悪です"])
def test_other_languages_are_not_judged(text):
    assert read({"text": text}, VADER) is None


@given(st.text(max_size=300), st.text(alphabet="anoti'. !?\u00e9\U0001f621,", max_size=300))
@settings(max_examples=200)
def test_any_text_is_read_the_same_each_time_and_mentions_lie_within_it(subject, text):
    texts = {"subject": subject, "text": text}

    reading = read(texts, VADER)

    assert reading == read(texts, Vader())
    if reading is None:
        return
    assert reading.sentiment is None or -100 <= reading.sentiment <= 100
    assert len(reading.mentions) <= MENTIONS_MAX
    assert all(0 <= one.start < one.end <= len(texts[one.field]) for one in reading.mentions)
    assert decode_reading(encode_reading(reading)) == reading


def test_precision_recall_and_accuracy_on_held_out_sentences_stay_above_their_floors():
    labelled = sentences(HELD_OUT)
    assert len(labelled) + len(sentences(DEVELOPMENT)) >= 240

    figures = measure(labelled, VADER)

    below = {
        tag: (figures.precision(tag), figures.recall(tag))
        for tag in TAGS
        if figures.precision(tag) < FLOORS[tag][0] or figures.recall(tag) < FLOORS[tag][1]
    }
    assert below == {}
    assert figures.accuracy >= 0.75
    assert figures.foreign_wrong == 0


def test_no_sentence_is_in_both_parts():
    development = {one.text.lower() for one in sentences(DEVELOPMENT)}
    assert development.isdisjoint(one.text.lower() for one in sentences(HELD_OUT))


class Cheerful:
    """An engine as somebody else might write it."""

    name = "cheerful/1"

    def sentiment(self, text: str) -> int | None:
        return 100 if text else None


class Loud(Cheerful):
    def sentiment(self, text: str) -> int | None:
        return 1000


class Moody(Cheerful):
    said = 0

    def sentiment(self, text: str) -> int | None:
        self.said += 1
        return self.said


class Nameless(Cheerful):
    name = ""


class Broken(Cheerful):
    def sentiment(self, text: str) -> int | None:
        raise RuntimeError("no model")


HERE = "tests.unit.scoring.language.test_language"


def test_another_engine_is_found_by_its_import_path():
    assert load_engine(f"{HERE}:Cheerful").name == "cheerful/1"
    assert load_engine("vader").name.startswith("vader/")


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("spacy", "package.module:callable"),
        ("no_such_package:engine", "Is the package installed"),
        (f"{HERE}:NoSuchClass", "cannot be found"),
        (f"{HERE}:HERE", "must be callable"),
        (f"{HERE}:Loud", "whole number from -100 to 100"),
        (f"{HERE}:Moody", "then 2 of the same text"),
        (f"{HERE}:Nameless", "without a name"),
        (f"{HERE}:Broken", "RuntimeError: no model"),
    ],
)
def test_an_engine_that_cannot_be_used_ends_the_start_with_a_reason(setting, why):
    with pytest.raises(EngineError, match="REGULARS_SENTIMENT") as refused:
        load_engine(setting)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("type_", "data", "speaks"),
    [
        ("review.posted", {"rating": 5}, True),
        ("ticket.replied", {"ticket_id": "1", "by": "customer"}, True),
        ("ticket.replied", {"ticket_id": "1", "by": "agent"}, False),
        ("ticket.resolved", {"ticket_id": "1"}, False),
        ("order.completed", {}, False),
    ],
)
def test_only_the_customers_own_words_are_read(type_, data, speaks):
    assert may_speak(event(type_, moment(), data, sealed="x")) is speaks


def test_a_long_text_is_read_from_its_beginning():
    opened = event("feedback.given", moment(), {}, sealed="x")
    assert texts_of(opened, {"text": "a" * (TEXT_MAX + 1)}) == {"text": "a" * TEXT_MAX}
    assert texts_of(opened, {"text": "  ", "note": "b"}) == {}
