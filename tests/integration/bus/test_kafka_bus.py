"""The bus on a real Apache Kafka."""

import asyncio
import uuid

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.kafka.server import KafkaServer
from shared.bus.interface import Consumer, Producer
from shared.bus.kafka_consumer import KafkaConsumer
from shared.bus.kafka_producer import KafkaProducer
from shared.settings import Settings
from tests.integration.bus import behaviour
from tests.integration.bus.probe import PARTITIONS

pytestmark = [pytest.mark.kafka, pytest.mark.xdist_group("kafka")]


class KafkaBus:
    """A topic of the test's own on the Kafka that all tests share."""

    def __init__(self, server: KafkaServer) -> None:
        self.topic = f"probe.{uuid.uuid4().hex}"
        self._server = server
        self._settings = Settings(kafka_bootstrap_servers=server.bootstrap_servers, partitions=PARTITIONS)

    def producer(self) -> Producer:
        return KafkaProducer(self._settings, [self.topic])

    def consumer(self, member: str) -> Consumer:
        return KafkaConsumer(self._settings, f"group-{self.topic}", self.topic, member)

    async def go_away(self) -> None:
        """Killed, as by a power cut."""
        await asyncio.to_thread(self._server.kill)

    async def come_back(self) -> None:
        await asyncio.to_thread(self._server.restart)


@pytest.fixture
def bus(probe: AsyncEngine, kafka: KafkaServer) -> KafkaBus:
    return KafkaBus(kafka)


class TestDelivery(behaviour.DeliveryBehaviour):
    pass


class TestRestart(behaviour.RestartBehaviour):
    pass


class TestGroup(behaviour.GroupBehaviour):
    pass


class TestPoison(behaviour.PoisonBehaviour):
    pass


class TestOutage(behaviour.OutageBehaviour):
    pass
