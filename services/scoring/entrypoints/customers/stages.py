"""`/v1/customers/{customer}/stages`: the lifecycle of one customer, looked back upon."""

from typing import Annotated

import msgspec
from fastapi import APIRouter

from services.scoring.adapters.customers.profiles import Profiles
from services.scoring.application.customers.portray import Portray
from services.scoring.entrypoints.customers.customers import Reader
from services.scoring.entrypoints.customers.lookup import NOT_THEN, find_or_404, unknown_customer
from services.scoring.entrypoints.customers.schemas import StageChange
from shared.clock import Clock
from shared.http.moments import At
from shared.http.openapi import problem_responses
from shared.http.paging import PAGE_DEFAULT, Page, PageCursor, PageLimit, decode_cursor, encode_cursor
from shared.http.types import CustomerRef

_Older = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
"""How many of the oldest changes are still to come: new ones do not shift it."""


def stage_routes(profiles: Profiles, portray: Portray, clock: Clock) -> APIRouter:
    """The routes of the lifecycle."""
    router = APIRouter(tags=["customers"], responses=problem_responses(401, 403, 422, 503))

    @router.get(
        "/v1/customers/{customer}/stages",
        summary="The lifecycle: every change of stage, newest first",
        responses=problem_responses(404),
    )
    async def stages(
        _: Reader,
        customer: CustomerRef,
        at: At = None,
        limit: PageLimit = PAGE_DEFAULT,
        cursor: PageCursor = None,
    ) -> Page[StageChange]:
        """When and why each happened, by all events known now; with `at`, only those up to that moment."""
        older = None if cursor is None else decode_cursor(cursor, _Older)
        now = clock()
        async with profiles.engine.connect() as connection:
            known = await find_or_404(profiles, connection, customer)
            course = await portray.stages(connection, known, now if at is None else min(at, now))
        if not course:
            raise unknown_customer(NOT_THEN)
        rest = course if older is None else course[max(0, len(course) - older) :]
        more = encode_cursor(len(rest) - limit) if len(rest) > limit else None
        return Page(items=[StageChange.of(one) for one in rest[:limit]], next=more)

    return router
