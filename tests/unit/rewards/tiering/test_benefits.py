"""What a tier brings each period: for which periods, once each, and when the next one is due."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.rewards.domain.changes import Changes
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import BenefitRun, Member
from services.rewards.domain.tiering.benefits import give_benefits, is_benefit, recount
from services.rewards.domain.tiering.recurring import _begins
from shared.program.values.period import Period
from tests.unit.rewards.building import CUSTOMER, rulebook
from tests.unit.rewards.earning.earn_rules import HEAD

INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)
MONTH = Period.parse("P1M")
MONTHS = [
    datetime(2026, 1, 31, 17, tzinfo=UTC),  # noon in New York, in winter
    datetime(2026, 2, 28, 17, tzinfo=UTC),
    datetime(2026, 3, 31, 16, tzinfo=UTC),
    datetime(2026, 4, 30, 16, tzinfo=UTC),
    datetime(2026, 5, 31, 16, tzinfo=UTC),
    datetime(2026, 6, 30, 16, tzinfo=UTC),
]
"""When the months begin that are counted from the first of them."""
FEBRUARY, MARCH, APRIL = MONTHS[1:4]
JUST_BEGUN = MONTHS[4] + timedelta(minutes=30)
"""By a clock that knows no summer time the fourth month has yet to begin."""
THIRD_VOID = datetime(2026, 6, 30, 4, tzinfo=UTC)
"""Until when a code is good that was given as the month of number 2 began: through the 90th day, in New York."""


def bringing(*benefits: str) -> Rulebook:
    """A program whose Gold brings these; the code is good for 90 days, the gift for a week."""
    return rulebook(
        f"""{HEAD}
offers:
  code: {{discount: {{percent: 15}}, valid_for: P90D}}
  gift: {{gift: tote-bag, valid_for: P7D}}
tiers:
  basis: {{spend_over: P12M}}
  levels:
    - {{id: member, name: M}}
    - {{id: gold, name: G, at: 200, benefits: [{", ".join(benefits)}]}}
"""
    )


MONTHLY = bringing("{offer: code, every: P1M}")


class Counting(Changes):
    """Counts codes, as a simulation does, and makes none."""

    def only_counts(self, offer: str, *, recurring: bool = False) -> bool:
        self.stock[f"{offer} {recurring}"] = self.stock.get(f"{offer} {recurring}", 0) + 1
        return True


def gold(since: datetime | None = MONTHS[0], issued: int | None = None, **more: datetime) -> Member:
    """Who has Gold, and has had the codes up to that number since the end of January."""
    member = Member(CUSTOMER, tier="gold", tier_since=since, **more)
    if issued is not None:
        member.benefits["gold", "code"] = BenefitRun(MONTHS[0], MONTH, issued, stored=True, changed=False)
    return member


def give(member: Member, changes: Changes, rules: Rulebook = MONTHLY) -> datetime | None:
    """What Gold has brought by now; when the next of it is due."""
    assert rules.program.tiers is not None
    return give_benefits(member, rules.program.tiers.levels[1], rules, changes)


def given(changes: Changes) -> list[int]:
    """The numbers of the periods for which there are codes."""
    return [int(offer.cause.rpartition("/")[2]) for offer in changes.offers]


def test_a_benefit_says_of_which_tier_and_period_it_is() -> None:
    """Given Gold since January; when its first code comes in May; then code and outcome name the tier, and a cause that
    says for which period; nobody is told of it as of history."""
    member, changes = gold(), Changes(JUST_BEGUN, 1)

    assert give(member, changes) == MONTHS[5]

    (issued,), (told,) = changes.offers, changes.outcomes
    cause = "benefit:gold/code/20260131T170000000000/4"
    assert (issued.offer, issued.rule, issued.cause) == ("code", "gold", cause)
    assert (told.type, told.cause, told.historical) == ("offer.issued", cause, False)
    assert member.benefits == {("gold", "code"): BenefitRun(MONTHS[0], MONTH, 4)}


def test_what_two_get_who_reached_the_tier_at_once_is_told_apart() -> None:
    """Given two who have Gold since the same moment; when each gets the code of the month; then what is told of it has
    ids of its own (webhooks took the second for a repeat of the first, and told nobody)."""
    changes = Changes(JUST_BEGUN, 1)
    for customer in ("cus_a", "cus_b"):
        give(Member(customer, tier="gold", tier_since=MONTHS[0]), changes)
    assert len({told.id for told in changes.outcomes}) == 2


@pytest.mark.parametrize(
    ("cause", "so"),
    [("benefit:gold/code/20260131T170000000000/4", True), ("0123456789abcdef", False), (None, False)],
)
def test_an_offer_that_a_tier_brings_is_known_by_its_cause(cause: str | None, so: bool) -> None:
    assert is_benefit(cause) is so


@pytest.mark.parametrize(
    ("issued", "now", "numbers"),
    [
        (3, JUST_BEGUN, [4]),
        (2, JUST_BEGUN, [3, 4]),
        (1, JUST_BEGUN, [2, 3, 4]),
        (0, JUST_BEGUN, [2, 3, 4]),  # the one of February is void
        (1, THIRD_VOID - INSTANT, [2, 3, 4]),
        (1, THIRD_VOID, [3, 4]),
        (4, JUST_BEGUN, []),
        (3, MONTHS[4] - INSTANT, []),
    ],
)
def test_missed_codes_are_made_up_for_while_they_would_be_good(
    issued: int, now: datetime, numbers: list[int]
) -> None:
    """Given codes of 90 days each month, the last at hand being of that number; when somebody looks again; then those
    that are missing come, each once, unless they would be void by now."""
    member, changes = gold(issued=issued), Changes(now, 1)
    give(member, changes)

    assert given(changes) == numbers
    run = member.benefits["gold", "code"]
    assert (run.issued, run.changed) == (max(issued, *numbers, 0), bool(numbers))


@pytest.mark.parametrize(
    ("since", "numbers"), [(MONTHS[3], [3, 4]), (MONTHS[3] + INSTANT, [4]), (MONTHS[4] + INSTANT, [4])]
)
def test_nothing_is_made_up_for_of_the_time_before_the_tier(since: datetime, numbers: list[int]) -> None:
    """Given Gold that was lost and reached again in April or May; when somebody looks in May; then codes come for the
    present month, and for those that began since."""
    changes = Changes(JUST_BEGUN, 1)
    give(gold(since, issued=0), changes)

    assert given(changes) == numbers


def test_a_tier_that_is_yet_to_come_brings_nothing_of_the_month_before() -> None:
    """Given Gold, reached again by a clock that is ahead as another month begins; when it is the month before; then its
    code does not come."""
    changes = Changes(MONTHS[4] - timedelta(minutes=30), 1)
    assert give(gold(JUST_BEGUN, issued=2), changes) == MONTHS[4]
    assert given(changes) == []


@pytest.mark.parametrize(
    ("promised", "numbers"),
    [(MONTHS[2], [2, 3, 4]), (MONTHS[2] + INSTANT, [3, 4]), (MONTHS[4], [4]), (JUST_BEGUN, [4])],
)
def test_nothing_is_made_up_for_of_the_time_before_it_was_promised(
    promised: datetime, numbers: list[int]
) -> None:
    """Given Gold since January, and its code in a program again since then; when somebody looks in May; then codes come
    for the present month, and for those that began since."""
    rules, changes = replace(MONTHLY, promised={("gold", "code"): promised}), Changes(JUST_BEGUN, 1)
    member = gold(issued=0)
    assert give(member, changes, rules) == MONTHS[5]
    assert given(changes) == numbers


def test_periods_of_what_is_promised_to_who_has_the_tier_begin_then() -> None:
    """Given Gold since January; when a program promises a code in February, and somebody looks two days later; then it
    comes, and the next a month after it was promised."""
    rules, changes = replace(MONTHLY, promised={("gold", "code"): FEBRUARY}), Changes(FEBRUARY + 2 * DAY, 1)
    member = gold()
    assert give(member, changes, rules) == datetime(2026, 3, 28, 16, tzinfo=UTC)
    assert given(changes) == [0]
    assert member.benefits["gold", "code"] == BenefitRun(FEBRUARY, MONTH, 0)


def test_a_first_code_waits_for_the_tier_and_keeps_no_other_waiting() -> None:
    """Given Gold that begins, by a clock that is ahead, in half an hour, and was there before, when it brought a gift,
    and no code; when it is looked at; then the code is due in half an hour, and not noted; the gift comes."""
    now = JUST_BEGUN - timedelta(minutes=30)
    member, changes = gold(JUST_BEGUN), Changes(now, 1)
    member.benefits["gold", "gift"] = gift = BenefitRun(now - 8 * DAY, Period.parse("P7D"), 0)
    rules = bringing("{offer: code, every: P1M}", "{offer: gift, every: P7D}")
    assert give(member, changes, rules) == JUST_BEGUN
    assert member.benefits == {("gold", "gift"): gift}
    assert gift.issued == 1


def test_a_code_belongs_to_the_part_whose_periods_bring_it() -> None:
    """Given Gold with codes that came with a part of the customer, and a gift of their own; when both come; then the
    code is that part's, by its name, and the gift is not."""
    member, changes = gold(issued=0), Changes(FEBRUARY, 1)
    member.benefits["gold", "code"].part = "cus_part"
    give(member, changes, bringing("{offer: code, every: P1M}", "{offer: gift, every: P1M}"))
    assert [(offer.part, offer.cause) for offer in changes.offers] == [
        ("cus_part", "benefit:gold/code/20260131T170000000000/1/cus_part"),
        (None, "benefit:gold/gift/20260131T170000000000/1"),
    ]
    assert member.part is None


@pytest.mark.parametrize("issued", [None, 2])
def test_a_tier_that_ended_before_it_was_promised_brings_nothing(issued: int | None) -> None:
    """Given Gold until the end of April; when a program promises its code, for the first time or again, in May, before
    somebody looks; then none comes."""
    rules, changes = replace(MONTHLY, promised={("gold", "code"): JUST_BEGUN}), Changes(JUST_BEGUN + DAY, 1)
    member = gold(issued=issued, tier_until=MONTHS[3] + DAY)
    give(member, changes, rules)
    assert given(changes) == []
    assert ("gold", "code") in member.benefits or issued is None


@pytest.mark.parametrize("late", [timedelta(0), timedelta(days=1)])
def test_a_tier_brings_nothing_of_the_month_that_begins_with_its_end(late: timedelta) -> None:
    """Given Gold that ends as a month begins; when somebody looks then, or later; then what was missed comes, and
    nothing of the new month."""
    changes = Changes(MONTHS[4] + late, 1)
    assert give(gold(issued=2, tier_until=MONTHS[4]), changes) == MONTHS[4]
    assert given(changes) == [3]


def test_a_tier_that_lasts_brings_what_is_due_by_now() -> None:
    changes = Changes(JUST_BEGUN, 1)
    assert give(gold(issued=2, tier_until=MONTHS[5] + INSTANT), changes) == MONTHS[5]
    assert given(changes) == [3, 4]


def test_where_nobody_knows_since_when_the_tier_holds_periods_begin_now() -> None:
    """Given Gold of which no beginning is known; when it is looked at; then the first code comes, and the next one a
    month later."""
    member, changes = gold(since=None), Changes(MONTHS[0], 1)
    assert give(member, changes) == MONTHS[1]
    assert member.benefits["gold", "code"] == BenefitRun(MONTHS[0], MONTH, 0)


@pytest.mark.parametrize("weekly_first", [True, False])
def test_of_several_benefits_the_next_one_is_due(weekly_first: bool) -> None:
    """Given Gold that brings a code each month and a gift each week; then both come at once, and a gift is next."""
    benefits = ["{offer: code, every: P1M}", "{offer: gift, every: P7D}"]
    rules = bringing(*sorted(benefits, reverse=weekly_first))
    changes = Changes(MONTHS[0], 1)

    assert give(gold(), changes, rules) == MONTHS[0] + timedelta(days=7)
    assert {offer.offer for offer in changes.offers} == {"code", "gift"}


def test_a_tier_that_brings_nothing_has_nothing_due() -> None:
    changes = Changes(JUST_BEGUN, 1)
    assert give(gold(), changes, bringing("{perk: lounge}")) is None
    assert changes.offers == []


def test_what_a_tier_promises_is_known_by_its_offers() -> None:
    """Given programs whose Gold brings a code and a gift, in whatever order and by whatever periods; then they promise
    the same; where one is missing, or the tier is another, they do not."""

    def promise(*benefits: str, level: int = 1) -> str:
        tiers = bringing(*benefits).program.tiers
        assert tiers is not None
        return tiers.levels[level].promise

    code, gift = "{offer: code, every: P1M}", "{offer: gift, every: P7D}"
    same = {promise(code, gift), promise(gift, code.replace("P1M", "P3M"), "{perk: lounge}")}
    assert len(same | {promise(code)} | {promise(gift)} | {promise()} | {promise(level=0)}) == 5


def test_a_simulation_counts_each_code_as_one_that_a_tier_brings() -> None:
    """Given three codes that were missed; when they are merely counted; then each is, and none is made."""
    member, changes = gold(issued=1), Counting(JUST_BEGUN, 1)
    give(member, changes)

    assert (changes.stock, changes.offers) == ({"code True": 3}, [])
    assert member.benefits["gold", "code"].issued == 4


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


def test_ten_years_of_missed_days_are_looked_through_from_the_last_one_on() -> None:
    """Given a code each day, good for some weeks; when nobody looked for ten years; then each that is still good comes,
    in order, and the others take no time."""
    daily = bringing("{offer: code, every: P1D}")
    member, changes = gold(issued=0), Changes(MONTHS[0].replace(year=2036), 1)
    member.benefits["gold", "code"].every = Period.parse("P1D")
    _begins.cache_clear()

    give(member, changes, daily)

    numbers = [int(name.rpartition("/")[2]) for name in named(changes)]
    assert numbers == list(range(3652 - len(numbers) + 1, 3653))
    assert _begins.cache_info().misses < len(numbers) + 10


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
