"""How to reach Kafka, and the topics that must exist there."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from ssl import SSLContext
from typing import Any, TypeVar

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from aiokafka.helpers import create_ssl_context
from aiokafka.protocol.metadata import MetadataRequest

from shared.bus.interface import BusUnavailableError, WrongPartitionsError
from shared.settings import Settings

Result = TypeVar("Result")

CONNECT_TIMEOUT_S = 5.0
STOP_TIMEOUT_S = 3.0
REQUEST_TIMEOUT_MS = 5_000
MESSAGE_BYTES_MAX = 12 * 1024 * 1024
TOPIC_EXISTS = 36

KAFKA_ERRORS = (KafkaError, OSError, TimeoutError, AssertionError, ValueError)
"""What aiokafka raises when Kafka is away or changes under it."""


def connection_settings(settings: Settings) -> dict[str, Any]:
    """The arguments by which every aiokafka client reaches the cluster."""
    password = settings.kafka_sasl_password
    return {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "security_protocol": settings.kafka_security_protocol,
        "sasl_mechanism": settings.kafka_sasl_mechanism,
        "sasl_plain_username": settings.kafka_sasl_username,
        "sasl_plain_password": password.get_secret_value() if password is not None else None,
        "ssl_context": _ssl(settings),
    }


def _ssl(settings: Settings) -> SSLContext | None:
    if settings.kafka_security_protocol not in {"SSL", "SASL_SSL"}:
        return None
    files = (settings.kafka_ssl_cafile, settings.kafka_ssl_certfile, settings.kafka_ssl_keyfile)
    cafile, certfile, keyfile = (None if each is None else str(each) for each in files)
    context: SSLContext = create_ssl_context(cafile=cafile, certfile=certfile, keyfile=keyfile)
    return context


async def ensure_topics(settings: Settings, topics: Iterable[str]) -> None:
    """Create the topics that are missing.

    Raises `BusUnavailableError`; `WrongPartitionsError` when one exists with another number of partitions.
    """
    wanted = [
        NewTopic(
            name=topic,
            num_partitions=settings.partitions,
            replication_factor=settings.kafka_replication_factor,
            topic_configs={"max.message.bytes": str(MESSAGE_BYTES_MAX)},
        )
        for topic in topics
    ]
    if not wanted:
        return
    admin = AIOKafkaAdminClient(request_timeout_ms=REQUEST_TIMEOUT_MS, **connection_settings(settings))
    try:
        await connect(admin.start, admin._client, CONNECT_TIMEOUT_S)
        there = await bounded(_create_missing(admin, wanted), CONNECT_TIMEOUT_S)
    except KAFKA_ERRORS as error:
        raise BusUnavailableError(f"Kafka does not answer: {type(error).__name__}") from error
    finally:
        await close_quietly(admin.close)
    for topic, partitions in there.items():
        if partitions != settings.partitions:
            raise WrongPartitionsError(
                f"topic {topic} has {partitions} partitions, and REGULARS_PARTITIONS is {settings.partitions}"
            )


async def _create_missing(admin: Any, wanted: list[NewTopic]) -> dict[str, int]:
    """Create those of the topics that are missing; answer the partitions of those that were there."""
    described = await admin.describe_topics([topic.name for topic in wanted])
    there = {each["topic"]: len(each["partitions"]) for each in described if not each["error_code"]}
    missing = [topic for topic in wanted if topic.name not in there]
    if missing:
        answer = await admin.create_topics(missing)
        failed = [error for error in answer.topic_errors if error[1] not in {0, TOPIC_EXISTS}]
        if failed:
            raise BusUnavailableError(f"Kafka refused to create topics: {failed}")
    return there


async def cluster_id(client: Any) -> str:
    """Which cluster an `AIOKafkaClient` talks to: an id that Kafka drew when its storage was formatted."""
    answer = await client.send(client.get_random_node(), MetadataRequest([]))
    return str(answer.cluster_id)


async def bounded(action: Coroutine[Any, Any, Result], timeout_s: float) -> Result:
    """Await what aiokafka does, but never longer than `timeout_s`. Raises `TimeoutError`.

    In a task of its own, since aiokafka may swallow a cancellation, or let one of its own out that would end ours.
    """
    task = asyncio.create_task(action)
    try:
        await asyncio.wait({task}, timeout=timeout_s)
    finally:
        if not task.done():
            task.cancel()
            task.add_done_callback(take_note)
    if not task.done() or task.cancelled():
        raise TimeoutError
    return task.result()


async def connect(start: Callable[[], Coroutine[Any, Any, None]], network: Any, timeout_s: float) -> None:
    """Start an aiokafka client over its `AIOKafkaClient`. Raises `TimeoutError`, and what the start raises.

    Where a start is given up while `bootstrap` waits for its first answer, aiokafka forgets that connection without
    closing it, and nobody else knows it. So that part is never cancelled at once but may come to its own end.
    """
    bootstrap = network.bootstrap
    under_way: list[asyncio.Task[None]] = []

    async def whole() -> None:
        under_way.append(asyncio.create_task(bootstrap()))
        await asyncio.shield(under_way[-1])

    network.bootstrap = whole
    try:
        await bounded(start(), timeout_s)
    finally:
        for task in under_way:
            if not task.done():
                await asyncio.wait({task}, timeout=STOP_TIMEOUT_S)
                task.cancel()
                task.add_done_callback(take_note)


async def close_quietly(close: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Await an aiokafka client's own end, but not for ever: with Kafka away that can hang."""
    with suppress(*KAFKA_ERRORS):
        await bounded(close(), STOP_TIMEOUT_S)


def take_note(future: asyncio.Future[Any]) -> None:
    """Look at an outcome that nobody waits for any more, or asyncio complains."""
    if not future.cancelled():
        future.exception()
