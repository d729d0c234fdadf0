"""The score: its parts at known points, and what stands behind them."""

import pytest

from services.scoring.domain.assess import assess
from services.scoring.domain.evolve import fold
from services.scoring.domain.explain import explain
from services.scoring.domain.score import Parts
from tests.support.life import SETTINGS, cancellation, event, moment, order, refund


def assessed(events, at):
    """The assessment of a customer with these events."""
    return assess(fold(events, SETTINGS).state, at, SETTINGS)


def test_without_an_order_everything_is_0():
    assessment = assessed([event("login.recorded", moment(0))], moment(1))

    assert (assessment.parts, assessment.facts.score) == (Parts(0, 0, 0, 0), 0)


@pytest.mark.parametrize(("days", "recency"), [(0, 100), (60, 50), (120, 25), (600, 0)])
def test_recency_halves_every_60_days(days, recency):
    assert assessed([order(moment(0), "1")], moment(days)).parts.recency == recency


@pytest.mark.parametrize(("orders", "frequency"), [(1, 16), (4, 50), (8, 75), (60, 100)])
def test_four_orders_a_year_are_half_of_frequency(orders, frequency):
    events = [order(moment(number), str(number)) for number in range(orders)]

    assert assessed(events, moment(orders)).parts.frequency == frequency


@pytest.mark.parametrize(("total", "spend"), [("0", 0), ("200", 50), ("400", 75), ("999999999999.9999", 100)])
def test_a_good_year_is_half_of_spend(total, spend):
    assert assessed([order(moment(0), "1", total)], moment(1)).parts.spend == spend


@pytest.mark.parametrize(
    ("days", "regularity"), [((0, 10, 20, 30), 100), ((0, 10), 0), ((0, 5, 20), 50), ((0, 1, 2, 3, 400), 0)]
)
def test_even_intervals_are_regular(days, regularity):
    events = [order(moment(day), str(day)) for day in days]

    assert assessed(events, moment(days[-1])).parts.regularity == regularity


def test_the_whole_is_the_weighted_sum_rounded_half_up():
    assert Parts(100, 100, 100, 100).score == 100
    assert Parts(50, 50, 50, 50).score == 50
    assert Parts(recency=5, frequency=0, spend=0, regularity=0).score == 2  # 1.5


def test_each_part_names_the_orders_behind_it():
    events = [
        order(moment(0), "old"),
        order(moment(380), "1"),
        order(moment(390), "2"),
        order(moment(395), "gone"),
        cancellation(moment(396), "gone"),
        refund(moment(397), "2", "r", "9.20"),
    ]
    folded = fold(events, SETTINGS)
    assessment = assess(folded.state, moment(400), SETTINGS)

    recency, frequency, spend, regularity = explain(folded.state, assessment, folded.book.values(), SETTINGS)

    assert [one.order_id for one in recency.events] == ["2"]
    assert recency.facts["days_since_last_order"] == 10
    assert [one.order_id for one in frequency.events] == ["2", "1"]
    assert spend.facts["spend_12m"] == "89.20"
    assert [one.order_id for one in regularity.events] == ["2", "1", "old"]
    assert sum(part.weight for part in (recency, frequency, spend, regularity)) == 1


def test_orders_in_another_currency_are_not_behind_the_spend():
    events = [order(moment(0), "euros", currency="EUR"), order(moment(1), "dollars")]
    folded = fold(events, SETTINGS)
    assessment = assess(folded.state, moment(2), SETTINGS)

    _, frequency, spend, _ = explain(folded.state, assessment, folded.book.values(), SETTINGS)

    assert [one.order_id for one in frequency.events] == ["dollars", "euros"]
    assert [one.order_id for one in spend.events] == ["dollars"]


def test_evidence_counts_the_same_days_as_the_window():
    first = order(moment(0), "first")  # 10:00 in New York
    folded = fold([first], SETTINGS)

    for days, inside in ((364, True), (365, False)):
        assessment = assess(folded.state, moment(days), SETTINGS)
        _, frequency, _, _ = explain(folded.state, assessment, folded.book.values(), SETTINGS)
        assert assessment.facts.orders_12m == len(frequency.events) == int(inside)
