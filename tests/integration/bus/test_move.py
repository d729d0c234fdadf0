"""An installation that has lived on the log in PostgreSQL moves to Kafka."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.kafka.server import KafkaServer
from tests.integration.bus.probe import Member, numbered, running, started, until_effects, values
from tests.integration.bus.test_kafka_bus import KafkaBus
from tests.integration.bus.test_postgres_bus import PostgresBus
from tests.support.database import TestDatabases

pytestmark = [pytest.mark.kafka, pytest.mark.xdist_group("kafka")]


async def test_offsets_of_the_log_are_not_taken_for_those_of_kafka(
    probe: AsyncEngine, kafka: KafkaServer, databases: TestDatabases
) -> None:
    """Given a worker that has read the log; when it reads Kafka; then it begins there with the first record, and
    back on the log it goes on where it was."""
    before, after = PostgresBus(probe, databases.admin_url), KafkaBus(kafka)
    before.topic = after.topic

    async with started(before.producer()) as producer:
        await producer.publish(numbered(after.topic, 40))
    async with running(Member(probe, before, "a")):
        await until_effects(probe, 40)
    async with started(after.producer()) as producer:
        await producer.publish(numbered(after.topic, 40, first=40))
    async with running(Member(probe, after, "a")):
        await until_effects(probe, 80)
    async with started(before.producer()) as producer:
        await producer.publish(numbered(after.topic, 20, first=80))
    async with running(Member(probe, before, "a")):
        written = await until_effects(probe, 100)

    assert values(written) == list(range(100))
