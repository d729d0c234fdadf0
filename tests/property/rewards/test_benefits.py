"""Whatever a program comes to say about how often a tier brings its code: none comes twice, none too early, none late.

Of any two codes that follow each other, the later one's period begins at least one period after the earlier one's did,
by what the program says when the later one comes.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.rewards.domain.changes import Changes
from services.rewards.domain.state.member import BenefitRun, Member
from services.rewards.domain.tiering.benefits import give_benefits
from services.rewards.domain.tiering.recurring import begins
from shared.program.values.period import Period
from tests.unit.rewards.building import CUSTOMER
from tests.unit.rewards.tiering.bringing import MONTHS, bringing

SAID = ("P1D", "P7D", "P1M", "P3M", "P1Y")
RULES = {every: bringing(f"{{offer: code, every: {every}}}") for every in SAID}
ZONE = RULES["P1D"].program.time_zone
CLAMPED = timedelta(days=3)
"""A month from the last of February on may end on the 31st."""

waits = st.integers(0, 150).map(timedelta)
changes = st.lists(st.tuples(waits, st.sampled_from(SAID)), max_size=12)


@dataclass
class Life:
    """A Gold from the end of January on, at noon in New York, under a program that says `every`."""

    every: str
    now: datetime = MONTHS[0]
    member: Member = field(default_factory=lambda: Member(CUSTOMER, tier="gold", tier_since=MONTHS[0]))
    codes: list[str] = field(default_factory=list)
    begun: list[datetime] = field(default_factory=list)
    """When the period of each code began."""

    @property
    def period(self) -> Period:
        """What the program says."""
        return Period.parse(self.every)

    @property
    def run(self) -> BenefitRun:
        """What is kept of what the tier has brought."""
        return self.member.benefits["gold", "code"]

    def look(self) -> tuple[datetime, int]:
        """Somebody looks: when the next code is due, and how many came. As in a transaction of its own."""
        decided, rules = Changes(self.now, 1), RULES[self.every]
        assert rules.program.tiers is not None
        due = give_benefits(self.member, rules.program.tiers.levels[1], rules, decided)
        assert due is not None
        self.run.recounted = False
        for offer in decided.offers:
            begun = begins(self.run.anchor, self.period, int(offer.cause.rpartition("/")[2]), ZONE)
            assert begun <= self.now
            assert not self.begun or self.period.after(self.begun[-1], ZONE) <= begun
            assert offer.cause not in self.codes
            self.codes.append(offer.cause)
            self.begun.append(begun)
        return due, len(decided.offers)


@given(first=st.sampled_from(SAID), steps=st.lists(st.tuples(waits, st.sampled_from(SAID), st.booleans())))
def test_no_code_comes_twice_or_too_early_however_seldom_somebody_looks(
    first: str, steps: list[tuple[timedelta, str, bool]]
) -> None:
    """Given programs that say one period after the other; when somebody looks now and then, the tier being lost and
    reached again meanwhile or not; then each code is one of its own, its period begins a whole one of those that are in
    force after the one before, a look under another program than the last brings one at most, and looking twice
    brings nothing."""
    life = Life(first)
    life.look()
    for wait, every, lost in steps:
        life.now += wait
        if lost:
            life.member.tier_since = life.now
        before, life.every = life.every, every
        due, came = life.look()
        assert came <= 1 or before == every
        assert life.look() == (due, 0)


@given(first=st.sampled_from(SAID), steps=changes, more=st.lists(waits, max_size=4))
def test_the_next_code_comes_within_one_period_of_the_change(
    first: str, steps: list[tuple[timedelta, str]], more: list[timedelta]
) -> None:
    """Given programs that say one period after the other; when somebody looks at each change and whenever a code is
    due; then each comes when it is due, which is never more than a period away, and one that comes with the change is
    that of the period since the last one that is not over yet. When somebody looks more often, then the codes are the
    same."""
    codes = list[list[str]]()
    for extra in ([], more):
        life = Life(first)
        due, _ = life.look()
        for wait, every in steps:
            end = life.now + wait
            stops = sorted(life.now + one for one in extra if one < wait)
            while (stop := min([due, *stops])) <= end:
                is_due, life.now = stop == due, stop
                stops = [one for one in stops if one > stop]
                due, came = life.look()
                assert came == is_due
                assert not is_due or life.begun[-1] == stop
                assert stop < due <= life.period.after(stop, ZONE) + CLAMPED
            life.now, life.every = end, every
            due, came = life.look()
            assert came <= 1
            assert life.now < due <= life.period.after(life.now, ZONE) + CLAMPED
            assert due <= max(life.now, life.period.after(life.begun[-1], ZONE) + CLAMPED)
        codes.append(life.codes)
    assert codes[0] == codes[1]
