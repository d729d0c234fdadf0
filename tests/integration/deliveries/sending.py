"""A worker's sender loop, stepped by hand, and customers with messages that are due."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from services.deliveries.adapters.providers.gates import PostgresGates
from services.deliveries.adapters.providers.senders import Providers, make_providers
from services.deliveries.application.messages.sending import Dispatch, Provider
from services.deliveries.application.ports import Rendered
from services.deliveries.domain.channels import Channel
from services.deliveries.domain.providers.answers import Receipt, Sent
from services.deliveries.domain.providers.pace import Pace
from services.deliveries.domain.recipients.recipient import Contact
from services.deliveries.entrypoints.messages.last_look import Beginner
from services.deliveries.entrypoints.messages.sender import MessageSender
from shared.contracts.outcomes import Outcome
from shared.settings import Settings
from tests.integration.deliveries.world import World

SECOND = timedelta(seconds=1)


def mail_settings(settings: Settings, port: int, **more: Any) -> Settings:
    return settings.model_copy(
        update={
            "smtp_url": SecretStr(f"smtp://127.0.0.1:{port}"),
            "mail_from": "Mugs & more <hello@shop.example>",
            "email_per_second": 10_000.0,
            **more,
        }
    )


class Process:
    """One worker's sender loop, stepped by hand."""

    def __init__(self, world: World, providers: Providers, chance: Callable[[], float] = lambda: 0.5) -> None:
        queue = world.another_queue()
        begin = Beginner(world.engine, queue, world.clock, lambda error: isinstance(error, OSError))
        self.dispatch = Dispatch(
            queue, queue.renderer, PostgresGates(), providers.by_channel, begin=begin, chance=chance
        )
        self.loop = MessageSender(
            engine=world.engine,
            dispatch=self.dispatch,
            clock=world.clock,
            transient=lambda error: isinstance(error, OSError),
            close=providers.close,
        )
        self._world = world

    async def step(self) -> list[Receipt]:
        """Claim once, hand over, note; what the providers said."""
        async with self._world.engine.begin() as connection:
            handed = await self.dispatch.claim(connection, self._world.clock())
        receipts = await asyncio.gather(*(self.dispatch.hand_over(each) for each in handed))
        if handed:
            async with self._world.engine.begin() as connection:
                await self.dispatch.note(
                    connection, list(zip(handed, receipts, strict=True)), self._world.clock()
                )
            self.dispatch.noted(list(zip(handed, receipts, strict=True)))
        return list(receipts)

    async def claim_and_die(self) -> None:
        """Killed after the claim was committed."""
        async with self._world.engine.begin() as connection:
            await self.dispatch.claim(connection, self._world.clock())

    async def send_and_die(self) -> None:
        """Killed after the provider took the messages, before that was noted."""
        async with self._world.engine.begin() as connection:
            handed = await self.dispatch.claim(connection, self._world.clock())
        await asyncio.gather(*(self.dispatch.hand_over(each) for each in handed))


@asynccontextmanager
async def process(world: World, settings: Settings, **more: Any) -> AsyncIterator[Process]:
    providers = make_providers(settings, world.clock)
    try:
        yield Process(world, providers, **more)
    finally:
        await providers.close()


async def known(world: World, *names: str) -> list[Outcome]:
    """Customers, each with a message that is due."""
    outcomes = []
    for name in names:
        await world.knows(name)
        outcomes.append(world.due(name))
    await world.happen(*outcomes)
    return outcomes


async def until(come: Callable[[], bool], timeout_s: float = 20.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not come():  # noqa: ASYNC110  # what is looked at tells nobody
            await asyncio.sleep(0.01)


async def attempts(world: World) -> list[tuple[str, str]]:
    async with world.admin.connect() as connection:
        rows = await connection.execute(
            text("SELECT result, code FROM deliveries.attempts ORDER BY at, number")
        )
        return [(result, code) for result, code in rows]


class Recorder:
    """A provider that takes all, or answers as told."""

    def __init__(self, *answers: Receipt | Exception) -> None:
        self.answers = list(answers)
        self.texts: list[str] = []
        self.since: list[datetime | None] = []
        self.given: list[tuple[str, str]] = []
        """Address and key of each."""

    async def send(
        self,
        channel: Channel,
        rendered: Rendered,
        contact: Contact,
        idempotency_key: str,
        since: datetime | None = None,
    ) -> Receipt:
        self.texts.append(rendered.text)
        self.since.append(since)
        self.given.append((contact.value, idempotency_key))
        answer = self.answers.pop(0) if self.answers else Sent()
        if isinstance(answer, Exception):
            raise answer
        return answer


def with_email(sender: Recorder) -> Providers:
    return Providers({Channel.EMAIL: Provider(sender, Pace(1000.0, 1000), 4)})
