"""Rewards: points, tiers, milestones and offers from what customers do; redemptions at the checkout.

python -m services.rewards.main api       the HTTP API
python -m services.rewards.main worker    takes activities, does what time makes due
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

import services.deliveries.main as deliveries
from services.rewards.adapters.books.by_day import PostgresBooks
from services.rewards.adapters.campaigns.forgetting import forget_runs
from services.rewards.adapters.campaigns.runs import PostgresRuns
from services.rewards.adapters.checkout.checkouts import PostgresCheckouts
from services.rewards.adapters.checkout.codes import PostgresCodes
from services.rewards.adapters.due import PostgresDue
from services.rewards.adapters.earning.budgets import PostgresBudgets
from services.rewards.adapters.earning.referrals import PostgresReferrals
from services.rewards.adapters.history.activities import PostgresActivities
from services.rewards.adapters.members.members import PostgresMembers
from services.rewards.adapters.members.names import Names
from services.rewards.adapters.points.adjustments import PostgresAdjustments
from services.rewards.adapters.programs import NoProgramError, PostgresPrograms
from services.rewards.adapters.reading.reader import Reader
from services.rewards.adapters.watching.watch import PostgresWatch
from services.rewards.application.adjusting import AdjustPoints
from services.rewards.application.batching import BATCHES_MAX, Batcher
from services.rewards.application.booking import KeepBooks
from services.rewards.application.campaigning import Campaigns
from services.rewards.application.checkout import Checkout, about
from services.rewards.application.codes import Codes
from services.rewards.application.forgetting import ForgetRuns
from services.rewards.application.handling import ActivityHandler
from services.rewards.application.program_watch import unreadable
from services.rewards.application.simulation import Finding, Task
from services.rewards.application.timed import TimedJobs
from services.rewards.entrypoints.adjustments import adjustment_routes
from services.rewards.entrypoints.books import book_routes
from services.rewards.entrypoints.budgets import budget_routes
from services.rewards.entrypoints.campaigns.campaigns import campaign_routes
from services.rewards.entrypoints.campaigns.report import campaign_report_routes
from services.rewards.entrypoints.checkout.batches import CheckoutBatches
from services.rewards.entrypoints.checkout.offers import offer_routes
from services.rewards.entrypoints.checkout.preview import preview_routes
from services.rewards.entrypoints.checkout.redemptions import redemption_routes, render
from services.rewards.entrypoints.checkout.rewards import reward_routes
from services.rewards.entrypoints.customers import customer_routes
from services.rewards.entrypoints.due_work import passes
from services.rewards.entrypoints.explaining.explain import explain_routes
from services.rewards.entrypoints.knowledge import knowledge
from services.rewards.entrypoints.moments import NOT_AS_OF
from services.rewards.entrypoints.programs.health import api_checks, program_readable
from services.rewards.entrypoints.programs.program import program_routes
from services.rewards.entrypoints.programs.versions import program_version_routes
from services.rewards.entrypoints.referrals import referral_routes
from services.rewards.entrypoints.service import Service, answer_problem
from services.rewards.entrypoints.simulating.simulation import simulation_routes
from services.rewards.entrypoints.simulating.simulator import simulate_in_processes
from services.rewards.entrypoints.summary import summary_routes
from services.rewards.entrypoints.tiers.grants import tier_grant_routes
from services.rewards.entrypoints.tiers.tiers import tier_routes
from services.rewards.entrypoints.worker import RewardsWorker
from shared.alerts.raising import raise_alerts
from shared.auth.guard import Guard
from shared.bus.dead_letters import DeadLetters
from shared.bus.offsets import Offsets
from shared.bus.progress import Progress
from shared.bus.wiring import make_consumer, make_outbox, make_relay
from shared.bus.worker import StreamWorker
from shared.clock import Clock, system_clock
from shared.contracts.activity import ACTIVITY_TOPIC
from shared.http.app import create_app as create_http_app
from shared.http.health import Health
from shared.http.idempotency import IdempotencyKeys
from shared.postgres.direct import autocommit
from shared.postgres.engine import service_engine
from shared.postgres.faults import is_database_away
from shared.process import asked_role, run_worker_process, serve
from shared.program import program_text
from shared.program.versions.deciding import DecisionClock, Witness, server_time
from shared.program.versions.reading import UnreadableProgramError
from shared.settings import Settings
from shared.telemetry.logs import configure
from shared.vault.pseudonyms import Pseudonyms
from shared.vault.secret import check_secret, derive
from shared.version import VERSION

SERVICE: Final = "rewards"
START_PATIENCE_S = 60.0
log = structlog.get_logger()


def create_app(settings: Settings, clock: Clock = system_clock, witness: Witness | None = None) -> FastAPI:
    """The HTTP API. `witness` is the clock of the database, where it tells the same time as `clock`. Raises
    `SecretError` when the secret is missing or too short."""
    engine, checkouts = service_engine(settings, SERVICE), checkout_engine(settings)
    programs = PostgresPrograms(derive(settings.secret, "offer-codes"))
    names = Names(Pseudonyms(settings.secret, settings.phone_region))
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
        keys=IdempotencyKeys(SERVICE),
        outbox=outbox,
        adjust=AdjustPoints(members, PostgresAdjustments(names), programs),
        codes=Codes(members, PostgresCodes(names, reader), programs),
        checkout=Batcher(batches, about),
    )

    delivering = deliveries.routes(settings, clock, knowledge(service))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.guard = service.guard
        try:
            await _verify_secret(engine, settings)
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
    return service_engine(settings, SERVICE, by_index=True, pool_size=BATCHES_MAX + 1)  # the last is not held


def create_worker(settings: Settings, clock: Clock = system_clock) -> RewardsWorker:
    """The worker, ready to run."""
    engine = service_engine(settings, SERVICE)
    programs = PostgresPrograms(derive(settings.secret, "offer-codes"))
    members = PostgresMembers(make_outbox(settings, SERVICE))
    store = PostgresCheckouts(Names(Pseudonyms(settings.secret, settings.phone_region)))
    campaigns = Campaigns(PostgresRuns(), members)
    consumer, offsets = make_consumer(settings, engine, SERVICE, ACTIVITY_TOPIC), Offsets(SERVICE)
    stream = StreamWorker(
        engine=engine,
        consumer=consumer,
        topic=ACTIVITY_TOPIC,
        offsets=offsets,
        dead_letters=DeadLetters(SERVICE),
        handle=ActivityHandler(members, PostgresActivities(), programs, PostgresBudgets(), campaigns),
        clock=clock,
        batch_records=settings.batch_records,
        transient=passes,
    )
    return RewardsWorker(
        engine=engine,
        stream=stream,
        jobs=TimedJobs(
            PostgresDue(), members, store, programs, PostgresReferrals(), PostgresWatch(), campaigns
        ),
        books=KeepBooks(PostgresBooks(), programs),
        keys=IdempotencyKeys(SERVICE),
        relay=make_relay(settings, engine, SERVICE),
        clock=clock,
        progress=Progress(autocommit(engine), consumer, offsets, ACTIVITY_TOPIC),
        activities=PostgresActivities(),
        forget_runs=ForgetRuns(forget_runs, programs),
        program=program_readable(engine, programs, clock),
        history_months=settings.history_months,
    )


async def run_worker(settings: Settings, clock: Clock, stop: asyncio.Event) -> None:
    """Store the program file if it is new, then work until `stop`."""
    await store_program(settings, clock)
    await create_worker(settings, clock).run(stop)


async def store_program(settings: Settings, clock: Clock, witness: Witness | None = None) -> None:
    """Make the program file a new version if it differs from the last one that came from a file; the one that ships,
    only while nobody has activated another.

    Waits for a database that is away. Raises `ProgramError` when the file is not fit to go live, or a version that is
    in force or scheduled is not any more; of that an alert is left.
    """
    source = program_text(settings.program)
    programs = PostgresPrograms(derive(settings.secret, "offer-codes"))
    engine = service_engine(settings, SERVICE)
    try:
        async with asyncio.timeout(START_PATIENCE_S):
            while True:
                try:
                    async with engine.begin() as connection:
                        await check_secret(connection, settings.secret)
                        now = await DecisionClock(clock, witness).now(connection)
                        await programs.add_file(connection, source, now, shipped=settings.program is None)
                        _, timeline = await programs.latest(connection, now)
                        for activation in timeline.scheduled(now):
                            await programs.version(connection, activation.version)
                    return
                except UnreadableProgramError as error:
                    async with engine.begin() as connection:
                        await raise_alerts(connection, [unreadable(error, clock())])
                    raise
                except Exception as error:
                    if not is_database_away(error):
                        raise
                    log.warning("database_away_at_start", reason=type(error).__name__)
                    await asyncio.sleep(1)
    finally:
        await engine.dispose()


def _simulator(settings: Settings) -> Callable[[Task], Awaitable[Finding]]:
    """Plays simulations, with as many processes as this machine has cores."""

    async def simulate(task: Task) -> Finding:
        assert settings.database_url is not None
        role, processes = f"regulars_{SERVICE}", os.cpu_count() or 1
        return await simulate_in_processes(settings.database_url, role, task, processes)

    return simulate


async def _verify_secret(engine: AsyncEngine, settings: Settings) -> None:
    """A wrong secret ends the start; a database that is away does not."""
    try:
        async with engine.begin() as connection:
            await check_secret(connection, settings.secret)
    except Exception as error:
        if not is_database_away(error):
            raise
        log.warning("database_away_at_start", reason=type(error).__name__)


def main() -> None:
    """Run the role named on the command line."""
    role = asked_role(SERVICE, "api", "worker")
    settings = Settings()
    configure(f"{SERVICE}-{role}", settings.log_level)
    if role == "api":
        serve(create_app(settings, witness=server_time), settings.host, settings.rewards_port)
        return
    worker = create_worker(settings)

    async def work(stop: asyncio.Event) -> None:
        await store_program(settings, system_clock, server_time)
        await worker.run(stop)

    app = create_http_app(
        service=f"{SERVICE}-worker",
        title="Regulars: rewards worker",
        description="Turns activities into points, tiers, milestones and offers.",
        health=Health(f"{SERVICE}-worker", VERSION, worker.checks()),
    )
    run_worker_process(app, settings.worker_port, work, settings.host)


if __name__ == "__main__":
    main()
