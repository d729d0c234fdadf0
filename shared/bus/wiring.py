"""Which bus a process uses, by its settings."""

import os
import socket

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.interface import Consumer, Outbox, Producer
from shared.bus.kafka.consumer import KafkaConsumer
from shared.bus.kafka.producer import KafkaProducer
from shared.bus.log.log import PostgresLog
from shared.bus.log.outbox import LogOutbox
from shared.bus.postgres.bus import PostgresConsumer, PostgresProducer, platform_log
from shared.bus.relay import Relay
from shared.contracts.activity import ACTIVITY_TOPIC
from shared.contracts.events import EVENTS_TOPIC
from shared.contracts.outcomes import OUTCOMES_TOPIC
from shared.settings import Settings

TOPICS = (EVENTS_TOPIC, ACTIVITY_TOPIC, OUTCOMES_TOPIC)


def member_name(settings: Settings, group: str, topic: str) -> str:
    """The name of this process within its consumer groups.

    The same after a restart, where the worker's port tells processes of one machine apart: a restarted worker then
    gets its partitions back at once.
    """
    return f"{socket.gethostname()}-{settings.worker_port or os.getpid()}-{group}-{topic}"


def make_producer(settings: Settings, engine: AsyncEngine) -> Producer:
    """Publishes to the streams."""
    if settings.on_kafka:
        return KafkaProducer(settings, TOPICS)
    return PostgresProducer(engine, settings.partitions)


def make_consumer(settings: Settings, engine: AsyncEngine, group: str, topic: str) -> Consumer:
    """Reads one stream as a member of a group."""
    if settings.on_kafka:
        return KafkaConsumer(settings, group, topic, member_name(settings, group, topic))
    return PostgresConsumer(engine, group, topic, member_name(settings, group, topic), settings.partitions)


def make_outbox(settings: Settings, schema: str) -> Outbox:
    """Takes the outgoing records of the service that owns `schema` into its transactions."""
    return LogOutbox(own_log(settings, schema) if settings.on_kafka else platform_log(settings.partitions))


def own_log(settings: Settings, schema: str) -> PostgresLog:
    """The service's own log that a relay publishes: the spool of ingest, the outbox of the others."""
    return PostgresLog(schema, "spool" if schema == "ingest" else "outbox", settings.partitions)


def make_relay(settings: Settings, engine: AsyncEngine, schema: str) -> Relay | None:
    """Publishes the service's own log to Kafka; None where PostgreSQL is the bus and nothing is to be relayed."""
    if not settings.on_kafka:
        return None
    return Relay(engine, own_log(settings, schema), make_producer(settings, engine))
