"""The worker of scoring."""

from services.scoring.adapters.customers.customers import PostgresCustomers
from services.scoring.adapters.customers.orders import PostgresOrders
from services.scoring.adapters.due.coming_days import PostgresComingDays
from services.scoring.adapters.due.occasions import PostgresOccasions
from services.scoring.adapters.events.personal import PersonalData
from services.scoring.adapters.identity.decisions import PostgresDecisions
from services.scoring.adapters.identity.identities import PostgresIdentities
from services.scoring.adapters.language.engines import load_engine
from services.scoring.adapters.language.reader import TextReader
from services.scoring.adapters.metrics.opens import PostgresOpens
from services.scoring.adapters.metrics.rollups import PostgresRollups
from services.scoring.adapters.metrics.stale import PostgresStale
from services.scoring.adapters.programs import PostgresPrograms
from services.scoring.adapters.rebuilding import PostgresRebuilds
from services.scoring.adapters.segments.memberships import PostgresMemberships
from services.scoring.application.due.introduce_occasions import IntroduceOccasions
from services.scoring.application.due.membership import Membership
from services.scoring.application.due.reassess import Reassess
from services.scoring.application.due.sweep import Sweep
from services.scoring.application.due.tell_due import TellDue
from services.scoring.application.metrics.roll_up import RollUp
from services.scoring.application.metrics.watch_opens import WatchOpens
from services.scoring.application.rebuilding.refold import Refold
from services.scoring.application.rebuilding.switch_program import SwitchProgram
from services.scoring.entrypoints.worker import ScoringWorker
from services.scoring.wiring.parts import SERVICE, program_of, rebuild_of, rules_of, take_in_of
from shared.bus.consuming.dead_letters import DeadLetters
from shared.bus.consuming.offsets import Offsets
from shared.bus.consuming.progress import Progress
from shared.bus.consuming.watchdog import Watchdog
from shared.bus.consuming.worker import StreamWorker
from shared.bus.wiring import make_consumer, make_outbox, make_relay
from shared.clock import Clock
from shared.contracts.events import EVENTS_TOPIC
from shared.http.idempotency import IdempotencyKeys
from shared.postgres.direct import autocommit
from shared.postgres.engine import service_engine
from shared.settings import Settings


def create_worker(settings: Settings, clock: Clock) -> ScoringWorker:
    """The worker, ready to run. Raises `ProgramError` when the program cannot be used, `EngineError` when the sentiment
    engine cannot, and `SecretError` without a usable secret."""
    program = program_of(settings)
    rules = rules_of(program)
    engine, outbox = service_engine(settings, SERVICE), make_outbox(settings, SERVICE)
    personal = PersonalData(engine, settings.secret)
    reader = TextReader(personal, load_engine(settings.sentiment))
    customers, stale, rebuilds = PostgresCustomers(), PostgresStale(), PostgresRebuilds()
    memberships, days = PostgresMemberships(), PostgresComingDays(personal)
    membership = Membership(memberships, stale)
    sweeps = (
        Sweep(customers=customers, outbox=outbox, rules=rules, membership=membership),
        IntroduceOccasions(occasions=PostgresOccasions(), days=days, rules=rules),
        TellDue(days=days, outbox=outbox, rules=rules),
        Reassess(
            clock,
            customers=customers,
            memberships=memberships,
            rules=rules,
            membership=membership,
            outbox=outbox,
        ),
        WatchOpens(PostgresOpens(), PostgresPrograms(program)),
    )
    rebuild = rebuild_of(settings, rules, rebuilds, reader)
    watchdog, offsets = Watchdog(EVENTS_TOPIC), Offsets(SERVICE)
    consumer = make_consumer(settings, engine, SERVICE, EVENTS_TOPIC)
    stream = StreamWorker(
        engine=engine,
        consumer=consumer,
        topic=EVENTS_TOPIC,
        offsets=offsets,
        dead_letters=DeadLetters(SERVICE),
        handle=take_in_of(settings, rules, reader, PostgresIdentities(), PostgresDecisions()),
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
        roll_up=RollUp(stale=stale, rollups=PostgresRollups(), orders=PostgresOrders(), rules=rules),
        switch_program=SwitchProgram(PostgresPrograms(program)),
        refold=Refold(rebuild=rebuild, rebuilds=rebuilds, folded=rebuilds, rules=rules),
        keys=IdempotencyKeys(SERVICE, settings.secret),
        clock=clock,
    )
