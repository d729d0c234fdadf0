"""`/v1/customers`: profiles, scores with their why, lists."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends

from services.scoring.adapters.customers.profiles import Profiles, Sort, position
from services.scoring.adapters.events.personal import PersonalData
from services.scoring.application.customers.portray import Portray
from services.scoring.entrypoints.customers import people
from services.scoring.entrypoints.customers.completeness import Completeness
from services.scoring.entrypoints.customers.details import Details
from services.scoring.entrypoints.customers.identifiers import Identifier, position_of, values_of
from services.scoring.entrypoints.customers.lookup import NOT_THEN, Lookup, unknown_customer
from services.scoring.entrypoints.customers.schemas import (
    CustomerProfile,
    CustomerSummary,
    StageCount,
    Summary,
)
from services.scoring.entrypoints.customers.score_schemas import Score
from shared.auth.guard import Principal, require
from shared.auth.scopes import Scope
from shared.clock import Clock
from shared.contracts.activity import Facts
from shared.contracts.lifecycle import Stage
from shared.http.moments import At
from shared.http.openapi import problem_responses
from shared.http.paging import (
    PAGE_DEFAULT,
    Page,
    PageCursor,
    PageLimit,
    decode_cursor,
    encode_cursor,
)
from shared.http.problems import Problem, ProblemError, invalid_request
from shared.http.types import CustomerRef, ShortText

Reader = Annotated[Principal, Depends(require(Scope.PROFILES_READ))]
_Amount = Annotated[str, msgspec.Meta(pattern=r"^\d{1,30}(\.\d{1,4})?$")]
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_CURSORS: dict[str, Any] = {
    "id": tuple[str, str, str],
    "spend": tuple[str, _Amount, str],
    "orders": tuple[str, _Count, str],
}


def customers_routes(profiles: Profiles, personal: PersonalData, portray: Portray, clock: Clock) -> APIRouter:
    """The routes by which customers are read."""
    router = APIRouter(tags=["customers"], responses=problem_responses(401, 403, 422, 503))
    lookup, lists = Lookup(profiles, portray, clock), _Lists(profiles, portray, clock)

    @router.get(
        "/v1/customers",
        summary="List customers, or find one by an exact id or e-mail address",
    )
    async def list_customers(  # noqa: PLR0917  # by name: they are those of the query
        _: Reader,
        stage: Stage | None = None,
        segment: ShortText | None = None,
        tag: ShortText | None = None,
        q: ShortText | None = None,
        sort: Sort = "id",
        limit: PageLimit = PAGE_DEFAULT,
        cursor: PageCursor = None,
    ) -> Page[CustomerSummary]:
        """Stages are those of this moment. `sort` with a minus puts the largest or latest first."""
        return await lists.listed(_Filter(stage, segment, tag, q), sort, limit, cursor)

    @router.get("/v1/summary", summary="All customers together, by stage")
    async def summary(_: Reader) -> Summary:
        """Counts and sums over all customers, at this moment."""
        return await lists.summary()

    @router.get("/v1/customers/{customer}", summary="One customer", responses=problem_responses(404))
    async def profile(principal: Reader, customer: CustomerRef, at: At = None) -> CustomerProfile:
        """Facts, stage, score and the person. Personal fields need the scope personal:read."""
        async with profiles.engine.connect() as connection:
            portrait = await lookup.portrait(connection, customer, at)
            person = await people.contact(connection, profiles, personal, principal, portrait)
        answer: CustomerProfile = CustomerProfile.of(
            portrait,
            profile=person,
            details=Details.of(portrait.state),
            completeness=Completeness.of(portrait.state),
        )
        return answer

    @router.get(
        "/v1/customers/{customer}/score", summary="The score with its why", responses=problem_responses(404)
    )
    async def score(_: Reader, customer: CustomerRef, at: At = None) -> Score:
        """Each part with value, weight, the facts in its formula, and the events behind it; what changed the score in
        the 30 days before; what would raise it."""
        async with profiles.engine.connect() as connection:
            portrait = await lookup.portrait(connection, customer, at)
            story = await portray.story(connection, portrait)
        return Score.of(portrait.id, story)

    @router.get(
        "/v1/customers/{customer}/identifiers",
        summary="By which identifiers the customer is known",
        responses=problem_responses(404),
    )
    async def identifiers(
        principal: Reader,
        customer: CustomerRef,
        at: At = None,
        limit: PageLimit = PAGE_DEFAULT,
        cursor: PageCursor = None,
    ) -> Page[Identifier]:
        """The strongest kind first, of one kind the oldest first. Their values need the scope personal:read. With
        `at`, as events until then told them."""
        after = None if cursor is None else decode_cursor(cursor, tuple[int, datetime, str])
        moment = clock() if at is None else min(at, clock())
        async with profiles.engine.connect() as connection:
            known = await lookup.known(connection, customer)
            seen = sorted(await profiles.identifiers(connection, known.id, moment), key=position_of)
            if not seen:
                raise unknown_customer(NOT_THEN)
            rest = [one for one in seen if after is None or position_of(one) > after]
            page = rest[:limit]
            values = None
            if principal.may(Scope.PERSONAL_READ):
                values = await values_of(connection, profiles, personal, known.id, page)
                people.record_look(principal, known.id)
        more = encode_cursor(position_of(page[-1])) if len(rest) > limit else None
        items = [Identifier.of(one, known.id, values, moment) for one in page]
        return Page(items=items, next=more)

    return router


@dataclass(frozen=True, slots=True)
class _Filter:
    """Whom a list is asked for."""

    stage: Stage | None
    segment: str | None
    tag: str | None
    q: str | None

    def lets_pass(self, facts: Facts) -> bool:
        """Whether a customer with these facts, which are those of this moment, belongs in the list."""
        return (
            (self.stage is None or facts.stage == self.stage)
            and (self.segment is None or self.segment in facts.segments)
            and (self.tag is None or self.tag in facts.tags)
        )


class _Lists:
    """What is answered about many customers."""

    def __init__(self, profiles: Profiles, portray: Portray, clock: Clock) -> None:
        self._portray = portray
        self._profiles = profiles
        self._clock = clock

    async def listed(
        self, asked: _Filter, sort: Sort, limit: int, cursor: str | None
    ) -> Page[CustomerSummary]:
        """A page of customers."""
        after = None if cursor is None else _position(cursor, sort)
        now = self._clock()
        async with self._profiles.engine.connect() as connection:
            if asked.q is not None:
                found = await self._profiles.search(connection, asked.q)
            else:
                found = await self._profiles.listed(
                    connection,
                    now=now,
                    stage=asked.stage,
                    segment=asked.segment,
                    tag=asked.tag,
                    sort=sort,
                    after=after,
                    limit=limit + 1,
                )
            portraits = await self._portray.all_now(connection, found[:limit], now)
        items = [
            CustomerSummary.of(portrait)
            for portrait in portraits
            if asked.lets_pass(portrait.assessment.facts)
        ]
        last = found[limit - 1] if len(found) > limit else None
        more = None if last is None else encode_cursor((sort, position(last, sort), last.id))
        return Page(items=items, next=more)

    async def summary(self) -> Summary:
        """Counts and sums over all customers."""
        async with self._profiles.engine.connect() as connection:
            rows = await self._profiles.summary(connection, self._clock())
        return Summary(
            customers=sum(row[1] for row in rows),
            orders=sum(row[2] for row in rows),
            spend=str(sum((row[3] for row in rows), Decimal(0))),
            stages=[
                StageCount.model_validate(
                    {"stage": stage, "customers": customers, "orders": orders, "spend": str(spend)}
                )
                for stage, customers, orders, spend in rows
            ],
        )


def _invalid_cursor(detail: str) -> Problem:
    return invalid_request(ProblemError("", "invalid_cursor", detail, parameter="cursor"))


def _position(cursor: str, sort: Sort) -> tuple[Any, str]:
    column = sort.removeprefix("-")
    shape = _CURSORS.get(column, tuple[str, datetime, str])
    given, value, customer_id = decode_cursor(cursor, shape)
    if given != sort:
        raise _invalid_cursor("belongs to a list that is sorted otherwise")
    return Decimal(value) if column == "spend" else value, customer_id
