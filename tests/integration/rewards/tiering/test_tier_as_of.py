"""Tiers as of any moment: what was answered then is what is answered of then, or that it is not known."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import httpx
import pytest

from services.rewards.adapters.history.activities import PostgresActivities
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.tiering.test_tiers import use
from tests.integration.rewards.two_members import ANA, BEN, went
from tests.unit.rewards.building import CUSTOMER, PROGRAM, activity, cancellation, order, refund

LEVELS = PROGRAM[PROGRAM.index("tiers:") : PROGRAM.index("offers:")]
SHORT = PROGRAM.replace(
    LEVELS,
    """tiers:
  basis: {spend_over: P40D}
  grace: P5D
  notice_before: P3D
  downgrade: one_step
  levels:
    - {id: member, name: Member}
    - {id: gold, name: Gold, at: 200, keep_for: P20D, benefits: [{perk: lounge}]}
    - {id: platinum, name: Platinum, at: 500, keep_for: P15D}
""",
)
PROGRAMS = (
    SHORT,
    SHORT.replace("at: 200,", "at: 300,").replace("P20D", "P12D"),
    SHORT.replace("spend_over: P40D", "orders_over: P30D").replace("at: 200,", "at: 3,").replace("500", "6"),
    SHORT.replace("{spend_over: P40D}", "{spend_in: anniversary_year}"),
)
POINTS = SHORT.replace("spend_over", "points_over")

Answer = dict[str, Any]


async def tier(api: httpx.AsyncClient, customer: str = CUSTOMER, **query: str) -> Answer:
    """The answer about a tier; of a customer whom nobody knows nothing."""
    answer = await api.get(f"/v1/customers/{customer}/tier", params=query)
    assert answer.status_code in {200, 404}, answer.text
    return answer.json() if answer.status_code == 200 else {}


class Story:
    """A customer's life by chance, and what was answered of their tier after each step of it."""

    def __init__(self, rewards: Rewards, api: httpx.AsyncClient, seed: int) -> None:
        self.rewards, self.api, self.random = rewards, api, Random(seed)
        self.told: list[tuple[datetime, Answer]] = []
        self.orders: list[str] = []
        self.refunds: list[tuple[str, str, str]] = []

    async def go_on(self, step: int) -> None:
        """Something happens, or only time passes; then look. Nothing else happens at a moment of which was told."""
        self.rewards.clock.advance(timedelta(minutes=1))
        chosen = self.random.choice(
            (
                *(self._order,) * 3,
                *(self._late,) * 2,
                self._again,
                self._refund,
                self._refund_again,
                self._cancel,
                self._grant,
                self._revoke,
                self._program,
                self._time,
                self._jobs,
            )
        )
        await chosen(f"s{step}", self.rewards.clock())
        await self.look()
        days = self.random.choice((0, 0, 1, 4, 9))
        self.rewards.clock.advance(timedelta(days=days, minutes=self.random.choice((1, 20, 600))))
        await self.look()

    async def _order(self, name: str, now: datetime, late: timedelta = timedelta()) -> None:
        total, facts = f"{self.random.randint(1, 250)}", {"spend": 10**6, "orders": len(self.orders) + 1}
        await self.rewards.happen(order(name, total, at=now - late, facts=facts))
        self.orders.append(name)

    async def _late(self, name: str, now: datetime) -> None:
        await self._order(name, now, timedelta(days=self.random.randint(1, 30)))

    async def _again(self, name: str, now: datetime) -> None:
        """An order is told once more, with another total, earlier or later; or for the first time after its refund."""
        of = self.random.choice([*self.orders, f"{name}-x"])
        at = now - timedelta(days=self.random.randint(0, 60))
        await self.rewards.happen(order(of, f"{self.random.randint(1, 300)}", name=name, at=at))

    async def _refund(self, name: str, now: datetime) -> None:
        of, total = self.random.choice([*self.orders, f"{name}-y"]), f"{self.random.randint(1, 90)}"
        await self.rewards.happen(refund(of, name, total, at=now))
        self.refunds.append((of, name, total))
        self.orders.append(of)

    async def _refund_again(self, name: str, now: datetime) -> None:
        if self.refunds:
            of, refund_id, total = self.random.choice(self.refunds)
            await self.rewards.happen(refund(of, refund_id, total, name=name, at=now))

    async def _cancel(self, name: str, now: datetime) -> None:
        if self.orders:
            await self.rewards.happen(cancellation(self.random.choice(self.orders), name=name, at=now))

    async def _grant(self, name: str, now: datetime) -> None:
        until = (now + timedelta(days=self.random.randint(1, 40))).isoformat()
        body = {"tier": self.random.choice(("gold", "platinum")), "until": until, "reason": "x"}
        where = f"/v1/customers/{CUSTOMER}/tier/grants"
        await self.api.post(where, json=body, headers={"Idempotency-Key": name})

    async def _revoke(self, name: str, now: datetime) -> None:
        where = f"/v1/customers/{CUSTOMER}/tier/grants"
        for given in (await self.api.get(where)).json()[:1]:
            await self.api.delete(f"{where}/{given['id']}")

    async def _program(self, name: str, now: datetime) -> None:
        await use(self.rewards, self.random.choice(PROGRAMS))
        assert (await self.api.get("/v1/program")).status_code == 200  # the API takes it up at once

    async def _time(self, name: str, now: datetime) -> None:
        """Nothing."""

    async def _jobs(self, name: str, now: datetime) -> None:
        await self.rewards.pass_time()

    async def look(self) -> None:
        """Note what is answered now."""
        self.told.append((self.rewards.clock(), await tier(self.api)))


@pytest.mark.parametrize("seed", range(3))
async def test_what_was_answered_is_answered_of_that_moment(
    rewards: Rewards, api: httpx.AsyncClient, seed: int
) -> None:
    """Given a life of orders in time and late, told again, refunded, called off, with tiers given by hand and taken
    back, other programs, ends that the timed jobs have noticed or not; when each moment of it is asked for again; then
    the answer is that of then, what counted and what was missing with it."""
    await use(rewards, SHORT)
    joined = activity(
        "customer.registered", "reg", at=rewards.clock(), facts={"registered_at": rewards.clock()}
    )
    await rewards.happen(joined)
    story = Story(rewards, api, seed)
    for step in range(40):
        await story.go_on(step)

    assert {told["tier"] for _, told in story.told} >= {"member", "gold", "platinum"}
    assert len({str(told) for _, told in story.told}) > 20
    for moment, told in story.told:
        assert await tier(api, at=moment.isoformat()) == told, moment
    later = (rewards.clock() + timedelta(days=1)).isoformat()
    assert await tier(api, at=later) == await tier(api)


async def refusal(api: httpx.AsyncClient, moment: datetime, customer: str = CUSTOMER) -> str:
    """What is said where it is not known."""
    answer = await api.get(f"/v1/customers/{customer}/tier", params={"at": moment.isoformat()})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"], error["parameter"]) == (422, "not_as_of", "at")
    return str(error["detail"])


def without_counts(told: Answer) -> Answer:
    """What is told where it is not known what counted."""
    return told | {"counted": None, "spend": None, "next": None, "keep": None}


class Moments:
    """Moments of which was told, a minute and more apart."""

    def __init__(self, rewards: Rewards, api: httpx.AsyncClient) -> None:
        self.rewards, self.api = rewards, api

    async def look(self, *customers: str, days: int = 0) -> tuple[datetime, list[Answer]]:
        """What is answered of these customers, after a minute; then time goes on."""
        self.rewards.clock.advance(timedelta(minutes=1))
        told = self.rewards.clock(), [await tier(self.api, customer) for customer in customers]
        self.rewards.clock.advance(timedelta(days=days, minutes=1))
        return told


async def test_of_customers_who_are_one_now_the_one_with_a_tier_is_told(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given Ana, whom Ben proves to be; when neither had a tier, one had, and both; then none is told, that one, and
    that it is not known; once they were one, what was answered, with what counted."""
    moments = Moments(rewards, api)
    await rewards.happen(order("a1", "20", customer=ANA, at=rewards.clock()))
    await rewards.happen(order("b1", "30", customer=BEN, at=rewards.clock()))
    neither, (ana, _) = await moments.look(ANA, BEN)
    await rewards.happen(order("b2", "250", customer=BEN, at=rewards.clock()))
    one, (_, ben) = await moments.look(ANA, BEN)
    await rewards.happen(order("a2", "2500", customer=ANA, at=rewards.clock()))
    two, _ = await moments.look(ANA, BEN)
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    merged, (both, _) = await moments.look(ANA, BEN)
    await rewards.happen(refund("b2", "r", "200", customer=ANA, at=rewards.clock()))

    for who in (ANA, BEN):
        assert await tier(api, who, at=neither.isoformat()) == without_counts(ana)
        assert (await tier(api, who, at=one.isoformat())) == without_counts(ben)
        assert "several customers" in await refusal(api, two, who)
        assert await tier(api, who, at=merged.isoformat()) == both
    assert (both["tier"], both["counted"]) == ("platinum", "2800")


async def test_once_they_were_divided_the_tier_is_told_and_not_what_counted(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a merge that was undone; when a moment before that is asked for; then it is refused; of one after it the
    tier is told: what was under way then may have counted later, under another name."""
    moments = Moments(rewards, api)
    for who, name in ((ANA, "a"), (BEN, "b")):
        await rewards.happen(order(name, "250", customer=who, at=rewards.clock()))
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    before, _ = await moments.look(ANA)
    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))
    divided, told = await moments.look(ANA, BEN)
    await rewards.happen(order("b3", "2000", customer=BEN, at=rewards.clock()))

    for who, answer in zip((ANA, BEN), told, strict=True):
        assert "divided" in await refusal(api, before, who)
        assert await tier(api, who, at=divided.isoformat()) == without_counts(answer)


async def test_where_points_count_the_tier_is_told_unless_its_time_was_over(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given tiers by points; when a moment is asked for; then the tier is told and not what counted; but nothing while
    its time was over and the timed jobs had not looked at it anew."""
    await use(rewards, POINTS)
    moments = Moments(rewards, api)
    await rewards.happen(order("1", "250", at=rewards.clock()))
    gold, (told,) = await moments.look(CUSTOMER, days=30)
    over, _ = await moments.look(CUSTOMER)
    await rewards.pass_time()
    looked, (after,) = await moments.look(CUSTOMER)

    assert (told["tier"], told["counted"]) == ("gold", "250")
    assert await tier(api, at=gold.isoformat()) == without_counts(told)
    assert "was over" in await refusal(api, over)
    assert await tier(api, at=looked.isoformat()) == without_counts(after)


async def test_before_standings_were_kept_nothing_is_told_of_who_had_a_tier(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a Gold of an earlier release; when a moment is asked for before and after it was brought up to date; then
    it is refused, and answered."""
    await rewards.happen(order("1", "250", at=rewards.clock()))
    moments = Moments(rewards, api)
    before, _ = await moments.look(CUSTOMER)
    now = rewards.clock().isoformat()
    await rewards.plant(f"UPDATE rewards.standings SET at = '{now}', first = true")  # as the migration does
    after, (told,) = await moments.look(CUSTOMER)

    assert "tier/history" in await refusal(api, before)
    assert await tier(api, at=after.isoformat()) == told


@pytest.mark.parametrize("measure", ["spend_over", "orders_over"])
async def test_where_records_are_forgotten_what_counted_is_not_told(
    rewards: Rewards, api: httpx.AsyncClient, measure: str
) -> None:
    """Given an order, its refund in the next month, and another order in a third; when the records of the first, and
    of the second month are forgotten; then of the moments that lie there the tier is told and not what counted; of
    later ones, and of a customer who only came then, all is told."""
    await use(rewards, SHORT.replace("spend_over: P40D", f"{measure}: P12M"))
    moments = Moments(rewards, api)
    await rewards.happen(order("a1", "250", customer=ANA, at=rewards.clock()))
    first, (ana, _) = await moments.look(ANA, BEN, days=32)
    await rewards.happen(refund("a1", "r", "250", customer=ANA, at=rewards.clock()))
    second, (refunded, _) = await moments.look(ANA, BEN, days=32)
    for who, name in ((ANA, "a2"), (BEN, "b")):
        await rewards.happen(order(name, "30", customer=who, at=rewards.clock()))
    third, (both, ben) = await moments.look(ANA, BEN)
    await rewards.happen(refund("a2", "s", "30", customer=ANA, at=rewards.clock()))

    assert await tier(api, ANA, at=first.isoformat()) == ana
    for kept_from in (second, third):
        async with rewards.engine.begin() as connection:
            assert await PostgresActivities().drop_months(connection, kept_from) == 1
        assert await tier(api, ANA, at=first.isoformat()) == without_counts(ana)
        told = refunded if kept_from is second else without_counts(refunded)
        assert await tier(api, ANA, at=second.isoformat()) == told
        assert await tier(api, ANA, at=third.isoformat()) == both
        assert await tier(api, BEN, at=third.isoformat()) == ben
    none = await tier(api, BEN, at=first.isoformat())
    assert (none["tier"], none["counted"], none["spend"]) == ("member", "0", "0")


async def test_what_a_process_of_an_earlier_release_changed_is_not_told_as_it_was_before(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a Gold, and somebody without a tier, whom a worker of the release before makes Platinum while both run;
    when moments since are asked for; then they are refused, until this release keeps how they stand anew."""
    moments = Moments(rewards, api)
    await rewards.happen(order("a", "250", customer=ANA, at=rewards.clock()))
    await rewards.happen(order("b", "20", customer=BEN, at=rewards.clock()))
    await moments.look(ANA, BEN)
    now = rewards.clock().isoformat()
    await rewards.plant(
        f"UPDATE rewards.members SET tier = 'platinum', tier_since = '{now}', tier_until = NULL"
    )
    between, _ = await moments.look(ANA, BEN)
    for who in (ANA, BEN):
        assert "was not kept" in await refusal(api, between, who)
    for who, of in ((ANA, "a"), (BEN, "b")):
        await rewards.happen(cancellation(of, customer=who, at=rewards.clock()))
    after, fallen = await moments.look(ANA, BEN)

    for who, answer in zip((ANA, BEN), fallen, strict=True):
        assert answer["tier"] == "member"
        assert await tier(api, who, at=after.isoformat()) == answer
        assert "was not kept" in await refusal(api, between, who)


async def test_while_the_program_had_no_tiers_none_is_told(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given a program without tiers, and then one with; when a moment of the first is asked for; then there was no
    tier, nor anything that counted."""
    await use(rewards, PROGRAM.replace(LEVELS, ""))
    await rewards.happen(order("1", "250", at=rewards.clock()))
    moments = Moments(rewards, api)
    without, (told,) = await moments.look(CUSTOMER)
    await use(rewards, SHORT.replace("gold", "golden").replace("platinum", "best").replace("member", "base"))
    await moments.look(CUSTOMER)

    assert await tier(api, at=without.isoformat()) == told | {"spend": None}


async def test_a_clock_that_was_put_back_leaves_the_later_standing(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a Gold reached by a clock a day ahead, and lost by the right one; when moments before and
    after that day are asked for; then there was none."""
    now = rewards.clock()
    rewards.clock.advance(timedelta(days=1))
    await rewards.happen(order("1", "250", at=now))
    rewards.clock.set(now)
    await rewards.happen(cancellation("1", at=now))
    moments = Moments(rewards, api)
    early, (told,) = await moments.look(CUSTOMER, days=2)
    late, (then,) = await moments.look(CUSTOMER)

    assert {(await tier(api, at=one.isoformat()))["tier"] for one in (early, late)} == {"member"}
    assert (told["tier"], then["tier"]) == ("member", "member")
