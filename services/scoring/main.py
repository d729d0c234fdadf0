"""Scoring: keeps one profile per customer, with facts, score and stage, and tells what happens to them.

python -m services.scoring.main api       profiles, scores and timelines over HTTP
python -m services.scoring.main worker    reads the events, writes profiles and the activity stream
python -m services.scoring.main rebuild   folds every customer anew with the program of now, beside the worker
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI

from services.scoring.adapters.alerts.alerts import SqlAlerts
from services.scoring.adapters.alerts.notes import SealedNotes
from services.scoring.adapters.customers.customers import SqlCustomers
from services.scoring.adapters.customers.orders import SqlOrders
from services.scoring.adapters.customers.profiles import Profiles
from services.scoring.adapters.due.coming_days import SqlComingDays
from services.scoring.adapters.due.occasions import SqlOccasions
from services.scoring.adapters.due.stale import SqlStale
from services.scoring.adapters.events.inbox import SqlInbox
from services.scoring.adapters.events.personal import PersonalData
from services.scoring.adapters.events.timeline import SqlTimeline
from services.scoring.adapters.identity.decisions import SqlDecisions
from services.scoring.adapters.identity.identities import SqlIdentities
from services.scoring.adapters.language.engines import load_engine
from services.scoring.adapters.language.reader import TextReader
from services.scoring.adapters.metrics.opens import SqlOpens
from services.scoring.adapters.metrics.rollups import SqlRollups
from services.scoring.adapters.metrics.sums import MetricSums
from services.scoring.adapters.programs import SqlPrograms
from services.scoring.adapters.rebuilds import SqlRebuilds
from services.scoring.adapters.segments.memberships import SqlMemberships
from services.scoring.adapters.segments.segments import SqlRules
from services.scoring.application.closing import Closing
from services.scoring.application.introduce_occasions import IntroduceOccasions
from services.scoring.application.membership import Membership
from services.scoring.application.merging import Merging
from services.scoring.application.portray import Portray
from services.scoring.application.reassess import Reassess
from services.scoring.application.rebuild import Rebuild, Rebuilding
from services.scoring.application.refold import Refold
from services.scoring.application.roll_up import RollUp
from services.scoring.application.sweep import Sweep
from services.scoring.application.switch_program import SwitchProgram
from services.scoring.application.take_in import TakeIn
from services.scoring.application.tell_due import TellDue
from services.scoring.application.watch_opens import WatchOpens
from services.scoring.domain.settings import ScoreSettings
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
from services.scoring.entrypoints.rebuilding import Told, rebuild_all
from services.scoring.entrypoints.segments import segment_routes
from services.scoring.entrypoints.worker import ScoringWorker
from shared.auth.guard import Guard
from shared.bus.dead_letters import DeadLetters
from shared.bus.offsets import Offsets
from shared.bus.progress import Progress
from shared.bus.watchdog import Watchdog
from shared.bus.wiring import make_consumer, make_outbox, make_relay
from shared.bus.worker import StreamWorker
from shared.clock import Clock, system_clock
from shared.contracts.events import EVENTS_TOPIC
from shared.http.app import create_app as create_http_app
from shared.http.health import Health
from shared.http.idempotency import IdempotencyKeys
from shared.postgres.direct import autocommit
from shared.postgres.engine import service_engine
from shared.process import asked_role, run_worker_process, serve
from shared.program import program_text
from shared.program.model.program import Program
from shared.program.parse import load_program
from shared.settings import Settings
from shared.telemetry.logs import configure
from shared.vault.pseudonyms import Pseudonyms
from shared.version import VERSION

SERVICE: Final = "scoring"


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
    rules = _rules(_program(settings))
    portray = Portray(profiles, rules)
    app.include_router(merge_routes(engine, profiles, _merges(settings, personal, rules), clock))
    app.include_router(customers_routes(profiles, personal, portray, clock))
    app.include_router(stage_routes(profiles, portray, clock))
    app.include_router(segment_routes(engine, rules, portray, clock))
    app.include_router(program_routes(engine))
    app.include_router(timeline_routes(profiles, personal))
    app.include_router(metrics_routes(MetricSums(engine), rules, clock))
    app.include_router(tags_routes(profiles, personal, portray, clock))
    closing = Closing(
        alerts=SqlAlerts(),
        notes=notes,
        profiles=profiles,
        identities=SqlIdentities(),
        customers=SqlCustomers(),
        rules=rules,
        outbox=make_outbox(settings, SERVICE),
    )
    app.include_router(alert_routes(engine, profiles, closing, notes, clock))
    return app


def _merges(settings: Settings, personal: PersonalData, rules: SqlRules) -> MergeParts:
    """What deciding about merges needs: the same parts as taking events in."""
    identities, decisions = SqlIdentities(), SqlDecisions()
    reader = TextReader(personal, load_engine(settings.sentiment))
    take_in = _take_in(settings, rules, reader, identities, decisions)
    merging = Merging(identities, decisions, take_in.identify, take_in.apply)
    return MergeParts(merging, decisions, Pseudonyms(settings.secret, settings.phone_region))


def _take_in(
    settings: Settings,
    rules: SqlRules,
    reader: TextReader,
    identities: SqlIdentities,
    decisions: SqlDecisions,
) -> TakeIn:
    return TakeIn(
        inbox=SqlInbox(),
        identities=identities,
        customers=SqlCustomers(),
        orders=SqlOrders(),
        timeline=SqlTimeline(),
        decisions=decisions,
        stale=SqlStale(),
        reader=reader,
        outbox=make_outbox(settings, SERVICE),
        rules=rules,
        coming=SqlComingDays(),
    )


def create_worker(settings: Settings, clock: Clock) -> ScoringWorker:
    """The worker, ready to run. Raises `ProgramError` when the program cannot be used, `EngineError` when the sentiment
    engine cannot, and `SecretError` without a usable secret."""
    program = _program(settings)
    rules = _rules(program)
    engine, outbox = service_engine(settings, SERVICE), make_outbox(settings, SERVICE)
    personal = PersonalData(engine, settings.secret)
    reader = TextReader(personal, load_engine(settings.sentiment))
    customers, stale, rebuilds = SqlCustomers(), SqlStale(), SqlRebuilds()
    memberships, days = SqlMemberships(), SqlComingDays(personal)
    membership = Membership(memberships, stale)
    sweeps = (
        Sweep(customers=customers, outbox=outbox, rules=rules, membership=membership),
        IntroduceOccasions(occasions=SqlOccasions(), days=days, rules=rules),
        TellDue(days=days, outbox=outbox, rules=rules),
        Reassess(
            clock,
            customers=customers,
            memberships=memberships,
            rules=rules,
            membership=membership,
            outbox=outbox,
        ),
        WatchOpens(SqlOpens(), SqlPrograms(program)),
    )
    rebuild = _rebuild(settings, rules, rebuilds, reader)
    watchdog, offsets = Watchdog(EVENTS_TOPIC), Offsets(SERVICE)
    consumer = make_consumer(settings, engine, SERVICE, EVENTS_TOPIC)
    stream = StreamWorker(
        engine=engine,
        consumer=consumer,
        topic=EVENTS_TOPIC,
        offsets=offsets,
        dead_letters=DeadLetters(SERVICE),
        handle=_take_in(settings, rules, reader, SqlIdentities(), SqlDecisions()),
        clock=clock,
        batch_records=settings.batch_records,
        watchdog=watchdog,
    )
    return ScoringWorker(
        engine=engine,
        personal=personal,
        reader=reader,
        stream=stream,
        watchdog=watchdog,
        progress=Progress(autocommit(engine), consumer, offsets, EVENTS_TOPIC),
        relay=make_relay(settings, engine, SERVICE),
        sweeps=sweeps,
        roll_up=RollUp(stale=stale, rollups=SqlRollups(), orders=SqlOrders(), rules=rules),
        switch_program=SwitchProgram(SqlPrograms(program)),
        refold=Refold(rebuild=rebuild, rebuilds=rebuilds, folded=rebuilds, rules=rules),
        keys=IdempotencyKeys(SERVICE),
        clock=clock,
    )


async def run_worker(settings: Settings, clock: Clock, stop: asyncio.Event) -> None:
    """Work until `stop`. Raises `ProgramError` when the program cannot be used."""
    await create_worker(settings, clock).run(stop)


async def run_rebuild(settings: Settings, clock: Clock, stop: asyncio.Event, told: Told) -> Rebuilding:
    """Fold every customer anew, or go on where that was interrupted. Raises `ProgramError` without a usable
    program, `EngineError` with an engine that fails or is not the workers', `SecretError` with a wrong secret."""
    rules, engine = _rules(_program(settings)), service_engine(settings, SERVICE)
    personal, rebuilds = PersonalData(engine, settings.secret), SqlRebuilds()
    reader = TextReader(personal, load_engine(settings.sentiment))
    rebuild = _rebuild(settings, rules, rebuilds, reader)
    try:
        await personal.need()
        async with engine.connect() as connection:
            await reader.need_same_engine(connection)
            digest = (await rules.current(connection)).fold_digest
        return await rebuild_all(engine, rebuild, rebuilds, program=digest, clock=clock, stop=stop, told=told)
    finally:
        await engine.dispose()


def _rebuild(settings: Settings, rules: SqlRules, rebuilds: SqlRebuilds, reader: TextReader) -> Rebuild:
    return Rebuild(
        rebuilds=rebuilds,
        customers=SqlCustomers(),
        orders=SqlOrders(),
        timeline=SqlTimeline(),
        outbox=make_outbox(settings, SERVICE),
        stale=SqlStale(),
        rules=rules,
        coming=SqlComingDays(),
        reader=reader,
    )


def _program(settings: Settings) -> Program:
    """The file, which counts until a version is stored."""
    return load_program(program_text(settings.program))


def _rules(program: Program) -> SqlRules:
    return SqlRules(ScoreSettings.of(program), SqlPrograms(program))


def main() -> None:
    """Run the role named on the command line."""
    role = asked_role(SERVICE, "api", "worker", "rebuild")
    settings = Settings()
    configure(f"{SERVICE}-{role}", settings.log_level)
    if role == "api":
        serve(create_app(settings), settings.host, settings.scoring_port)
        return
    if role == "rebuild":
        asyncio.run(run_rebuild(settings, system_clock, asyncio.Event(), lambda rebuilding, customers: None))
        return
    worker = create_worker(settings, system_clock)
    app = create_http_app(
        service=f"{SERVICE}-worker",
        title="Regulars: scoring worker",
        description="Reads events, keeps profiles, tells the activity.",
        health=worker.health(),
    )
    run_worker_process(app, settings.worker_port, worker.run, settings.host)


if __name__ == "__main__":
    main()
