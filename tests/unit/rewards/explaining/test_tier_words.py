"""Sentences about tiers, in the words of what they count."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from services.rewards.domain.explaining.tier_words import TierStory, missing_sentence, tier_sentence
from shared.program.model.tiers import Basis, Measure
from shared.program.values.period import Period

SPEND = Basis(Measure.SPEND, over=Period.parse("P12M"))
ORDERS = Basis(Measure.ORDERS, year="calendar_year")
POINTS = Basis(Measure.POINTS, year="anniversary_year")


def story(reason: str, **more: object) -> TierStory:
    stated: dict[str, object] = {
        "new": "gold",
        "old": "member",
        "reason": reason,
        "amount": Decimal("250.00"),
        "at": Decimal("200.01"),
        "basis": SPEND,
        "currency": "USD",
    }
    return TierStory(**{**stated, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reason", "more", "sentence"),
    [
        (
            "spend",
            {"event": "order.completed o-6"},
            (
                "Tier gold was reached with 250 USD spent within 12 months, because of order.completed o-6;"
                " it begins at 200.01 USD spent within 12 months."
            ),
        ),
        (
            "spend",
            {"basis": ORDERS, "amount": Decimal(5), "at": Decimal(5)},
            "Tier gold was reached with 5 orders within a calendar year; it begins at 5 orders within a calendar year.",
        ),
        (
            "refund",
            {"new": "member", "old": "gold", "at": Decimal(0), "amount": Decimal(50)},
            "Tier member, because orders that had reached gold were undone: 50 USD spent within 12 months remain.",
        ),
        (
            "grace",
            {"until": datetime(2027, 6, 1, tzinfo=UTC), "basis": POINTS, "at": Decimal(0)},
            (
                "Tier gold is no longer reached with 250 points earned within a year of membership,"
                " and kept until 01 June 2027."
            ),
        ),
        (
            "grant",
            {"given": "by key_1: sorry"},
            "Tier gold was granted by hand (by key_1: sorry).",
        ),
    ],
)
def test_a_change_says_what_counted(reason: str, more: dict[str, object], sentence: str) -> None:
    assert tier_sentence(story(reason, **more)) == sentence


REASONS = ("spend", "review", "grace", "refund", "grant", "grant_ended", "merge", "unmerge")


def test_every_reason_has_a_sentence_of_its_own() -> None:
    assert len({tier_sentence(story(reason)) for reason in REASONS}) == len(REASONS)


def test_what_is_missing_is_told_in_the_measure_of_the_program() -> None:
    assert missing_sentence("gold", Decimal(150), Decimal("200.01"), SPEND, "USD") == (
        "Tier gold begins at 200.01 USD spent within 12 months: 150 USD spent within 12 months count now;"
        " missing: 50.01 USD spent."
    )
    assert missing_sentence("gold", Decimal(4), Decimal(5), ORDERS, "USD").endswith("; missing: 1 order.")
    assert "with the next order" in missing_sentence("gold", Decimal(5), Decimal(5), ORDERS, "USD")
