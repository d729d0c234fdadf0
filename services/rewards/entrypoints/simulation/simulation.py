"""The simulation: what would a program have given over real history, against the one in force?"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic_core import to_json

from services.rewards.application.simulation.simulating import Finding, Task
from services.rewards.domain.simulation.report import report
from services.rewards.domain.simulation.result import Summary
from services.rewards.domain.simulation.summary import summarize
from services.rewards.entrypoints.programs.schemas import PROGRAM_BODY, invalid_program, source_of
from services.rewards.entrypoints.service import MayChangeProgram, Service, as_problem
from services.rewards.entrypoints.simulation.preparing import Wish, prepare
from services.rewards.entrypoints.simulation.simulator import SimulatorError
from shared.http.deadline import extend_deadline
from shared.http.openapi import problem_responses
from shared.http.problems import Problem, ProblemError, dependency_unavailable, invalid_request
from shared.http.types import CustomerName, Instant
from shared.program.faults import ProgramError
from shared.program.versions.reading import UnreadableProgramError
from shared.program.versions.store import check_program

SIMULATION_MAX_S = 900.0
CUSTOMERS_MAX = 1_000

Simulate = Callable[[Task], Awaitable[Finding]]
"""Plays a task, in processes of its own."""

From = Annotated[
    Instant | None,
    Query(alias="from", description="Figures count from then on; history before it is played, not counted."),
]
Until = Annotated[
    Instant | None, Query(alias="to", description="History is played until then; now, if left out.")
]
Sample = Annotated[
    float,
    Query(gt=0, le=100, description="Percent of all customers: always the same ones for the same number."),
]
Customers = Annotated[
    list[CustomerName],
    Query(alias="customer", max_length=CUSTOMERS_MAX, description="Only these; may be given several times."),
]


def simulation_routes(service: Service, simulate: Simulate) -> APIRouter:
    """`POST /v1/program/simulate`."""
    router = APIRouter(tags=["program"])
    running = asyncio.Lock()

    @router.post(
        "/v1/program/simulate",
        summary="What a program would have given",
        response_model=Summary,
        responses={
            200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
            **problem_responses(400, 404, 409, 422, 503),
        },
        openapi_extra=PROGRAM_BODY,
    )
    async def simulate_program(
        request: Request,
        _: MayChangeProgram,
        since: From = None,
        until: Until = None,
        sample: Sample = 100.0,
        customers: Customers = [],  # noqa: B006  # FastAPI copies it
    ) -> Response:
        """Play a program over the history that is kept, and set it against the one in force: points, codes, tiers, cost
        and liability, by rule, segment and customer. Nothing is written. With `Accept: text/plain` the answer is a page
        to read. It may take minutes; one simulation runs at a time in a process, others answer 409
        `simulation_running`."""
        source = source_of(await request.body(), request.headers.get("content-type", ""))
        now = service.clock()
        wish = Wish(source, since, _until(since, until, now), sample, tuple(customers))
        if running.locked():
            raise Problem(
                409, "simulation_running", "A simulation is running", "Try again when it has ended."
            )
        async with running:
            extend_deadline(request, SIMULATION_MAX_S)
            summary = await _summary(service, simulate, wish, now)
        if "text/plain" in request.headers.get("accept", ""):
            return PlainTextResponse(report(summary))
        return Response(to_json(summary), media_type="application/json")

    return router


def _until(since: datetime | None, until: datetime | None, now: datetime) -> datetime:
    end = min(until, now) if until is not None else now
    if since is not None and since >= end:
        raise invalid_request(
            ProblemError("", "out_of_range", "must lie before `to`, and before now", "from")
        )
    return end


async def _summary(service: Service, simulate: Simulate, wish: Wish, now: datetime) -> Summary:
    try:
        async with service.engine.begin() as connection:
            _, proposed = await check_program(connection, wish.source, now)
            customers = [await service.customer(connection, name) for name in wish.customers]
            live = (await service.programs.latest(connection, now))[0].program
            task = await prepare(connection, service.programs, wish, customers, live)
    except UnreadableProgramError as error:
        raise as_problem(error) from error
    except ProgramError as error:
        raise invalid_program(error) from None
    except Exception as error:
        raise as_problem(error) from error
    try:
        finding = await simulate(task)
    except* SimulatorError as errors:
        raise dependency_unavailable(f"The simulation did not end well: {errors.exceptions[0]}") from None
    return summarize(finding.contrast, live, proposed, wish.since, wish.until)
