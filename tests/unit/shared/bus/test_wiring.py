"""Which bus a process uses, and how it reaches Kafka."""

import ssl
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.kafka.client import connection_settings
from shared.bus.kafka.consumer import KafkaConsumer
from shared.bus.kafka.producer import KafkaProducer
from shared.bus.postgres.bus import PostgresConsumer, PostgresProducer
from shared.bus.relay import Relay
from shared.bus.wiring import make_consumer, make_producer, make_relay, member_name, own_log
from shared.postgres.engine import create_engine
from shared.settings import Settings


@pytest.fixture
def engine() -> AsyncEngine:
    return create_engine("postgresql://nobody@nowhere/none", role=None)


async def test_without_kafka_the_streams_live_in_postgresql(engine: AsyncEngine) -> None:
    settings = Settings(kafka_bootstrap_servers=None)
    assert isinstance(make_producer(settings, engine), PostgresProducer)
    assert isinstance(make_consumer(settings, engine, "scoring", "t"), PostgresConsumer)
    assert make_relay(settings, engine, "scoring") is None


async def test_one_setting_moves_them_to_kafka(engine: AsyncEngine) -> None:
    settings = Settings(kafka_bootstrap_servers="kafka:9092")
    assert isinstance(make_producer(settings, engine), KafkaProducer)
    assert isinstance(make_consumer(settings, engine, "scoring", "t"), KafkaConsumer)
    assert isinstance(make_relay(settings, engine, "scoring"), Relay)


@pytest.mark.parametrize(
    ("schema", "channel"),
    [("ingest", "ingest.spool"), ("scoring", "scoring.outbox"), ("rewards", "rewards.outbox")],
)
def test_each_service_has_its_own_log_to_relay(schema: str, channel: str) -> None:
    assert own_log(Settings(), schema).channel == channel


def test_a_restarted_worker_keeps_its_name_and_two_workers_differ() -> None:
    one, other = Settings(worker_port=9001), Settings(worker_port=9002)
    assert member_name(one, "g", "t") == member_name(Settings(worker_port=9001), "g", "t")
    assert member_name(one, "g", "t") != member_name(other, "g", "t")


def test_sasl_and_tls_are_passed_through(tmp_path: Path) -> None:
    """Given a cluster with SASL over TLS; then the client gets the mechanism, the login and a context that verifies."""
    settings = Settings(
        kafka_bootstrap_servers="kafka:9093",
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_mechanism="SCRAM-SHA-256",
        kafka_sasl_username="regulars",
        kafka_sasl_password=SecretStr("s3cret"),
    )
    given = connection_settings(settings)
    context = given.pop("ssl_context")
    assert given == {
        "bootstrap_servers": "kafka:9093",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-256",
        "sasl_plain_username": "regulars",
        "sasl_plain_password": "s3cret",
    }
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_without_tls_there_is_no_context() -> None:
    assert connection_settings(Settings(kafka_bootstrap_servers="kafka:9092"))["ssl_context"] is None
