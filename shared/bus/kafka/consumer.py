"""Reading from Kafka as a member of a group, at the positions that the service itself keeps."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError

from shared.bus.batches import is_full
from shared.bus.interface import BusUnavailableError
from shared.bus.kafka.client import (
    KAFKA_ERRORS,
    MESSAGE_BYTES_MAX,
    bounded,
    close_quietly,
    cluster_id,
    connect,
    connection_settings,
    ensure_topics,
)
from shared.bus.records import Incoming, Partition
from shared.settings import Settings

log = logging.getLogger(__name__)

SESSION_TIMEOUT_MS = 10_000
"""A member that died without a word is missed after that."""

HEARTBEAT_MS = 1_000
REBALANCE_TIMEOUT_MS = 10_000
REQUEST_TIMEOUT_MS = 15_000
POLL_INTERVAL_MAX_MS = 300_000
FETCH_WAIT_MS = 250
JOIN_TIMEOUT_S = 30.0
QUERY_TIMEOUT_S = 5.0
SILENT_MAX_S = 15.0
"""A client that has had no answer for so long is left for a new one: some never notice that Kafka is back, read nothing
and raise nothing."""

REPORT_S = 1.0

GATHER_S, GATHER_MAX_S = 0.005, 0.02
"""After the first records: until none came for so long, or for so long in all. While anything that aiokafka has fetched
from a broker is not taken, it asks that broker for nothing more for a tenth of a second, and then only for other
partitions. So what lies ready is a crumb: all else that came while the last batch was handled is still with Kafka, and
would wait for the batch after."""

_Ask = Callable[[Any, list[TopicPartition]], Coroutine[Any, Any, dict[TopicPartition, int]]]


class KafkaConsumer:
    """A member of a Kafka consumer group that reads one topic.

    Kafka assigns the partitions; where to read them is told by `seek`. Until then they are paused. What is committed
    to Kafka is only for tools that show lag. The member's name is its static membership: started again under
    the same name, it has its partitions back without a rebalance.
    """

    def __init__(self, settings: Settings, group: str, topic: str, member: str) -> None:
        self._settings = settings
        self._group = group
        self._topic = topic
        self._member = member
        self._client: Any = None
        self._assigned: frozenset[Partition] = frozenset()
        self._sought: dict[Partition, TopicPartition] = {}
        self._taken = asyncio.Event()
        self._reported: dict[Partition, int] = {}
        self._reporting: asyncio.Task[None] | None = None
        self._silent_since: float | None = None

    async def start(self) -> None:
        """Join the group. Raises `BusUnavailableError`."""
        if self._client is None:
            await self._join()

    async def stop(self) -> None:
        """Leave. A static member's partitions stay reserved for it until its session times out."""
        if self._reporting is not None:
            self._reporting.cancel()
            with suppress(asyncio.CancelledError):
                await self._reporting
            self._reporting = None
            await self._commit()
        await self._give_up()

    async def origin(self) -> str:
        """The cluster by its id. Raises `BusUnavailableError`.

        Asked anew every time: a client that is connected again may have found another, empty cluster in the old place.
        """
        client = self._client
        if client is None:
            raise BusUnavailableError("not connected to Kafka")
        try:
            found = await bounded(cluster_id(client._client), QUERY_TIMEOUT_S)
        except KAFKA_ERRORS as error:
            raise BusUnavailableError(f"Kafka does not answer: {type(error).__name__}") from error
        return f"kafka:{found}"

    def assigned(self) -> frozenset[Partition]:
        """What Kafka has assigned to this member. Nothing by a client that was left, or has yet to be: to claim that
        would never succeed, and only `fetch` makes a new one."""
        return frozenset() if self._client is None or self._is_silent() else self._assigned

    def waiting(self) -> frozenset[Partition]:
        """Those not yet sought."""
        return self.assigned() - self._sought.keys()

    async def seek(self, positions: Mapping[Partition, int]) -> None:
        """Read on from these offsets."""
        for partition, offset in positions.items():
            if partition not in self.assigned():
                continue
            place = TopicPartition(*partition)
            try:
                self._client.seek(place, offset)
                self._client.resume(place)
            except IllegalStateError:  # taken away just now; the listener has not been told yet
                continue
            self._sought[partition] = place

    async def fetch(self, limit: int, timeout_s: float) -> list[Incoming]:
        """Records as soon as there are any. Raises `BusUnavailableError`."""
        if self._is_silent():
            await self._give_up()
            raise BusUnavailableError(f"Kafka has not answered for {SILENT_MAX_S:.0f} s")
        if self._client is None:
            await self._join()
        if not self._sought:
            if not self._assigned:
                await self._wait_for_assignment(timeout_s)
            return []
        places = tuple(self._sought.values())
        found: list[Incoming] = []
        failure: Exception | None = None
        try:
            found = await self._read(places, limit, timeout_s)
            until = time.monotonic() + GATHER_MAX_S
            while found and not is_full(found, limit) and time.monotonic() < until:
                more = await self._read(places, limit - len(found), GATHER_S)
                if not more:
                    break
                found += more
        except KAFKA_ERRORS as error:
            failure = error
        found = [each for each in found if (each.topic, each.partition) in self._sought]
        if failure is not None:
            await self._give_up()  # it may have taken more from its buffers than it gave
            if not found:
                raise BusUnavailableError(f"reading from Kafka failed: {type(failure).__name__}") from failure
            log.warning("reading on from Kafka failed: %s", type(failure).__name__)
        return found

    async def _read(self, places: tuple[TopicPartition, ...], limit: int, timeout_s: float) -> list[Incoming]:
        """What aiokafka has, or fetches within `timeout_s`. Raises `KAFKA_ERRORS`."""
        try:
            # Bounded once more: for the end of a rebalance aiokafka waits without a limit.
            reading = self._client.getmany(*places, timeout_ms=int(timeout_s * 1000), max_records=limit)
            found = await bounded(reading, timeout_s + QUERY_TIMEOUT_S)
        except TimeoutError:
            return []
        return [
            Incoming(
                each.topic,
                each.partition,
                each.offset,
                "" if each.key is None else each.key.decode(errors="replace"),
                each.value or b"",
            )
            for each in chain.from_iterable(found.values())
        ]

    async def heads(self) -> dict[Partition, int]:
        """Where the assigned partitions end. Raises `BusUnavailableError`."""
        if not self._assigned:
            # Who has nothing to read would not notice that Kafka is silent, nor that it is back.
            await self.ends()
            return {}
        return await self._offsets_of(self._assigned, AIOKafkaConsumer.end_offsets)

    async def beginnings(self) -> dict[Partition, int]:
        """Where the assigned partitions begin. Raises `BusUnavailableError`."""
        return await self._offsets_of(self._assigned, AIOKafkaConsumer.beginning_offsets)

    async def ends(self) -> dict[Partition, int]:
        """Where all partitions of the topic end. Raises `BusUnavailableError`."""
        numbers = None if self._client is None else self._client.partitions_for_topic(self._topic)
        if not numbers:
            raise BusUnavailableError("not connected to Kafka")
        places = [(self._topic, number) for number in numbers]
        return await self._offsets_of(places, AIOKafkaConsumer.end_offsets)

    async def _offsets_of(self, partitions: Iterable[Partition], ask: _Ask) -> dict[Partition, int]:
        client = self._client
        if client is None:
            raise BusUnavailableError("not connected to Kafka")
        places = [TopicPartition(*each) for each in partitions]
        if not places:
            return {}
        try:
            found = await bounded(ask(client, places), QUERY_TIMEOUT_S)
        except KAFKA_ERRORS as error:
            if client is self._client and self._silent_since is None:
                self._silent_since = time.monotonic()
            raise BusUnavailableError(f"Kafka does not answer: {type(error).__name__}") from error
        self._silent_since = None
        return {(place.topic, place.partition): offset for place, offset in found.items()}

    async def report(self, positions: Mapping[Partition, int]) -> None:
        """Commit the positions to Kafka, in the background and at most once a second, for those who look there."""
        self._reported |= positions
        if self._reporting is None:
            self._reporting = asyncio.create_task(self._commit_soon(), name="kafka-commit")

    async def _commit_soon(self) -> None:
        await asyncio.sleep(REPORT_S)
        self._reporting = None
        await self._commit()

    async def _commit(self) -> None:
        reported, self._reported = self._reported, {}
        offsets = {self._sought[each]: at for each, at in reported.items() if each in self._sought}
        if self._client is None or not offsets:
            return
        with suppress(*KAFKA_ERRORS, IllegalStateError):
            await bounded(self._client.commit(offsets), QUERY_TIMEOUT_S)

    async def _wait_for_assignment(self, timeout_s: float) -> None:
        self._taken.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._taken.wait()

    async def _join(self) -> None:
        await ensure_topics(self._settings, [self._topic])
        client = AIOKafkaConsumer(
            group_id=self._group,
            group_instance_id=self._member,
            enable_auto_commit=False,
            auto_offset_reset="none",  # where records are gone, whoever claims the partition anew decides
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
            rebalance_timeout_ms=REBALANCE_TIMEOUT_MS,
            max_poll_interval_ms=POLL_INTERVAL_MAX_MS,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            max_partition_fetch_bytes=MESSAGE_BYTES_MAX,
            **connection_settings(self._settings),
        )
        client.subscribe([self._topic], listener=_Rebalances(self, client))
        try:
            await connect(client.start, client._client, JOIN_TIMEOUT_S)
        except KAFKA_ERRORS as error:
            await _end(client)
            raise BusUnavailableError(f"cannot join the group: {type(error).__name__}") from error
        except BaseException:
            await _end(client)
            raise
        self._client = client

    async def _give_up(self) -> None:
        """Leave the client; the next fetch would make a new one."""
        client, self._client = self._client, None
        self._silent_since = None
        self._lose()
        if client is not None:
            await _end(client)

    def _is_silent(self) -> bool:
        """Whether the client has had no answer for too long."""
        return self._silent_since is not None and time.monotonic() - self._silent_since > SILENT_MAX_S

    def _take(self, partitions: Iterable[TopicPartition]) -> None:
        self._sought.clear()
        self._assigned = frozenset((place.topic, place.partition) for place in partitions)
        self._taken.set()

    def _lose(self) -> None:
        self._sought.clear()
        self._assigned = frozenset()


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """Hears from aiokafka what is assigned. Raises nothing: aiokafka would only log it."""

    def __init__(self, consumer: KafkaConsumer, client: Any) -> None:
        self._consumer = consumer
        self._client = client

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._consumer._lose()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        places = list(assigned)
        self._client.pause(*places)
        self._consumer._take(places)


async def _end(client: Any) -> None:
    """Stop an aiokafka consumer, by force where it does not come to an end by itself."""
    await close_quietly(client.stop)
    await close_quietly(client._client.close)
