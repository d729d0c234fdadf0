"""`?at=` at the address of rewards: which answers heed it, and what is said of the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.rewards.adapters.as_of import NotKnownError, holdings_at
from services.rewards.adapters.tier_as_of import member_at
from services.rewards.domain.balances import Balances
from services.rewards.domain.member import Member
from shared.http.moments import not_as_of
from shared.program.model import Program

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


async def balances_at(engine: AsyncEngine, customer_id: str, moment: datetime) -> Balances:
    """The balances at a moment that is past. Raises the problem that they are not known."""
    async with engine.begin() as connection:
        await connection.execute(SNAPSHOT)
        with as_problems():
            return (await holdings_at(connection, customer_id, moment)).at(moment)


async def tier_at(engine: AsyncEngine, customer_id: str, program: Program, moment: datetime) -> Member:
    """The member as they stood at a moment that is past, under the program of then. Raises the problem that it is not
    known."""
    async with engine.begin() as connection:
        await connection.execute(SNAPSHOT)
        with as_problems():
            return await member_at(connection, customer_id, program, moment)
