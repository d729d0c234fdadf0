"""The notice ahead of points that expire: of which lots, from which moment on, in which words."""

from datetime import UTC, datetime, timedelta

from services.rewards.domain.changes import Changes
from services.rewards.domain.points.expiry import give_notice
from shared.contracts.outcomes import Outcome
from tests.unit.rewards.building import CUSTOMER
from tests.unit.rewards.points.posting import FOR_GOOD, PLAIN, holding, start
from tests.unit.rewards.points.test_expiry import local

OCTOBER = datetime(2026, 10, 15, 12, tzinfo=UTC)
HORIZON = datetime(2026, 11, 14, 13, tzinfo=UTC)
"""30 days later by New York's clocks, which have been set back an hour in between."""


def test_notice_is_given_of_each_day_with_all_that_ends_then() -> None:
    """Given points that end on two days within the notice period, and others beyond it, told of, spent, or for ever;
    when notice is given; then there is one for each of the two days, to the last field, and the lots know of it."""
    soon = local(2026, 11, 3)
    lots = [
        holding(0x22, 5, ends=HORIZON),
        holding(0x12, 7, ends=soon),
        holding(0x11, 30, ends=soon),
        holding(1, 100, ends=soon, noticed=True),
        holding(2, 0, ends=soon),
        holding(3, 200),
        holding(4, 300, ends=HORIZON + timedelta(microseconds=1)),
    ]
    member, _ = start(*lots, debt=2)
    changes = Changes(OCTOBER, 3)

    give_notice(member, PLAIN, changes)

    assert changes.outcomes == [
        Outcome(
            id=f"{CUSTOMER}/expiring/{end.isoformat()}/{first}",
            customer_id=CUSTOMER,
            type="points.expiring",
            time=OCTOBER,
            cause=f"lot:{first}",
            program_version=3,
            data={"points": points, "on": on, "expires_at": end.isoformat(), "available": 640},
        )
        for end, first, points, on in (
            (soon, "0000000000000011", 37, "2026-11-02"),
            (HORIZON, "0000000000000022", 5, "2026-11-14"),
        )
    ]
    assert [lot.noticed for lot in lots] == [True, True, True, True, False, False, False]
    assert [lot.changed for lot in lots] == [True, True, True, False, False, False, False]
    assert changes.members == {CUSTOMER: member}


def test_without_a_notice_period_nothing_is_told() -> None:
    member, changes = start(holding(1, 5, ends=OCTOBER))

    give_notice(member, FOR_GOOD, changes)

    assert (changes.outcomes, changes.members) == ([], {})
