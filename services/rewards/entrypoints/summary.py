"""All members together."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.rewards.adapters.totals import by_tier, offers_issued, runs_begun
from services.rewards.entrypoints.service import MayRead, Service
from shared.http.openapi import problem_responses


class CampaignCount(BaseModel):
    """How often a campaign began, and asked for a message."""

    runs: int
    messages: int


class Summary(BaseModel):
    """Points, members, offers and campaigns at this moment."""

    points_issued: int = Field(description="All points ever earned, less what refunds took back.")
    points_available: int
    members: dict[str, int] = Field(
        description="Members by tier, every tier of the program from the lowest up."
    )
    offers: int
    milestone_offers: int
    campaigns: dict[str, CampaignCount] = Field(description="Campaigns that began, most runs first.")


def summary_routes(service: Service) -> APIRouter:
    """`GET /v1/summary`."""
    router = APIRouter(tags=["program"])

    @router.get(
        "/v1/summary",
        summary="All customers together: points, tiers, offers",
        responses=problem_responses(503),
    )
    async def get_summary(_: MayRead) -> Summary:
        """Counts and sums over all members."""
        async with service.reading.connect() as connection:
            program = (await service.programs.current(connection, service.clock())).program
            totals = await by_tier(connection)
            offers, milestone_offers = await offers_issued(connection)
            begun = await runs_begun(connection)
        levels = [level.id for level in program.tiers.levels] if program.tiers else []
        members = dict.fromkeys(levels, 0)
        for row in totals:
            tier = row.tier or (levels[0] if levels else "none")
            members[tier] = members.get(tier, 0) + row.members
        return Summary(
            points_issued=sum(row.points_issued for row in totals),
            points_available=sum(row.points_available for row in totals),
            members=members,
            offers=offers,
            milestone_offers=milestone_offers,
            campaigns={name: CampaignCount(runs=runs, messages=wrote) for name, runs, wrote in begun},
        )

    return router
