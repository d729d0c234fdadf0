"""Alerts: `GET /v1/alerts`, `GET /v1/alerts/{id}`, `POST …/assign`, `POST …/close`."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.scoring.adapters.alerts.alerts import PostgresAlerts, State
from services.scoring.adapters.customers.profiles import Profiles
from services.scoring.application.alerts.closing import (
    Alert,
    AlertClosedError,
    Closing,
    NobodyToTellError,
    Notes,
)
from services.scoring.entrypoints.alerts.schemas import AlertView, Assignee, AssignRequest, CloseRequest
from services.scoring.entrypoints.customers.lookup import find_or_404
from services.scoring.entrypoints.customers.people import record_look
from shared.auth.guard import Principal, require
from shared.auth.scopes import Scope
from shared.clock import Clock
from shared.http.openapi import problem_responses
from shared.http.paging import PAGE_DEFAULT, Page, PageCursor, PageLimit, decode_cursor, encode_cursor
from shared.http.problems import Problem, ProblemError, invalid_request
from shared.http.types import QueryText, ShortText
from shared.vault.subject_keys import SubjectErasedError

Reader = Annotated[Principal, Depends(require(Scope.PROFILES_READ))]
Writer = Annotated[Principal, Depends(require(Scope.PROFILES_WRITE))]
AlertId = Annotated[str, Path(max_length=64, pattern=r"^alr_[a-z0-9]+$", description="An alert, `alr_…`.")]

_END = datetime.max.replace(tzinfo=UTC)


def alert_routes(
    engine: AsyncEngine, profiles: Profiles, closing: Closing, notes: Notes, clock: Clock
) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["alerts"], responses=problem_responses(401, 403, 422, 503))
    alerts = PostgresAlerts()

    async def views(connection: AsyncConnection, principal: Principal, found: list[Alert]) -> list[AlertView]:
        may = principal.may(Scope.PERSONAL_READ)
        read = await notes.read(connection, found) if may else {}
        for alert in found:
            if alert.id in read and alert.customer_id:
                record_look(principal, alert.customer_id)
        return [AlertView.of(alert, read.get(alert.id), hidden=not may) for alert in found]

    @router.get(
        "/v1/alerts", summary="What somebody should look at, newest first", responses=problem_responses(404)
    )
    async def listed(  # noqa: PLR0917  # by name: they are those of the query
        principal: Reader,
        state: Annotated[State, Query(description="Those that wait, or also what was done.")] = "open",
        kind: ShortText | None = None,
        customer: Annotated[QueryText | None, Query(description="Our id, or the shop's own.")] = None,
        assigned_to: Assignee | None = None,
        limit: PageLimit = PAGE_DEFAULT,
        cursor: PageCursor = None,
    ) -> Page[AlertView]:
        """Notes need the scope personal:read."""
        before = _place(cursor)
        async with engine.connect() as connection:
            found = await alerts.page(
                connection,
                state,
                kind=kind,
                customer=await _customer(connection, profiles, customer),
                assigned_to=assigned_to,
                before=before,
                limit=limit + 1,
            )
            items = await views(connection, principal, found[:limit])
        last = found[limit - 1] if len(found) > limit else None
        return Page(items=items, next=None if last is None else encode_cursor((last.raised_at, last.id)))

    @router.get(
        "/v1/alerts/{alert_id}",
        summary="One alert",
        responses=problem_responses(404),
    )
    async def one(principal: Reader, alert_id: AlertId) -> AlertView:
        """The note needs the scope personal:read."""
        async with engine.connect() as connection:
            found = _there(await alerts.get(connection, alert_id))
            return (await views(connection, principal, [found]))[0]

    @router.post(
        "/v1/alerts/{alert_id}/assign",
        summary="Somebody takes it on",
        responses=problem_responses(404, 409),
    )
    async def assign(principal: Writer, alert_id: AlertId, body: AssignRequest) -> AlertView:
        """Repeating it changes nothing. `{"to": null}` gives it back."""
        try:
            async with engine.begin() as connection:
                found = await closing.assign(
                    connection, alert_id, body.to, actor=principal.key_id, now=clock()
                )
                return (await views(connection, principal, [_there(found)]))[0]
        except AlertClosedError:
            raise _closed("A closed alert is nobody's work any more.") from None

    @router.post("/v1/alerts/{alert_id}/close", summary="It is done", responses=problem_responses(404, 409))
    async def close(principal: Writer, alert_id: AlertId, body: CloseRequest) -> AlertView:
        """Repeating it changes nothing; a later reason for the same raises another alert. With `tell`, campaigns
        `on: alert.closed` hear of it."""
        try:
            async with engine.begin() as connection:
                found = await closing.close(
                    connection, alert_id, body.note, tell=body.tell, actor=principal.key_id, now=clock()
                )
                return (await views(connection, principal, [_there(found)]))[0]
        except AlertClosedError:
            raise _closed("It was closed before, with another note; that one stays.") from None
        except NobodyToTellError:
            nobody = "It is about no customer who could be told. Close it without `tell`."
            raise invalid_request(ProblemError("/tell", "nobody_to_tell", nobody)) from None
        except SubjectErasedError:
            erased = "The customer was erased: nothing may be written of them any more."
            raise Problem(409, "customer_erased", "Customer erased", erased) from None

    return router


async def _customer(connection: AsyncConnection, profiles: Profiles, ref: str | None) -> str | None:
    if ref is None:
        return None
    return (await find_or_404(profiles, connection, ref)).id


def _there(alert: Alert | None) -> Alert:
    if alert is None:
        raise Problem(404, "unknown_alert", "Unknown alert", "No alert has this id.")
    return alert


def _closed(detail: str) -> Problem:
    return Problem(409, "alert_closed", "Alert closed", detail)


def _place(cursor: str | None) -> tuple[datetime, str]:
    if cursor is None:
        return _END, ""
    return decode_cursor(cursor, tuple[datetime, str])
