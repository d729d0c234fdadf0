"""Which version is in force when, against the simplest way to say it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.program.versions.timeline import Activation, Timeline

MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)
moments = st.integers(0, 12).map(lambda hours: MIDNIGHT + timedelta(hours=hours))


@st.composite
def timelines(draw: st.DrawFn) -> list[Activation]:
    """Activations as they were decided, with starts that often coincide."""
    starts = draw(st.lists(moments, min_size=1, max_size=8))
    return [
        Activation(number, draw(st.integers(1, 4)), start) for number, start in enumerate(starts, start=1)
    ]


def as_read(decided: list[Activation]) -> Timeline:
    """In the order in which the database gives them."""
    return Timeline(tuple(sorted(decided, key=lambda one: (one.starts_at, one.id), reverse=True)))


@given(timelines(), moments)
def test_the_latest_start_counts_and_of_those_the_later_decision(
    decided: list[Activation], now: datetime
) -> None:
    """Walk through time: each activation that starts replaces what was."""
    in_force = min(decided, key=lambda one: (one.starts_at, one.id))
    for one in sorted(decided, key=lambda one: (one.starts_at, one.id)):
        if one.starts_at <= now:
            in_force = one
    assert as_read(decided).in_force(now) == in_force


@given(timelines(), moments)
def test_what_is_scheduled_is_what_comes_in_order(decided: list[Activation], now: datetime) -> None:
    """All that start later and are not in force already (as the first one is, for clocks that are slow)."""
    timeline = as_read(decided)
    scheduled = timeline.scheduled(now)
    assert scheduled == sorted(scheduled, key=lambda one: (one.starts_at, one.id))
    in_force = timeline.in_force(now)
    assert {one.id for one in scheduled} == {
        one.id for one in decided if one.starts_at > now and one != in_force
    }


def test_before_there_is_any_nothing_is_in_force() -> None:
    """Nothing was stored."""
    assert Timeline(()).in_force(MIDNIGHT) is None
    assert Timeline(()).scheduled(MIDNIGHT) == []
