"""The worker of deliveries: takes outcomes, and runs what sends."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import Clock
from shared.http.health import Check, Degraded, database_answers
from shared.http.idempotency import IdempotencyKeys
from shared.vault.secret import Secret, secret_checked


class Running(Protocol):
    """The stream consumer, the relay, or a loop that sends."""

    @property
    def trouble(self) -> str | None:
        """What holds it up at the moment, for the health check."""

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. It waits out what is transient; what it raises ends the worker."""


class DeliveriesWorker:
    """Runs the stream consumer, on Kafka the relay, and the loops that send, until told to stop.

    `loops` by name: each says in the health check when it is held up; that is no reason to send the worker home.
    """

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        stream: Running,
        relay: Running | None,
        loops: Mapping[str, Running],
        keys: IdempotencyKeys,
        secret: Secret,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._stream = stream
        self._relay = relay
        self._loops = loops
        self._keys = keys
        self._secret = secret
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`. What ends early ends the others too, and its error is raised. Nothing begins before the
        database has said that the secret is its own: with another one no contact could be read, and outcomes would be
        set aside. Raises `SecretError`."""
        running: Sequence[Running] = [
            self._stream,
            *self._loops.values(),
            *([] if self._relay is None else [self._relay]),
        ]
        try:
            if not await secret_checked(self._engine, self._secret, stop):
                return
            async with asyncio.TaskGroup() as group:
                for each in running:
                    group.create_task(each.run(stop))
                group.create_task(self._keys.prune_until(stop, self._engine, self._clock))
        finally:
            await self._engine.dispose()

    def checks(self) -> Mapping[str, Check]:
        """For `/readyz`: the database answers, the stream is not held up; the rest only warns."""

        async def stream() -> str | None:
            return f"held up: {self._stream.trouble}" if self._stream.trouble else None

        warning = {**self._loops, **({} if self._relay is None else {"relay": self._relay})}
        return {
            "database": database_answers(self._engine),
            "stream": stream,
            **{name: _warning(each) for name, each in warning.items()},
        }


def _warning(part: Running) -> Check:
    async def check() -> str | None:
        return Degraded(f"held up: {part.trouble}") if part.trouble else None

    return check
