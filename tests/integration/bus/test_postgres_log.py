"""The log in PostgreSQL: dense offsets that become visible in order, and retention."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.log import PostgresLog
from shared.bus.membership import Membership
from shared.bus.postgres_bus import platform_log
from shared.bus.records import Outgoing, partition_of
from shared.bus.retention import Retention
from tests.integration.bus.probe import PARTITIONS, numbered

FROM_THE_START = {("t", number): 0 for number in range(PARTITIONS)}


@pytest.fixture
def log() -> PostgresLog:
    return platform_log(PARTITIONS)


async def append(engine: AsyncEngine, log: PostgresLog, records: list[Outgoing]) -> None:
    async with engine.begin() as connection:
        await log.append(connection, records)


async def offsets(engine: AsyncEngine, log: PostgresLog, limit: int = 10_000) -> dict[int, list[int]]:
    """The offsets that a reader sees, by partition."""
    seen: dict[int, list[int]] = {number: [] for number in range(PARTITIONS)}
    async with engine.connect() as connection:
        for record in await log.read(connection, FROM_THE_START, limit):
            seen[record.partition].append(record.offset)
    return seen


class TestAppend:
    async def test_offsets_are_dense_under_concurrent_writers(
        self, probe: AsyncEngine, log: PostgresLog
    ) -> None:
        """Given eight writers on a new log; when all have committed; then no partition has a gap."""
        await asyncio.gather(
            *(append(probe, log, numbered("t", 50, keys=30, first=50 * n)) for n in range(8))
        )
        seen = await offsets(probe, log)
        assert sum(len(each) for each in seen.values()) == 400
        assert all(each == list(range(len(each))) for each in seen.values())

    async def test_a_reader_cannot_pass_a_record_that_commits_late(
        self, probe: AsyncEngine, log: PostgresLog
    ) -> None:
        """Given a writer that has not committed; when a second one writes; then it waits, and no gap is ever seen."""
        async with probe.connect() as slow:
            await slow.begin()
            await log.append(slow, [Outgoing("t", "k", b"first")])
            second = asyncio.create_task(append(probe, log, [Outgoing("t", "k", b"second")]))
            await asyncio.sleep(0.2)
            assert not second.done()
            assert not any((await offsets(probe, log)).values())
            await slow.commit()
        await second
        async with probe.connect() as connection:
            records = await log.read(connection, FROM_THE_START, 10)
        assert [(each.offset, each.value) for each in records] == [(0, b"first"), (1, b"second")]

    async def test_a_rolled_back_writer_leaves_no_gap(self, probe: AsyncEngine, log: PostgresLog) -> None:
        """Given a writer that rolls back; when the next one writes; then it gets the same offset."""
        await append(probe, log, [Outgoing("t", "k", b"0")])
        async with probe.connect() as connection:
            await log.append(connection, [Outgoing("t", "k", b"lost")])
            await connection.rollback()
        await append(probe, log, [Outgoing("t", "k", b"1")])
        async with probe.connect() as connection:
            records = await log.read(connection, FROM_THE_START, 10)
        assert [(each.offset, each.value) for each in records] == [(0, b"0"), (1, b"1")]

    async def test_a_record_that_no_bus_takes_is_refused(self, probe: AsyncEngine, log: PostgresLog) -> None:
        """Given a key with NUL; when it is appended; then nothing is written."""
        async with probe.connect() as connection:
            with pytest.raises(ValueError, match="NUL"):
                await log.append(connection, [Outgoing("t", "fine", b""), Outgoing("t", "bad\0", b"")])
        assert not any((await offsets(probe, log)).values())

    async def test_writers_of_many_partitions_do_not_deadlock(
        self, probe: AsyncEngine, log: PostgresLog
    ) -> None:
        """Given writers that name partitions in opposite orders, twice in one transaction each; then all commit."""
        records = numbered("t", 40, keys=40)

        async def write(mine: list[Outgoing]) -> None:
            for _ in range(10):
                await append(probe, log, mine)

        await asyncio.gather(write(records), write(records[::-1]), write(records[20:] + records[:20]))
        assert sum(len(each) for each in (await offsets(probe, log)).values()) == 1200


class TestRead:
    async def test_a_limit_ends_a_read_and_the_next_goes_on(
        self, probe: AsyncEngine, log: PostgresLog
    ) -> None:
        """Given more records than the limit; then a read has as many as the limit, in order from the position."""
        await append(probe, log, [Outgoing("t", "k", b"%d" % n) for n in range(25)])
        async with probe.connect() as connection:
            first = await log.read(connection, FROM_THE_START, 10)
            place = first[-1].topic, first[-1].partition
            rest = await log.read(connection, {place: first[-1].offset + 1}, 100)
        assert [int(each.value) for each in [*first, *rest]] == list(range(25))
        assert len(first) == 10

    async def test_large_records_are_read_a_few_at_a_time(self, probe: AsyncEngine, log: PostgresLog) -> None:
        """Given ten records of 3 MB in a partition; then one read brings no more than memory allows, and goes on."""
        for n in range(10):
            await append(probe, log, [Outgoing("t", "k", bytes([n]) * 3_000_000)])
        seen: list[int] = []
        async with probe.connect() as connection:
            while len(seen) < 10:
                records = await log.read(connection, FROM_THE_START | after("k", len(seen)), 1000)
                assert 1 <= len(records) <= 4
                seen += [each.value[0] for each in records]
        assert seen == list(range(10))


def after(key: str, offset: int) -> dict[tuple[str, int], int]:
    return {("t", partition_of(key, PARTITIONS)): offset}


class TestRetention:
    @pytest.mark.parametrize(
        ("consumed", "days", "left"),
        [
            pytest.param({"g": 10}, 8, 0, id="old and handled goes"),
            pytest.param({"g": 10}, 6, 10, id="young stays"),
            pytest.param({"g": 10, "slow": 4}, 8, 6, id="what one group still needs stays"),
            pytest.param({}, 8, 0, id="what nobody reads goes by age"),
        ],
    )
    async def test_prunes(
        self, probe: AsyncEngine, log: PostgresLog, consumed: dict[str, int], days: int, left: int
    ) -> None:
        """Given ten records of some age, and groups that have come so far; then only what may go is deleted."""
        await append(probe, log, [Outgoing("t", "k", b"") for _ in range(10)])
        place = next(each for each, seen in (await offsets(probe, log)).items() if seen)
        async with probe.begin() as connection:
            await connection.execute(
                text(f"UPDATE platform.log_records SET at = now() - interval '{days} days'")
            )
            driver = (await connection.get_raw_connection()).driver_connection
            for group, position in consumed.items():
                membership = Membership("platform", group, "t", "m", PARTITIONS)
                membership.report({("t", place): position})
                await membership.beat(driver)
            await Retention("platform").prune(driver)
        assert sum(len(each) for each in (await offsets(probe, log)).values()) == left
