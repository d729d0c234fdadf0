"""Watches that a consumer moves: shows its lag, and ends the process when it is stuck without a reason."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from shared.bus.consuming import metrics
from shared.bus.interface import BusUnavailableError, Consumer
from shared.bus.records import Partition

log = logging.getLogger(__name__)

LOOK_S = 2.0
STALL_S = 60.0
EXIT_STALLED = 70
"""Exit status of a process that gave up on itself; its supervisor starts a new one."""


def leave_process() -> None:
    """End the process at once: whatever is stuck may also be stuck on the way out. Nothing durable is lost by it."""
    os._exit(EXIT_STALLED)


class Watchdog:
    """Looks every `look_s` how far the consumer is behind its topic.

    Records waiting and the position unmoved for `stall_s`, while no fault explains it: that is a consumer that hangs
    (clients do that), and only a new process helps. `stalled` is called, by default `leave_process`.
    """

    def __init__(
        self,
        topic: str,
        *,
        look_s: float = LOOK_S,
        stall_s: float = STALL_S,
        stalled: Callable[[], None] = leave_process,
    ) -> None:
        self.lag: int | None = None
        """Records that wait in the assigned partitions; None until it is known."""
        self._topic = topic
        self._look_s = look_s
        self._stall_s = stall_s
        self._stalled = stalled
        self._seen: dict[Partition, int] | None = None
        self._moved_at = time.monotonic()

    def forget(self, partition: Partition) -> None:
        """Show nothing of a partition that belongs to another member now."""
        for gauge in (metrics.LAG, metrics.POSITION):
            with suppress(KeyError):  # never shown
                gauge.remove(partition[0], str(partition[1]))

    async def run(
        self,
        consumer: Consumer,
        positions: Callable[[], Mapping[Partition, int]],
        failing: Callable[[], bool],
    ) -> None:
        """Watch until cancelled."""
        while True:
            await asyncio.sleep(self._look_s)
            try:
                heads = await consumer.heads()
            except BusUnavailableError:
                self.lag = None
                self._moved_at = time.monotonic()  # the bus is away: nothing to move
                continue
            except Exception:  # a client beside itself: nobody would watch it any more
                log.critical("cannot see how far %s has come", self._topic, exc_info=True)
                self._stalled()
                return
            self.look(heads, positions(), failing(), time.monotonic())

    def look(
        self, heads: Mapping[Partition, int], positions: Mapping[Partition, int], failing: bool, now_s: float
    ) -> None:
        """Compare once, at monotonic `now_s`."""
        lags = {each: max(0, head - positions[each]) for each, head in heads.items() if each in positions}
        self.lag = sum(lags.values())
        for (topic, partition), lag in lags.items():
            metrics.LAG.labels(topic, str(partition)).set(lag)
            metrics.POSITION.labels(topic, str(partition)).set(positions[topic, partition])
        seen = dict(positions)
        unclaimed = heads.keys() - positions.keys()
        if seen != self._seen or failing or not (self.lag or unclaimed):
            self._seen = seen
            self._moved_at = now_s
        elif now_s - self._moved_at > self._stall_s:
            log.critical("stuck: %d records of %s wait and nothing moves", self.lag, self._topic)
            self._stalled()
