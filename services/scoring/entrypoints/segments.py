"""`/v1/segments`: who belongs together, by one rule each; and whom a rule would find before it is saved."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.scoring.adapters.segments.memberships import PostgresMemberships
from services.scoring.adapters.segments.previews import Previews
from services.scoring.adapters.segments.segments import PostgresRules, Saved
from services.scoring.application.customers.portray import Portray
from services.scoring.application.due.reassess import is_done
from services.scoring.entrypoints.customers.schemas import CustomerSummary
from shared.auth.guard import Principal, require
from shared.auth.scopes import Scope
from shared.clock import Clock
from shared.http.deadline import extend_deadline
from shared.http.openapi import problem_responses
from shared.http.problems import Problem, ProblemError, invalid_request
from shared.http.shapes import Shape
from shared.program.conditions.condition import Condition, ConditionError
from shared.program.model.ids import LENGTH_MAX, is_id

SEGMENTS_MAX = 500
"""Saved over the API."""

PREVIEW_S = 60.0
"""How long a preview may take: a rule that only Python can answer looks at customer after customer."""

Reader = Annotated[Principal, Depends(require(Scope.PROFILES_READ))]
Writer = Annotated[Principal, Depends(require(Scope.PROFILES_WRITE))]
SegmentId = Annotated[str, Path(min_length=1, max_length=LENGTH_MAX, description="Such as `big-spenders`.")]


class RuleRequest(Shape):
    """A rule in CEL about `customer`, such as `customer.spend_30d >= 500`."""

    rule: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class SegmentView(BaseModel):
    """A segment with its members at this moment."""

    id: str
    rule: str
    source: Literal["program", "api"] = Field(
        description="Where its rule stands; the program's counts first."
    )
    customers: int = Field(description="Members now.")
    complete: bool = Field(
        description="False while all customers are looked at because a day began or rules changed."
    )
    valid: bool = Field(
        True, description="False when this version cannot read the rule any more: nobody is in it."
    )
    shadowed: bool = Field(
        False, description="True when the program has a segment of this id, which counts instead."
    )
    changed_at: datetime | None = Field(None, description="When it was saved over the API.")


class SegmentList(BaseModel):
    """All segments: the program's in its order, then those saved over the API by id."""

    items: list[SegmentView]


class PreviewView(BaseModel):
    """How many customers a rule finds, and some of them."""

    count: int
    sample: list[CustomerSummary]


def segment_routes(engine: AsyncEngine, rules: PostgresRules, portray: Portray, clock: Clock) -> APIRouter:
    """The routes of segments."""
    router = APIRouter(tags=["segments"], responses=problem_responses(401, 403, 422, 503))
    views = _Views(rules, clock)
    previews = Previews()

    @router.get("/v1/segments", summary="All segments with their live counts")
    async def list_segments(_: Reader) -> SegmentList:
        """Counts are of members, kept by events, by time and by saved rules."""
        async with engine.connect() as connection:
            return SegmentList(items=await views.all(connection))

    @router.get(
        "/v1/segments/{segment}",
        summary="One segment",
        responses=problem_responses(404),
    )
    async def get_segment(_: Reader, segment: SegmentId) -> SegmentView:
        """Its rule and its live count."""
        async with engine.connect() as connection:
            return await views.one(connection, segment)

    @router.put("/v1/segments/{segment}", summary="Save a segment", responses=problem_responses(409))
    async def put_segment(principal: Writer, segment: SegmentId, body: RuleRequest) -> SegmentView:
        """It counts for every event from now on; who is in it already enters within minutes, told as history. The same
        rule again changes nothing. 409 `segment_of_program` when the program defines the id."""
        async with engine.begin() as connection:
            await rules.current(connection)  # the ids and the time zone of the program that counts
            views.need_id(segment)
            condition = checked(rules, body.rule)
            saved = {one.id: one.rule for one in await rules.saved(connection)}
            # It counts under the lock: of two that save at once, one comes after the other.
            if saved.get(segment) != condition.source and not await rules.put(
                connection, segment, condition.source, actor=principal.key_id, now=clock(), limit=SEGMENTS_MAX
            ):
                raise _conflict(
                    "too_many_segments", "Too many segments", f"{SEGMENTS_MAX} are the most; delete one."
                )
        async with engine.connect() as connection:
            return await views.one(connection, segment)

    @router.delete(
        "/v1/segments/{segment}",
        summary="Delete a segment",
        status_code=204,
        response_class=Response,
        responses=problem_responses(404, 409),
    )
    async def delete_segment(_: Writer, segment: SegmentId) -> Response:
        """Its members leave within minutes, told as history."""
        async with engine.begin() as connection:
            if segment not in {one.id for one in await rules.saved(connection)}:
                views.refuse_programs(segment)
                raise _unknown()
            await rules.delete(connection, segment)
        return Response(status_code=204)

    @router.post("/v1/segments/preview", summary="Whom a rule would find")
    async def preview(request: Request, _: Reader, body: RuleRequest) -> PreviewView:
        """Counts customers by their facts as last looked at: after their last event, and once a day. Saves nothing."""
        extend_deadline(request, PREVIEW_S)
        async with engine.begin() as connection:
            await rules.current(connection)  # what the rule may name, and the time zone of its moments
            condition = checked(rules, body.rule)
            found = await previews.of(connection, condition)
            sample = await portray.all_now(connection, found.sample, clock())
        return PreviewView(count=found.count, sample=[CustomerSummary.of(one) for one in sample])

    return router


class _Views:
    """What several routes share."""

    def __init__(self, rules: PostgresRules, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock
        self._previews = Previews()
        self._memberships = PostgresMemberships()

    async def all(self, connection: AsyncConnection) -> list[SegmentView]:
        """Every segment."""
        counts = await self._previews.counts(connection)
        return await self._seen(connection, counts)

    async def one(self, connection: AsyncConnection, name: str) -> SegmentView:
        """One segment, or the 404 problem."""
        counts = {name: await self._previews.count(connection, name)}
        found = [view for view in await self._seen(connection, counts) if view.id == name]
        if not found:
            raise _unknown()
        return found[0]

    async def _seen(self, connection: AsyncConnection, counts: dict[str, int]) -> list[SegmentView]:
        settings = await self._rules.current(connection)
        complete = is_done(await self._memberships.the_pass(connection), settings, self._clock())
        counted = settings.segments.sources
        programs = self._rules.base.segments.sources
        views = [
            SegmentView(
                id=name, rule=rule, source="program", customers=counts.get(name, 0), complete=complete
            )
            for name, rule in programs.items()
        ]
        for one in await self._rules.saved(connection):
            shadowed, valid = one.id in programs, one.id in counted
            views.append(_of_saved(one, counts, complete=complete, shadowed=shadowed, valid=valid))
        return views

    def need_id(self, name: str) -> None:
        """Refuse what cannot be the id of a segment of one's own."""
        if not is_id(name):
            detail = "must be small letters and digits, with hyphens, dots or underscores between, such as big-spenders"
            raise invalid_request(ProblemError("", "invalid_id", detail, parameter="segment"))
        self.refuse_programs(name)

    def refuse_programs(self, name: str) -> None:
        """Refuse ids that the program defines."""
        if name in self._rules.base.segments.sources:
            detail = f"The program defines {name}; change it there, or choose another id."
            raise _conflict("segment_of_program", "The program defines this segment", detail)


def checked(rules: PostgresRules, rule: str) -> Condition:
    """The rule as a condition that can hold, or the 422 problem that says where it is wrong and what would be right."""
    try:
        condition = rules.compile(rule)
    except ConditionError as error:
        line, column = _place(rule, error.offset)
        detail = f"line {line}, column {column}: {error.message} {error.hint}".rstrip()
        raise invalid_request(ProblemError("/rule", "invalid_rule", detail)) from None
    if condition.certain is False:
        detail = "can never be true: nobody would be in this segment"
        raise invalid_request(ProblemError("/rule", "invalid_rule", detail))
    return condition


def _place(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _of_saved(
    one: Saved, counts: dict[str, int], *, complete: bool, shadowed: bool, valid: bool
) -> SegmentView:
    return SegmentView(
        id=one.id,
        rule=one.rule,
        source="api",
        customers=0 if shadowed else counts.get(one.id, 0),
        complete=complete,
        valid=valid,
        shadowed=shadowed,
        changed_at=one.changed_at,
    )


def _unknown() -> Problem:
    return Problem(404, "unknown_segment", "Unknown segment", "No segment has this id.")


def _conflict(code: str, title: str, detail: str) -> Problem:
    return Problem(409, code, title, detail)
