"""What a provider may be given: rate and trouble together."""

from datetime import UTC, datetime, timedelta

from services.deliveries.domain.providers.answers import Again, Refused, Sent
from services.deliveries.domain.providers.breaker import FAILURES_MAX, OPEN_FOR
from services.deliveries.domain.providers.gate import Gate
from services.deliveries.domain.providers.pace import Pace

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PACE = Pace(10.0, 10)
DOWN = Again("timed_out", down=True)


def in_trouble() -> Gate:
    gate = Gate()
    for _ in range(FAILURES_MAX):
        gate = gate.heard(DOWN, NOW, probe=False)
    return gate


def test_the_rate_bounds_the_room() -> None:
    gate = Gate()
    assert gate.room(PACE, NOW, 100) == 10

    gate = gate.took(PACE, NOW, 10)

    assert gate.room(PACE, NOW, 100) == 0
    assert gate.took(PACE, NOW, 0) is gate
    opens = gate.opens_at(PACE, NOW)
    assert NOW < opens <= NOW + timedelta(seconds=0.11)
    assert gate.room(PACE, NOW + timedelta(seconds=1), 100) == 10


def test_a_provider_in_trouble_has_no_room_and_then_room_for_one() -> None:
    gate = in_trouble()
    assert gate.room(PACE, NOW, 100) == 0
    assert gate.code == "timed_out"
    later = gate.opens_at(PACE, NOW)
    assert later == NOW + OPEN_FOR
    assert gate.room(PACE, later, 100) == 1

    gate = gate.took(PACE, later, 1)

    assert gate.room(PACE, later, 100) == 0
    well = gate.heard(Sent(), later, probe=True)
    assert well.code == ""
    assert well.room(PACE, later + timedelta(seconds=1), 100) == 10


def test_what_is_refused_or_put_off_for_itself_says_that_the_provider_works() -> None:
    for receipt in (Refused("no_such_address"), Again("put_off")):
        assert in_trouble().heard(receipt, NOW, probe=True).room(PACE, NOW, 100) == 10


def test_a_clock_set_back_is_noticed_once() -> None:
    gate = Gate().took(PACE, NOW, 10)
    back = NOW - timedelta(hours=1)

    gate = gate.cut(PACE, back)

    assert gate.room(PACE, back, 10) == 0
    assert gate.cut(PACE, back + timedelta(seconds=1)).room(PACE, back + timedelta(seconds=1), 10) == 10


def test_what_it_was_given_adds_up() -> None:
    """Given a provider that takes ten at once; when it is given six and then four; then it has no room, and has had no
    more than it may; looked at again, nothing is forgotten."""
    gate = Gate().took(PACE, NOW, 6).took(PACE, NOW, 4)

    assert gate.cut(PACE, NOW) is gate
    assert Gate().cut(PACE, NOW) == Gate()
    assert gate.room(PACE, NOW, 100) == 0


def test_only_a_probe_keeps_it_closed_for_longer() -> None:
    later = NOW + OPEN_FOR
    trouble = in_trouble().took(PACE, later, 1)

    assert trouble.heard(DOWN, later, probe=False).opens_at(PACE, later) == trouble.opens_at(PACE, later)
    assert trouble.heard(DOWN, later, probe=True).opens_at(PACE, later) == later + 2 * OPEN_FOR
