"""What deliveries answers over HTTP, for rewards to mount."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter

from services.deliveries.adapters.messages.responses import PostgresResponses
from services.deliveries.adapters.own_events import OutboxEvents
from services.deliveries.adapters.programs import PostgresPrograms
from services.deliveries.adapters.webhooks.endpoints import PostgresEndpoints
from services.deliveries.adapters.webhooks.messages import WebhookQueue
from services.deliveries.application.recipients.responding import Responding
from services.deliveries.application.webhooks.fan_out import FanOut
from services.deliveries.entrypoints.messages.messages import message_routes
from services.deliveries.entrypoints.messages.previewing import Knowledge, preview_routes
from services.deliveries.entrypoints.messages.testing import LazyProviders, test_mail_routes
from services.deliveries.entrypoints.recipients.links import link_routes
from services.deliveries.entrypoints.recipients.suppressions import suppression_routes
from services.deliveries.entrypoints.service import Service
from services.deliveries.entrypoints.webhooks.endpoints import webhook_routes
from services.deliveries.wiring.parts import SERVICE, links_of
from shared.bus.wiring import make_outbox
from shared.clock import Clock
from shared.http.idempotency import IdempotencyKeys
from shared.postgres.direct import autocommit
from shared.postgres.engine import service_engine
from shared.settings import Settings
from shared.vault.keyring import SubjectKeyring
from shared.vault.pseudonyms import Pseudonyms
from shared.vault.subject_keys import SubjectKeys


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
        keys=IdempotencyKeys(SERVICE, settings.secret),
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
