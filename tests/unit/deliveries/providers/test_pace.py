"""The rate that a provider is given messages at."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.deliveries.domain.providers.pace import Pace

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PACES = st.builds(Pace, st.sampled_from([0.5, 1.0, 3.0, 10.0, 333.0]), st.integers(1, 50))
STEPS = st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 100)), max_size=40)


@given(PACES, STEPS)
def test_no_span_of_time_sees_more_than_the_burst_and_the_rate(
    pace: Pace, steps: list[tuple[int, int]]
) -> None:
    arrival, now, sent = None, NOW, []
    for wait_ms, wanted in steps:
        now += timedelta(milliseconds=wait_ms)
        granted, arrival = pace.grant(arrival, now, wanted)
        assert 0 <= granted <= wanted
        sent.append((now, granted))

    for first in range(len(sent)):
        total = 0
        for moment, granted in sent[first:]:
            total += granted
            span_s = (moment - sent[first][0]).total_seconds()
            assert total <= pace.burst + pace.per_second * span_s + 1e-3


@given(PACES)
def test_after_a_rest_the_whole_burst_may_go(pace: Pace) -> None:
    assert pace.grant(None, NOW, 1_000)[0] == pace.burst
    assert pace.grant(NOW - timedelta(days=7), NOW, 1_000)[0] == pace.burst


@given(PACES)
def test_when_the_wait_is_over_one_more_goes(pace: Pace) -> None:
    _, arrival = pace.grant(None, NOW, 1_000)
    wait = pace.wait(arrival, NOW)

    assert wait > timedelta(0)
    assert pace.grant(arrival, NOW, 1)[0] == 0
    assert pace.grant(arrival, NOW + wait + timedelta(microseconds=2), 1)[0] == 1


def test_a_clock_set_back_an_hour_stops_nobody_for_an_hour() -> None:
    pace = Pace(10.0, 5)
    _, arrival = pace.grant(None, NOW, 5)
    back = NOW - timedelta(hours=1)

    granted, arrival = pace.grant(arrival, back, 5)

    assert granted == 0
    assert pace.grant(arrival, back + timedelta(seconds=1), 5)[0] == 5


def test_nobody_waits_longer_than_for_the_next_one() -> None:
    """Given ten a second, five at once; then nobody waits while some of the five are left, or who has asked for none;
    after them for a tenth of a second, less what has passed of it."""
    pace = Pace(10.0, 5)
    _, four = pace.grant(None, NOW, 4)
    _, five = pace.grant(four, NOW, 1)

    assert pace.wait(None, NOW) == pace.wait(four, NOW) == timedelta(0)
    assert pace.wait(five, NOW) == timedelta(seconds=0.1)
    assert pace.wait(five, NOW + timedelta(seconds=0.04)) == timedelta(seconds=0.06)
