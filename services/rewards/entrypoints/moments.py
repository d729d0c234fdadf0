"""`?at=` at the address of rewards: which answers heed it, and what is said of the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.rewards.adapters.history.as_of import NotKnownError, holdings_at
from services.rewards.adapters.history.tiers_as_of import member_at
from services.rewards.adapters.programs import PostgresPrograms, Section
from services.rewards.domain.points.balances import Balances
from services.rewards.domain.state.member import Member
from shared.http.moments import not_as_of
from shared.program.model.program import Program
from shared.program.versions.reading import UnreadableProgramError

NOT_AS_OF: Final = {
    "/v1/": "is heeded by"
    " GET /v1/customers/{customer}/points, …/offers and …/tier, and by scoring; this answer tells of"
    " now. …/ledger, …/statement and …/tier/history say of each thing when it was"
}
"""What the routes say that heed no `at`."""

SNAPSHOT: Final = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


@contextmanager
def as_problems() -> Iterator[None]:
    """What is not known any more is answered with a problem that says so."""
    try:
        yield
    except NotKnownError as error:
        raise not_as_of(str(error)) from error


async def program_then(
    programs: PostgresPrograms, connection: AsyncConnection, moment: datetime, section: Section
) -> Program:
    """The program of a past moment, of which this section is to be gone by. Raises the problem that it cannot be read
    any more: no 503, since that will not pass."""
    try:
        return await programs.of_then(connection, moment, section)
    except UnreadableProgramError as error:
        raise not_as_of(
            f"{error.reason}; it was in force then, and its {section} are needed to tell. Ask for a moment under"
            " another one (GET /v1/program/versions says when each was in force), or a release that can read it"
        ) from error


async def balances_at(engine: AsyncEngine, customer_id: str, moment: datetime, horizon: datetime) -> Balances:
    """The balances at a moment that is past, and what was to expire by the horizon. Raises the problem that they are
    not known."""
    async with engine.begin() as connection:
        await connection.execute(SNAPSHOT)
        with as_problems():
            return (await holdings_at(connection, customer_id, moment, horizon)).at(moment)


async def tier_at(engine: AsyncEngine, customer_id: str, program: Program, moment: datetime) -> Member:
    """The member as they stood at a moment that is past, under the program of then. Raises the problem that it is not
    known."""
    async with engine.begin() as connection:
        await connection.execute(SNAPSHOT)
        with as_problems():
            return await member_at(connection, customer_id, program, moment)
