"""The program: read it, check a text, and put a new version in force."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.rewards.entrypoints.programs.schemas import (
    PROGRAM_BODY,
    ChangeView,
    CheckView,
    ProgramView,
    PutView,
    impossible_activation,
    invalid_program,
    source_of,
)
from services.rewards.entrypoints.service import MayChangeProgram, MayRead, Service, as_problem
from shared.http.openapi import problem_responses
from shared.http.types import Instant
from shared.program.faults import ProgramError
from shared.program.versions.reading import read_timeline, read_version
from shared.program.versions.store import ActivationError, check_program

At = Annotated[Instant | None, Query(description="From which moment on; left out: at once.")]


def program_routes(service: Service) -> APIRouter:
    """`GET|PUT /v1/program`, `POST /v1/program/check`."""
    router = APIRouter(tags=["program"])

    @router.get("/v1/program", summary="The program in force", responses=problem_responses(503))
    async def get_program(_: MayRead) -> ProgramView:
        """The version in force, and what is scheduled."""
        now = service.clock()
        async with service.reading.connect() as connection:
            try:
                timeline = (await service.programs.latest(connection, now))[1]
            except Exception as error:
                raise as_problem(error) from error
            in_force = timeline.in_force(now)
            assert in_force is not None
            stored = await read_version(connection, in_force.version)
        return ProgramView.of(stored, in_force, timeline.scheduled(now))

    @router.put(
        "/v1/program",
        summary="Put a program in force, at once or from a moment on",
        responses=problem_responses(400, 409, 422),
        openapi_extra=PROGRAM_BODY,
    )
    async def put_program(request: Request, principal: MayChangeProgram, at: At = None) -> PutView:
        """Put a new version in force, at once (within a second everywhere) or at a moment to come. It counts for what
        is decided from then on, never for the past. The text that is in force then anyway changes nothing. 422
        `invalid_program` names every fault by line and column."""
        source = source_of(await request.body(), request.headers.get("content-type", ""))
        async with service.engine.begin() as connection:
            now = await service.deciding.now(connection)
            try:
                before, after = await check_program(connection, source, now, at)
                put = await service.programs.put(
                    connection, source, actor=principal.key_id, now=now, starts_at=at
                )
            except ProgramError as error:
                raise invalid_program(error) from None
            except ActivationError as error:
                raise impossible_activation(error) from None
            stored = await read_version(connection, put.version)
            timeline = await read_timeline(connection)
        view = ProgramView.of(stored, put, [one for one in timeline.scheduled(now) if one != put])
        return PutView(**dict(view), difference=ChangeView.all_of(before, after))

    @router.post(
        "/v1/program/check",
        summary="Is this program fit to go live?",
        responses=problem_responses(400, 422, 503),
        openapi_extra=PROGRAM_BODY,
    )
    async def check(request: Request, _: MayChangeProgram, at: At = None) -> CheckView:
        """What `PUT` would answer, and what would be another than in the version in force (then): nothing is stored.
        422 `invalid_program` names every fault by line and column."""
        source = source_of(await request.body(), request.headers.get("content-type", ""))
        async with service.reading.connect() as connection:
            try:
                now = await service.deciding.now(connection)
                before, after = await check_program(connection, source, now, at)
            except ProgramError as error:
                raise invalid_program(error) from None
        return CheckView(name=after.name, difference=ChangeView.all_of(before, after))

    return router
