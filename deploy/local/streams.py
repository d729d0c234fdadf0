"""`regulars up --kafka`: a real Kafka beside the services, for trying on a laptop what production runs on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from deploy import ports
from deploy.errors import LocalError
from deploy.kafka.server import KafkaError, KafkaServer, missing
from deploy.local.home import Home
from shared.settings import Settings

HOST = "127.0.0.1"
USUAL_PORT = 9092
LOOK_EVERY_S = 0.5
START_AGAIN_S = 2.0

Tell = Callable[[str], None]


@asynccontextmanager
async def kafka_of(home: Home, settings: Settings, tell: Tell) -> AsyncIterator[Settings]:
    """Settings that name a Kafka of our own, which runs (and is started again when it dies) until the end.

    Raises:
        LocalError: A Kafka is set already, Java or Maven is missing, or it does not start.
    """
    if settings.on_kafka:
        raise LocalError("KAFKA_BOOTSTRAP_SERVERS names a Kafka already; leave out --kafka to use that one.")
    if (reason := missing()) is not None:
        raise LocalError(
            f"--kafka cannot work here: {reason}. Without --kafka the streams live in PostgreSQL."
        )
    server = KafkaServer(home.folder / "kafka", _port(home))
    tell("Starting Kafka …")
    keeping: asyncio.Task[None] | None = None
    try:
        await _start(server)
        keeping = asyncio.create_task(_keep_alive(server, tell))
        yield settings.model_copy(update={"kafka_bootstrap_servers": server.bootstrap_servers})
    finally:
        if keeping is not None:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
        await asyncio.shield(asyncio.to_thread(server.stop))


def _port(home: Home) -> int:
    """The port that the data was made with; the usual one the first time, if it is free."""
    folder = home.folder / "kafka"
    folder.mkdir(exist_ok=True)
    kept = folder / "port"
    if kept.exists():
        return int(kept.read_text())
    port = ports.free_or_any(HOST, USUAL_PORT)
    kept.write_text(f"{port}\n")
    return port


async def _start(server: KafkaServer) -> None:
    try:
        await asyncio.to_thread(server.start)
    except KafkaError as error:
        raise LocalError(str(error)) from error


async def _keep_alive(server: KafkaServer, tell: Tell) -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        if server.pid is not None:
            continue
        tell("Kafka has died; starting it again")
        try:
            await _start(server)
        except LocalError as error:
            tell(f"Kafka could not be started again: {error}")
            await asyncio.sleep(START_AGAIN_S)
        else:
            tell("Kafka is ready again")
