"""Gathers what many callers publish at once into few large writes, without making anybody wait for company."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from shared.bus.interface import BusUnavailableError
from shared.bus.records import Outgoing, check

WRITE_RECORDS_MAX = 4000
"""Of one write, give or take one caller's records."""

WAITING_RECORDS_MAX = 50_000
"""Beyond that callers are refused: the bus does not keep up."""


@dataclass(eq=False, slots=True)
class _Call:
    records: Sequence[Outgoing]
    done: asyncio.Future[None]
    begun: bool = False
    """Whether a write has begun with it."""


class Gatherer:
    """One write is under way at a time; what arrives meanwhile goes into the next one together, in order."""

    def __init__(self, write: Callable[[list[Outgoing]], Awaitable[None]], timeout_s: float) -> None:
        self._write = write
        self._timeout_s = timeout_s
        self._calls: deque[_Call] = deque()
        self._waiting_records = 0
        self._task: asyncio.Task[None] | None = None

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return when every record is durable.

        Raises `BusUnavailableError` within the timeout; records that no write has begun with by then are withdrawn.
        """
        if not records:
            return
        check(records)
        if self._waiting_records + len(records) > max(WAITING_RECORDS_MAX, len(records)):
            raise BusUnavailableError("too many records wait to be published")
        call = _Call(records, asyncio.get_running_loop().create_future())
        self._calls.append(call)
        self._waiting_records += len(records)
        if self._task is None:
            self._task = asyncio.create_task(self._write_all(), name="bus-publish")
        try:
            async with asyncio.timeout(self._timeout_s):
                await call.done
        except TimeoutError as error:
            raise BusUnavailableError(f"not published within {self._timeout_s} s") from error
        finally:
            if not call.begun:
                self._calls.remove(call)
                self._waiting_records -= len(records)

    async def stop(self) -> None:
        """Give up what has not been written."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        for call in self._calls:
            if not call.done.done():
                call.done.set_exception(BusUnavailableError("the producer has been stopped"))

    async def _write_all(self) -> None:
        try:
            while self._calls:
                await self._write_next()
        finally:
            self._task = None

    async def _write_next(self) -> None:
        calls: list[_Call] = []
        records: list[Outgoing] = []
        while self._calls and len(records) < WRITE_RECORDS_MAX:
            call = self._calls.popleft()
            call.begun = True
            calls.append(call)
            records += call.records
        self._waiting_records -= len(records)
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._write(records)
        except asyncio.CancelledError:
            _finish(calls, BusUnavailableError("the producer has been stopped"))
            raise
        except BusUnavailableError as error:
            _finish(calls, error)
        except Exception as error:  # noqa: BLE001  # whatever the driver calls it, the callers hear of it
            failure = BusUnavailableError(f"not published: {type(error).__name__}")
            failure.__cause__ = error
            _finish(calls, failure)
        else:
            _finish(calls, None)


def _finish(calls: list[_Call], error: BusUnavailableError | None) -> None:
    for call in calls:
        if call.done.done():  # its caller has gone
            continue
        if error is None:
            call.done.set_result(None)
        else:
            call.done.set_exception(error)
