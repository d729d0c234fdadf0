"""The section `score`: weights of the parts, and the shop's own parts."""

import pytest

from shared.program.model.score import DEFAULT_WEIGHTS, Score
from tests.unit.program.texts import load, only_fault


def test_a_program_that_says_nothing_has_the_default_weights() -> None:
    assert load("").score == Score()


def test_weights_that_are_not_named_keep_their_defaults() -> None:
    weights = load("score: {weights: {recency: 50, drop_off: 0}}").score.weights
    assert weights == {**DEFAULT_WEIGHTS, "recency": 50, "drop_off": 0}


@pytest.mark.parametrize(
    ("score", "said", "hint", "place"),
    [
        ("{weight: {}}", "no key weight", "weights", (4, 9)),
        ("{weights: {recensy: 5}}", "no key recensy", "recency", (4, 19)),
        ("{weights: {recency: 2.5}}", "whole number", "decimals", (4, 28)),
        ("{weights: {recency: -1}}", "between 0 and 1000", "", (4, 28)),
        ("{weights: [1]}", "Keys and values", "recency", (4, 18)),
        ("{parts: {id: a}}", "needs a list", "dash", (4, 16)),
        ("{parts: [{id: a, weight: 5}]}", "value is missing", "customer.", (4, 17)),
        ("{parts: [{id: a, value: '5'}]}", "weight is missing", "weights", (4, 17)),
        ("{parts: [{value: '5', weight: 5}]}", "id is missing", "", (4, 17)),
        ("{parts: [{id: recency, value: '5', weight: 5}]}", "part of every score", "my-recency", (4, 22)),
        ("{parts: [{id: A B, value: '5', weight: 5}]}", "cannot be an id", "", (4, 22)),
        ("{parts: [{id: a, value: \"'five'\", weight: 5}]}", "number is needed", "", (4, 33)),
        ("{parts: [{id: a, value: customer.odrers * 10, weight: 5}]}", "no field odrers", "orders", (4, 41)),
        ("{parts: [{id: a, value: customer.score, weight: 5}]}", "follows from the score", "", (4, 41)),
        ("{parts: [{id: a, value: event.total, weight: 5}]}", "no event here", "", (4, 32)),
        (
            "{parts: [{id: a, value: \"customer.in_segment('vip')\", points: 5, weight: 5}]}",
            "follows from the score",
            "",
            (4, 42),
        ),
        ("{parts: [{id: a, value: customer.orders > 3, weight: 5}]}", "points is missing", "", (4, 17)),
        ("{parts: [{id: a, value: '5', points: 9, weight: 5}]}", "points has no meaning", "Remove", (4, 45)),
        ("{parts: [{id: a, value: '5', weight: 5, half: both}]}", "no half both", "emotional", (4, 54)),
    ],
)
def test_a_wrong_score_is_refused_at_its_place(
    score: str, said: str, hint: str, place: tuple[int, int]
) -> None:
    fault = only_fault(f"score: {score}")
    assert said in fault.message
    assert hint in fault.hint
    assert (fault.line, fault.column) == place, fault


def test_a_part_id_names_one_part() -> None:
    part = "{id: a, value: '5', weight: 1}"
    assert "used twice" in only_fault(f"score: {{parts: [{part}, {part}]}}").message


def test_a_score_of_nothing_is_refused() -> None:
    nothing = ", ".join(f"{name}: 0" for name in DEFAULT_WEIGHTS)
    assert "no score" in only_fault(f"score: {{weights: {{{nothing}}}}}").message


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("customer.orders * 10", 30.0),
        ("customer.orders / 2", 1.5),
        ("customer.orders > 2", True),
        ("customer.orders > 2 ? 80 : 20", 80.0),
        ("customer.order_interval_days * 2", None),  # not known yet
        ("customer.spend / customer.events", None),  # nothing to divide by
    ],
)
def test_a_formula_gives_a_number_or_an_answer_or_nothing(value: str, found: float | bool | None) -> None:
    (part,) = load(
        f'score: {{parts: [{{id: a, value: "{value}", points: 5, weight: 1}}]}}'.replace(
            "points: 5, " if not isinstance(found, bool) else "\0", ""
        )
    ).score.parts
    facts = {"orders": 3, "events": 0, "spend": "9.50", "order_interval_days": None}
    assert part.value.value(facts) == found
