"""The worker of rewards: its stream, its timed jobs, and the relay."""

from services.rewards.adapters.campaigns.forgetting import forget_runs
from services.rewards.adapters.campaigns.runs import PostgresRuns
from services.rewards.adapters.due import PostgresDue
from services.rewards.adapters.earning.budgets import PostgresBudgets
from services.rewards.adapters.earning.referrals import PostgresReferrals
from services.rewards.adapters.history.activities import PostgresActivities
from services.rewards.adapters.members.members import PostgresMembers
from services.rewards.adapters.points.books.by_day import PostgresBooks
from services.rewards.adapters.spending.checkouts import PostgresCheckouts
from services.rewards.adapters.watching.watch import PostgresWatch
from services.rewards.application.campaigns.campaigning import Campaigns
from services.rewards.application.campaigns.forgetting import ForgetRuns
from services.rewards.application.handling import ActivityHandler
from services.rewards.application.points.booking import KeepBooks
from services.rewards.application.timed import TimedJobs
from services.rewards.entrypoints.due_work import passes
from services.rewards.entrypoints.programs.health import program_readable
from services.rewards.entrypoints.worker import RewardsWorker
from services.rewards.wiring.parts import SERVICE, names_of, programs_of
from shared.bus.consuming.dead_letters import DeadLetters
from shared.bus.consuming.offsets import Offsets
from shared.bus.consuming.progress import Progress
from shared.bus.consuming.worker import StreamWorker
from shared.bus.wiring import make_consumer, make_outbox, make_relay
from shared.clock import Clock, system_clock
from shared.contracts.activity import ACTIVITY_TOPIC
from shared.http.idempotency import IdempotencyKeys
from shared.postgres.direct import autocommit
from shared.postgres.engine import NO_SCANS, service_engine
from shared.settings import Settings


def create_worker(settings: Settings, clock: Clock = system_clock) -> RewardsWorker:
    """The worker, ready to run."""
    engine = service_engine(settings, SERVICE, planning=NO_SCANS)
    programs = programs_of(settings)
    members = PostgresMembers(make_outbox(settings, SERVICE))
    store = PostgresCheckouts(names_of(settings))
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
        keys=IdempotencyKeys(SERVICE, settings.secret),
        relay=make_relay(settings, engine, SERVICE),
        clock=clock,
        progress=Progress(autocommit(engine), consumer, offsets, ACTIVITY_TOPIC),
        activities=PostgresActivities(),
        forget_runs=ForgetRuns(forget_runs, programs),
        program=program_readable(engine, programs, clock),
        history_months=settings.history_months,
    )
