"""Rewards on a real database: the stream's handler, the timed jobs, the API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.rewards.adapters.campaigns.runs import PostgresRuns
from services.rewards.adapters.due import PostgresDue
from services.rewards.adapters.earning.budgets import PostgresBudgets
from services.rewards.adapters.earning.referrals import PostgresReferrals
from services.rewards.adapters.history.activities import PostgresActivities
from services.rewards.adapters.members.members import PostgresMembers
from services.rewards.adapters.names import Names
from services.rewards.adapters.points.books.by_day import PostgresBooks
from services.rewards.adapters.spending.checkouts import PostgresCheckouts
from services.rewards.adapters.watching.watch import PostgresWatch
from services.rewards.application.campaigns.campaigning import Campaigns
from services.rewards.application.handling import ActivityHandler
from services.rewards.application.points.booking import KeepBooks
from services.rewards.application.timed import TimedJobs
from services.rewards.wiring.api import create_app
from services.rewards.wiring.parts import programs_of
from shared.auth.keys import ensure_key
from shared.bus.records import Incoming
from shared.bus.wiring import make_outbox
from shared.contracts.activity import ACTIVITY_TOPIC, Activity
from shared.contracts.codec import decode, encode
from shared.contracts.outcomes import OUTCOMES_TOPIC, Outcome
from shared.program.versions.deciding import Witness
from shared.settings import Settings
from shared.vault.pseudonyms import Pseudonyms
from tests.conftest import EngineFor
from tests.support.clock import ManualClock
from tests.support.ledger import BROKEN
from tests.support.streams import on_stream
from tests.unit.rewards.building import PROGRAM

TOKEN = "reg_" + "t" * 43
TABLES = (
    "members",
    "entries",
    "lots",
    "purchases",
    "rule_uses",
    "rule_budgets",
    "referral_ids",
    "referrals",
    "milestones",
    "offers",
    "offer_uses",
    "stock",
    "tier_history",
    "standings",
    "inbox",
    "activities",
    "campaign_runs",
    "campaign_messages",
    "redemptions",
    "adjustments",
    "aliases",
    "idempotency_keys",
)


@dataclass
class Rewards:
    """The service's parts on one database, and the means to look inside."""

    engine: AsyncEngine
    handler: ActivityHandler
    jobs: TimedJobs
    books: KeepBooks
    clock: ManualClock
    pseudonyms: Pseudonyms

    async def happen(self, *activities: Activity) -> None:
        """Handle activities as one batch of the stream."""
        records = [
            Incoming(ACTIVITY_TOPIC, 0, offset, each.customer_id, encode(each))
            for offset, each in enumerate(activities)
        ]
        async with self.engine.begin() as connection:
            await self.handler(connection, records, self.clock())

    async def pass_time(self) -> None:
        """Do all that is due now."""
        for job in (self.jobs.all() | self.books.all()).values():
            done = 1
            while done:
                async with self.engine.begin() as connection:
                    done = await job(connection, self.clock())

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """The rows that a query finds."""
        async with self.engine.connect() as connection:
            return list(await connection.execute(text(statement), values))

    async def plant(self, *statements: str) -> None:
        """Write as the database's superuser can, past all that guards the tables."""
        async with self.engine.begin() as connection:
            for statement in (
                "SET LOCAL ROLE NONE",
                "SET LOCAL session_replication_role = replica",
                *statements,
            ):
                await connection.execute(text(statement))

    async def dump(self) -> dict[str, list[str]]:
        """Everything that is stored."""
        return {
            table: [row[0] for row in await self.rows(f"SELECT t::text FROM rewards.{table} t ORDER BY 1")]
            for table in TABLES
        }

    async def outcomes(self) -> list[Outcome]:
        """What was published, in order."""
        async with self.engine.connect() as connection:
            return [decode(each.value, Outcome) for each in await on_stream(connection, OUTCOMES_TOPIC)]

    async def check(self) -> None:
        """The ledger's invariants hold for every customer."""
        for what, query in BROKEN.items():
            assert await self.rows(query) == [], what


@pytest.fixture
async def rewards(settings: Settings, engine_for: EngineFor, clock: ManualClock) -> Rewards:
    """The parts, with the test program stored."""
    return await rewards_on(engine_for("regulars_rewards"), settings, clock)


async def rewards_on(  # noqa: PLR0917
    engine: AsyncEngine,
    settings: Settings,
    clock: ManualClock,
    program: str = PROGRAM,
    members_type: type[PostgresMembers] = PostgresMembers,
    due_type: type[PostgresDue] = PostgresDue,
) -> Rewards:
    """The parts on a database, with a program stored in it."""
    programs = programs_of(settings)
    async with engine.begin() as connection:
        await programs.add_file(connection, program, clock())
    members = members_type(make_outbox(settings, "rewards"))
    pseudonyms = Pseudonyms(settings.secret)
    store = PostgresCheckouts(Names(pseudonyms))
    return Rewards(
        engine=engine,
        handler=ActivityHandler(
            members, PostgresActivities(), programs, PostgresBudgets(), Campaigns(PostgresRuns(), members)
        ),
        jobs=TimedJobs(
            due_type(),
            members,
            store,
            programs,
            PostgresReferrals(),
            PostgresWatch(),
            Campaigns(PostgresRuns(), members),
        ),
        books=KeepBooks(PostgresBooks(), programs),
        clock=clock,
        pseudonyms=pseudonyms,
    )


@asynccontextmanager
async def client_of(
    settings: Settings, clock: ManualClock, witness: Witness | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a process of the API with this clock."""
    app = create_app(settings, clock, witness)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://rewards",
            headers={"Authorization": f"Bearer {TOKEN}"},
        ) as client,
    ):
        yield client


@pytest.fixture
async def api(
    rewards: Rewards, settings: Settings, engine_for: EngineFor, clock: ManualClock
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API with a key that has all scopes."""
    async with engine_for(None).begin() as connection:
        await ensure_key(connection, TOKEN, clock())
    async with client_of(settings, clock) as client:
        yield client


@pytest.fixture
async def second_api(
    api: httpx.AsyncClient, settings: Settings, clock: ManualClock
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of another process of the API."""
    async with client_of(settings, clock) as client:
        yield client
