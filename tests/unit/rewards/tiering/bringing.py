"""A Gold that brings a code each month, and when its months begin."""

from datetime import UTC, datetime, timedelta

from services.rewards.domain.changes import Changes
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import BenefitRun, Member
from services.rewards.domain.tiering.benefits import give_benefits
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
