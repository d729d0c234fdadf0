"""What a tier brings where the program comes to say other periods, or nobody knows by which periods it came."""

from datetime import UTC, datetime

import pytest

from services.rewards.domain.changes import Changes
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import BenefitRun
from services.rewards.domain.tiering.benefits import give_benefits, recount
from shared.program.values.period import Period
from tests.unit.rewards.tiering.bringing import (
    APRIL,
    DAY,
    FEBRUARY,
    INSTANT,
    JUST_BEGUN,
    MARCH,
    MONTH,
    MONTHLY,
    MONTHS,
    bringing,
    give,
    gold,
)

QUARTERLY, WEEKLY = bringing("{offer: code, every: P3M}"), bringing("{offer: code, every: P7D}")


def named(changes: Changes) -> list[str]:
    """From when on the periods are counted for which there are codes, and their numbers."""
    return [offer.cause.removeprefix("benefit:gold/code/") for offer in changes.offers]


@pytest.mark.parametrize(
    ("issued", "rules", "now", "names", "due"),
    [
        # Longer: the next one is one new period after the last one.
        (1, QUARTERLY, MARCH - INSTANT, [], datetime(2026, 5, 28, 16, tzinfo=UTC)),
        (1, QUARTERLY, MARCH + DAY, [], datetime(2026, 5, 28, 16, tzinfo=UTC)),
        (2, QUARTERLY, APRIL, [], MONTHS[5]),
        (1, QUARTERLY, datetime(2026, 5, 28, 16, tzinfo=UTC), ["20260228T170000000000/1"], None),
        (1, QUARTERLY, datetime(2026, 8, 29, 16, tzinfo=UTC), ["20260228T170000000000/2"], None),
        # Shorter: likewise; where that is over by now, one comes at once, however many there would have been.
        (1, WEEKLY, FEBRUARY + DAY, [], FEBRUARY + 7 * DAY),
        (1, WEEKLY, FEBRUARY + 7 * DAY - INSTANT, [], FEBRUARY + 7 * DAY),
        (1, WEEKLY, FEBRUARY + 7 * DAY, ["20260228T170000000000/1"], datetime(2026, 3, 14, 16, tzinfo=UTC)),
        (1, WEEKLY, MARCH - INSTANT, ["20260228T170000000000/4"], datetime(2026, 4, 4, 16, tzinfo=UTC)),
        # Before the first, and of the first, nothing moves.
        (-1, WEEKLY, MONTHS[0], ["20260131T170000000000/0"], MONTHS[0] + 7 * DAY),
        (0, WEEKLY, MONTHS[0] + DAY, [], MONTHS[0] + 7 * DAY),
    ],
)
def test_another_period_counts_from_the_last_one_that_had_its_code(
    issued: int, rules: Rulebook, now: datetime, names: list[str], due: datetime | None
) -> None:
    """Given codes each month, the last at hand being of that number; when the program says another period; then the
    next code is due one such period after the last one began, and never are there several at once."""
    member, changes = gold(issued=issued), Changes(now, 1)
    next_one = give(member, changes, rules)

    assert named(changes) == names
    assert due is None or next_one == due
    again = Changes(now, 1)
    assert give(member, again, rules) == next_one
    assert again.offers == []


def test_going_back_to_the_earlier_period_counts_from_the_last_code_too() -> None:
    """Given a code each month, the last in February; when the program says quarters, and months again in March, before
    and after somebody looks; then the next code is that of March, and of no day twice."""
    for looks in ([], [MARCH - DAY]):
        member, codes = gold(issued=1), list[str]()
        for look in looks:
            changes = Changes(look, 1)
            give(member, changes, QUARTERLY)
            codes += named(changes)
        for month in (MARCH, APRIL):
            changes = Changes(month, 1)
            give(member, changes)
            codes += named(changes)
        anchor = "20260228T170000000000" if looks else "20260131T170000000000"
        assert codes == ([f"{anchor}/1", f"{anchor}/2"] if looks else [f"{anchor}/2", f"{anchor}/3"])


def test_losing_the_tier_while_the_period_changes_brings_no_second_code() -> None:
    """Given Gold that was lost after the code of February; when it is reached again in April, and the program says
    quarters by now; then the code of the quarter is there already."""
    changes = Changes(APRIL, 1)
    assert give(gold(APRIL - DAY, issued=1), changes, QUARTERLY) == datetime(2026, 5, 28, 16, tzinfo=UTC)
    assert changes.offers == []


@pytest.mark.parametrize(("rules", "names"), [(MONTHLY, ["20260131T170000000000/1"]), (QUARTERLY, [])])
def test_where_the_period_is_not_known_it_is_what_the_program_says(rules: Rulebook, names: list[str]) -> None:
    """Given what an earlier release kept of a code in January; when somebody looks in February; then the numbers go on,
    and from then on the period is known."""
    member, changes = gold(issued=0), Changes(FEBRUARY, 1)
    run = member.benefits["gold", "code"]
    run.every = None

    give(member, changes, rules)

    assert named(changes) == names
    assert rules.program.tiers is not None
    assert (run.every, run.changed) == (rules.program.tiers.levels[1].recurring[0][1], True)


def test_months_that_an_earlier_release_counted_are_not_taken_for_quarters() -> None:
    """Given what an earlier release kept of a code each month, the last in April, and a program that said quarters
    before anybody knew the period; when somebody looks in May; then the next code comes a quarter later, and its name
    is new (it would have been that of the fourth quarter, the one after the names of the months)."""
    member, changes = gold(issued=3), Changes(JUST_BEGUN, 1)
    member.benefits["gold", "code"].every = None

    due = give(member, changes, QUARTERLY)

    assert due == datetime(2026, 8, 31, 16, 30, tzinfo=UTC)
    assert changes.offers == []
    for moment in (due - DAY, due):
        give(member, changes := Changes(moment, 1), QUARTERLY)
    assert named(changes) == ["20260531T163000000000/1"]


def test_what_an_earlier_release_counted_by_a_period_of_its_own_is_not_taken_for_what_is_kept() -> None:
    """Given the code of a quarter, and a worker of an earlier release that met months first, and noted the fourth as if
    it were a quarter; when the new release looks, in May; then a month begins there (it would in the January after)."""
    member, changes = gold(issued=4), Changes(JUST_BEGUN, 1)
    member.benefits["gold", "code"].every = Period.parse("P3M")

    assert give(member, changes) == datetime(2026, 6, 30, 16, 30, tzinfo=UTC)
    assert changes.offers == []


@pytest.mark.parametrize(
    ("issued", "every", "rules", "now", "due"),
    [
        (0, "P3M", MONTHLY, MONTHS[0] - DAY, MONTHS[0]),
        (1, None, QUARTERLY, FEBRUARY, datetime(2026, 5, 28, 16, tzinfo=UTC)),
        (1, None, MONTHLY, FEBRUARY, MARCH),
    ],
    ids=["the first is to come", "the second cannot be", "the second begins now"],
)
def test_only_what_was_given_and_is_to_come_was_counted_by_other_periods(
    issued: int, every: str | None, rules: Rulebook, now: datetime, due: datetime
) -> None:
    """Given what is kept of the last code; when somebody looks at a time at which that cannot have come; then another
    period begins, and otherwise none does."""
    member, changes = gold(issued=issued), Changes(now, 1)
    member.benefits["gold", "code"].every = None if every is None else Period.parse(every)
    assert (give(member, changes, rules), changes.offers) == (due, [])


def test_after_a_change_a_tier_that_is_over_brings_nothing_of_before_its_end() -> None:
    """Given Gold that ended in March, with a code each month; when somebody looks in May, and the program says weeks;
    then nothing is made up for: what it brings, if it lasts on, comes once."""
    member, changes = gold(issued=1, tier_until=MARCH), Changes(JUST_BEGUN, 1)
    give(member, changes, WEEKLY)
    assert changes.offers == []

    member.tier_until = None
    give(member, changes, WEEKLY)
    assert named(changes) == ["20260228T170000000000/13"]


def test_what_history_is_taken_to_have_had_counts_from_the_last_one_too() -> None:
    """Given a code each month; when history reaches the tier again and the program says weeks; then the weeks until now
    are noted from the last one on, and none has a code."""
    member, changes = gold(issued=1), Changes(FEBRUARY + 15 * DAY, 1)
    assert WEEKLY.program.tiers is not None
    level = WEEKLY.program.tiers.levels[1]

    give_benefits(member, level, WEEKLY, changes, had=True)

    run = member.benefits["gold", "code"]
    assert (run.anchor, run.every, run.issued) == (FEBRUARY, Period.parse("P7D"), 2)
    assert changes.offers == []


def test_periods_of_a_tier_that_is_lost_are_counted_anew_as_well() -> None:
    """Given a code each month, and a benefit that the program no longer has; when the program says weeks; then those
    weeks begin with the last month, whoever has the tier, and the other is left as it is; when it is looked at again,
    then nothing changes."""
    member = gold(issued=2)
    member.tier = "member"
    member.benefits["gold", "gone"] = gone = BenefitRun(MONTHS[0], MONTH, 1, stored=True, changed=False)
    assert WEEKLY.program.tiers is not None

    run = member.benefits["gold", "code"]
    for _ in range(2):
        recount(member, WEEKLY.program.tiers, WEEKLY.program.time_zone, JUST_BEGUN)
        assert (run.anchor, run.every, run.issued) == (MARCH, Period.parse("P7D"), 0)
    assert run.changed
    assert not gone.changed
