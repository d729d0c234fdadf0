"""Percentiles: what the cuts say is what counting everybody says."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.segments.ranking import CUTS, Percentiles, Ranking, microseconds, percentiles_of
from services.scoring.domain.state import State
from tests.support.life import moment

VALUES = st.lists(st.integers(-5, 30), min_size=1, max_size=250)


def cut(values: list[int]) -> tuple[int, ...]:
    """The cuts of a population, as the docs define them."""
    ordered = sorted(values)
    return tuple(ordered[-(-p * len(ordered) // CUTS) - 1] for p in range(1, CUTS + 1))


@given(values=VALUES, own=st.integers(-10, 40))
def test_a_percentile_counts_who_had_less(values: list[int], own: int) -> None:
    ranking = Ranking(
        at=moment(), customers=len(values), spend=cut(values), orders=cut([1]), recency=cut([0])
    )
    state = State(orders=1, spend=own, last_order_at=moment())
    less = sum(value < own for value in values)
    assert percentiles_of(state, ranking).spend == 100 * less // len(values)


@given(values=VALUES)
def test_at_most_a_tenth_is_on_top(values: list[int]) -> None:
    ranking = Ranking(at=moment(), customers=len(values), spend=cut(values), orders=(0,), recency=(0,))
    states = [State(orders=1, spend=value, last_order_at=moment()) for value in values]
    top = sum((percentiles_of(state, ranking).spend or 0) >= 90 for state in states)
    assert 10 * top <= len(values)


@given(days=st.integers(-100_000, 100_000), us=st.integers(0, 86_399_999_999))
def test_moments_are_exact_whole_numbers(days: int, us: int) -> None:
    one = moment() + timedelta(days=days, microseconds=us)
    assert microseconds(one + timedelta(microseconds=1)) == microseconds(one) + 1


def test_nobody_is_ranked_without_an_order_or_a_ranking() -> None:
    ranking = Ranking(at=moment(), customers=1, spend=(1,), orders=(1,), recency=(1,))
    assert percentiles_of(State(), ranking) == Percentiles()
    assert percentiles_of(State(orders=1, last_order_at=moment()), Ranking()) == Percentiles()
