"""Codes that are given to single customers."""

from datetime import UTC, datetime

import pytest

from tests.unit.rewards.building import PROGRAM, Life, order, rulebook


@pytest.mark.parametrize(
    ("until", "ends"),
    [
        ("", datetime(2026, 7, 31, 12, tzinfo=UTC)),
        (", until: 2026-12-31", datetime(2026, 7, 31, 12, tzinfo=UTC)),
        (", until: 2026-06-30", datetime(2026, 7, 1, 4, tzinfo=UTC)),
    ],
)
def test_a_code_is_good_for_its_time_but_never_beyond_the_last_day_of_its_offer(
    until: str, ends: datetime
) -> None:
    """Given a code for 60 days; when its offer ends before that, in the program's zone; then so does the code."""
    rules = rulebook(PROGRAM.replace("valid_for: P60D", f"valid_for: P60D{until}"))

    life = Life(rules=rules).happen(order("5", "10", facts={"orders": 5}))

    (given,) = life.changes.offers
    assert given.valid_until == ends
