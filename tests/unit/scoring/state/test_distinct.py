"""Counting different names in bounded space."""

import random

import pytest

from services.scoring.domain.state import distinct
from services.scoring.domain.state.distinct import EXACT, count, fingerprint, with_names


def test_below_the_limit_the_count_is_exact_whatever_the_order_and_repetition():
    names = [f"SKU-{number}" for number in range(EXACT - 1)]
    again = [*names, *names]
    random.Random(7).shuffle(again)

    one_by_one = b""
    for name in again:
        one_by_one = with_names(one_by_one, [name])

    assert one_by_one == with_names(b"", names)
    assert count(one_by_one) == EXACT - 1


@pytest.mark.parametrize("different", [200, 1_000, 20_000])
def test_beyond_the_limit_the_count_is_an_estimate_of_bounded_size(different: int):
    names = [f"SKU-{number}" for number in range(different)]

    sketch = with_names(with_names(b"", names[::2]), names[1::2])

    assert sketch == with_names(b"", names)
    assert len(sketch) == EXACT * 4
    assert count(sketch) == pytest.approx(different, rel=0.4)


def test_the_count_never_falls_with_another_name():
    sketch, counted = b"", 0
    for number in range(500):
        sketch = with_names(sketch, [f"SKU-{number}"])
        assert count(sketch) >= counted
        counted = count(sketch)


def test_a_fingerprint_across_two_others_is_not_taken_for_one_that_is_there(monkeypatch):
    known = sorted([fingerprint("a"), fingerprint("b")])
    across = (known[0] + known[1])[2:6]
    monkeypatch.setattr(distinct, "fingerprint", lambda _: across)

    assert count(with_names(b"".join(known), ["c"])) == 3
