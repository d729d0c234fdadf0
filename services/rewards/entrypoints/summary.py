"""All members together."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.rewards.adapters.reading.totals import by_tier, offers_issued, runs_begun
from services.rewards.entrypoints.service import MayRead, Service
from shared.http.openapi import problem_responses
from shared.http.types import Instant

DEAR_S = 0.5
"""An answer that took longer to count is kept for a while."""
KEPT_FOR = 10
"""So many times longer than it took: counting takes a tenth of a connection at most, however many ask."""


class CampaignCount(BaseModel):
    """How often a campaign began, and asked for a message."""

    runs: int
    messages: int


class Summary(BaseModel):
    """Points, members, offers and campaigns, as of a moment ago."""

    as_of: Instant = Field(
        description="When it was counted: now, or a little earlier where counting takes long."
    )
    points_issued: int = Field(description="All points ever earned, less what refunds took back.")
    points_available: int
    members: dict[str, int] = Field(
        description="Members by tier, every tier of the program from the lowest up."
    )
    offers: int
    milestone_offers: int
    campaigns: dict[str, CampaignCount] = Field(description="Campaigns that began, most runs first.")


class LastSummary:
    """Counts one at a time, and gives a count that was dear again. `seconds` is a clock."""

    def __init__(self, count: Callable[[], Awaitable[Summary]], seconds: Callable[[], float]) -> None:
        self._count = count
        self._seconds = seconds
        self._counting = asyncio.Lock()
        self._last: Summary | None = None
        self._good_until = 0.0

    async def get(self) -> Summary:
        """One that is good."""
        async with self._counting:
            begun = self._seconds()
            if self._last is None or begun >= self._good_until:
                self._last = await self._count()
                took = self._seconds() - begun
                self._good_until = begun + took * (1 + KEPT_FOR) if took > DEAR_S else begun
            return self._last


def summary_routes(service: Service) -> APIRouter:
    """`GET /v1/summary`."""
    router = APIRouter(tags=["program"])
    last = LastSummary(lambda: _count(service), time.monotonic)

    @router.get(
        "/v1/summary",
        summary="All customers together: points, tiers, offers",
        responses=problem_responses(503),
    )
    async def get_summary(_: MayRead) -> Summary:
        """Counts and sums over all members. An answer that took long to count is given again for ten times as long."""
        return await last.get()

    return router


async def _count(service: Service) -> Summary:
    now = service.clock()
    async with service.reading.connect() as connection:
        program = (await service.programs.current(connection, now)).program
        totals = await by_tier(connection)
        offers, milestone_offers = await offers_issued(connection)
        begun = await runs_begun(connection)
    levels = [level.id for level in program.tiers.levels] if program.tiers else []
    members = dict.fromkeys(levels, 0)
    for row in totals:
        tier = row.tier or (levels[0] if levels else "none")
        members[tier] = members.get(tier, 0) + row.members
    return Summary(
        as_of=now,
        points_issued=sum(row.points_issued for row in totals),
        points_available=sum(row.points_available for row in totals),
        members=members,
        offers=offers,
        milestone_offers=milestone_offers,
        campaigns={name: CampaignCount(runs=runs, messages=wrote) for name, runs, wrote in begun},
    )
