"""The log in PostgreSQL: dense offsets that become visible in order, and retention."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.batches import is_full
from shared.bus.log.log import PostgresLog
from shared.bus.postgres.bus import platform_log
from shared.bus.postgres.group_member import GroupMember
from shared.bus.postgres.retention import Retention
from shared.bus.records import Incoming, Outgoing, partition_of
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
    async def test_one_that_ends_at_its_bytes_says_that_more_may_wait(
        self, probe: AsyncEngine, log: PostgresLog
    ) -> None:
        """Given more in packs than one read takes; when it ends at its bytes; then it is known that it did."""
        waiting = [Outgoing("t", "k" * 36, b"x" * 2700)] * 3300
        await append(probe, log, waiting)
        at = {log.partition(waiting[0]): 0}
        async with probe.connect() as connection:
            records = await log.read(connection, at, 10_000)
        assert len(records) < len(waiting)
        assert is_full(records, 10_000)

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

    async def test_a_read_begins_and_ends_within_what_was_written_together(
        self, probe: AsyncEngine, log: PostgresLog
    ) -> None:
        """Given records written together and alone; when they are read in threes; then each is read once, in order."""
        for first, count in ((0, 25), (25, 1), (26, 500), (526, 1), (527, 1)):
            await append(
                probe, log, [Outgoing("t", f"k{n % 3}", b"%d" % n) for n in range(first, first + count)]
            )
        places = dict(FROM_THE_START)
        seen: list[Incoming] = []
        async with probe.connect() as connection:
            rows = await connection.scalar(text("SELECT count(*) FROM platform.log_records"))
            while records := await log.read(connection, places, 7):
                assert len(records) <= 7
                seen += records
                places |= {(each.topic, each.partition): each.offset + 1 for each in records}
        assert rows < 528 / 5
        assert sorted(int(each.value) for each in seen) == list(range(528))
        for key in ("k0", "k1", "k2"):
            mine = [(each.offset, int(each.value)) for each in seen if each.key == key]
            assert mine == sorted(mine)
            assert {number % 3 for _, number in mine} == {int(key[1])}

    async def test_large_records_in_one_partition_keep_nobody_from_another(
        self, probe: AsyncEngine, log: PostgresLog
    ) -> None:
        """Given more in the first partition than memory allows; then a read of both goes on, and misses nothing."""
        await append(probe, log, [Outgoing("t", "k", b"x" * 3_000_000) for _ in range(9)])
        await append(probe, log, [Outgoing("t", "other", b"%d" % n) for n in range(9)])
        places = after("k", 0) | after("other", 0)
        assert len(places) == 2
        seen = 0
        async with probe.connect() as connection:
            while records := await log.read(connection, places, 5):
                seen += len(records)
                places |= {(each.topic, each.partition): each.offset + 1 for each in records}
        assert seen == 18

    async def test_a_long_backlog_costs_a_read_nothing(self, probe: AsyncEngine, log: PostgresLog) -> None:
        """Given twelve thousand records that wait; when a hundred are read; then few rows are touched beside theirs."""
        for _ in range(20):
            await append(probe, log, [Outgoing("t", "k", b"x" * 700) for _ in range(600)])
        touched = text("SELECT pg_stat_get_xact_tuples_fetched('platform.log_records_pkey'::regclass)")
        async with probe.begin() as connection:
            rows = await connection.scalar(text("SELECT count(*) FROM platform.log_records"))
            before = await connection.scalar(touched)
            assert len(await log.read(connection, FROM_THE_START | after("k", 5000), 100)) == 100
            assert 0 < await connection.scalar(touched) - before < 50 < rows / 20

    async def test_nothing_is_read_where_nothing_is_new(self, probe: AsyncEngine, log: PostgresLog) -> None:
        """Given positions at the ends, or beyond them, or of partitions never written to; then a read is empty."""
        await append(probe, log, numbered("t", 20, keys=1))
        async with probe.connect() as connection:
            heads = await log.heads(connection)
            assert await log.read(connection, heads, 100) == []
            assert await log.read(connection, {("t", 0): 1000, ("else", 0): 0}, 100) == []

    async def test_a_log_begins_with_its_oldest_record_not_with_the_last_of_its_row(
        self, probe: AsyncEngine, log: PostgresLog
    ) -> None:
        """Given ten records written together; then the log begins with the first, and behind them once they went."""
        await append(probe, log, [Outgoing("t", "k", b"") for _ in range(10)])
        async with probe.begin() as connection:
            assert await log.beginnings(connection, "t") == after("k", 0)
            await log.delete_below(connection, after("k", 10))
            assert await log.beginnings(connection, "t") == after("k", 10)


class TestTake:
    async def test_what_found_no_room_is_not_taken_for_empty(
        self, probe: AsyncEngine, log: PostgresLog
    ) -> None:
        """Given more than the limit in each of two partitions, large in both; when some is taken; then no partition is
        answered of which nothing was read, and in the end all has been taken, once."""
        for key in ("k", "other"):
            await append(probe, log, [Outgoing("t", key, b"x" * 3_000_000) for _ in range(6)])
        places: dict[tuple[str, int], int] = {}
        seen = 0
        async with probe.connect() as connection:
            while True:
                heads, records = await log.take(connection, places, 5)
                await connection.rollback()
                if not heads:
                    break
                assert records
                assert heads.keys() == {(each.topic, each.partition) for each in records}
                seen += len(records)
                places |= {(each.topic, each.partition): each.offset + 1 for each in records}
        assert seen == 12

    async def test_records_published_by_another_count_as_no_room(
        self, probe: AsyncEngine, log: PostgresLog
    ) -> None:
        """Given a thousand records published and deleted before the one that is left; when somebody new takes four;
        then they are the one, and three of the other partition."""
        await append(probe, log, [Outgoing("t", "k", b"") for _ in range(1000)])
        async with probe.begin() as connection:
            await log.delete_below(connection, after("k", 1000))
        await append(probe, log, [Outgoing("t", "k", b"left")])
        for _ in range(3):
            await append(probe, log, [Outgoing("t", "other", b"")])
        async with probe.connect() as connection:
            heads, records = await log.take(connection, {}, 4)
        assert heads == after("k", 1001) | after("other", 3)
        assert len(records) == 4
        assert records.count(Incoming("t", partition_of("k", PARTITIONS), 1000, "k", b"left")) == 1

    async def test_what_was_written_together_is_deleted_when_all_of_it_was_published(
        self, probe: AsyncEngine, log: PostgresLog
    ) -> None:
        """Given ten records written together; when half of them was published; then they stay, and later go."""
        await append(probe, log, [Outgoing("t", "k", b"") for _ in range(10)])
        async with probe.begin() as connection:
            await log.delete_below(connection, after("k", 5))
            assert not await log.is_empty(connection)
            await log.delete_below(connection, after("k", 10))
            assert await log.is_empty(connection)


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
        for _ in range(10):
            await append(probe, log, [Outgoing("t", "k", b"")])
        await self._prune(probe, log, consumed, days)
        assert sum(len(each) for each in (await offsets(probe, log)).values()) == left

    @pytest.mark.parametrize(("consumed", "left"), [(9, 10), (10, 0)])
    async def test_what_was_written_together_goes_together(
        self, probe: AsyncEngine, log: PostgresLog, consumed: int, left: int
    ) -> None:
        """Given ten old records written together; then they go when the last of them was handled."""
        await append(probe, log, [Outgoing("t", "k", b"") for _ in range(10)])
        await self._prune(probe, log, {"g": consumed}, 8)
        assert sum(len(each) for each in (await offsets(probe, log)).values()) == left

    async def _prune(self, probe: AsyncEngine, log: PostgresLog, consumed: dict[str, int], days: int) -> None:
        place = next(each for each, seen in (await offsets(probe, log)).items() if seen)
        async with probe.begin() as connection:
            await connection.execute(
                text(f"UPDATE platform.log_records SET at = now() - interval '{days} days'")
            )
            driver = (await connection.get_raw_connection()).driver_connection
            for group, position in consumed.items():
                member = GroupMember("platform", group, "t", "m", PARTITIONS)
                member.report({("t", place): position})
                await member.beat(driver)
            await Retention("platform").prune(driver)
