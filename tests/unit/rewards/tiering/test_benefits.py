"""What a tier brings each period: for which periods, once each, and when the next one is due."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.rewards.domain.changes import Changes
from services.rewards.domain.state.member import BenefitRun, Member
from services.rewards.domain.tiering.benefits import is_benefit
from services.rewards.domain.tiering.recurring import _begins
from shared.program.values.period import Period
from tests.unit.rewards.tiering.bringing import (
    DAY,
    FEBRUARY,
    INSTANT,
    JUST_BEGUN,
    MONTH,
    MONTHLY,
    MONTHS,
    THIRD_VOID,
    bringing,
    give,
    given,
    gold,
)


class Counting(Changes):
    """Counts codes, as a simulation does, and makes none."""

    def only_counts(self, offer: str, *, recurring: bool = False) -> bool:
        self.stock[f"{offer} {recurring}"] = self.stock.get(f"{offer} {recurring}", 0) + 1
        return True


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


def test_ten_years_of_missed_days_are_looked_through_from_the_last_one_on() -> None:
    """Given a code each day, good for some weeks; when nobody looked for ten years; then each that is still good comes,
    in order, and the others take no time."""
    daily = bringing("{offer: code, every: P1D}")
    member, changes = gold(issued=0), Changes(MONTHS[0].replace(year=2036), 1)
    member.benefits["gold", "code"].every = Period.parse("P1D")
    _begins.cache_clear()

    give(member, changes, daily)

    numbers = given(changes)
    assert numbers == list(range(3652 - len(numbers) + 1, 3653))
    assert _begins.cache_info().misses < len(numbers) + 10
