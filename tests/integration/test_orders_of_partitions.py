"""Partitions are not ordered among each other: in whichever order they are read, the same letters go out."""

import random
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

import services.deliveries.wiring.worker as deliveries
import services.rewards.wiring.worker as rewards
import services.scoring.wiring.worker as scoring
from services.deliveries.adapters.programs import PostgresPrograms
from services.deliveries.application.messages.claiming import MessageQueue
from services.deliveries.application.messages.rendering import TemplateRenderer
from services.deliveries.domain.providers.answers import Sent
from services.deliveries.wiring.parts import links_of
from services.deliveries.wiring.sender import create_queue
from services.ingest.main import create_app as create_ingest
from services.rewards.wiring.start import store_program
from shared.auth.keys import ensure_key
from shared.bus.records import Incoming
from shared.contracts.activity import ACTIVITY_TOPIC
from shared.contracts.events import EVENTS_TOPIC
from shared.contracts.outcomes import OUTCOMES_TOPIC
from shared.settings import Settings
from tests.conftest import EngineFor
from tests.support.clock import ManualClock
from tests.support.http import client_of
from tests.support.streams import on_stream

TOKEN = "reg_" + "s" * 43
PROGRAM = """
name: Mugs & more
currency: USD
time_zone: UTC
campaigns:
  - {id: hello, on: customer.registered, do: [{message: hello}]}
templates:
  hello: {subject: Hello, text: Good that you are here, purpose: service}
"""


@dataclass
class Reader:
    """One service: what it reads, up to where, and what it does with it."""

    topic: str
    engine: AsyncEngine
    handle: Callable[..., Awaitable[None]]
    positions: dict[int, int] = field(default_factory=lambda: defaultdict(int))


@dataclass
class Streams:
    """All services, which read as they are told."""

    admin: AsyncEngine
    clock: ManualClock
    api: httpx.AsyncClient
    readers: list[Reader]
    queue: MessageQueue
    letters: list[str] = field(default_factory=list)

    async def post(self, id_: str, type_: str, who: dict[str, Any], ago: timedelta, **data: Any) -> None:
        """An event comes in, perhaps late."""
        self.clock.advance(timedelta(seconds=1))
        time = (self.clock() - ago).isoformat()
        event = {"id": id_, "source": "shop", "type": type_, "time": time}
        answer = await self.api.post("/v1/events", json=event | {"data": {"customer": who, **data}})
        assert answer.status_code == 202, answer.text

    async def read(self, chance: random.Random) -> None:
        """Let everything be read: partition by partition, in an order of chance, and mail go out in between."""
        while await self.read_some(chance):
            self.clock.advance(timedelta(seconds=1))
            if chance.random() < 0.5:
                await self.send()
        await self.send()

    async def read_some(self, chance: random.Random) -> bool:
        """One service takes a batch, of one partition or several; False: nothing is left to read."""
        waiting = [(reader, records) for reader in self.readers for records in await self._unread(reader)]
        if not waiting:
            return False
        reader, records = chance.choice(waiting)
        others = [lot for each, lot in waiting if each is reader and lot is not records]
        lots = [records, *(lot for lot in others if chance.random() < 0.3)]
        batch = [one for lot in lots for one in lot[: chance.choice((1, 1, 2, 100))]]
        async with reader.engine.begin() as connection:
            await reader.handle(connection, batch, self.clock())
        for one in batch:
            reader.positions[one.partition] = max(reader.positions[one.partition], one.offset + 1)
        return True

    async def _unread(self, reader: Reader) -> list[list[Incoming]]:
        found: dict[int, list[Incoming]] = defaultdict(list)
        async with self.admin.connect() as connection:
            for each in await on_stream(connection, reader.topic):
                if each.offset >= reader.positions[each.partition]:
                    found[each.partition].append(each)
        return list(found.values())

    async def send(self) -> None:
        """Mail goes out."""
        engine = self.readers[-1].engine
        async with engine.begin() as connection:
            claimed = await self.queue.claim(connection, self.clock(), 100)
        self.letters += [each.contact.value for each in claimed]
        async with engine.begin() as connection:
            await self.queue.note(connection, [(each, Sent("r")) for each in claimed], self.clock())


@pytest.fixture
async def streams(
    engine_for: EngineFor, settings: Settings, clock: ManualClock, tmp_path: Path
) -> AsyncIterator[Streams]:
    """Services on a fresh database, with a program that greets who registers."""
    file = tmp_path / "program.yaml"
    file.write_text(PROGRAM)
    settings = settings.model_copy(update={"program": file})
    admin = engine_for(None)
    async with admin.begin() as connection:
        await ensure_key(connection, TOKEN, clock())
    await store_program(settings, clock)
    workers = (
        scoring.create_worker(settings, clock),
        rewards.create_worker(settings, clock),
        deliveries.create_worker(settings, clock),
    )
    streams = (workers[0].stream, workers[1]._stream, workers[2]._stream)
    topics = (EVENTS_TOPIC, ACTIVITY_TOPIC, OUTCOMES_TOPIC)
    programs = PostgresPrograms()
    renderer = TemplateRenderer(programs, links_of(settings))
    queue = create_queue(settings, renderer, programs)
    async with client_of(create_ingest(settings, clock)) as api:
        api.headers["Authorization"] = f"Bearer {TOKEN}"
        readers = [
            Reader(topic, each._engine, each._handle) for topic, each in zip(topics, streams, strict=True)
        ]
        yield Streams(admin, clock, api, readers, queue)
    for each in streams:
        await each._engine.dispose()


@pytest.mark.parametrize("seed", range(2))
async def test_whoever_registers_gets_one_letter_in_whichever_order_partitions_are_read(
    streams: Streams, seed: int
) -> None:
    """Given customers who register under an address, and prove to be one with a customer known by an id, while much of
    it is still under way; when partitions are read in any order, many records at once or few; then each of them gets
    the letter, once."""
    chance = random.Random(seed)
    names = [f"c-{number}" for number in range(6)]
    for name in names:
        both = {"id": name, "email": f"{name}@example.com"}
        email, own = {"email": both["email"]}, {"id": name}
        orders = [("order.completed", who) for who in (own, both, own, email)]
        plan = [("customer.registered", chance.choice((email, both))), *chance.sample(orders, 3)]
        plan.append(("customer.identified", both))
        if chance.random() < 0.3:
            chance.shuffle(plan)
        for place, (type_, who) in enumerate(plan):
            ordered = {"order_id": f"{name}-{place}", "currency": "USD", "total": "10"}
            data = ordered if type_ == "order.completed" else {}
            ago = timedelta(seconds=chance.choice((0, 0, 3, 10)))
            await streams.post(f"{name}/{place}", type_, who, ago, **data)
            if chance.random() < 0.3:
                await streams.read_some(chance)

    await streams.read(chance)

    assert sorted(streams.letters) == [f"{name}@example.com" for name in names]
