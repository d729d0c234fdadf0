"""Who may begin how many tries: those that hang never take the places of the others."""

from hypothesis import given
from hypothesis import strategies as st

from services.deliveries.domain.webhooks.lanes import (
    WINDOW_FIRST,
    WINDOW_MAX,
    WINDOW_SLOW,
    Lanes,
)


def test_a_new_endpoint_begins_small_and_grows_with_every_message_it_takes() -> None:
    lanes = Lanes()
    assert lanes.rooms(["a"]) == {"a": WINDOW_FIRST}

    for _ in range(100):
        lanes.began("a")
        lanes.ended("a", delivered=True)

    assert lanes.rooms(["a"]) == {"a": WINDOW_MAX}


def test_a_failure_closes_its_window_to_one() -> None:
    lanes = Lanes()
    for _ in range(10):
        lanes.began("a")
        lanes.ended("a", delivered=True)
    lanes.began("a")
    lanes.ended("a", delivered=False)

    assert lanes.rooms(["a"]) == {"a": 1}


def test_one_that_is_slow_gets_a_smaller_window() -> None:
    lanes = Lanes()
    for _ in range(40):
        lanes.began("a")
        lanes.ended("a", delivered=True)
    lanes.began("a")
    lanes.slow("a")

    assert lanes.rooms(["a"]) == {"a": WINDOW_SLOW - 1}


def test_troubled_ones_leave_places_for_the_others() -> None:
    lanes = Lanes(places=10, troubled_places=4)
    for endpoint in "abcdef":
        lanes.began(endpoint)
        lanes.ended(endpoint, delivered=False)

    rooms = lanes.rooms([*"abcdef", "good"])

    assert sum(room for endpoint, room in rooms.items() if endpoint != "good") == 4
    assert rooms["good"] == WINDOW_FIRST


def test_what_hangs_counts_as_troubled_while_it_hangs() -> None:
    lanes = Lanes(places=10, troubled_places=1)
    lanes.began("hangs")
    lanes.began("other")
    lanes.ended("other", delivered=False)
    lanes.slow("hangs")
    assert "other" not in lanes.rooms(["other"])

    lanes.ended("hangs", delivered=True)
    assert lanes.rooms(["other"]) == {"other": 1}


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(["begin", "ok", "fail", "slow"]))))
def test_the_counts_always_fit(steps: list[tuple[str, str]]) -> None:
    """Whatever happens in whatever order: nothing is counted twice or forgotten, and no window is ever overdrawn."""
    lanes = Lanes(places=8, troubled_places=3)
    under_way: dict[str, int] = dict.fromkeys("abcde", 0)
    for endpoint, step in steps:
        if step == "begin" and lanes.free and lanes.rooms([endpoint]):
            lanes.began(endpoint)
            under_way[endpoint] += 1
        elif step in {"ok", "fail"} and under_way[endpoint]:
            lanes.ended(endpoint, delivered=step == "ok")
            under_way[endpoint] -= 1
        elif step == "slow" and under_way[endpoint]:
            lanes.slow(endpoint)
        assert lanes.free == 8 - sum(under_way.values()) >= 0

    for endpoint, number in under_way.items():
        for _ in range(number):
            lanes.ended(endpoint, delivered=True)
    assert lanes.free == 8
    lanes.forget(())
    assert lanes.rooms("abcde") == dict.fromkeys("abcde", WINDOW_FIRST)
