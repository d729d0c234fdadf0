"""The report of a campaign: what it brought, compared with leaving customers alone."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.campaigns.figures import last_version, read_figures, read_versions
from services.rewards.domain.experiments.report import report, shares_of
from services.rewards.domain.experiments.treatment import Treatment, treatment_of
from services.rewards.entrypoints.campaigns.report_schemas import CampaignReport, report_view
from services.rewards.entrypoints.service import MayRead, Service, as_problem
from shared.http.deadline import extend_deadline
from shared.http.openapi import problem_responses
from shared.http.problems import Problem, ProblemError, not_found
from shared.http.types import Instant, QueryText
from shared.program.model.campaigns import Campaign
from shared.program.model.program import Program
from shared.program.versions.reading import UnreadableProgramError

VERSIONS_MAX = 50
"""Of the program within the period, to look for changes in; the newest ones."""
EVER = datetime(1900, 1, 1, tzinfo=UTC), datetime(2201, 1, 1, tzinfo=UTC)
REPORT_MAX_S = 120.0
"""100,000 customers with ten orders each take a few seconds."""
AT_ONCE = 2
"""Reports that one process makes at the same time: they share the database with the checkout."""
_SNAPSHOT = (
    text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"),
    text(f"SET LOCAL statement_timeout = '{REPORT_MAX_S:.0f}s'"),
    text("SET LOCAL work_mem = '64MB'"),
)

CampaignId = Annotated[
    QueryText, Path(description="The campaign's id, as in the program, or in one of before.")
]
From = Annotated[
    Instant | None, Query(alias="from", description="Runs that began then or later; all, if left out.")
]
Until = Annotated[
    Instant | None, Query(alias="to", description="Runs that began before then; all, if left out.")
]


def campaign_report_routes(service: Service) -> APIRouter:
    """`GET /v1/campaigns/{id}/report`."""
    router = APIRouter(tags=["campaigns"])
    room = asyncio.Semaphore(AT_ONCE)

    @router.get(
        "/v1/campaigns/{campaign}/report",
        summary="What a campaign brought",
        responses=problem_responses(404, 422, 503),
    )
    async def get_report(
        request: Request, campaign: CampaignId, _: MayRead, first: From = None, last: Until = None
    ) -> CampaignReport:
        """Arm by arm who got what and reached the goal; against the hold-out, with intervals, what would not have come
        without the campaign, in goals and in money, and what that cost. Says so where numbers are too few."""
        now = service.clock()
        since, until = first or EVER[0], last or EVER[1]
        if since >= until:
            wrong = ProblemError("", "wrong_period", "must be later than `from`", parameter="to")
            raise Problem(422, "invalid_request", "Invalid request", None, [wrong])
        extend_deadline(request, REPORT_MAX_S)
        async with room, service.engine.begin() as connection:
            for setting in _SNAPSHOT:
                await connection.execute(setting)
            try:
                live = (await service.programs.latest(connection, now))[0].program
                program, found = await _campaign(service, connection, campaign, live)
                versions = await read_versions(connection, campaign, since, until)
                changed = await _changed(service, connection, campaign, versions)
            except Exception as error:
                raise as_problem(error) from error
            figures = await read_figures(connection, campaign, since, until, now)
        return report_view(
            campaign,
            program.version,
            (first, last),
            program.currency,
            report(found, program, figures, changed, removed=program is not live),
            shares_of(found),
        )

    return router


async def _campaign(
    service: Service, connection: AsyncConnection, name: str, live: Program
) -> tuple[Program, Campaign]:
    """The campaign as the program in force has it, or as the last one that ran it did. Raises the 404 problem."""
    program, found = live, _in(live, name)
    if found is None:
        version = await last_version(connection, name)
        if version is not None:
            program = (await service.programs.version(connection, version)).program
            found = _in(program, name)
    if found is None:
        known = ", ".join(sorted(one.id for one in live.campaigns)) or "none"
        detail = f"The program has no campaign of this id, and none of it ever ran. It has: {known}."
        raise not_found(detail)
    return program, found


async def _changed(
    service: Service, connection: AsyncConnection, campaign: str, versions: Sequence[int]
) -> list[int]:
    """The versions, one for each different way in which the campaign ran, if there are several; else none. One that
    cannot be read any more may have been another way."""
    ways: dict[int, Treatment | None] = {}
    for version in versions[-VERSIONS_MAX:]:
        try:
            program = (await service.programs.version(connection, version)).program
        except UnreadableProgramError:
            ways[version] = None
            continue
        way = treatment_of(program, campaign)
        if way is not None and way not in ways.values():
            ways[version] = way
    return list(ways) if len(ways) > 1 else []


def _in(program: Program, name: str) -> Campaign | None:
    return next((one for one in program.campaigns if one.id == name), None)
