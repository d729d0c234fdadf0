"""Merges: `POST /v1/customers/merge`, `GET /v1/merges`, `POST /v1/merges/{id}/undo`, and the suggested ones."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.scoring.adapters.customers.profiles import Profiles
from services.scoring.adapters.identity.decisions import PostgresDecisions
from services.scoring.application.identity.merging import (
    AlreadyUndoneError,
    Merging,
    Named,
    SameCustomerError,
    UnknownCustomerError,
)
from services.scoring.domain.identity.identifiers import ID
from services.scoring.entrypoints.identity.schemas import (
    DecisionRequest,
    MergeRequest,
    MergeView,
    SuggestionView,
    UndoneView,
)
from shared.auth.guard import Principal, require
from shared.auth.scopes import Scope
from shared.clock import Clock
from shared.http.idempotency import IdempotencyKeys
from shared.http.moments import At
from shared.http.openapi import problem_responses
from shared.http.paging import PAGE_DEFAULT, Page, PageCursor, PageLimit, decode_cursor, encode_cursor
from shared.http.problems import Problem
from shared.http.types import IdempotencyKey
from shared.vault.pseudonyms import Pseudonyms

Reader = Annotated[Principal, Depends(require(Scope.PROFILES_READ))]
Writer = Annotated[Principal, Depends(require(Scope.PROFILES_WRITE))]
MergeId = Annotated[str, Path(max_length=64, pattern=r"^mrg_[a-z0-9]+$", description="A merge, `mrg_…`.")]
SuggestionId = Annotated[str, Path(max_length=64, pattern=r"^sug_[a-z0-9]+$", description="Such as `sug_…`.")]

_END = datetime.max.replace(tzinfo=UTC)
_LAST_ID = "~"
"""Behind every id."""


@dataclass(frozen=True, slots=True)
class MergeParts:
    """What the routes work with."""

    merging: Merging
    decisions: PostgresDecisions
    pseudonyms: Pseudonyms


def merge_routes(
    engine: AsyncEngine, profiles: Profiles, parts: MergeParts, keys: IdempotencyKeys, clock: Clock
) -> APIRouter:
    """The routes. They must stand before those with a customer in the path."""
    router = APIRouter(tags=["merges"], responses=problem_responses(401, 403, 422, 503))
    work = _Work(engine, profiles, parts, keys, clock)

    @router.post(
        "/v1/customers/merge",
        status_code=201,
        response_class=Response,
        summary="Two customers are one",
        responses={201: {"model": MergeView}, **problem_responses(404, 409)},
    )
    async def merge(body: MergeRequest, principal: Writer, idempotency_key: IdempotencyKey) -> Response:
        """History, score and stage follow at once, rewards when it reads of it. It can be undone."""
        scope = f"{principal.key_id} POST /v1/customers/merge"
        return await work.once(
            idempotency_key,
            scope,
            body.model_dump_json(),
            lambda connection, now: work.merge(connection, body, principal.key_id, now),
        )

    @router.get("/v1/merges", summary="All merges, by the rules and by people, newest first")
    async def merges(
        _: Reader,
        customer: Annotated[
            str | None, Query(max_length=64, description="Only those that had this id (`cus_…`) at one end.")
        ] = None,
        at: At = None,
        limit: PageLimit = PAGE_DEFAULT,
        cursor: PageCursor = None,
    ) -> Page[MergeView]:
        """What was undone stays in the list. With `at`, what had been merged by then, and undone by then."""
        before = _place(cursor) if at is None else min(_place(cursor), (at, _LAST_ID))
        async with engine.connect() as connection:
            found = await parts.decisions.page(connection, customer=customer, before=before, limit=limit + 1)
        more = encode_cursor((found[limit - 1].at, found[limit - 1].id)) if len(found) > limit else None
        return Page(items=[MergeView.of(one, at) for one in found[:limit]], next=more)

    @router.post(
        "/v1/merges/{merge_id}/undo",
        response_class=Response,
        summary="They are two after all",
        responses={200: {"model": UndoneView}, **problem_responses(404, 409)},
    )
    async def undo(
        merge_id: MergeId, body: DecisionRequest, principal: Writer, idempotency_key: IdempotencyKey
    ) -> Response:
        """Events, identifiers and state go back to whom they belong, also what came since; the two stay apart."""
        scope = f"{principal.key_id} POST /v1/merges/{merge_id}/undo"
        return await work.once(
            idempotency_key,
            scope,
            body.model_dump_json(),
            lambda connection, now: work.undo(connection, merge_id, body.reason, principal.key_id, now),
        )

    @router.get(
        "/v1/customers/suggested-merges",
        summary="Customers who may be one, for people to decide",
    )
    async def suggested(
        _: Reader, limit: PageLimit = PAGE_DEFAULT, cursor: PageCursor = None
    ) -> Page[SuggestionView]:
        """Newest first; pairs that are one by now, and dismissed ones, are not there."""
        async with engine.connect() as connection:
            found = await parts.decisions.suggestions(connection, _place(cursor), limit + 1)
        more = encode_cursor((found[limit - 1].at, found[limit - 1].id)) if len(found) > limit else None
        return Page(items=[SuggestionView.of(one) for one in found[:limit]], next=more)

    @router.post(
        "/v1/customers/suggested-merges/{suggestion_id}/accept",
        status_code=201,
        response_class=Response,
        summary="They are one",
        responses={201: {"model": MergeView}, **problem_responses(404, 409)},
    )
    async def accept(
        suggestion_id: SuggestionId,
        body: DecisionRequest,
        principal: Writer,
        idempotency_key: IdempotencyKey,
    ) -> Response:
        """The second of the two becomes part of the first."""
        scope = f"{principal.key_id} POST /v1/customers/suggested-merges/{suggestion_id}/accept"
        return await work.once(
            idempotency_key,
            scope,
            body.model_dump_json(),
            lambda connection, now: work.accept(
                connection, suggestion_id, body.reason, principal.key_id, now
            ),
        )

    @router.post(
        "/v1/customers/suggested-merges/{suggestion_id}/dismiss",
        status_code=204,
        summary="They are two",
        responses=problem_responses(404),
    )
    async def dismiss(suggestion_id: SuggestionId, principal: Writer) -> None:
        """The pair is not suggested again. Repeating it changes nothing."""
        async with engine.begin() as connection:
            if await parts.decisions.suggestion(connection, suggestion_id) is None:
                raise _unknown("suggestion", "No suggestion has this id.")
            await parts.decisions.dismiss(connection, suggestion_id, at=clock(), actor=principal.key_id)

    return router


class _Work:
    """The writes, each once per idempotency key."""

    def __init__(
        self,
        engine: AsyncEngine,
        profiles: Profiles,
        parts: MergeParts,
        keys: IdempotencyKeys,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._profiles = profiles
        self._parts = parts
        self._clock = clock
        self._keys = keys

    async def once(
        self,
        key: str,
        scope: str,
        body: str,
        work: Callable[[AsyncConnection, datetime], Awaitable[tuple[int, BaseModel]]],
    ) -> Response:
        """Do it in one transaction, or answer what was answered before."""
        body_hash, now = self._keys.hash_body(body.encode()), self._clock()
        async with self._engine.begin() as connection:
            before = await self._keys.begin(connection, key, scope, body_hash)
            if before is not None:
                return Response(before.body, before.status, media_type="application/json")
            status, view = await work(connection, now)
            answer = view.model_dump_json(by_alias=True).encode()
            await self._keys.finish(connection, key, scope, body_hash, status=status, body=answer, now=now)
        return Response(answer, status, media_type="application/json")

    async def merge(
        self, connection: AsyncConnection, body: MergeRequest, actor: str, now: datetime
    ) -> tuple[int, BaseModel]:
        """Merge two customers named by any of their ids."""
        await self._parts.merging.alone(connection)  # else one may be merged away after we have found it
        source = await self._named(connection, body.from_)
        target = await self._named(connection, body.into)
        return 201, await self._merge(connection, (source, target), body.reason, actor, now)

    async def accept(
        self, connection: AsyncConnection, id_: str, reason: str, actor: str, now: datetime
    ) -> tuple[int, BaseModel]:
        """Merge the two of a suggestion."""
        await self._parts.merging.alone(connection)  # before the suggestion's row, as whoever takes events in
        found = await self._parts.decisions.suggestion(connection, id_)
        if found is None:
            raise _unknown("suggestion", "No suggestion has this id.")
        source, target = Named(found.other_identifier, None), Named(found.one_identifier, None)
        return 201, await self._merge(connection, (source, target), reason, actor, now)

    async def undo(
        self, connection: AsyncConnection, id_: str, reason: str, actor: str, now: datetime
    ) -> tuple[int, BaseModel]:
        """Undo a merge."""
        try:
            ends = await self._parts.merging.undo(connection, id_, reason=reason, actor=actor, now=now)
        except AlreadyUndoneError:
            raise Problem(409, "already_undone", "Already undone", "This merge was undone before.") from None
        if ends is None:
            raise _unknown("merge", "No merge has this id.")
        return 200, UndoneView(id=id_, customers=list(ends), separate=ends[0] != ends[1])

    async def _merge(
        self,
        connection: AsyncConnection,
        ends: tuple[Named, Named],
        reason: str,
        actor: str,
        now: datetime,
    ) -> MergeView:
        id_ = f"mrg_{secrets.token_hex(16)}"
        try:
            record = await self._parts.merging.merge(
                connection, id_, *ends, reason=reason, actor=actor, now=now
            )
        except UnknownCustomerError as error:
            raise _unknown("customer", f"No customer has the id in `{error.end}`.") from None
        except SameCustomerError as error:
            detail = f"Both are the customer {error.customer} already."
            raise Problem(409, "same_customer", "Same customer", detail) from None
        return MergeView.of(record)

    async def _named(self, connection: AsyncConnection, ref: str) -> Named:
        known = await self._profiles.find(connection, ref)
        return Named(self._parts.pseudonyms.of(ID, ref), None if known is None else known.id)


def _place(cursor: str | None) -> tuple[datetime, str]:
    if cursor is None:
        return _END, ""
    return decode_cursor(cursor, tuple[datetime, str])


def _unknown(what: str, detail: str) -> Problem:
    return Problem(404, f"unknown_{what}", f"Unknown {what}", detail)
