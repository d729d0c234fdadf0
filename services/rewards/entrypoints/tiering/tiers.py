"""A customer's tier: what it is and brings, what is missing, how it came about."""

from datetime import datetime

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.tiering import rows as tier_rows
from services.rewards.adapters.tiering.standings import load_counted
from services.rewards.domain.state.member import Member
from services.rewards.domain.tiering.tiers import measure_of, start_of_window
from services.rewards.entrypoints.moments import program_then, tier_at
from services.rewards.entrypoints.service import MayRead, Service
from services.rewards.entrypoints.tiering.schemas import (
    TierChangeView,
    TierView,
    tier_view,
)
from shared.http.moments import At
from shared.http.openapi import problem_responses
from shared.http.paging import PAGE_DEFAULT, Page, PageCursor, PageLimit, decode_cursor, encode_cursor
from shared.http.types import CustomerRef
from shared.program.model.program import Program

NUMBER_MAX = 2**31 - 1


def tier_routes(service: Service) -> APIRouter:
    """The routes under `/v1/customers/{customer}/tier`."""
    router = APIRouter(tags=["tiers"], responses=problem_responses(404, 422))

    @router.get(
        "/v1/customers/{customer}/tier", summary="The tier, what is missing to the next and to keep it"
    )
    async def get_tier(customer: CustomerRef, _: MayRead, at: At = None) -> TierView:
        """The customer's tier, what is missing to the next one, and to keep it; or as that was `at` a moment."""
        now = service.clock()
        moment = min(at or now, now)
        async with service.reading.connect() as connection:
            customer_id = await service.customer(connection, customer)
            if moment == now:
                program = (await service.programs.current(connection, now)).program
                member = await _counted(service, connection, customer_id, program, now)
                return tier_view(program, member, now)
            program = await program_then(service.programs, connection, moment, "tiers")
        then = tier_view(program, await tier_at(service.engine, customer_id, program, moment), moment)
        return then if program.tiers is not None else then.model_copy(update={"spend": None})

    @router.get("/v1/customers/{customer}/tier/history", summary="Every change of tier, with its reason")
    async def get_history(
        customer: CustomerRef, _: MayRead, limit: PageLimit = PAGE_DEFAULT, cursor: PageCursor = None
    ) -> Page[TierChangeView]:
        """Every change of the customer's tier, the newest first, each with its reason."""
        before = NUMBER_MAX if cursor is None else min(decode_cursor(cursor, int), NUMBER_MAX)
        async with service.reading.connect() as connection:
            customer_id = await service.customer(connection, customer)
            rows = await tier_rows.read_history(connection, customer_id, before, limit + 1)
        following = encode_cursor(rows[limit - 1].number) if len(rows) > limit else None
        items = [TierChangeView.model_validate(row, from_attributes=True) for row in rows[:limit]]
        return Page(items=items, next=following)

    return router


async def _counted(
    service: Service, connection: AsyncConnection, customer_id: str, program: Program, now: datetime
) -> Member:
    """The member with all that counts towards tiers; only to look at."""
    member = await service.reader.member(connection, customer_id, start_of_window(program, now))
    measure = measure_of(program)
    if measure is not None:
        await load_counted(connection, {customer_id: member}, [customer_id], measure)
    return member
