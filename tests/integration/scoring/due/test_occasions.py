"""Silence and renewals ahead: told when due and not before, once, also after a standstill, merges and late events."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.scoring.adapters.due.coming_days import PostgresComingDays
from services.scoring.adapters.due.occasions import PostgresOccasions
from services.scoring.adapters.events.personal import PersonalData
from services.scoring.application.due.introduce_occasions import IntroduceOccasions
from services.scoring.application.due.tell_due import TellDue
from services.scoring.domain.due.occasions import Occasion, Watch
from shared.contracts.activity import Activity
from shared.contracts.events import EventRecord
from shared.program.values.period import Period
from shared.settings import Settings
from tests.integration.scoring.world import World
from tests.support.life import SETTINGS, moment, record
from tests.support.rules import FixedRules

LOGIN = Occasion("login.missing", Period.parse("P14D"))
LOGIN_LATER = Occasion("login.missing", Period.parse("P30D"))
ORDER = Occasion("order.missing", Period.parse("P60D"))
TICKET = Occasion("ticket.unanswered", Period.parse("PT4H"))
RENEWAL = Occasion("renewal.due", Period.parse("P30D"))
WORKOUT = Occasion("x.workout.finished.missing", Period.parse("P7D"))
ALL = (LOGIN, LOGIN_LATER, ORDER, TICKET, RENEWAL, WORKOUT)
SECOND = timedelta(seconds=1)


class Play:
    """A shop whose campaigns wait for occasions, and its clock."""

    def __init__(self, world: World, personal: PersonalData) -> None:
        self.world = world
        world.now = moment(0)
        self.rules = FixedRules(SETTINGS)
        self.days = PostgresComingDays(personal)
        self.restart()

    def restart(self) -> None:
        """Another process takes over."""
        self.world.take_in._coming = self.days
        self.world.take_in._rules = self.rules
        self.introduce = IntroduceOccasions(occasions=PostgresOccasions(), days=self.days, rules=self.rules)
        self.tell_due = TellDue(days=self.days, outbox=self.world.outbox, rules=self.rules)

    async def ask_for(self, *occasions: Occasion, at: datetime) -> None:
        """The program's campaigns ask for these from now on."""
        self.rules.settings = replace(SETTINGS, watch=Watch(occasions, SETTINGS.zone))
        await self.until(at)

    async def happen(self, type_: str, day: float, /, who: str = "p-ana", **data: Any) -> EventRecord:
        """An event comes at once."""
        self.world.now = max(self.world.now, moment(day) + SECOND)
        one = record(type_, moment(day), data, identifiers={"id": who})
        await self.world.feed(one)
        return one

    async def until(self, now: datetime, workers: int = 1) -> None:
        """Do all that is due at a moment."""
        self.world.now = max(self.world.now, now)
        for job in (self.introduce, self.tell_due):
            await asyncio.gather(*(self._run(job, now) for _ in range(workers)))

    async def _run(self, job: Any, now: datetime) -> None:
        more = True
        while more:
            async with self.world.engine.begin() as connection:
                more = await job(connection, now)

    async def told(self) -> list[Activity]:
        """All occasions told, by their moments."""
        names = {one.on for one in ALL}
        found = [one for one in await self.world.activity() if one.type in names]
        return sorted(found, key=lambda one: (one.time, one.type, one.data["after"]))

    async def named(self) -> list[tuple[str, str, datetime]]:
        """What they were, after how long, and when."""
        return [(one.type, one.data["after"], one.time) for one in await self.told()]


@pytest.fixture
def play(world: World, settings: Settings) -> Play:
    return Play(world, PersonalData(world.engine, settings.secret))


async def test_a_silence_is_told_at_its_moment_once(play: Play) -> None:
    """Given a campaign on 14 days without a login; when somebody logs in and time passes; then it is told when they are
    over, not a second before, with when it began, and never again while it lasts."""
    await play.ask_for(LOGIN, at=moment(0))
    await play.happen("login.recorded", 1)
    for at in (moment(2), moment(15) - SECOND):
        await play.until(at)
    assert await play.told() == []

    for at in (moment(15), moment(15) + SECOND, moment(16), moment(200), moment(400)):
        await play.until(at)

    (one,) = await play.told()
    assert (one.type, one.time, one.historical) == ("login.missing", moment(15), False)
    assert one.data == {"days": 14, "since": moment(1).isoformat(), "after": "P14D"}
    assert one.facts.logins == 1


async def test_who_comes_back_is_waited_for_anew(play: Play) -> None:
    """Given a customer who logs in, is silent, comes back, and is silent again; when time passes; then each silence is
    told once, at 14 and 30 days each, at the same time of day; a login in time is followed by none."""
    await play.ask_for(LOGIN, LOGIN_LATER, at=moment(0))
    for day in (1, 10, 20):
        await play.happen("login.recorded", day)
        await play.until(moment(day) + timedelta(minutes=1))
    for day in range(21, 60):
        await play.until(moment(day))
    await play.happen("login.recorded", 60)
    for day in range(60, 80):
        await play.until(moment(day) + SECOND)

    assert await play.named() == [
        ("login.missing", "P14D", moment(34)),
        ("login.missing", "P30D", moment(50)),
        ("login.missing", "P14D", moment(74, hours=-1)),  # the clocks went forward
    ]


async def test_after_a_week_of_downtime_what_still_stands_is_told_with_its_moment(play: Play) -> None:
    """Given two customers silent; when nothing works for weeks, one of them comes back meanwhile, and two workers then
    begin at once; then the other one's silence is told, once, as of when it was due."""
    await play.ask_for(LOGIN, at=moment(0))
    await play.happen("login.recorded", 1, who="p-ana")
    await play.happen("login.recorded", 1, who="p-ben")
    await play.until(moment(2))

    await play.happen("login.recorded", 20, who="p-ben")
    await play.until(moment(22), workers=2)

    assert await play.named() == [("login.missing", "P14D", moment(15))]


async def test_a_login_on_its_way_when_the_silence_was_told_begins_the_next(play: Play) -> None:
    """Given a silence that is told while a login of a minute before is still under way; when it arrives; then the
    silence that follows is told too."""
    await play.ask_for(LOGIN, at=moment(0))
    await play.happen("login.recorded", 1)
    await play.until(moment(15))
    play.world.now = moment(15) - SECOND  # the batch had begun before
    await play.world.feed(record("login.recorded", moment(15, minutes=-1), {}))

    await play.until(moment(15, hours=1))
    await play.until(moment(29, minutes=-1))

    assert await play.named() == [
        ("login.missing", "P14D", moment(15)),
        ("login.missing", "P14D", moment(29, minutes=-1)),
    ]


async def test_a_new_campaign_concerns_nobody_who_was_silent_before(play: Play) -> None:
    """Given customers silent for 100 and for 5 days; when a campaign on 14 days comes into force; then only the second
    one's silence is told; a longer one that comes later still is told to both only as far as it is still to come."""
    await play.happen("login.recorded", 0, who="p-ana")
    await play.happen("login.recorded", 95, who="p-ben")
    await play.ask_for(LOGIN, at=moment(100))
    await play.until(moment(109))
    assert await play.named() == [("login.missing", "P14D", moment(109))]

    await play.ask_for(LOGIN, LOGIN_LATER, at=moment(120))
    play.restart()
    await play.until(moment(130))

    assert (await play.named())[1:] == [("login.missing", "P30D", moment(125))]


async def test_imported_history_makes_nobody_silent_of_the_past(play: Play) -> None:
    """Given imported orders of 90 and of 50 days ago; when they are in; then only the silence still to come is told."""
    await play.ask_for(ORDER, at=moment(0))
    for who, day in (("p-ana", 10), ("p-ben", 50)):
        one = record(
            "order.completed",
            moment(day),
            {"order_id": who, "currency": "USD", "total": "10.00"},
            identifiers={"id": who},
            historical=True,
        )
        play.world.now = moment(100)
        await play.world.feed(EventRecord(**{**_fields(one), "received": moment(100)}))

    for day in range(100, 120):
        await play.until(moment(day))

    assert await play.named() == [("order.missing", "P60D", moment(110, hours=-1))]  # likewise


async def test_who_never_did_it_is_not_missed(play: Play) -> None:
    """Given a customer who only ordered; when a month passes; then no login is missed."""
    await play.ask_for(LOGIN, WORKOUT, at=moment(0))
    await play.happen("order.completed", 1, order_id="1", currency="USD", total="10.00")
    await play.until(moment(40))

    assert await play.told() == []


async def test_the_shops_own_events_are_missed_too(play: Play) -> None:
    """Given an event type of the shop's own; when it stays away; then it is told under its name."""
    await play.ask_for(WORKOUT, at=moment(0))
    await play.happen("x.workout.finished", 1)
    await play.until(moment(8))

    assert await play.named() == [("x.workout.finished.missing", "P7D", moment(8))]


async def test_a_ticket_is_unanswered_from_when_the_customer_last_spoke(play: Play) -> None:
    """Given tickets of which one is answered; when four hours pass; then the other is told, once; and again when the
    customer asks anew after an answer and nobody replies."""
    await play.ask_for(TICKET, at=moment(0))
    await play.happen("ticket.opened", 1, ticket_id="t-1", priority="urgent")
    await play.happen("ticket.opened", 1.01, ticket_id="t-2")
    await play.happen("ticket.replied", 1.02, ticket_id="t-2", by="agent")
    await play.until(moment(1, hours=4) - SECOND)
    assert await play.told() == []
    await play.until(moment(1, hours=4))
    await play.happen("ticket.replied", 2, ticket_id="t-1", by="agent")
    await play.happen("ticket.replied", 3, ticket_id="t-1", by="customer")
    await play.until(moment(3, hours=1))
    await play.until(moment(3, hours=4))
    await play.until(moment(5))

    first, second = await play.told()
    assert (first.time, second.time) == (moment(1, hours=4), moment(3, hours=4))
    assert first.data["ticket_id"] == second.data["ticket_id"] == "t-1"
    assert first.data["priority"] == "urgent"


async def test_renewals_are_told_ahead(play: Play) -> None:
    """Given a contract and subscriptions, of which one is paused; when 30 days before their renewals come; then they
    are told as the day begins there, each once; one that is past when somebody looks is not."""
    await play.ask_for(RENEWAL, at=moment(0))
    await play.happen("contract.signed", 1, account_id="a-1", contract_id="k-1", renews_on="2026-04-30")
    await play.happen("subscription.started", 2, subscription_id="s-1", plan="pro", renews_on="2026-05-31")
    await play.happen("subscription.started", 2.1, subscription_id="s-2", renews_on="2026-05-31")
    await play.happen("subscription.paused", 3, subscription_id="s-2")
    day = moment(0).astimezone(SETTINGS.zone).replace(hour=0)
    for on in (day.replace(month=3, day=31), day.replace(month=5, day=1)):
        await play.until(on - SECOND)
        await play.until(on)
    await play.happen("subscription.renewed", 151, subscription_id="s-1", renews_on="2026-07-31")
    await play.until(moment(300))  # after the renewal

    contract, subscription = await play.told()
    assert contract.data == {
        "what": "contract",
        "account_id": "a-1",
        "contract_id": "k-1",
        "renews_on": "2026-04-30",
        "after": "P30D",
        "days": 30,
    }
    assert (subscription.data["subscription_id"], subscription.data["plan"]) == ("s-1", "pro")
    assert subscription.time == day.replace(month=5, day=1)


async def test_a_silence_told_before_a_merge_keeps_its_identity_after_it(play: Play) -> None:
    """Given a silence told of one customer; when they prove to be another, who never logged in, and part again; then
    whatever is told of it has the one identity, by which it is known downstream."""
    await play.ask_for(LOGIN, at=moment(0))
    await play.world.feed(
        record("login.recorded", moment(1), {}, identifiers={"anonymous_id": "p-cookie"}),
        record("review.posted", moment(2), {"rating": 5}, identifiers={"id": "p-ana"}),
    )
    play.world.now = moment(3)
    await play.until(moment(15))
    both = {"id": "p-ana", "anonymous_id": "p-cookie"}
    await play.world.feed(record("customer.identified", moment(16), {}, identifiers=both))
    await play.until(moment(17))
    await play.until(moment(60))

    assert {one.id for one in await play.told()} == {(await play.told())[0].id}
    assert {one.time for one in await play.told()} == {moment(15)}


async def test_silences_of_customers_who_merge_become_one(play: Play) -> None:
    """Given two customers who logged in on days 1 and 5 and prove to be one on day 6; when time passes; then there is
    one silence, from the later login on."""
    await play.ask_for(LOGIN, at=moment(0))
    await play.world.feed(
        record("login.recorded", moment(1), {}, identifiers={"anonymous_id": "p-cookie"}),
        record("login.recorded", moment(5), {}, identifiers={"id": "p-ana"}),
    )
    both = {"id": "p-ana", "anonymous_id": "p-cookie"}
    await play.until(moment(5.5))
    await play.world.feed(record("customer.identified", moment(6), {}, identifiers=both))
    for day in range(7, 40):
        await play.until(moment(day))

    assert await play.named() == [("login.missing", "P14D", moment(19))]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
async def test_events_in_any_order_end_in_the_same_silence(play: Play, order: Sequence[int]) -> None:
    """Given logins that arrive in any order; when time passes; then the silence counts from the latest."""
    await play.ask_for(LOGIN, at=moment(0))
    days = (1, 2, 3)
    play.world.now = moment(4)
    for number in order:
        await play.world.feed(record("login.recorded", moment(days[number]), {}))
        await play.until(moment(4))
    for day in range(5, 40):
        await play.until(moment(day))

    assert await play.named() == [("login.missing", "P14D", moment(17))]


async def test_an_order_that_is_cancelled_ends_no_silence(play: Play) -> None:
    """Given an order on day 1 and one on day 50 that is cancelled on day 65; when it is; then the silence since day 1
    is told, as of day 61."""
    await play.ask_for(ORDER, at=moment(0))
    for day, id_ in ((1, "o-1"), (50, "o-2")):
        await play.happen("order.completed", day, order_id=id_, currency="USD", total="10.00")
        await play.until(moment(day, hours=1))
    await play.until(moment(64))
    assert await play.told() == []
    await play.happen("order.cancelled", 65, order_id="o-2")
    await play.until(moment(65, minutes=1))

    assert await play.named() == [("order.missing", "P60D", moment(61))]


def _fields(one: EventRecord) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}
