"""The circuit breaker of a provider."""

from datetime import UTC, datetime, timedelta

from services.deliveries.domain.providers.breaker import (
    FAILURES_MAX,
    OPEN_FOR,
    OPEN_MAX,
    PROBE_WITHIN,
    Breaker,
    Circuit,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


def opened(now: datetime = NOW) -> Breaker:
    """A breaker that has just opened."""
    breaker = Breaker()
    for _ in range(FAILURES_MAX):
        breaker = breaker.failed(now)
    return breaker


def test_failures_in_a_row_open_it() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_MAX - 1):
        breaker = breaker.failed(NOW)
        assert breaker.circuit(NOW) is Circuit.CLOSED

    breaker = breaker.failed(NOW)

    assert breaker.circuit(NOW) is Circuit.OPEN
    assert breaker.allowed(NOW, 100) == 0
    assert breaker.allowed(NOW + OPEN_FOR - MOMENT, 100) == 0


def test_a_success_between_begins_the_count_anew() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_MAX - 1):
        breaker = breaker.failed(NOW)
    breaker = breaker.succeeded().failed(NOW)

    assert breaker.circuit(NOW) is Circuit.CLOSED


def test_after_the_pause_one_message_goes_first() -> None:
    later = NOW + OPEN_FOR
    breaker = opened()
    assert breaker.allowed(later, 100) == 1

    breaker = breaker.sending(later)

    assert breaker.allowed(later, 100) == 0, "the others wait for the probe"
    assert breaker.succeeded().allowed(later, 100) == 100


def test_a_probe_whose_worker_was_killed_is_followed_by_another() -> None:
    later = NOW + OPEN_FOR
    breaker = opened().sending(later)

    assert breaker.allowed(later + PROBE_WITHIN - MOMENT, 5) == 0
    assert breaker.allowed(later + PROBE_WITHIN, 5) == 1


def test_every_probe_that_fails_doubles_the_pause_up_to_a_limit() -> None:
    breaker, now, pauses = opened(), NOW, []
    for _ in range(8):
        assert breaker.until is not None
        pauses.append(breaker.until - now)
        now = breaker.until
        breaker = breaker.sending(now).failed(now, probe=True)

    assert pauses == [min(OPEN_FOR * 2**n, OPEN_MAX) for n in range(8)]
    assert pauses[-1] == OPEN_MAX


def test_what_was_under_way_when_it_opened_does_not_keep_it_open_for_longer() -> None:
    breaker = opened()

    late = breaker.failed(NOW + OPEN_FOR - MOMENT)

    assert late.until == breaker.until
    assert late.allowed(NOW + OPEN_FOR, 100) == 1


def test_a_clock_set_back_an_hour_does_not_keep_it_open() -> None:
    assert opened().allowed(NOW - timedelta(hours=1), 100) == 1


def test_it_stays_open_for_the_longest_pause_there_is() -> None:
    """Given a pause as long as any; then it is kept to its last moment, and a pause that only a clock that was set back
    could make longer is not."""
    longest = Breaker(FAILURES_MAX, NOW + OPEN_MAX, 9)

    assert longest.circuit(NOW) is Circuit.OPEN
    assert longest.circuit(NOW - MOMENT) is Circuit.PROBING


def test_while_a_probe_is_under_way_it_says_so() -> None:
    probing = opened().sending(NOW + OPEN_FOR)

    assert probing.circuit(NOW + OPEN_FOR) is Circuit.PROBED


def test_failures_are_counted_on_while_it_is_open() -> None:
    assert opened().failed(NOW).failures == FAILURES_MAX + 1
