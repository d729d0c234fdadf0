"""What an answer means, and when a message is tried again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.deliveries.domain.webhooks.retrying import (
    GIVEN_UP_AFTER,
    JITTER,
    TRIES_MAX,
    WAITS,
    Answer,
    State,
    is_given_up,
    judge,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_2xx_is_delivered(status: int) -> None:
    assert judge(Answer(status), 1, NOW, 0.5).state is State.DELIVERED


@pytest.mark.parametrize("status", [100, 301, 302, 307, 400, 401, 404, 408, 429, 500, 503])
def test_everything_else_is_tried_again(status: int) -> None:
    verdict = judge(Answer(status), 1, NOW, 0.5)

    assert verdict.state is State.WAITING
    assert verdict.due_at == NOW + WAITS[0]


def test_an_error_is_tried_again() -> None:
    assert judge(Answer(None, "timeout"), 3, NOW, 0.5).due_at == NOW + timedelta(minutes=30)


def test_after_ten_tries_it_has_failed() -> None:
    assert judge(Answer(500), TRIES_MAX - 1, NOW, 0.5).state is State.WAITING
    assert judge(Answer(500), TRIES_MAX, NOW, 0.5).state is State.FAILED


def test_gone_is_not_tried_again() -> None:
    assert judge(Answer(410), 1, NOW, 0.5).state is State.FAILED
    assert Answer(410).is_gone


@given(st.floats(0, 1, exclude_max=True))
def test_the_tries_spread_over_about_three_days(chance: float) -> None:
    at, tries = NOW, 1
    while (verdict := judge(Answer(500), tries, at, chance)).due_at is not None:
        planned = WAITS[tries - 1]
        assert planned * (1 - JITTER) <= verdict.due_at - at <= planned * (1 + JITTER)
        at, tries = verdict.due_at, tries + 1

    assert tries == TRIES_MAX
    assert timedelta(days=2.5) <= at - NOW <= timedelta(days=4)


def test_the_receiver_is_given_the_time_it_asks_for() -> None:
    assert judge(Answer(429, retry_after=timedelta(hours=1)), 1, NOW, 0.5).due_at == NOW + timedelta(hours=1)
    assert judge(Answer(429, retry_after=timedelta(seconds=1)), 2, NOW, 0.5).due_at == NOW + WAITS[1]


def test_but_not_for_ever() -> None:
    assert judge(Answer(503, retry_after=timedelta(days=300)), 1, NOW, 0.5).due_at == NOW + WAITS[-1]


def test_an_endpoint_is_given_up_after_five_days_without_a_success() -> None:
    assert not is_given_up(None, NOW)
    assert not is_given_up(NOW - GIVEN_UP_AFTER + timedelta(seconds=1), NOW)
    assert is_given_up(NOW - GIVEN_UP_AFTER, NOW)
