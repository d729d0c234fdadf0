"""Connections to Kafka are closed, at whatever moment a start is given up."""

import asyncio
import gc
import random
import uuid
import warnings

import pytest

from deploy.kafka.server import KafkaServer
from shared.bus.kafka.consumer import KafkaConsumer
from shared.bus.kafka.producer import KafkaProducer
from shared.settings import Settings
from tests.integration.bus.probe import PARTITIONS

pytestmark = [pytest.mark.kafka, pytest.mark.xdist_group("kafka")]


async def test_a_start_that_is_given_up_leaves_no_connection_open(kafka: KafkaServer) -> None:
    """Given starts that are cancelled at random moments; then every connection that was begun is closed."""
    settings = Settings(kafka_bootstrap_servers=kafka.bootstrap_servers, partitions=PARTITIONS)
    topic = f"probe.{uuid.uuid4().hex}"
    moments = random.Random(7)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", ResourceWarning)
        for turn in range(40):
            client = (
                KafkaProducer(settings, [topic])
                if turn % 4
                else KafkaConsumer(settings, f"group-{topic}-{turn}", topic, "a")
            )
            start = asyncio.create_task(client.start())
            await asyncio.sleep(moments.uniform(0, 0.03))
            start.cancel()
            await asyncio.wait([start])
            await client.stop()
            del client, start
            gc.collect()
    assert [str(each.message) for each in seen] == []
