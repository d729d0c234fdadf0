"""Membership in segments: entered and left are told once each, whoever or whatever moves a customer."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from services.scoring.adapters.segments.memberships import PostgresMemberships
from services.scoring.adapters.segments.segments import PostgresRules
from services.scoring.application.due.membership import Membership
from services.scoring.application.due.reassess import Reassess
from services.scoring.domain.settings import ScoreSettings
from shared.program.conditions.condition import Condition
from tests.conftest import EngineFor
from tests.integration.scoring.world import World
from tests.support.clock import ManualClock
from tests.support.life import NEW_YORK, STAGES, moment, order, refund

SEGMENTS = {
    "vip": Condition.compile("customer.spend_30d >= 500"),
    "one-time": Condition.compile("customer.orders == 1"),
    "top": Condition.compile("customer.spend_percentile >= 90"),
}
SETTINGS = ScoreSettings.by_stages(STAGES, "USD", NEW_YORK, segments=SEGMENTS)
LEFT_VIP = datetime(2026, 1, 31, 5, tzinfo=UTC)
"""Day 30 begins in New York: the orders of 1 January are out of the window."""


class Shop(World):
    """A world with segments and the daily pass."""

    def __init__(self, engine, now, settings=SETTINGS):
        self.rules = PostgresRules(settings)
        super().__init__(engine, now, settings, rules=self.rules)
        self.memberships = memberships = PostgresMemberships()
        membership = Membership(memberships, self.stale)
        self.reassess = Reassess(
            customers=self.customers,
            memberships=memberships,
            rules=self.rules,
            membership=membership,
            outbox=self.outbox,
            clock=lambda: self.shown,
        )
        self.shown = now
        """What the clock shows: the latest moment of a pass, unless it is put back."""

    async def pass_all(self, now: datetime) -> None:
        """The daily pass, to its end."""
        self.shown = max(self.shown, now)
        more = True
        while more:
            async with self.engine.begin() as connection:
                more = await self.reassess(connection, now)

    async def told(self) -> list[tuple[str, str | None, str | None]]:
        """Every crossing told: by what, left, entered."""
        return [
            (one.type, change.old, change.new)
            for one in await self.activity()
            for change in one.changes
            if change.what == "segment"
        ]

    async def members(self) -> list[tuple[str, ...]]:
        """Who is in which segment."""
        read = await self.rows("""
            SELECT segment, customer_id, false FROM scoring.memberships
            UNION ALL SELECT segments, id, true FROM scoring.customers ORDER BY 1, 2
            """)  # in one statement: a worker may be writing
        rows = [(segment, who) for segment, who, with_customer in read if not with_customer]
        stored = [(names, who) for names, who, with_customer in read if with_customer]
        assert sorted(rows) == sorted((one, who) for names, who in stored for one in names.split())
        return [segment for segment, _ in rows]


@pytest.fixture
def shop(engine_for: EngineFor, clock: ManualClock) -> Shop:
    """An empty shop."""
    return Shop(engine_for("regulars_scoring"), clock())


async def test_an_event_tells_what_it_enters_and_leaves(shop: Shop):
    """Given two orders of a day; then the first enters one-time, the second leaves it and enters vip."""
    shop.now = moment(0, hours=1)
    await shop.feed(order(moment(0), "1", "250").record)
    assert await shop.members() == ["one-time"]
    await shop.feed(order(moment(0, minutes=5), "2", "250").record)

    assert await shop.told() == [
        ("order.completed", None, "one-time"),
        ("order.completed", "one-time", None),
        ("order.completed", None, "vip"),
    ]
    assert await shop.members() == ["vip"]


async def test_time_alone_leaves_a_window_with_the_day(shop: Shop):
    """Given a vip; when the window of 30 days has moved on; then leaving is told once, dated when the day began."""
    shop.now = moment(0, hours=1)
    await shop.feed(order(moment(0), "1", "300").record, order(moment(0, hours=0.5), "2", "300").record)
    for day in (1, 29, 29, 33, 33, 34):
        await shop.pass_all(moment(day))

    left = [
        one for one in await shop.activity() if one.type == "segment.left" and one.data["segment"] == "vip"
    ]
    assert [(one.time, one.historical) for one in left] == [(LEFT_VIP, False)]
    assert "vip" not in await shop.members()


async def test_a_worker_that_is_behind_in_time_brings_no_day_back(shop: Shop):
    """Given a day that has begun, and a vip who left with it; when a worker that has not read as far passes by at a
    moment of the day before; then nobody enters again."""
    shop.now = moment(0, hours=1)
    await shop.feed(order(moment(0), "1", "300").record, order(moment(0, hours=0.5), "2", "300").record)
    await shop.pass_all(moment(29))
    await shop.pass_all(moment(33))
    before = await shop.told()
    assert ("segment.left", "vip", None) in before

    await shop.pass_all(moment(29))
    await shop.pass_all(moment(33, hours=1))

    assert await shop.told() == before


async def test_a_clock_that_was_a_month_ahead_stops_no_pass(shop: Shop):
    """Given a pass by a clock that was a month ahead; when it has been put back; then the day is passed as ever, and
    who should never have left is back."""
    shop.now = moment(0, hours=1)
    await shop.feed(order(moment(0), "1", "300").record, order(moment(0, hours=0.5), "2", "300").record)
    await shop.pass_all(moment(1))
    await shop.pass_all(moment(31))
    assert "vip" not in await shop.members()

    shop.shown = moment(1)
    await shop.pass_all(moment(1, hours=1))

    assert "vip" in await shop.members()


async def test_late_events_and_refunds_keep_the_telling_in_step(shop: Shop):
    """Given orders and a refund that come late and in any order; then entering and leaving alternate."""
    shop.now = moment(40)
    await shop.feed(order(moment(20), "2", "300").record)
    await shop.feed(order(moment(19), "1", "300").record)
    await shop.feed(refund(moment(21), "2", "r", "200").record)
    await shop.pass_all(moment(40))
    await shop.feed(order(moment(18), "0", "250").record)
    await shop.pass_all(moment(40))
    await shop.pass_all(moment(80))

    inside: set[str] = set()
    for _, old, new in await shop.told():
        if new is not None:
            assert new not in inside
            inside.add(new)
        else:
            assert old in inside
            inside.remove(old)
    assert sorted(inside) == sorted(await shop.members())


async def test_who_was_seen_on_a_day_that_is_over_is_due_at_once(shop: Shop):
    """Given an order of yesterday that comes today; then the sweep is to look at the customer at once."""
    shop.now = moment(3)
    await shop.feed(order(moment(1), "1").record)
    assert await shop.rows("SELECT check_at FROM scoring.customers") == [(moment(1),)]


async def test_a_rule_that_is_saved_moves_everybody_as_history(shop: Shop):
    """Given customers; when a rule is saved, changed, removed; then all cross once, marked as history."""
    shop.now = moment(0, hours=1)
    await shop.feed(*(order(moment(0), str(n), identifiers={"id": f"p-{n}"}).record for n in range(3)))
    await shop.pass_all(moment(0, hours=2))
    async with shop.engine.begin() as connection:
        await shop.rules.put(connection, "small", "customer.spend < 50", actor="key", now=moment(1), limit=9)
    await shop.pass_all(moment(1))
    await shop.pass_all(moment(1))
    assert (await shop.told()).count(("segment.entered", None, "small")) == 3
    entered = [one for one in await shop.activity() if one.data.get("segment") == "small"]
    assert {(one.time, one.historical) for one in entered} == {(moment(1), True)}

    async with shop.engine.begin() as connection:
        await shop.rules.delete(connection, "small")
    await shop.pass_all(moment(1, hours=1))
    assert "small" not in await shop.members()
    assert (await shop.told()).count(("segment.left", "small", None)) == 3


async def test_all_are_compared_every_day_and_kept(shop: Shop):
    """Given ten buyers; then nine tenths of them spent less than the best one, who is on top."""
    shop.now = moment(0, hours=1)
    await shop.feed(
        *(order(moment(0), str(n), f"{n + 1}0", identifiers={"id": f"p-{n}"}).record for n in range(10))
    )
    await shop.pass_all(moment(0, hours=2))
    facts = await shop.rows(
        "SELECT CAST(facts->>'spend' AS numeric), CAST(facts->>'spend_percentile' AS int) FROM scoring.facts ORDER BY 1"
    )
    assert facts == [(Decimal(10 * n + 10), 10 * n) for n in range(10)]
    assert (await shop.members()).count("top") == 1

    shop.now = moment(1)
    await shop.feed(order(moment(1), "x", "500", identifiers={"id": "p-0"}).record)
    await shop.pass_all(moment(1, hours=1))
    assert (await shop.members()).count("top") == 1
    async with shop.engine.begin() as connection:
        then = await shop.rules.at(connection, moment(0, hours=5))
        assert then.ranking.at == moment(0, hours=2)
        assert (await shop.rules.at(connection, moment(0))).ranking.customers == 0
    assert then.ranking.spend[-1] == 1_000_000


async def test_two_passes_at_once_tell_everything_once(shop: Shop):
    """Given a pass under way; when another worker comes; then it leaves the pass to the first."""
    shop.now = moment(0, hours=1)
    await shop.feed(order(moment(0), "1", "600").record)
    await shop.pass_all(moment(0, hours=2))
    async with shop.engine.begin() as one, shop.engine.begin() as other:
        await shop.memberships.take_pass(one)
        assert await shop.reassess(other, moment(0, hours=3)) is False


async def test_a_merged_customer_leaves_nothing_behind(shop: Shop):
    """Given an address with orders that proves to be an id's; then one membership is left."""
    shop.now = moment(0, hours=5)
    await shop.feed(order(moment(0), "1", "600", identifiers={"email": "p-mail"}).record)
    await shop.feed(order(moment(0, hours=1), "2", "600", identifiers={"id": "p-id"}).record)
    both = {"id": "p-id", "email": "p-mail"}
    await shop.feed(order(moment(0, hours=2), "3", "600", identifiers=both).record)
    assert await shop.members() == ["vip"]
    assert await shop.rows("SELECT count(*) FROM scoring.facts") == [(1,)]


async def test_the_metrics_of_a_segment_are_those_of_its_members(shop: Shop):
    """Given a customer in vip and one who is not; when time alone leads out of vip; then its sums
    follow, and those of all customers stay."""
    shop.now = moment(0, hours=1)
    await shop.feed(order(moment(0), "1", "600").record)
    await shop.feed(order(moment(0), "1", "20", identifiers={"id": "p-bob"}).record)

    async def revenue(at: datetime) -> dict[str, int]:
        await shop.roll_up(at)
        rows = await shop.rows("SELECT segment, sum(revenue) / 10000 FROM scoring.metric_sums GROUP BY 1")
        return {segment: int(amount) for segment, amount in rows if amount}

    assert await revenue(moment(0, hours=2)) == {"": 620, "one-time": 620, "vip": 600}
    await shop.pass_all(moment(40))
    assert (await revenue(moment(40))).get("vip") is None
    assert (await revenue(moment(40)))[""] == 620
