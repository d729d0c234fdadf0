"""Which version of the program scoring goes by, and how far what it concerns has been made anew."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncEngine

from services.scoring.adapters.programs import read_followed
from shared.auth.guard import Principal, require
from shared.auth.scopes import Scope
from shared.http.openapi import problem_responses

Reader = Annotated[Principal, Depends(require(Scope.PROFILES_READ))]


class RebuildView(BaseModel):
    """A rebuild folds every customer anew; `changed` of the `customers` done so far are others than before."""

    begun_at: datetime
    finished_at: datetime | None = Field(description="Null while there are more customers.")
    customers: int
    changed: int


class FollowedView(BaseModel):
    """The version that counts here, and what was made anew for it."""

    version: int = Field(description="0: the program file, as long as no version is stored.")
    since: datetime | None
    anew: list[str] = Field(
        description="`fold`: every customer's state. `look`: scores and segments. `metrics`: the sums."
    )
    rebuild: RebuildView | None = Field(description="The latest one.")


def program_routes(engine: AsyncEngine) -> APIRouter:
    """`GET /v1/program/followed`."""
    router = APIRouter(tags=["program"], responses=problem_responses(401, 403, 503))

    @router.get("/v1/program/followed", summary="The program that scoring goes by")
    async def followed(_: Reader) -> FollowedView:
        """Rewards has the program itself (`GET /v1/program`). Within a second of coming in force it counts here."""
        async with engine.connect() as connection:
            found = await read_followed(connection)
        rebuild = None
        if found.begun_at is not None and found.customers is not None and found.changed is not None:
            rebuild = RebuildView(
                begun_at=found.begun_at,
                finished_at=found.finished_at,
                customers=found.customers,
                changed=found.changed,
            )
        anew = (found.anew or "").split()
        return FollowedView(version=found.version, since=found.since, anew=anew, rebuild=rebuild)

    return router
