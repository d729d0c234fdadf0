"""In which period of a recurring benefit a moment lies, to the microsecond, and when the next thing is due."""

from datetime import UTC, datetime, timedelta

import pytest

from services.rewards.domain.state.member import Member
from services.rewards.domain.tiering.recurring import begins, due_at_change, period_of
from shared.program.values.period import Period
from tests.unit.program.test_period import NEW_YORK
from tests.unit.rewards.building import NOW, rulebook
from tests.unit.rewards.earning.earn_rules import HEAD

ANCHOR = datetime(2026, 1, 31, 17, tzinfo=UTC)  # noon in New York
INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)
PROGRAM = f"""{HEAD}
offers:
  code: {{discount: {{percent: 15}}, valid_for: P30D}}
tiers:
  basis: {{spend_over: P12M}}
  notice_before: P30D
  levels:
    - {{id: member, name: M}}
    - {{id: gold, name: G, at: 200, keep_for: P12M, benefits: [{{offer: code, every: P1M}}]}}
"""


@pytest.mark.parametrize(
    ("number", "every", "start"),
    [
        (0, "P1M", ANCHOR),
        (1, "P1M", datetime(2026, 2, 28, 17, tzinfo=UTC)),
        (2, "P1M", datetime(2026, 3, 31, 16, tzinfo=UTC)),  # clocks have changed
        (4, "P1M", datetime(2026, 5, 31, 16, tzinfo=UTC)),
        (60, "P1M", datetime(2031, 1, 31, 17, tzinfo=UTC)),
        (3, "P14D", datetime(2026, 3, 14, 16, tzinfo=UTC)),
        (200, "P1D", datetime(2026, 8, 19, 16, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("off", [-2, -1, 0, 1, 2, 40])
def test_a_period_lasts_until_the_next_begins(number: int, every: str, start: datetime, off: int) -> None:
    """Given periods from the noon of a 31st on; then each begins at noon there, on the last day of shorter months, and
    holds its first and last microsecond, whatever was guessed."""
    period = Period.parse(every)
    end = begins(ANCHOR, period, number + 1, NEW_YORK)
    about = max(number + off, 0)

    assert begins(ANCHOR, period, number, NEW_YORK) == start
    for moment, lies_in in ((start - INSTANT, number - 1), (start, number), (end - INSTANT, number)):
        assert period_of(ANCHOR, period, moment, NEW_YORK, about=about) == lies_in


@pytest.mark.parametrize("about", [0, 4, 5])
def test_a_period_that_began_in_summer_ends_an_hour_later_in_winter(about: int) -> None:
    """Given months from a noon in July on; when it is half past eleven at the end of December; then it is not yet."""
    anchor, month = datetime(2026, 7, 31, 16, tzinfo=UTC), Period.parse("P1M")

    assert period_of(anchor, month, datetime(2026, 12, 31, 16, 30, tzinfo=UTC), NEW_YORK, about=about) == 4
    assert period_of(anchor, month, datetime(2026, 12, 31, 17, 0, tzinfo=UTC), NEW_YORK, about=about) == 5


def test_a_month_of_31_days_is_longer_than_one_on_average() -> None:
    """Given months from 1 July on; when the third is nearly over; then it is not."""
    anchor = datetime(2026, 7, 1, 16, tzinfo=UTC)

    assert period_of(anchor, Period.parse("P1M"), datetime(2026, 10, 1, 15, tzinfo=UTC), NEW_YORK) == 2


@pytest.mark.parametrize(
    ("historical", "until", "due"),
    [
        (False, None, NOW),
        (True, None, datetime(2026, 6, 30, 16, tzinfo=UTC)),
        (False, NOW - DAY, NOW - DAY),
        (True, NOW + 60 * DAY, datetime(2026, 6, 30, 16, tzinfo=UTC)),
        (True, NOW + 40 * DAY, NOW + 10 * DAY),
        (True, NOW + 10 * DAY, NOW),
    ],
)
def test_what_is_due_next_after_a_change_of_tier(
    historical: bool, until: datetime | None, due: datetime
) -> None:
    """Given a monthly code since the end of January; when the tier changes in June; then its benefit is due at once,
    or with the next period where history reached it; the notice 30 days before its end; or its end."""
    program = rulebook(PROGRAM).program
    assert program.tiers is not None
    member = Member("cus_a", tier_since=ANCHOR, tier_until=until)

    level = program.tiers.levels[1]
    assert due_at_change(member, level, program.tiers, NEW_YORK, NOW, historical=historical) == due


def test_a_tier_without_benefits_or_end_has_nothing_due() -> None:
    tiers = rulebook(PROGRAM).program.tiers
    assert tiers is not None

    for historical in (True, False):
        assert (
            due_at_change(Member("a"), tiers.levels[0], tiers, NEW_YORK, NOW, historical=historical) is None
        )


@pytest.mark.parametrize(
    ("since", "now", "due"),
    [
        (None, NOW, datetime(2026, 7, 1, 12, tzinfo=UTC)),
        (ANCHOR, datetime(2026, 5, 31, 16, 30, tzinfo=UTC), datetime(2026, 6, 30, 16, tzinfo=UTC)),
    ],
)
def test_what_history_reached_brings_its_benefit_a_period_later(
    since: datetime | None, now: datetime, due: datetime
) -> None:
    """Given a tier that history reached, just now or in January; then the code comes a month later, by the clock of the
    shop, where it is half an hour into the fifth month."""
    tiers = rulebook(PROGRAM).program.tiers
    assert tiers is not None

    member = Member("cus_a", tier_since=since)
    assert due_at_change(member, tiers.levels[1], tiers, NEW_YORK, now, historical=True) == due
