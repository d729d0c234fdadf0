"""What a tier brings each period: for which periods, once each, and when the next one is due."""

from datetime import UTC, datetime, timedelta

import pytest

from services.rewards.domain.changes import Changes
from services.rewards.domain.member import BenefitRun, Member
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.tiering.benefits import give_benefits, is_benefit
from tests.unit.rewards.building import CUSTOMER, rulebook
from tests.unit.rewards.earning.earn_rules import HEAD

INSTANT = timedelta(microseconds=1)
MONTHS = [
    datetime(2026, 1, 31, 17, tzinfo=UTC),  # noon in New York, in winter
    datetime(2026, 2, 28, 17, tzinfo=UTC),
    datetime(2026, 3, 31, 16, tzinfo=UTC),
    datetime(2026, 4, 30, 16, tzinfo=UTC),
    datetime(2026, 5, 31, 16, tzinfo=UTC),
    datetime(2026, 6, 30, 16, tzinfo=UTC),
]
"""When the months begin that are counted from the first of them."""
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
        member.benefits["gold", "code"] = BenefitRun(MONTHS[0], issued, stored=True, changed=False)
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
    assert member.benefits == {("gold", "code"): BenefitRun(MONTHS[0], 4)}


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
    assert member.benefits["gold", "code"] == BenefitRun(MONTHS[0], 0)


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


def test_a_simulation_counts_each_code_as_one_that_a_tier_brings() -> None:
    """Given three codes that were missed; when they are merely counted; then each is, and none is made."""
    member, changes = gold(issued=1), Counting(JUST_BEGUN, 1)
    give(member, changes)

    assert (changes.stock, changes.offers) == ({"code True": 3}, [])
    assert member.benefits["gold", "code"].issued == 4
