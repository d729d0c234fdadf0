"""Earn rules on a real database: baskets survive a restart, caps hold against each other's workers."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from services.rewards.adapters.campaigns.runs import PostgresRuns
from services.rewards.adapters.earning.budgets import SLOTS, PostgresBudgets
from services.rewards.adapters.history.activities import PostgresActivities
from services.rewards.adapters.members.members import PostgresMembers
from services.rewards.adapters.programs import PostgresPrograms
from services.rewards.application.campaigns.campaigning import Campaigns
from services.rewards.application.handling import ActivityHandler
from services.rewards.wiring.parts import programs_of
from shared.bus.records import Incoming
from shared.bus.wiring import make_outbox
from shared.contracts.activity import ACTIVITY_TOPIC, Activity
from shared.contracts.codec import encode
from shared.settings import Settings
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.two_members import ANA, BEN, points, went
from tests.unit.rewards.building import NOW, activity, order, refund
from tests.unit.rewards.earning.earn_rules import HEAD, LINES, back

PROGRAM = f"""{HEAD}points:
  earn:
    - {{id: purchase, on: order.completed, points_per_unit: 1}}
    - {{id: kitchen,  on: order.completed, multiply: 3, categories: [Kitchen], cap: {{day: 100}}}}
    - {{id: first,    on: order.completed, points: 100, cap: {{program: 1000}}}}
"""


@dataclass
class Shop:
    """Rewards under the program above, with further workers."""

    rewards: Rewards
    settings: Settings
    programs: PostgresPrograms

    def worker(self) -> ActivityHandler:
        """Another worker's handler."""
        members = PostgresMembers(make_outbox(self.settings, "rewards"))
        return ActivityHandler(
            members,
            PostgresActivities(),
            self.programs,
            PostgresBudgets(),
            Campaigns(PostgresRuns(), members),
        )

    async def change(self, old: str, new: str) -> None:
        """Another version of the program."""
        async with self.rewards.engine.begin() as connection:
            await self.programs.put(
                connection, PROGRAM.replace(old, new), actor="key", now=self.rewards.clock()
            )

    async def given(self) -> int:
        """Points that the rule with the budget has given, by the ledger."""
        ((points,),) = await self.rewards.rows(
            "SELECT coalesce(sum(points), 0)::int FROM rewards.entries WHERE rule = 'first' AND kind = 'earn'"
        )
        return int(points)


@pytest.fixture
async def shop(rewards: Rewards, settings: Settings) -> Shop:
    """Rewards under the program above."""
    programs = programs_of(settings)
    async with rewards.engine.begin() as connection:
        await programs.put(connection, PROGRAM, actor="key", now=rewards.clock())
    found = Shop(rewards, settings, programs)
    rewards.handler = found.worker()
    return found


def of(customer: int, name: str) -> Activity:
    """An order of 10 by a customer."""
    return order(name, "10", customer=f"cus_{customer:024x}")


def batch(*activities: Activity) -> list[Incoming]:
    """Records of the stream."""
    return [
        Incoming(ACTIVITY_TOPIC, 0, place, each.customer_id, encode(each))
        for place, each in enumerate(activities)
    ]


async def test_a_refund_by_line_finds_the_basket_again(shop: Shop) -> None:
    """Given an order with a multiplied line, stored; when a line of it comes back later; then its points go."""
    await shop.rewards.happen(order("1", "100", lines=LINES))
    await shop.rewards.happen(refund("1", "r", "10", lines=[back("mug", 1)]))

    assert await shop.rewards.rows(
        "SELECT rule, sum(CASE kind WHEN 'earn' THEN points ELSE -points END)::int FROM rewards.entries"
        " GROUP BY rule ORDER BY rule"
    ) == [("first", 100), ("kitchen", 60), ("purchase", 90)]
    await shop.rewards.check()


async def test_a_cap_remembers_what_was_given_before(shop: Shop) -> None:
    """Given at most 100 extra points a day; when two orders with 80 each come in two batches; then 100 in all."""
    await shop.rewards.happen(order("1", "100", lines=LINES))
    await shop.rewards.happen(order("2", "100", lines=LINES))

    assert await shop.rewards.rows(
        "SELECT points FROM rewards.rule_uses WHERE rule = 'kitchen' ORDER BY 1"
    ) == [
        (20,),
        (80,),
    ]


async def test_redelivery_under_all_rules_changes_nothing(shop: Shop) -> None:
    """Given orders and refunds under rules with baskets, caps, budgets; when they come again; then nothing changes."""
    events = [
        order("1", "100", lines=LINES),
        refund("1", "r", "10", lines=[back("mug", 1)]),
        refund("2", "s", "10", lines=[back("hat", 1)]),
        order("2", "100", lines=LINES),
    ]
    await shop.rewards.happen(*events)
    before = await shop.rewards.dump()

    await shop.rewards.happen(*events)
    await shop.rewards.happen(*reversed(events))

    assert await shop.rewards.dump() == before


async def test_a_budget_is_never_exceeded_and_is_given_whole(shop: Shop) -> None:
    """Given 1000 points for all together; when 15 orders earn 100 each, in batches; then exactly 1000 are given."""
    for number in range(0, 15, 3):
        await shop.rewards.happen(*(of(n, f"o{n}") for n in range(number, number + 3)))

    assert await shop.given() == 1000
    assert await shop.rewards.rows(
        "SELECT sum(given)::int, sum(allotted)::int FROM rewards.rule_budgets"
    ) == [(1000, 1000)]
    await shop.rewards.check()


async def test_two_workers_neither_wait_for_each_other_nor_exceed_the_budget(shop: Shop) -> None:
    """Given a worker that has put points of the budget aside; when another decides meanwhile; then it need not wait,
    gets no point that the first has, and what the first did not use is there afterwards."""
    await shop.rewards.happen(of(1, "a"))
    async with shop.rewards.engine.begin() as other:
        program = (await shop.programs.current(other, shop.rewards.clock())).program
        held = (await PostgresBudgets().claim(other, {"first": 300}, program))["first"]
        await shop.rewards.happen(*(of(n, f"b{n}") for n in range(2, 20)))
        assert 300 <= held.left < 400
        assert await shop.given() == 1000 - held.left

    await shop.rewards.happen(of(30, "c"), of(31, "d"), of(32, "e"), of(33, "f"), of(34, "g"), of(35, "h"))
    assert await shop.given() == 1000


async def test_a_budget_that_was_rolled_back_is_there_again(shop: Shop) -> None:
    """Given a transaction that gave of the budget and failed; then nothing of it is gone."""
    async with shop.rewards.engine.connect() as connection, connection.begin() as transaction:
        await shop.rewards.handler(connection, batch(of(1, "a")), shop.rewards.clock())
        await transaction.rollback()

    for number in range(11):
        await shop.rewards.happen(of(number, f"o{number}"))

    assert await shop.given() == 1000


async def test_a_raised_budget_gives_the_difference_and_a_lowered_one_no_more(shop: Shop) -> None:
    """Given a budget that is used up; when it is raised by 250, then 250 are given; when it is lowered, none."""
    await shop.rewards.happen(*(of(n, f"o{n}") for n in range(12)))
    assert await shop.given() == 1000

    await shop.change("program: 1000", "program: 1250")
    await shop.rewards.happen(*(of(n, f"p{n}") for n in range(20, 30)))
    assert await shop.given() == 1250

    await shop.change("program: 1000", "program: 500")
    await shop.rewards.happen(*(of(n, f"q{n}") for n in range(30, 40)))
    assert await shop.given() == 1250


async def test_an_ordinary_event_touches_no_budget(shop: Shop) -> None:
    """Given a budget on orders; when a page is seen; then no budget is put aside."""
    await shop.rewards.happen(activity("page.viewed", "p"))

    assert await shop.rewards.rows("SELECT count(*) FROM rewards.rule_budgets") == [(0,)]
    await shop.rewards.happen(of(1, "a"))
    assert await shop.rewards.rows("SELECT count(*) FROM rewards.rule_budgets") == [(SLOTS,)]


async def test_a_limited_rule_s_points_for_an_order_come_back_with_an_undone_merge(
    shop: Shop,
) -> None:
    """Given two who each had points for their first order, merged; when that is undone and one order refunded; then the
    one has points and the other none, and nothing was taken twice."""
    rule = "{id: first, on: order.completed, points: 100, limit: {times: 1}}"
    await shop.change(PROGRAM, f"{HEAD}points:\n  earn:\n    - {rule}\n")
    rewards = shop.rewards
    await rewards.happen(order("a", "50", customer=ANA), order("b", "50", customer=BEN))
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    assert (await points(rewards))[ANA] == (100, 100)

    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))
    assert await points(rewards) == {ANA: (100, 100), BEN: (100, 100)}
    await rewards.happen(refund("b", "r", "50", customer=BEN))
    assert await points(rewards) == {ANA: (100, 100), BEN: (0, 0)}
    await rewards.check()


@pytest.mark.parametrize("cap", ["program: 100", "day: 100"])
async def test_an_order_told_again_stays_within_a_cap_whose_rule_it_no_longer_meets(
    shop: Shop, cap: str
) -> None:
    """Given an order with points of a capped rule with a condition; when the order is told with an earlier time and a
    total that does not meet it; then the rule gives nothing beyond its cap, and the record is taken."""
    rule = f'{{id: first, on: order.completed, points_per_unit: 2, when: "event.total < 50", cap: {{{cap}}}}}'
    await shop.change(PROGRAM, f"{HEAD}points:\n  earn:\n    - {rule}\n")
    await shop.rewards.happen(order("1", "40"))
    await shop.rewards.happen(order("1", "60", name="told-again", at=NOW - timedelta(hours=1)))

    assert await shop.given() == 80
    await shop.rewards.check()


async def test_a_refund_told_again_with_an_earlier_time_puts_points_right(rewards: Rewards) -> None:
    """Given an order and a refund of it that are stored; when the refund is told again, with another amount and an
    earlier time, and once more with a later one; then the earliest counts; one that an earlier release has kept
    without its time stays."""
    await rewards.happen(order("1", "100", at=NOW))
    for minute, amount, left in ((3, "30", 70), (2, "10", 90), (4, "50", 90), (1, "60", 40)):
        told = refund("1", "r", amount, at=NOW + timedelta(minutes=minute), name=f"told-{minute}")
        await rewards.happen(told)
        assert await rewards.rows("SELECT available - debt, lifetime_earned FROM rewards.members") == [
            (left, left)
        ]
    assert await rewards.rows("SELECT net FROM rewards.purchases") == [(40,)]

    await rewards.plant("""UPDATE rewards.purchases SET refunds = '{"r": ["60", null, null]}'""")
    await rewards.happen(refund("1", "r", "5", at=NOW, name="told-0"))
    assert await rewards.rows("SELECT net FROM rewards.purchases") == [(40,)]
    await rewards.check()
