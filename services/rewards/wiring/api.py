"""The HTTP API of rewards, with what deliveries answers at the same address."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from services.deliveries.wiring.routes import routes as deliveries_routes
from services.rewards.adapters.campaigns.runs import PostgresRuns
from services.rewards.adapters.members.members import PostgresMembers
from services.rewards.adapters.points.adjustments import PostgresAdjustments
from services.rewards.adapters.programs import NoProgramError
from services.rewards.adapters.reading.reader import Reader
from services.rewards.adapters.spending.checkouts import PostgresCheckouts
from services.rewards.adapters.spending.codes import PostgresCodes
from services.rewards.application.campaigns.campaigning import Campaigns
from services.rewards.application.points.adjusting import AdjustPoints
from services.rewards.application.simulation.simulating import Finding, Task
from services.rewards.application.spending.batching import BATCHES_MAX, Batcher
from services.rewards.application.spending.checkout import Checkout, about
from services.rewards.application.spending.codes import Codes
from services.rewards.entrypoints.campaigns.campaigns import campaign_routes
from services.rewards.entrypoints.campaigns.report import campaign_report_routes
from services.rewards.entrypoints.customers import customer_routes
from services.rewards.entrypoints.earning.budgets import budget_routes
from services.rewards.entrypoints.earning.referrals import referral_routes
from services.rewards.entrypoints.explaining.explain import explain_routes
from services.rewards.entrypoints.knowledge import knowledge
from services.rewards.entrypoints.moments import NOT_AS_OF
from services.rewards.entrypoints.points.adjustments import adjustment_routes
from services.rewards.entrypoints.points.books import book_routes
from services.rewards.entrypoints.programs.health import api_checks
from services.rewards.entrypoints.programs.program import program_routes
from services.rewards.entrypoints.programs.versions import program_version_routes
from services.rewards.entrypoints.service import Service, answer_problem
from services.rewards.entrypoints.simulation.simulation import simulation_routes
from services.rewards.entrypoints.simulation.simulator import simulate_in_processes
from services.rewards.entrypoints.spending.batches import CheckoutBatches
from services.rewards.entrypoints.spending.offers import offer_routes
from services.rewards.entrypoints.spending.preview import preview_routes
from services.rewards.entrypoints.spending.redemptions import redemption_routes, render
from services.rewards.entrypoints.spending.rewards import reward_routes
from services.rewards.entrypoints.summary import summary_routes
from services.rewards.entrypoints.tiering.grants import tier_grant_routes
from services.rewards.entrypoints.tiering.tiers import tier_routes
from services.rewards.wiring.parts import SERVICE, names_of, programs_of
from services.rewards.wiring.start import verify_secret
from shared.auth.guard import Guard
from shared.bus.wiring import make_outbox
from shared.clock import Clock, system_clock
from shared.http.app import create_app as create_http_app
from shared.http.health import Health
from shared.http.idempotency import IdempotencyKeys
from shared.postgres.direct import autocommit
from shared.postgres.engine import BY_INDEX, service_engine
from shared.program.versions.deciding import DecisionClock, Witness
from shared.program.versions.reading import UnreadableProgramError
from shared.settings import Settings
from shared.version import VERSION


def create_app(settings: Settings, clock: Clock = system_clock, witness: Witness | None = None) -> FastAPI:
    """The HTTP API. `witness` is the clock of the database, where it tells the same time as `clock`. Raises
    `SecretError` when the secret is missing or too short."""
    engine, checkouts = service_engine(settings, SERVICE), checkout_engine(settings)
    programs = programs_of(settings)
    names = names_of(settings)
    outbox = make_outbox(settings, SERVICE)
    members, store = PostgresMembers(outbox), PostgresCheckouts(names)
    batches = CheckoutBatches(checkouts, Checkout(members, store, programs, render), clock)
    reader = Reader(names)
    service = Service(
        engine=engine,
        reading=autocommit(engine),
        clock=clock,
        deciding=DecisionClock(clock, witness),
        guard=Guard(engine, clock),
        reader=reader,
        programs=programs,
        members=members,
        campaigns=Campaigns(PostgresRuns(), members),
        store=store,
        keys=IdempotencyKeys(SERVICE, settings.secret),
        outbox=outbox,
        adjust=AdjustPoints(members, PostgresAdjustments(names), programs),
        codes=Codes(members, PostgresCodes(names, reader), programs),
        checkout=Batcher(batches, about),
    )

    delivering = deliveries_routes(settings, clock, knowledge(service))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.guard = service.guard
        try:
            await verify_secret(engine, settings)
            yield
        finally:
            await delivering.close()
            await batches.close()
            await checkouts.dispose()
            await engine.dispose()

    app = create_http_app(
        service=SERVICE,
        title="Regulars: rewards",
        description="Points, tiers, offers, and why. Redemptions and codes at the checkout.",
        health=Health(SERVICE, VERSION, api_checks(engine, programs, clock), clock),
        lifespan=lifespan,
        not_as_of=NOT_AS_OF,
    )
    for missing in (NoProgramError, UnreadableProgramError):
        app.add_exception_handler(missing, answer_problem)
    for routes in (
        redemption_routes,
        customer_routes,
        book_routes,
        explain_routes,
        tier_routes,
        tier_grant_routes,
        offer_routes,
        reward_routes,
        adjustment_routes,
        program_routes,
        program_version_routes,
        preview_routes,
        budget_routes,
        campaign_routes,
        campaign_report_routes,
        referral_routes,
        summary_routes,
    ):
        app.include_router(routes(service))
    app.include_router(simulation_routes(service, _simulator(settings)))
    for router in delivering.routers:
        app.include_router(router)
    return app


def checkout_engine(settings: Settings) -> AsyncEngine:
    """Connections that redemptions have to themselves: whoever reads reports does not keep a checkout waiting."""
    return service_engine(
        settings, SERVICE, planning=BY_INDEX, pool_size=BATCHES_MAX + 1
    )  # the last is not held


def _simulator(settings: Settings) -> Callable[[Task], Awaitable[Finding]]:
    """Plays simulations, with as many processes as this machine has cores."""

    async def simulate(task: Task) -> Finding:
        assert settings.database_url is not None
        role, processes = f"regulars_{SERVICE}", os.cpu_count() or 1
        return await simulate_in_processes(settings.database_url, role, task, processes)

    return simulate
