"""The HTTP API of scoring."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.scoring.adapters.alerts.alerts import PostgresAlerts
from services.scoring.adapters.alerts.notes import SealedNotes
from services.scoring.adapters.customers.customers import PostgresCustomers
from services.scoring.adapters.customers.profiles import Profiles
from services.scoring.adapters.events.personal import PersonalData
from services.scoring.adapters.identity.decisions import PostgresDecisions
from services.scoring.adapters.identity.identities import PostgresIdentities
from services.scoring.adapters.language.engines import load_engine
from services.scoring.adapters.language.reader import TextReader
from services.scoring.adapters.metrics.sums import MetricSums
from services.scoring.adapters.segments.segments import PostgresRules
from services.scoring.application.alerts.closing import Closing
from services.scoring.application.customers.portray import Portray
from services.scoring.application.identity.merging import Merging
from services.scoring.entrypoints.alerts.alerts import alert_routes
from services.scoring.entrypoints.customers.customers import customers_routes
from services.scoring.entrypoints.customers.stages import stage_routes
from services.scoring.entrypoints.customers.tags import tags_routes
from services.scoring.entrypoints.customers.timelines import timeline_routes
from services.scoring.entrypoints.identity.merges import MergeParts, merge_routes
from services.scoring.entrypoints.metrics.metrics import metrics_routes
from services.scoring.entrypoints.moments import NOT_AS_OF
from services.scoring.entrypoints.program import program_routes
from services.scoring.entrypoints.readiness import api_checks
from services.scoring.entrypoints.segments import segment_routes
from services.scoring.wiring.parts import SERVICE, program_of, rules_of, take_in_of
from shared.auth.guard import Guard
from shared.bus.wiring import make_outbox
from shared.clock import Clock, system_clock
from shared.http.app import create_app as create_http_app
from shared.http.health import Health
from shared.http.idempotency import IdempotencyKeys
from shared.postgres.engine import service_engine
from shared.settings import Settings
from shared.vault.pseudonyms import Pseudonyms
from shared.version import VERSION


def create_app(settings: Settings, clock: Clock = system_clock) -> FastAPI:
    """The HTTP API. Raises `SecretError` without a usable secret, `ProgramError` without a usable program."""
    engine = service_engine(settings, SERVICE)
    personal, notes = PersonalData(engine, settings.secret), SealedNotes(settings.secret)
    profiles = Profiles(engine, Pseudonyms(settings.secret, settings.phone_region))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.guard = Guard(engine, clock)
        try:
            yield
        finally:
            await engine.dispose()

    app = create_http_app(
        service=SERVICE,
        title="Regulars: scoring",
        description="Who each customer is, how loyal, and why.",
        health=Health(SERVICE, VERSION, {**api_checks(engine), "secret": personal.problem}),
        lifespan=lifespan,
        not_as_of=NOT_AS_OF,
    )
    rules = rules_of(program_of(settings))
    portray = Portray(profiles, rules)
    keys = IdempotencyKeys(SERVICE, settings.secret)
    app.include_router(merge_routes(engine, profiles, _merges(settings, personal, rules), keys, clock))
    app.include_router(customers_routes(profiles, personal, portray, clock))
    app.include_router(stage_routes(profiles, portray, clock))
    app.include_router(segment_routes(engine, rules, portray, clock))
    app.include_router(program_routes(engine))
    app.include_router(timeline_routes(profiles, personal))
    app.include_router(metrics_routes(MetricSums(engine), rules, clock))
    app.include_router(tags_routes(profiles, personal, portray, clock))
    closing = Closing(
        alerts=PostgresAlerts(),
        notes=notes,
        profiles=profiles,
        identities=PostgresIdentities(),
        customers=PostgresCustomers(),
        rules=rules,
        outbox=make_outbox(settings, SERVICE),
    )
    app.include_router(alert_routes(engine, profiles, closing, notes, clock))
    return app


def _merges(settings: Settings, personal: PersonalData, rules: PostgresRules) -> MergeParts:
    """What deciding about merges needs: the same parts as taking events in."""
    identities, decisions = PostgresIdentities(), PostgresDecisions()
    reader = TextReader(personal, load_engine(settings.sentiment))
    take_in = take_in_of(settings, rules, reader, identities, decisions)
    merging = Merging(identities, decisions, take_in.identify, take_in.apply)
    return MergeParts(merging, decisions, Pseudonyms(settings.secret, settings.phone_region))
