"""The pauses between attempts."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.deliveries.domain.providers.backoff import BASE, CAP, pause_before

CHANCES = st.floats(0, 1, exclude_max=True)


@given(st.integers(2, 10_000), CHANCES)
def test_a_pause_is_never_longer_than_the_cap(attempt: int, chance: float) -> None:
    assert timedelta(0) <= pause_before(attempt, chance) <= CAP


def test_the_longest_pause_doubles_until_the_cap() -> None:
    longest = [pause_before(attempt, 1 - 1e-12) for attempt in range(2, 12)]

    assert [round(pause / BASE) for pause in longest] == [1, 2, 4, 8, 16, 32, 64, 120, 120, 120]


def test_full_jitter_takes_every_length_from_nothing_on() -> None:
    assert pause_before(5, 0.0) == timedelta(0)
    assert pause_before(5, 0.25) == BASE * 8 * 0.25


@given(st.integers(2, 40), CHANCES)
def test_what_the_provider_asks_for_is_kept_within_the_cap(attempt: int, chance: float) -> None:
    assert pause_before(attempt, chance, timedelta(minutes=7)) >= timedelta(minutes=7)
    assert pause_before(attempt, chance, timedelta(days=9)) == CAP
