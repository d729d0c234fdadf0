"""One connection of its own to PostgreSQL: it hears notifications and keeps a heartbeat, and it heals by itself."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.faults import DATABASE_ERRORS

log = logging.getLogger(__name__)

RECONNECT_S = 0.2
BEAT_TIMEOUT_S = 3.0


class Listener:
    """Listens on channels, and runs `beat(connection)`: every `interval_s`, after a connect, and when `nudge`d.

    `heard(channel, payload)` is called for each notification, and with ("", "") after every connect, since
    something may have been missed before. A beat that fails or hangs makes a new connection.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        channels: tuple[str, ...],
        heard: Callable[[str, str], None],
        beat: Callable[[Any], Awaitable[None]] | None = None,
        interval_s: float = 1.0,
    ) -> None:
        self._engine = engine
        self._channels = channels
        self._heard = heard
        self._beat = beat or _ask
        self._interval_s = interval_s
        self._nudged = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin in the background."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="bus-listener")

    async def stop(self) -> None:
        """Close the connection."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def nudge(self) -> None:
        """Beat now."""
        self._nudged.set()

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except DATABASE_ERRORS as error:
                log.warning("lost the listening connection: %s", type(error).__name__)
            except Exception:
                log.exception(
                    "the listening connection failed"
                )  # whatever it was, it may not end the listener
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self) -> None:
        async with asyncio.timeout(BEAT_TIMEOUT_S):
            connection = await self._engine.connect()
        driver: Any = None
        try:
            driver = (await connection.get_raw_connection()).driver_connection
            # Out of the pool: it lives as long as this consumer, and has the pool's own settings and role.
            assert connection.sync_connection is not None
            connection.sync_connection.detach()
            async with asyncio.timeout(BEAT_TIMEOUT_S):
                for channel in self._channels:
                    await driver.add_listener(channel, self._hear)
            self._heard("", "")
            while True:
                self._nudged.clear()
                async with asyncio.timeout(BEAT_TIMEOUT_S):
                    await self._beat(driver)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._interval_s):
                        await self._nudged.wait()
        finally:
            if driver is not None:
                driver.terminate()  # at once: a graceful close could hang on a dead server
            with suppress(*DATABASE_ERRORS):
                await connection.close()

    def _hear(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        self._heard(channel, str(payload))


async def _ask(driver: Any) -> None:
    """The least heartbeat: whether the connection still answers."""
    await driver.fetchval("SELECT 1")
