"""The campaigns of the program, and which of them began for a customer."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from services.rewards.adapters.campaigns import runs as campaign_runs
from services.rewards.domain.state.runs import State
from services.rewards.entrypoints.service import MayRead, Service
from shared.http.openapi import problem_responses
from shared.http.paging import PAGE_DEFAULT, Page, PageCursor, PageLimit, decode_cursor, encode_cursor
from shared.http.problems import not_found
from shared.http.types import CustomerRef, QueryText
from shared.program.describing.describe import describe_action, describe_campaign, describe_limit
from shared.program.describing.stated import rule_text
from shared.program.model.campaigns import Campaign

COUNTED = timedelta(days=30)
CampaignId = Annotated[QueryText, Path(description="The campaign's id, as in the program.")]


class VariantView(BaseModel):
    """One way of doing it."""

    id: str
    share: Decimal = Field(description="Percentage of the customers who are not held out.")
    do: list[str]


class CampaignView(BaseModel):
    """A campaign of the program in force."""

    id: str
    on: str = Field(description="The occasion on which it begins.")
    description: str = Field(description="All of it in one sentence.")
    when: str | None
    after: str | None = Field(
        description="How long the silence lasts, how long ahead the date is, or how long it waits; ISO 8601."
    )
    at_most: str | None
    holdout: Decimal | None = Field(description="Percentage of customers who are left alone.")
    do: list[str]
    variants: list[VariantView]
    success: str | None = Field(description="The event that reaches its goal, and within which time.")


class CampaignDetail(CampaignView):
    """A campaign, as the program's file states it, and how its runs of the last 30 days stand."""

    text: str | None = Field(description="As the program's file has it.")
    program_version: int
    runs: dict[State, int] = Field(description="Runs that began within the last 30 days, by state.")
    reached: int = Field(description="Of these, how many have reached the goal.")


class RunView(BaseModel):
    """One time that a campaign began for the customer."""

    run: str
    campaign: str
    on: str
    cause: str = Field(description="The activity behind it, or what time did.")
    arm: str = Field(description="What the customer is given: a variant, `treated`, or `holdout` (nothing).")
    state: State = Field(
        description="`waiting` until `due_at`; `done`; `superseded`: done but for its message, as an earlier campaign"
        " of the file writes about the same; `held_out`: nothing was done; `stopped`: the goal was reached before it"
        " was due; `unmet`: what it began on held no more when it was due; `dropped`: the program has it no longer."
    )
    wrote: bool = Field(description="Whether it asked for a message.")
    started_at: datetime
    due_at: datetime
    goal_until: datetime | None = Field(description="Until when its goal counts.")
    reached_at: datetime | None
    revenue: Decimal | None = Field(description="What the order that reached the goal came to.")
    program_version: int


def campaign_routes(service: Service) -> APIRouter:
    """`GET /v1/campaigns`, `GET /v1/campaigns/{campaign}` and its report, `GET /v1/customers/{customer}/campaigns`."""
    router = APIRouter()

    @router.get("/v1/campaigns", summary="The campaigns of the program", tags=["campaigns"])
    async def get_campaigns(_: MayRead) -> Page[CampaignView]:
        """The campaigns of the program in force, in the order of its file: of two that would write about the same, the
        first one does."""
        async with service.reading.connect() as connection:
            rulebook = await service.programs.current(connection, service.clock())
        return Page(items=[CampaignView(**_fields(one)) for one in rulebook.program.campaigns], next=None)

    @router.get(
        "/v1/campaigns/{campaign}",
        summary="One campaign",
        tags=["campaigns"],
        responses=problem_responses(404),
    )
    async def get_campaign(campaign: CampaignId, _: MayRead) -> CampaignDetail:
        """A campaign of the program in force, and how its runs of the last 30 days stand."""
        now = service.clock()
        async with service.reading.connect() as connection:
            rulebook = await service.programs.current(connection, now)
            found = next((one for one in rulebook.program.campaigns if one.id == campaign), None)
            if found is None:
                raise not_found("The program in force has no such campaign.")
            version = rulebook.program.version
            source = await service.programs.source(connection, version)
            counts = await campaign_runs.counts(connection, campaign, now - COUNTED)
        return CampaignDetail(
            **_fields(found),
            text=rule_text(source, campaign),
            program_version=version,
            runs={State(state): runs for state, runs, _ in counts},
            reached=sum(reached for _, _, reached in counts),
        )

    @router.get(
        "/v1/customers/{customer}/campaigns",
        summary="Campaigns that began for a customer",
        tags=["customers"],
        responses=problem_responses(404, 422),
    )
    async def get_runs(
        customer: CustomerRef, _: MayRead, limit: PageLimit = PAGE_DEFAULT, cursor: PageCursor = None
    ) -> Page[RunView]:
        """Each time that a campaign began for the customer, newest first: why, in which arm, and what came of it."""
        before = decode_cursor(cursor, tuple[datetime, str]) if cursor is not None else None
        async with service.reading.connect() as connection:
            customer_id = await service.customer(connection, customer)
            rows = await campaign_runs.of_customer(connection, customer_id, before, limit + 1)
        last = rows[limit - 1] if len(rows) > limit else None
        return Page(
            items=[RunView.model_validate(row, from_attributes=True) for row in rows[:limit]],
            next=encode_cursor((last.started_at, last.run)) if last else None,
        )

    return router


def _fields(campaign: Campaign) -> dict[str, object]:
    goal = campaign.success
    return {
        "id": campaign.id,
        "on": campaign.on,
        "description": describe_campaign(campaign),
        "when": campaign.when.source if campaign.when is not None else None,
        "after": str(campaign.after) if campaign.after is not None else None,
        "at_most": describe_limit(campaign.limit) if campaign.limit is not None else None,
        "holdout": campaign.holdout,
        "do": [describe_action(action) for action in campaign.do],
        "variants": [
            VariantView(id=one.id, share=one.share, do=[describe_action(action) for action in one.do])
            for one in campaign.variants
        ],
        "success": f"{goal.on} within {goal.within}" if goal is not None else None,
    }
