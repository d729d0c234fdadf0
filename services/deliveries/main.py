"""Deliveries: what rewards decided reaches people and machines: e-mail, SMS, push, webhooks.

python -m services.deliveries.main worker    takes outcomes, sends

What it answers over HTTP is answered at the address of rewards, which mounts `routes`.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncEngine

from services.deliveries.adapters.claims import PostgresClaims
from services.deliveries.adapters.messages import PostgresMessages
from services.deliveries.adapters.metrics import Measured
from services.deliveries.adapters.own_events import OutboxEvents
from services.deliveries.adapters.programs import PostgresPrograms
from services.deliveries.adapters.providers.gates import PostgresGates
from services.deliveries.adapters.providers.senders import ProviderSettingsError, make_providers
from services.deliveries.adapters.recipient_writes import PostgresKnowing
from services.deliveries.adapters.recipients import PostgresRecipients
from services.deliveries.adapters.responses import PostgresResponses
from services.deliveries.adapters.webhooks.endpoints import PostgresEndpoints
from services.deliveries.adapters.webhooks.messages import WebhookQueue
from services.deliveries.adapters.withdrawals import Withdrawals
from services.deliveries.application.claiming import MessageQueue
from services.deliveries.application.consuming import OutcomeHandler
from services.deliveries.application.first_look import FirstLook
from services.deliveries.application.knowing_recipients import KnowRecipients
from services.deliveries.application.ports import Renderer, Taker
from services.deliveries.application.queueing import QueueMessages
from services.deliveries.application.rendering import TemplateRenderer
from services.deliveries.application.responding import Responding
from services.deliveries.application.sending import Dispatch
from services.deliveries.application.tagging import TagCustomers
from services.deliveries.application.webhooks.fan_out import FanOut
from services.deliveries.domain.links import Links
from services.deliveries.entrypoints.forgetting import Forgetting
from services.deliveries.entrypoints.last_look import Beginner
from services.deliveries.entrypoints.links import link_routes
from services.deliveries.entrypoints.message_sender import MessageSender
from services.deliveries.entrypoints.messages import message_routes
from services.deliveries.entrypoints.previewing import Knowledge, preview_routes
from services.deliveries.entrypoints.queue_watch import QueueWatch
from services.deliveries.entrypoints.service import Service
from services.deliveries.entrypoints.suppressions import suppression_routes
from services.deliveries.entrypoints.testing import LazyProviders, test_mail_routes
from services.deliveries.entrypoints.webhooks.endpoints import webhook_routes
from services.deliveries.entrypoints.webhooks.sender import WebhookSender
from services.deliveries.entrypoints.worker import DeliveriesWorker, Running
from shared.bus.dead_letters import DeadLetters
from shared.bus.faults import is_transient
from shared.bus.offsets import Offsets
from shared.bus.wiring import make_consumer, make_outbox, make_relay
from shared.bus.worker import StreamWorker
from shared.clock import Clock, system_clock
from shared.contracts.outcomes import OUTCOMES_TOPIC
from shared.http.app import create_app as create_http_app
from shared.http.health import Health
from shared.http.idempotency import IdempotencyKeys
from shared.postgres.direct import autocommit
from shared.postgres.engine import service_engine
from shared.priority import give_way
from shared.process import asked_role, run_worker_process
from shared.program.faults import ProgramError
from shared.program.versions.reading import NoProgramError
from shared.settings import Settings
from shared.telemetry.logs import configure
from shared.vault.keyring import SubjectKeyring
from shared.vault.pseudonyms import Pseudonyms
from shared.vault.secret import derive
from shared.vault.subject_keys import SubjectKeys
from shared.version import VERSION

SERVICE: Final = "deliveries"

PACE_S: Final = 0.25
"""Between two batches of outcomes under steady load: nobody misses a letter for a quarter of a second, and larger
batches leave the machine to those who are waited for (see `shared.bus.pace`)."""


@dataclass(frozen=True, slots=True)
class Mounted:
    """The routes of deliveries, for whoever answers them; `close` when that ends."""

    routers: Sequence[APIRouter]
    close: Callable[[], Awaitable[None]]


def routes(settings: Settings, clock: Clock, known: Knowledge) -> Mounted:
    """The routes, on a pool of connections under deliveries' own role; `known` tells what rewards knows of a customer.
    Raises `SecretError`."""
    engine = service_engine(settings, SERVICE)
    service = Service(
        settings=settings,
        engine=engine,
        reading=autocommit(engine),
        clock=clock,
        programs=PostgresPrograms(),
        keyring=SubjectKeyring(engine, settings.secret),
        pseudonyms=Pseudonyms(settings.secret, settings.phone_region),
        keys=IdempotencyKeys(SERVICE),
        outbox=make_outbox(settings, SERVICE),
    )
    makers: tuple[Callable[[Service], APIRouter], ...] = (
        message_routes,
        suppression_routes,
        webhook_routes,
        _links,
    )
    links, providers = links_of(settings), LazyProviders(settings, clock)
    previews = preview_routes(service, links, known)
    tests = test_mail_routes(service, links, known, providers)

    async def close() -> None:
        await providers.close()
        await engine.dispose()

    return Mounted([*(make(service) for make in makers), previews, tests], close)


def create_worker(settings: Settings, clock: Clock = system_clock) -> DeliveriesWorker:
    """The worker, ready to run. Raises `SecretError`."""
    engine = service_engine(settings, SERVICE)
    keys, pseudonyms = SubjectKeys(settings.secret), Pseudonyms(settings.secret, settings.phone_region)
    recipients, messages = PostgresRecipients(keys, pseudonyms), PostgresMessages()
    knowing = PostgresKnowing(keys, recipients)
    endpoints, webhooks = PostgresEndpoints(settings.secret), WebhookQueue()
    programs = PostgresPrograms()
    look = FirstLook(recipients, programs, _renderer(settings, programs), Measured())
    takers: list[Taker] = [
        KnowRecipients(knowing),
        Withdrawals(),
        QueueMessages(knowing, messages, look),
        FanOut(endpoints, webhooks),
        TagCustomers(knowing, OutboxEvents(make_outbox(settings, SERVICE))),
    ]
    loops: dict[str, Running] = {
        "queue": QueueWatch(engine, clock, PostgresPrograms()),
        "messages": create_sender(settings, engine, clock),
        "forgetting": Forgetting(engine, clock, PostgresPrograms(), settings.messages_months),
        "webhooks": WebhookSender.of(settings, engine, endpoints, webhooks, clock),
    }
    stream = StreamWorker(
        engine=engine,
        consumer=make_consumer(settings, engine, SERVICE, OUTCOMES_TOPIC),
        topic=OUTCOMES_TOPIC,
        offsets=Offsets(SERVICE),
        dead_letters=DeadLetters(SERVICE),
        handle=OutcomeHandler(takers),
        clock=clock,
        batch_records=settings.batch_records,
        transient=_is_transient,
        pace_s=PACE_S,
    )
    return DeliveriesWorker(
        engine=engine,
        stream=stream,
        relay=make_relay(settings, engine, SERVICE),
        loops=loops,
        keys=IdempotencyKeys(SERVICE),
        secret=settings.secret,
        clock=clock,
    )


def create_queue(settings: Settings, renderer: Renderer, programs: PostgresPrograms) -> MessageQueue:
    """The queue of messages, as senders use it. Raises `SecretError`."""
    pseudonyms = Pseudonyms(settings.secret, settings.phone_region)
    return MessageQueue(
        recipients=PostgresRecipients(SubjectKeys(settings.secret), pseudonyms),
        rows=PostgresClaims(),
        programs=programs,
        renderer=renderer,
        events=OutboxEvents(make_outbox(settings, SERVICE)),
        news=FanOut(PostgresEndpoints(settings.secret), WebhookQueue()),
        told=Measured(),
    )


def create_sender(settings: Settings, engine: AsyncEngine, clock: Clock) -> MessageSender:
    """The loop that sends messages. Raises `SecretError`, `ProviderSettingsError`."""
    programs = PostgresPrograms()
    renderer = _renderer(settings, programs)
    providers = make_providers(settings, clock)
    queue = create_queue(settings, renderer, programs)
    begin = Beginner(engine, queue, clock, _is_transient)
    return MessageSender(
        engine=engine,
        dispatch=Dispatch(
            queue, renderer, PostgresGates(), providers.by_channel, begin=begin, chance=random.random
        ),
        clock=clock,
        transient=_is_transient,
        close=providers.close,
    )


def _renderer(settings: Settings, programs: PostgresPrograms) -> TemplateRenderer:
    return TemplateRenderer(programs, links_of(settings), settings.tracking)


def _links(service: Service) -> APIRouter:
    """The routes behind the links in messages."""
    return link_routes(
        service,
        links_of(service.settings),
        Responding(
            PostgresResponses(SubjectKeys(service.settings.secret)),
            OutboxEvents(service.outbox),
            FanOut(PostgresEndpoints(service.settings.secret), WebhookQueue()),
        ),
    )


def links_of(settings: Settings) -> Links:
    """What makes and reads the links in messages. Raises `SecretError`."""
    return Links(settings.public_address, derive(settings.secret, "message-links"))


def _is_transient(error: BaseException) -> bool:
    """A program that is not there yet, or that this release cannot read, is no record's fault: they wait."""
    return isinstance(error, ProgramError | NoProgramError) or is_transient(error)


async def run_worker(settings: Settings, clock: Clock, stop: asyncio.Event) -> None:
    """Work until `stop`."""
    await create_worker(settings, clock).run(stop)


def main() -> None:
    """Run the role named on the command line."""
    asked_role(SERVICE, "worker")
    settings = Settings()
    configure(f"{SERVICE}-worker", settings.log_level)
    try:
        worker = create_worker(settings)
    except ProviderSettingsError as error:
        raise SystemExit(str(error)) from None
    app = create_http_app(
        service=f"{SERVICE}-worker",
        title="Regulars: deliveries worker",
        description="Sends messages and webhooks.",
        health=Health(f"{SERVICE}-worker", VERSION, worker.checks()),
    )
    give_way()  # to those who count orders and answer checkouts: a letter may come a second later
    run_worker_process(app, settings.worker_port, worker.run, settings.host)


if __name__ == "__main__":
    main()
