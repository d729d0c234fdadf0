"""One plain sentence for each rule."""

import pytest

from shared.program import default_program_text
from shared.program.describing.describe import describe, describe_redeem, describe_rule
from shared.program.model.ids import ids_of
from shared.program.parse import load_program
from shared.program.values.period import Period
from shared.program.values.words import in_words
from tests.unit.program.texts import load

GOLD = (
    "Gold: from 200.01 USD spent within 12 months, kept for 12 months; "
    "brings offer gold-15 every month, free-shipping"
)
MISS_YOU = (
    "on stage.changed, when event.to == 'lapsed': offer miss-you, message we-miss-you, "
    "at most once per 90 days; 10 % held out"
)
DEFAULT = load_program(default_program_text())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("rule:welcome", "100 points, on customer.registered"),
        ("rule:purchase", "1 point per USD of what was paid, on order.completed"),
        (
            "rule:vip-double",
            "2 times the points for what was paid, on order.completed, when customer.in_segment('vip')",
        ),
        ("rule:review", "50 points, on review.posted, at most 2 times per month"),
        ("rule:follow", "20 points, on social.followed, at most once per network"),
        ("rule:member", "Member: from the start"),
        (
            "rule:gold",
            GOLD,
        ),
        ("rule:fifth-purchase", "offer fifth, when customer.orders == 5"),
        ("rule:anniversary", "250 points, on customer.anniversary"),
        (
            "rule:we-miss-you",
            MISS_YOU,
        ),
        ("rule:how-can-we-help", "on login.missing, after 14 days: message how-can-we-help"),
        ("offer:gold-15", "15 % off, valid for 1 month, once"),
        ("offer:birthday", "10 USD off, valid for 14 days, once"),
        ("offer:fifth", "a gift: tote-bag, valid for 60 days, once"),
        ("segment:vip", "customers for whom customer.spend_30d >= 500"),
    ],
)
def test_the_default_program_in_sentences(name: str, sentence: str) -> None:
    assert describe(DEFAULT)[name] == sentence


def test_everything_with_an_id_has_a_sentence() -> None:
    assert set(describe(DEFAULT)) == ids_of(DEFAULT)


def test_a_rule_is_found_by_its_id() -> None:
    assert describe_rule(DEFAULT, "referral") == "300 points, on referral.converted"
    assert describe_rule(DEFAULT, "gold-15") is None


def test_what_points_are_worth() -> None:
    assert DEFAULT.points.redeem is not None
    assert (
        describe_redeem(DEFAULT.points.redeem, "USD")
        == "100 points are worth 1 USD; at least 500 points at once"
    )


def test_money_has_the_decimals_of_its_currency() -> None:
    program = load(
        "offers: {a: {discount: {amount: 2.5}, valid_for: P1M, uses: 3}, b: {free_shipping: true, valid_for: P1M}}"
    )
    assert describe(program)["offer:a"] == "2.50 USD off, valid for 1 month, 3 times"
    assert describe(program)["offer:b"] == "free shipping, valid for 1 month, once"


@pytest.mark.parametrize(
    ("period", "words"),
    [
        ("P12M", "12 months"),
        ("P1M", "1 month"),
        ("P1M2D", "1 month and 2 days"),
        ("PT36H", "1 day and 12 hours"),
        ("PT1M1S", "1 minute and 1 second"),
        ("P0D", "no time"),
    ],
)
def test_periods_in_words(period: str, words: str) -> None:
    assert in_words(Period.parse(period)) == words
