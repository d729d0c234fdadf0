"""Ingest: takes events over HTTP, checks and seals them, and puts them on the stream.

python -m services.ingest.main api       the HTTP API
python -m services.ingest.main worker    carries the spool to Kafka, once Kafka is back
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import structlog
from fastapi import FastAPI

from services.ingest.adapters.metrics import measured
from services.ingest.adapters.spool import PostgresSpool
from services.ingest.adapters.vault import VerifiedKeyring
from services.ingest.application.accepting import AcceptEvents
from services.ingest.application.batcher import Batcher
from services.ingest.application.spooling import SpoolingPublisher
from services.ingest.entrypoints.documentation import EVENT_COMPONENTS
from services.ingest.entrypoints.events import events_routes
from services.ingest.entrypoints.readiness import api_checks
from services.ingest.entrypoints.spool_watch import look_once, watch_spool
from services.ingest.entrypoints.worker import SpoolWorker
from shared.auth.guard import Guard
from shared.bus.interface import BusUnavailableError, Producer
from shared.bus.wiring import make_producer, make_relay, own_log
from shared.clock import Clock, system_clock
from shared.http.app import create_app as create_http_app
from shared.http.health import Health
from shared.postgres.engine import BY_INDEX, service_engine
from shared.postgres.faults import is_database_away
from shared.process import asked_role, run_worker_process, serve
from shared.settings import Settings
from shared.telemetry.logs import configure
from shared.vault.pseudonyms import Pseudonyms
from shared.version import VERSION

SERVICE: Final = "ingest"
START_PATIENCE_S = 3.0
STOP_PATIENCE_S = 3.0

log = structlog.get_logger()


def create_app(settings: Settings, clock: Clock = system_clock) -> FastAPI:
    """The HTTP API. Raises `SecretError` when the secret is missing or too short."""
    engine = service_engine(settings, SERVICE, planning=BY_INDEX)
    guard = Guard(engine, clock)
    keyring = VerifiedKeyring(engine, settings.secret)
    producer = make_producer(settings, engine)
    spool = PostgresSpool(engine, own_log(settings, SERVICE)) if settings.on_kafka else None
    publisher = SpoolingPublisher(producer, spool) if spool is not None else None
    batcher = Batcher(measured((publisher or producer).publish))
    accept = AcceptEvents(Pseudonyms(settings.secret, settings.phone_region), keyring, batcher.submit)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.guard = guard
        try:
            await _verify_if_possible(keyring)
            starting = await _start(producer)
            watch = None
            if publisher is not None and spool is not None:
                with suppress(BusUnavailableError):
                    await look_once(publisher, spool)
                watch = asyncio.create_task(watch_spool(publisher, spool), name="ingest-spool-watch")
            batcher.start()
            yield
            await batcher.stop()
            if watch is not None:
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)
            starting.cancel()
            await _stop(producer)
        finally:
            await engine.dispose()

    app = create_http_app(
        service=SERVICE,
        title="Regulars: ingest",
        description="Takes what customers do, as events, and keeps it. Accepted means durable.",
        health=Health(SERVICE, VERSION, api_checks(keyring, producer, publisher, spool)),
        lifespan=lifespan,
        checks_json=False,  # `reading` does, event by event, and looks into compressed bodies too
    )
    app.include_router(events_routes(accept, guard, clock))
    _describe_events(app)
    return app


def create_worker(settings: Settings) -> SpoolWorker:
    """The worker, ready to run."""
    engine = service_engine(settings, SERVICE)
    spool = PostgresSpool(engine, own_log(settings, SERVICE))
    return SpoolWorker(engine, spool, make_relay(settings, engine, SERVICE))


async def _verify_if_possible(keyring: VerifiedKeyring) -> None:
    """A wrong secret ends the start; a database that is away does not."""
    try:
        async with asyncio.timeout(START_PATIENCE_S):
            await keyring.verify()
    except Exception as error:
        if not is_database_away(error):
            raise
        log.warning("database_away_at_start", reason=type(error).__name__)


async def _start(producer: Producer) -> "asyncio.Task[None]":
    """Start the producer, but do not wait long for a Kafka that is away: the spool takes what comes meanwhile."""
    starting = asyncio.create_task(producer.start(), name="ingest-producer-start")
    done, _ = await asyncio.wait({starting}, timeout=START_PATIENCE_S)
    for task in done:
        try:
            task.result()
        except BusUnavailableError as error:
            log.warning("bus_away_at_start", reason=str(error))
    return starting


async def _stop(producer: Producer) -> None:
    with suppress(BusUnavailableError, TimeoutError):
        async with asyncio.timeout(STOP_PATIENCE_S):
            await producer.stop()


def _describe_events(app: FastAPI) -> None:
    """Put the event catalogue into `/openapi.json`."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        document["components"]["schemas"].update(EVENT_COMPONENTS)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def main() -> None:
    """Run the role named on the command line."""
    role = asked_role(SERVICE, "api", "worker")
    settings = Settings()
    configure(f"{SERVICE}-{role}", settings.log_level)
    if role == "api":
        serve(create_app(settings), settings.host, settings.ingest_port)
        return
    worker = create_worker(settings)
    app = create_http_app(
        service=f"{SERVICE}-worker",
        title="Regulars: ingest worker",
        description="Carries the spool to Kafka.",
        health=Health(f"{SERVICE}-worker", VERSION, worker.checks()),
    )
    run_worker_process(app, settings.worker_port, worker.run, settings.host)


if __name__ == "__main__":
    main()
