"""What every route of rewards works with, and how refusals are answered."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Response
from fastapi import Request as HttpRequest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.rewards.adapters.programs import NoProgramError, PostgresPrograms
from services.rewards.adapters.reading.reader import Reader
from services.rewards.application.campaigns.campaigning import Campaigns
from services.rewards.application.points.adjusting import AdjustPoints
from services.rewards.application.ports import Members
from services.rewards.application.spending.batching import Batcher
from services.rewards.application.spending.checkout import CheckoutStore, Request
from services.rewards.application.spending.codes import Codes
from services.rewards.domain.refusals import RefusedError, unknown_customer
from shared.auth.guard import Guard, Principal, require
from shared.auth.scopes import Scope
from shared.bus.interface import Outbox
from shared.clock import Clock
from shared.http.idempotency import IdempotencyKeys
from shared.http.problems import Problem, ProblemError, dependency_unavailable
from shared.program.versions.deciding import DecisionClock
from shared.program.versions.reading import UnreadableProgramError

UNREADABLE_RETRY_S = 30
"""Somebody must put another version in force: sooner it is no use."""

MayRead = Annotated[Principal, Depends(require(Scope.REWARDS_READ))]
MayWrite = Annotated[Principal, Depends(require(Scope.REWARDS_WRITE))]
MayChangeProgram = Annotated[Principal, Depends(require(Scope.PROGRAM_WRITE))]


@dataclass(frozen=True, slots=True)
class Service:
    """The parts that `wiring` has put together."""

    engine: AsyncEngine
    reading: AsyncEngine
    """The same pool for routes that only read, each statement at a moment of its own."""
    clock: Clock
    deciding: DecisionClock
    """When it is, for decisions about versions of the program."""
    guard: Guard
    reader: Reader
    programs: PostgresPrograms
    members: Members
    campaigns: Campaigns
    store: CheckoutStore
    keys: IdempotencyKeys
    outbox: Outbox
    adjust: AdjustPoints
    codes: Codes
    checkout: Batcher[Request, bytes]

    async def customer(self, connection: AsyncConnection, name: str) -> str:
        """The id of the customer who goes by `name`. Raises the 404 problem."""
        found = await self.reader.customer(connection, name)
        if found is None:
            raise problem(unknown_customer())
        return found


def problem(refusal: RefusedError) -> Problem:
    """The problem document of a refusal."""
    wait_s = refusal.extra.get("retry_after")
    return Problem(
        refusal.status,
        refusal.code,
        refusal.title,
        refusal.detail,
        [ProblemError(refusal.pointer, refusal.code, refusal.detail)] if refusal.pointer is not None else (),
        headers={"Retry-After": str(wait_s)} if wait_s is not None else {},
        extra=refusal.extra,
    )


async def answer_problem(_: HttpRequest, error: Exception) -> Response:
    """Answers what a route did not: that there is no program, or none that can be read."""
    problem = as_problem(error)
    assert isinstance(problem, Problem)
    return problem.response()


def as_problem(error: Exception) -> Exception:
    """The problem for what a use case raised; anything unforeseen stays what it is."""
    if isinstance(error, RefusedError):
        return problem(error)
    if isinstance(error, UnreadableProgramError):
        return Problem(
            503,
            "program_unreadable",
            "The program cannot be read",
            f"{error.reason} Nothing is decided by another one.",
            headers={"Retry-After": str(UNREADABLE_RETRY_S)},
            extra={"program_version": error.version},
        )
    if isinstance(error, NoProgramError):
        return dependency_unavailable("No program has been stored yet; the worker stores it when it starts.")
    return error
