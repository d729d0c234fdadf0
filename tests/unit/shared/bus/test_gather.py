"""Gathering what many callers publish at once."""

import asyncio

import pytest

from shared.bus.gather import Gatherer
from shared.bus.interface import BusUnavailableError
from shared.bus.records import VALUE_BYTES_MAX, Outgoing


class Writer:
    """Notes what is written, and waits or fails as it is told."""

    def __init__(self) -> None:
        self.written: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None

    async def write(self, records: list[Outgoing]) -> None:
        self.written.append([each.key for each in records])
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure


def record(key: str) -> Outgoing:
    return Outgoing("t", key, b"")


@pytest.fixture
async def writer() -> Writer:
    return Writer()


class TestPublish:
    async def test_what_arrives_during_a_write_goes_into_the_next_one_together(self, writer: Writer) -> None:
        """Given a write under way; when five more publish; then there is one more write, in their order."""
        gatherer = Gatherer(writer.write, 5)
        writer.gate.clear()
        first = asyncio.create_task(gatherer.publish([record("0")]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        others = [asyncio.create_task(gatherer.publish([record(str(n))])) for n in range(1, 6)]
        await asyncio.sleep(0)
        writer.gate.set()
        await asyncio.gather(first, *others)
        assert writer.written == [["0"], ["1", "2", "3", "4", "5"]]

    async def test_nobody_waits_longer_than_the_timeout(self, writer: Writer) -> None:
        """Given a bus that does not answer; when two publish; then both fail in time, and the bus is asked again."""
        gatherer = Gatherer(writer.write, 0.05)
        writer.gate.clear()
        answers = await asyncio.gather(
            gatherer.publish([record("a")]), gatherer.publish([record("b")]), return_exceptions=True
        )
        assert [type(each) for each in answers] == [BusUnavailableError, BusUnavailableError]
        writer.gate.set()
        await gatherer.publish([record("c")])
        assert writer.written[-1] == ["c"]

    async def test_what_no_write_has_begun_with_is_withdrawn_when_its_caller_goes(
        self, writer: Writer
    ) -> None:
        """Given a caller that gives up while it queues; when the bus answers again; then its records are not sent."""
        gatherer = Gatherer(writer.write, 5)
        writer.gate.clear()
        first = asyncio.create_task(gatherer.publish([record("first")]))
        await asyncio.sleep(0.01)
        gone = asyncio.create_task(gatherer.publish([record("gone")]))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])
        writer.gate.set()
        await first
        await gatherer.publish([record("last")])
        assert writer.written == [["first"], ["last"]]

    @pytest.mark.parametrize(
        "failure", [BusUnavailableError("away"), OSError("broken pipe"), KeyError("what?")]
    )
    async def test_every_failure_is_told_to_all_and_ends_with_them(
        self, writer: Writer, failure: Exception
    ) -> None:
        """Given a write that fails, however; then its callers hear that the bus is unavailable; the next succeeds."""
        gatherer = Gatherer(writer.write, 5)
        writer.failure = failure
        answers = await asyncio.gather(
            *(gatherer.publish([record(str(n))]) for n in range(3)), return_exceptions=True
        )
        assert all(isinstance(each, BusUnavailableError) for each in answers)
        writer.failure = None
        await gatherer.publish([record("fine")])

    @pytest.mark.parametrize(
        "bad", [Outgoing("t", "a\0b", b""), Outgoing("t", "k", b"x" * (VALUE_BYTES_MAX + 1))]
    )
    async def test_a_record_that_no_bus_takes_harms_only_its_caller(
        self, writer: Writer, bad: Outgoing
    ) -> None:
        """Given two callers, one with an impossible record; then that one alone is refused."""
        gatherer = Gatherer(writer.write, 5)
        answers = await asyncio.gather(
            gatherer.publish([bad]), gatherer.publish([record("fine")]), return_exceptions=True
        )
        assert isinstance(answers[0], ValueError)
        assert answers[1] is None
        assert writer.written == [["fine"]]

    async def test_stopping_fails_who_waits(self, writer: Writer) -> None:
        """Given callers that wait; when the producer is stopped; then they hear of it at once."""
        gatherer = Gatherer(writer.write, 60)
        writer.gate.clear()
        tasks = [asyncio.create_task(gatherer.publish([record(str(n))])) for n in range(2)]
        await asyncio.sleep(0.01)
        await gatherer.stop()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(each, BusUnavailableError) for each in answers)
