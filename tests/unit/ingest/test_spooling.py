"""Events go to the bus, or to the spool, so that none overtakes another and none waits for Kafka twice."""

import asyncio
from collections.abc import Sequence

import pytest

from services.ingest.application.spooling import SpoolingPublisher
from shared.bus.interface import BusUnavailableError
from shared.bus.records import Outgoing

RECORDS = [Outgoing("topic", "key", b"1")]


class Place:
    """A bus or a spool that keeps records, unless it is away or hangs."""

    def __init__(self) -> None:
        self.kept: list[Outgoing] = []
        self.away = False
        self.hangs = False
        self.asked = 0

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """As a bus."""
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise BusUnavailableError("away")
        self.kept += records

    append = publish

    async def is_empty(self) -> bool:
        """As a spool."""
        if self.away:
            raise BusUnavailableError("away")
        return not self.kept


@pytest.fixture
def bus() -> Place:
    """Kafka."""
    return Place()


@pytest.fixture
def spool() -> Place:
    """The spool in PostgreSQL."""
    return Place()


@pytest.fixture
async def publisher(bus: Place, spool: Place) -> SpoolingPublisher:
    """A publisher that has looked at the empty spool."""
    publisher = SpoolingPublisher(bus, spool, patience_s=0.05)
    await publisher.look()
    return publisher


async def test_all_is_well(publisher: SpoolingPublisher, bus: Place, spool: Place) -> None:
    """Given a bus that works; then records go there alone."""
    await publisher.publish(RECORDS)

    assert (bus.kept, spool.kept) == (RECORDS, [])


@pytest.mark.parametrize("trouble", ["away", "hangs"])
async def test_bus_away_means_spool(
    publisher: SpoolingPublisher, bus: Place, spool: Place, trouble: str
) -> None:
    """Given a bus that refuses or hangs; then records go to the spool, and the bus is not asked again."""
    setattr(bus, trouble, True)

    await publisher.publish(RECORDS)
    await publisher.publish(RECORDS)

    assert spool.kept == RECORDS * 2
    assert bus.asked == 1


async def test_nothing_overtakes_the_spool(publisher: SpoolingPublisher, bus: Place, spool: Place) -> None:
    """Given records in the spool and a bus that is back; then new ones go to the spool too, until it is empty."""
    bus.away = True
    await publisher.publish(RECORDS)
    bus.away = False

    await publisher.look()
    await publisher.publish(RECORDS)
    assert (len(bus.kept), len(spool.kept)) == (0, 2)

    spool.kept.clear()  # the relay has published them
    await publisher.look()
    await publisher.publish(RECORDS)
    assert (len(bus.kept), len(spool.kept)) == (1, 0)


async def test_another_process_spooled(publisher: SpoolingPublisher, bus: Place, spool: Place) -> None:
    """Given a process that publishes directly; when another one has spooled; then it spools from its next look on."""
    spool.kept += RECORDS
    await publisher.look()

    await publisher.publish(RECORDS)

    assert bus.kept == []


async def test_both_away(publisher: SpoolingPublisher, bus: Place, spool: Place) -> None:
    """Given neither bus nor spool; then the sender is told."""
    bus.away = spool.away = True

    with pytest.raises(BusUnavailableError):
        await publisher.publish(RECORDS)


async def test_spool_out_of_sight_changes_nothing(
    publisher: SpoolingPublisher, bus: Place, spool: Place
) -> None:
    """Given a process that publishes directly; when the spool cannot be seen; then it goes on directly."""
    spool.away = True
    with pytest.raises(BusUnavailableError):
        await publisher.look()

    await publisher.publish(RECORDS)

    assert bus.kept == RECORDS


async def test_answer_older_than_an_append_does_not_count(bus: Place) -> None:
    """Given a look under way; when records are spooled before it ends; then its "empty" is not believed."""

    class SlowSpool(Place):
        async def is_empty(self) -> bool:
            empty = await super().is_empty()
            await answered.wait()
            return empty

    answered = asyncio.Event()
    spool = SlowSpool()
    publisher = SpoolingPublisher(bus, spool)
    looking = asyncio.create_task(publisher.look())
    await asyncio.sleep(0)
    await publisher.publish(RECORDS)  # not yet looked: to the spool
    answered.set()
    await looking

    assert publisher.spooling is True
    await publisher.publish(RECORDS)
    assert (len(bus.kept), len(spool.kept)) == (0, 2)
