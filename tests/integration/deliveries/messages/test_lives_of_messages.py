"""Random lives of messages: senders that die, providers that refuse, clocks that jump, customers that merge and part.

Whatever happens in whichever order: each message ends, and goes out at most once as far as anybody was told; nobody is
written to more often than the program allows; nothing is sent in quiet hours.
"""

import random
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import text

from services.deliveries.application.ports import Claimed
from services.deliveries.domain.channels import Channel, Purpose
from services.deliveries.domain.providers.answers import Again, Refused
from shared.contracts.outcomes import Outcome
from tests.integration.deliveries.world import World

NAMES = ("ana", "ben", "cid")
LIMITS = (
    'messages: {consent: unless_withdrawn, quiet_hours: "22:00-07:00", at_most: {times: 2, per: P7D},'
    " channels: [email, sms], sms_after_unopened: 3}"
)
STEPS = 70
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


class Life:
    """One play."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.asked: list[Outcome] = []
        self.dead: list[Claimed] = []
        self.with_ben = False
        self.epoch = 0

    async def step(self) -> None:
        """Something happens."""
        deeds = [
            self.ask,
            self.ask,
            self.send,
            self.send,
            self.send,
            self.feel,
            self.merge_or_part,
            self.repeat,
        ]
        await self.random.choice(deeds)()
        jump = self.random.choice([0, 1, 5, 30, 60, -60, 240, 240, 1440])
        self.world.clock.set(self.world.clock() + jump * MINUTE)

    async def ask(self) -> None:
        template = self.random.choice(["hello", "winback", "solved"])
        name = self.random.choice(NAMES)
        of = "ben" if name == "ana" and self.with_ben else name
        days = self.random.choice([1, 7, 30])
        outcome = self.world.due(name, template, of=of, expires_at=self.world.clock() + days * DAY)
        self.asked.append(outcome)
        await self.world.happen(outcome)

    async def repeat(self) -> None:
        if self.asked:
            await self.world.happen(self.random.choice(self.asked))

    async def feel(self) -> None:
        angry, unopened = self.random.random() < 0.3, self.random.choice([0, 3])
        await self.world.happen(self.world.mood(self.random.choice(NAMES), angry=angry, unopened=unopened))

    async def merge_or_part(self) -> None:
        self.epoch += 1
        if self.with_ben:
            source = {"from": self.world.id("ben")}
            change = self.world.merged("ana", "ana", self.epoch, kind="customer.unmerged", **source)
        else:
            change = self.world.merged("ana", "ben", self.epoch)
        self.with_ben = not self.with_ben
        await self.world.happen(change)

    async def send(self) -> None:
        claimed = await self.world.claim(self.random.choice([1, 100]))
        for each in claimed:
            await self.check(each)
            fate = self.random.random()
            if fate < 0.5:
                assert await self.world.note([each]) == [each.message.id]
            elif fate < 0.7:
                await self.world.note([each], Again("busy"), self.world.clock() + 20 * MINUTE)
            elif fate < 0.75:
                await self.world.note([each], Refused("no"))
            else:
                self.dead.append(each)  # the process was killed, before or after the provider took it
        for each in [each for each in self.dead if self.random.random() < 0.2]:
            self.dead.remove(each)  # one that was only slow says what became of it
            await self.world.note([each])

    async def check(self, claimed: Claimed) -> None:
        """What goes out may go out now."""
        service_mail = claimed.message.purpose is Purpose.SERVICE and claimed.contact.channel is Channel.EMAIL
        assert 7 <= self.world.clock().hour < 22 or service_mail
        assert self.world.clock() < claimed.message.expires_at
        if claimed.message.purpose is Purpose.SERVICE:
            return
        assert not claimed.recipient.tickets_angry
        statement = text("""
            SELECT count(*) FROM deliveries.messages
            WHERE customer_id = :customer AND purpose = 'marketing' AND state IN ('sent', 'sending')
                AND coalesce(sent_at, claimed_at) > :since AND coalesce(sent_at, claimed_at) <= :now
            """)
        bound = {
            "customer": claimed.message.customer_id,
            "since": self.world.clock() - 7 * DAY,
            "now": self.world.clock(),
        }
        async with self.world.admin.connect() as connection:
            assert await connection.scalar(statement, bound) <= 2

    async def end(self) -> None:
        """Everybody calms down, senders live, and the weeks pass."""
        for name in NAMES:
            await self.world.happen(self.world.mood(name))
        for _ in range(70):
            await self.world.note(await self.world.claim())
            self.world.clock.set((self.world.clock() + DAY).replace(hour=12))


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_every_message_ends_and_is_told_of_at_most_once(world: World, seed: int) -> None:
    await world.program(LIMITS)
    for name in NAMES:
        phone = f"+1212555010{NAMES.index(name)}"
        await world.knows(name, customer={"email": f"{name}@example.com", "phone": phone})
    life = Life(world, seed)
    for _ in range(STEPS):
        await life.step()
    await life.end()

    states = Counter([await world.state(outcome) for outcome in life.asked])
    assert {state for state, _ in states} <= {"sent", "skipped", "failed"}
    events = Counter(event.id for event in await world.events())
    assert set(events.values()) == {1}
    assert len(events) == states["sent", None] >= 3
