"""How often somebody is written to: from when on there is room, and how far back what was written matters."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.deliveries.domain.channels import Purpose
from services.deliveries.domain.messages.frequency import (
    ALL_TIME,
    SPACING,
    Written,
    counted_since,
    within_limit,
)
from shared.program.model.limit import Limit
from shared.program.values.period import Period

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 4, 1, 11, tzinfo=UTC)
"""A month after noon of 1 March in UTC, by New York's clocks, which have been set forward since."""
MONTH_AGO, DAY = datetime(2026, 3, 1, 12, tzinfo=UTC), timedelta(days=1)


@pytest.mark.parametrize(
    ("limit", "since"),
    [
        (None, NOW - SPACING),
        (Limit(1), NOW - ALL_TIME),
        (Limit(1, Period.parse("PT1H")), NOW - timedelta(hours=1) - 2 * DAY),
        (Limit(3, Period.parse("P1M")), MONTH_AGO - 2 * DAY),
    ],
)
def test_what_matters_goes_back_as_far_as_the_limit_wherever_somebody_lives(
    limit: Limit | None, since: datetime
) -> None:
    """Given a limit; then what went out matters for its period by the program's clock and two days more, which is more
    than clocks differ; without a limit for as long as late messages keep apart; for ever where the limit has no end."""
    assert counted_since(limit, NOW, NEW_YORK) == since


def test_no_zone_needs_what_was_not_asked_for() -> None:
    """Given one message a day; when the last one of somebody far away is just too near; then it was asked for."""
    limit, far = Limit(1, Period.parse("P1D")), ZoneInfo("Pacific/Kiritimati")
    near = Written(NOW - DAY + timedelta(seconds=1), Purpose.MARKETING)

    assert within_limit(limit, [near], NOW, far) == NOW + timedelta(seconds=1)
    assert near.at > counted_since(limit, NOW, ZoneInfo("Pacific/Pago_Pago"))


def test_a_month_is_one_by_the_clock_where_the_customer_lives() -> None:
    """Given one message a month; when the last was written a month ago by the clock; then there is room from now on, in
    UTC an hour less than a month."""
    limit, written = Limit(1, Period.parse("P1M")), [Written(MONTH_AGO, Purpose.MARKETING)]

    free = within_limit(limit, written, NOW - DAY, NEW_YORK)

    assert free == NOW
    assert free is not None
    assert free.tzinfo is UTC
    assert within_limit(Limit(2), written, NOW, NEW_YORK) == NOW
