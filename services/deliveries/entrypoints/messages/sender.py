"""The loop that sends messages: claims, hands over, notes, many at a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.deliveries.application.messages.sending import NOT_TRIED, Dispatch, Handed
from services.deliveries.domain.providers.answers import Again, Receipt, Refused, Sent
from services.deliveries.entrypoints.messages.provider_metrics import ATTEMPTS, OPEN, SECONDS, SUPPRESSED
from shared.clock import Clock
from shared.waiting import rest

LOOK_EVERY_S: Final = 0.25
"""How often somebody looks for what is due, when there was nothing."""
PACE_S: Final = 0.02
"""Between two claims, and between two notes: a transaction costs the same for one message as for a hundred."""
NOTE_MAX: Final = 200
STOP_S: Final = 10.0
"""What is with a provider when the process is told to stop is given so long to end."""
BACKOFF_MAX_S: Final = 5.0

log = structlog.get_logger()


class MessageSender:
    """A loop of the worker; any number of processes may run one.

    `transient` tells what passes by itself, such as a database that is away. `close` lets go of the providers.
    """

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        dispatch: Dispatch,
        clock: Clock,
        transient: Callable[[BaseException], bool],
        close: Callable[[], Awaitable[None]],
    ) -> None:
        self._engine = engine
        self._dispatch = dispatch
        self._clock = clock
        self._transient = transient
        self._close = close
        self._under_way: set[asyncio.Task[None]] = set()
        self._ended: list[tuple[Handed, Receipt]] = []
        self._freed = asyncio.Event()
        self._to_note = asyncio.Event()
        self._fault: dict[str, str] = {}

    @property
    def trouble(self) -> str | None:
        """What holds it up: the database, or a provider that is left alone for a while."""
        now = self._clock()
        down = {
            channel.value: gate.code or "in trouble"
            for channel, gate in self._dispatch.seen.items()
            if not gate.breaker.allowed(now, 1)
        }
        return ", ".join(f"{name}: {why}" for name, why in (self._fault | down).items()) or None

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`; then give what is under way `STOP_S` to end."""
        done = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._note_all(done))
                await self._send_all(stop)
                done.set()
                self._to_note.set()
        finally:
            await self._close()

    async def once(self) -> int:
        """Claim what is due and begin to hand it over; how many that were."""
        async with self._engine.begin() as connection:
            handed = await self._dispatch.claim(connection, self._clock())
        for each in handed:
            task = asyncio.create_task(self._hand_over(each))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        for channel, gate in self._dispatch.seen.items():
            OPEN.labels(channel.value).set(not gate.breaker.allowed(self._clock(), 1))
        return len(handed)

    async def _send_all(self, stop: asyncio.Event) -> None:
        pause_s = LOOK_EVERY_S
        while not stop.is_set():
            begun = 0
            try:
                begun = await self.once()
                self._fault.pop("queue", None)
                pause_s = LOOK_EVERY_S
            except Exception as error:
                if not self._transient(error):
                    raise
                self._fault["queue"] = type(error).__name__
                pause_s = min(2 * pause_s, BACKOFF_MAX_S)
            await asyncio.sleep(PACE_S)
            if not begun:
                await rest(stop, pause_s)
            while not (stop.is_set() or self._dispatch.has_room):
                await self._place()
        self._dispatch.stop()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=STOP_S)
        for task in list(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _hand_over(self, handed: Handed) -> None:
        channel, began = handed.channel.value, time.monotonic()
        receipt = await self._dispatch.hand_over(handed)
        self._ended.append((handed, receipt))
        self._to_note.set()
        self._freed.set()
        if receipt == NOT_TRIED:
            return
        SECONDS.labels(channel).observe(time.monotonic() - began)
        ATTEMPTS.labels(channel, "sent" if isinstance(receipt, Sent) else receipt.code).inc()
        if isinstance(receipt, Refused) and receipt.suppress:
            SUPPRESSED.labels(channel).inc()
        if isinstance(receipt, Again) and receipt.down:
            log.warning("provider_in_trouble", channel=channel, code=receipt.code, detail=receipt.detail)

    async def _place(self) -> None:
        """Wait until a message has ended."""
        self._freed.clear()
        await rest(self._freed, LOOK_EVERY_S)

    async def _note_all(self, done: asyncio.Event) -> None:
        """Note what has ended, until nothing is under way any more."""
        pause_s, size = PACE_S, NOTE_MAX
        while not done.is_set() or self._ended:
            if not self._ended:
                self._to_note.clear()
                await self._to_note.wait()
            batch = self._ended[:size]
            try:
                if batch:
                    async with self._engine.begin() as connection:
                        await self._dispatch.note(connection, batch, self._clock())
                    del self._ended[: len(batch)]
                    self._dispatch.noted(batch)
                self._fault.pop("noting", None)
                pause_s, size = PACE_S, NOTE_MAX
            except Exception as error:
                self._fault["noting"] = type(error).__name__
                if self._transient(error):
                    pause_s = min(2 * pause_s, BACKOFF_MAX_S)
                    if done.is_set():
                        return  # the database is away and we are to end: what was not noted is sent again
                elif len(batch) > 1:
                    size = 1  # whose fault is it?
                else:
                    # Its lease will end, and it is sent again, so often as messages are tried; the others go on.
                    log.error("message_not_noted", message=batch[0][0].claimed.message.id, exc_info=error)
                    del self._ended[:1]
                    self._dispatch.noted(batch)
            await asyncio.sleep(pause_s)
