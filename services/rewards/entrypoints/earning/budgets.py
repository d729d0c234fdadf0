"""What rules with a cap for all customers together have given, and what is left."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.rewards.adapters.earning import budgets
from services.rewards.entrypoints.service import MayRead, Service, as_problem
from shared.http.openapi import problem_responses


class BudgetView(BaseModel):
    """One rule's points for all customers together. `given` counts points when they are earned, whatever was taken
    back since."""

    rule: str
    cap: int
    given: int
    left: int


class Budgets(BaseModel):
    """All such rules of the version that counts now."""

    program_version: int
    items: list[BudgetView] = Field(description="In the order of the program.")


def budget_routes(service: Service) -> APIRouter:
    """`GET /v1/program/budgets`."""
    router = APIRouter(tags=["program"])

    @router.get(
        "/v1/program/budgets",
        summary="What is left of the budgets for all customers together",
        responses=problem_responses(503),
    )
    async def get_budgets(_: MayRead) -> Budgets:
        """How far the caps for all customers together (`cap: {program: …}`) are used up, as committed by now."""
        async with service.reading.connect() as connection:
            try:
                program = (await service.programs.current(connection, service.clock())).program
            except Exception as error:
                raise as_problem(error) from error
            given = await budgets.given(connection)
        return Budgets(
            program_version=program.version,
            items=[
                BudgetView(
                    rule=rule.id,
                    cap=rule.cap.program,
                    given=given.get(rule.id, 0),
                    left=max(rule.cap.program - given.get(rule.id, 0), 0),
                )
                for rule in program.points.earn
                if rule.cap is not None and rule.cap.program is not None
            ],
        )

    return router
