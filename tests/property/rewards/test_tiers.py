"""Tiers: whatever arrives in whatever order, the standing is the one that a plain model walks through day by day."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from services.rewards.domain.tiering.standing import Standing
from services.rewards.domain.tiering.tiers import present, standing_of
from shared.contracts.activity import Activity
from tests.unit.rewards.building import Life, order, refund, rulebook
from tests.unit.rewards.tiering.test_tier_policies import living

ZONE = rulebook().program.time_zone
START = datetime(2024, 1, 1, 17, tzinfo=UTC)
"""Noon in New York; 29 February follows."""
LEVELS = (0, Decimal("200.01"), 2000)


@dataclass
class Plain:
    """The policies of a program, read by a person."""

    year: bool = False
    grace: int = 0
    one_step: bool = False

    def program(self) -> Life:
        """A life under it."""
        more = [f"grace: P{self.grace}D"] if self.grace else []
        more += ["downgrade: one_step"] if self.one_step else []
        return living("{spend_in: calendar_year}" if self.year else "{spend_over: P12M}", *more, at=START)

    def counts(
        self, orders: list[tuple[datetime, Decimal]], at: datetime, last: date | None = None
    ) -> Decimal:
        """What counts at a moment; `last`: for a look at a tier that ends with that day."""
        sums = Decimal(0)
        for placed, amount in orders:
            day, today = placed.astimezone(ZONE).date(), at.astimezone(ZONE).date()
            if placed > at or (last is not None and day > last):
                continue
            if self.year:
                inside = day.year == (last or today).year
            else:
                inside = day + relativedelta(months=12) >= (
                    today if last is None else last + timedelta(days=1)
                )
            sums += amount if inside else 0
        return sums

    def stand(self, orders: list[tuple[datetime, Decimal]], now: datetime) -> Standing:
        """Walk through all moments at which anything can happen."""
        standing = Standing()
        waiting = sorted(placed for placed, _ in orders)
        while True:
            moments = waiting[:1] + ([standing.until] if standing.until is not None else [])
            if not moments or min(moments) > now:
                return standing
            if standing.until is not None and standing.until <= min(moments):
                standing = self.look(standing, orders)
                continue
            at = waiting.pop(0)
            level = self.level(self.counts(orders, at))
            if level > standing.level:
                standing = Standing(level, at, self.end(at.astimezone(ZONE).date()))
            elif level == standing.level and standing.status:
                standing = Standing(level, standing.since, self.end(at.astimezone(ZONE).date()))

    def look(self, standing: Standing, orders: list[tuple[datetime, Decimal]]) -> Standing:
        """What becomes of a tier whose time is over."""
        end = standing.until
        assert end is not None
        last = end.astimezone(ZONE).date() - timedelta(days=1)
        level = self.level(self.counts(orders, end, last))
        again = last + relativedelta(months=12)
        if level >= standing.level:
            return Standing(standing.level, standing.since, midnight(again))
        if self.grace and not standing.status:
            return standing._replace(until=midnight(last + timedelta(days=self.grace)), status="grace")
        level = max(level, standing.level - 1) if self.one_step else level
        return Standing(level, end, midnight(again) if level else None)

    def level(self, amount: Decimal) -> int:
        """The highest level that so much reaches."""
        return max(index for index, at in enumerate(LEVELS) if amount >= at)

    def end(self, day: date) -> datetime:
        """Until when a tier of that day is kept."""
        return midnight(date(day.year + 1, 12, 31) if self.year else day + relativedelta(months=12))


def midnight(last: date) -> datetime:
    """The end of a local day."""
    return datetime.combine(last + timedelta(days=1), time(), ZONE).astimezone(UTC)


policies = st.builds(Plain, st.booleans(), st.sampled_from([0, 0, 14, 400]), st.booleans())
hours = st.integers(0, 24 * 1500)
purchases = st.lists(st.tuples(hours, st.sampled_from([1, 60, 100, 150, 201, 1900, 2000])), max_size=12)


def orders_of(made: list[tuple[int, int]]) -> list[Activity]:
    """One order each."""
    return [
        order(str(n), str(amount), at=START + timedelta(hours=hour), late=True)
        for n, (hour, amount) in enumerate(made)
    ]


def truth(
    plain: Plain, made: list[tuple[int, int]], now: datetime, gone: frozenset[int] = frozenset()
) -> Standing:
    """What the plain model says; orders in `gone` were refunded in full."""
    orders = [
        (START + timedelta(hours=hour), Decimal(amount))
        for n, (hour, amount) in enumerate(made)
        if n not in gone
    ]
    return plain.stand(orders, now)


@given(plain=policies, made=purchases, pauses=st.lists(st.integers(0, 24 * 300), max_size=12))
def test_in_order_every_moment_has_the_standing_of_the_model(
    plain: Plain, made: list[tuple[int, int]], pauses: list[int]
) -> None:
    """Given orders; when they happen in their time, and time passes in any steps; then the tier is always
    the model's."""
    life = plain.program()
    moments = sorted({hour for hour, _ in made} | {min(hour, 24 * 1600) for hour in pauses})
    by_hour: dict[int, list[Activity]] = {}
    for (hour, _), each in zip(made, orders_of(made), strict=True):
        by_hour.setdefault(hour, []).append(each)
    for hour in moments:
        life.wait(START + timedelta(hours=hour) - life.now)
        life.happen(*by_hour.get(hour, ()))
        life.wait(timedelta(0))
        tiers = life.rules.program.tiers
        assert tiers is not None
        said = truth(plain, [one for one in made if one[0] <= hour], life.now)
        found = standing_of(life.member, tiers)
        assert found == said or (life.member.tier is None and said.level == 0)


@given(plain=policies, made=purchases, data=st.data())
def test_any_order_of_arrival_comes_to_the_same(
    plain: Plain, made: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Given orders, some of them refunded; when all arrive at the end in any order, some twice; then what they amount
    to is the model's standing; who has a higher tier keeps it until its time is over, and then has the model's."""
    gone = (
        frozenset(data.draw(st.sets(st.integers(0, max(len(made) - 1, 0)), max_size=3)))
        if made
        else frozenset()
    )
    told = orders_of(made) + orders_of(made)[:3]
    told += [
        refund(str(n), f"r{n}", str(made[n][1]), at=START + timedelta(hours=made[n][0] + 1)) for n in gone
    ]
    life = plain.program()
    life.now = START + timedelta(hours=24 * 1500)
    life.happen(*data.draw(st.permutations(told))).wait(timedelta(0))
    program = life.rules.program
    assert program.tiers is not None

    said = truth(plain, made, life.now, gone)
    assert present(life.member, program, life.now) == said
    found = standing_of(life.member, program.tiers)
    assert found.level >= said.level
    if found.level > said.level and found.until is not None:
        life.wait(found.until - life.now)
        found, said = standing_of(life.member, program.tiers), truth(plain, made, life.now, gone)
    assert found[: 1 if not said.level else 4] == said[: 1 if not said.level else 4]
