"""Endpoints of webhooks over HTTP: made, changed, deleted; their secrets shown once, and rotated."""

import secrets
from dataclasses import replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.adapters.webhooks.endpoints import TakenNameError, TooManyEndpointsError
from services.deliveries.domain.webhooks.catalogue import TYPES
from services.deliveries.domain.webhooks.endpoint import Endpoint
from services.deliveries.domain.webhooks.signing import ROTATION, SECRET_BYTES, written_secret
from services.deliveries.entrypoints.service import Service
from services.deliveries.entrypoints.webhooks.base import (
    MayRead,
    MayWrite,
    Webhooks,
    check_events,
    rotating,
    taken_name,
    too_many,
    unknown_endpoint,
)
from services.deliveries.entrypoints.webhooks.messages import add_message_routes
from services.deliveries.entrypoints.webhooks.schemas import (
    EndpointChange,
    EndpointId,
    EndpointRequest,
    EndpointView,
    EndpointWithSecret,
    RotationRequest,
    TypesView,
    TypeView,
)
from shared.http.openapi import problem_responses
from shared.http.paging import PAGE_DEFAULT, Page, PageCursor, PageLimit, decode_cursor, encode_cursor
from shared.http.problems import ProblemError, invalid_request
from shared.http.types import IdempotencyKey as Key


def webhook_routes(service: Service) -> APIRouter:
    """`/v1/webhooks` and below, and `/v1/webhook-types`."""
    router = APIRouter(tags=["webhooks"], responses=problem_responses(422))
    webhooks = Webhooks.of(service)
    _reading(router, webhooks)
    _changing(router, webhooks)
    _secrets(router, webhooks)
    add_message_routes(router, webhooks)
    return router


def _reading(router: APIRouter, webhooks: Webhooks) -> None:
    service, endpoints = webhooks.service, webhooks.endpoints

    @router.get("/v1/webhook-types", summary="What one can subscribe to")
    async def get_types(_: MayRead) -> TypesView:
        """Every type of event that webhooks tell."""
        return TypesView(items=[TypeView(type=each.name, tells=each.tells) for each in TYPES.values()])

    @router.get("/v1/webhooks", summary="All endpoints")
    async def get_endpoints(
        _: MayRead, limit: PageLimit = PAGE_DEFAULT, cursor: PageCursor = None
    ) -> Page[EndpointView]:
        """The endpoints, the oldest first."""
        after = None if cursor is None else decode_cursor(cursor, tuple[datetime, str])
        async with service.reading.connect() as connection:
            found = await endpoints.all(connection)
        rest = [each for each in found if after is None or (each.created_at, each.id) > after]
        last = rest[limit - 1] if len(rest) > limit else None
        return Page(
            items=[EndpointView.of(each, service.clock()) for each in rest[:limit]],
            next=None if last is None else encode_cursor((last.created_at, last.id)),
        )

    @router.get("/v1/webhooks/{webhook}", summary="One endpoint", responses=problem_responses(404))
    async def get_endpoint(webhook: EndpointId, _: MayRead) -> EndpointView:
        """An endpoint, and how it does."""
        async with service.reading.connect() as connection:
            found = await endpoints.one(connection, webhook)
        if found is None:
            raise unknown_endpoint()
        return EndpointView.of(found, service.clock())


def _changing(router: APIRouter, webhooks: Webhooks) -> None:
    service, endpoints = webhooks.service, webhooks.endpoints

    @router.patch(
        "/v1/webhooks/{webhook}", summary="Change an endpoint", responses=problem_responses(404, 409)
    )
    async def change_endpoint(webhook: EndpointId, body: EndpointChange, _: MayWrite) -> EndpointView:
        """Change what is given; disable it, or enable it again. In force after about a second."""
        given = {key: value for key, value in body if key in body.model_fields_set}
        if body.events is not None:
            check_events(body.events)
        if body.url is not None:
            await webhooks.check_url(body.url)
        async with service.engine.begin() as connection:
            before = await webhooks.locked(connection, webhook)
            after = _changed(before, given, service.clock())
            try:
                await endpoints.change(connection, after)
            except TakenNameError:
                raise taken_name() from None
        return EndpointView.of(after, service.clock())

    @router.delete(
        "/v1/webhooks/{webhook}",
        summary="Delete an endpoint",
        status_code=204,
        responses=problem_responses(404),
    )
    async def delete_endpoint(webhook: EndpointId, _: MayWrite) -> None:
        """Delete an endpoint, with what waits for it and the record of what it got."""
        async with service.engine.begin() as connection:
            if not await endpoints.remove(connection, webhook, service.clock()):
                raise unknown_endpoint()


def _secrets(router: APIRouter, webhooks: Webhooks) -> None:
    service, endpoints = webhooks.service, webhooks.endpoints

    @router.post(
        "/v1/webhooks",
        summary="Add an endpoint",
        status_code=201,
        response_class=Response,
        responses={201: {"model": EndpointWithSecret}, **problem_responses(409)},
    )
    async def add_endpoint(body: EndpointRequest, principal: MayWrite, idempotency_key: Key) -> Response:
        """Add an endpoint. The answer has its secret, which is shown this once. It gets what happens from about a
        second later on."""
        check_events(body.events)
        if body.url is not None:
            await webhooks.check_url(body.url)
        now = service.clock()
        made = _made(body, now)

        async def add(connection: AsyncConnection) -> EndpointWithSecret:
            try:
                await endpoints.add(connection, made, principal.key_id)
            except TakenNameError:
                raise taken_name() from None
            except TooManyEndpointsError:
                raise too_many() from None
            return EndpointWithSecret.of(made, now, secret=written_secret(made.secret))

        where = f"{principal.key_id} POST /v1/webhooks"
        return await webhooks.once(idempotency_key, where, body.model_dump_json(), add, status=201)

    @router.post(
        "/v1/webhooks/{webhook}/rotate",
        summary="Give an endpoint a new secret",
        response_class=Response,
        responses={200: {"model": EndpointWithSecret}, **problem_responses(404, 409)},
    )
    async def rotate_secret(
        webhook: EndpointId, principal: MayWrite, idempotency_key: Key, body: RotationRequest | None = None
    ) -> Response:
        """Sign with a new secret, which is shown this once, and for a day with the old one as well: receivers verify
        either. With `immediately` the old one ends at once."""
        now, secret = service.clock(), secrets.token_bytes(SECRET_BYTES)
        body = body or RotationRequest(immediately=False)

        async def rotate(connection: AsyncConnection) -> EndpointWithSecret:
            before = await webhooks.locked(connection, webhook)
            if len(before.secrets(now)) > 1 and not body.immediately:
                raise rotating(before.previous_until)
            until = None if body.immediately else now + ROTATION
            await endpoints.rotate(connection, before, secret, until)
            after = replace(before, secret=secret, previous_secret=before.secret, previous_until=until)
            return EndpointWithSecret.of(after, now, secret=written_secret(secret))

        where = f"{principal.key_id} POST /v1/webhooks/{webhook}/rotate"
        return await webhooks.once(idempotency_key, where, body.model_dump_json(), rotate, status=200)


def _made(body: EndpointRequest, now: datetime) -> Endpoint:
    return Endpoint(
        id=f"whe_{secrets.token_hex(12)}",
        url=body.url,
        name=body.name,
        description=body.description or "",
        events=tuple(dict.fromkeys(body.events)),
        secret=secrets.token_bytes(SECRET_BYTES),
        previous_secret=None,
        previous_until=None,
        disabled_at=None,
        reason=None,
        failing_since=None,
        created_at=now,
        seen_at=None if body.url else now,
    )


def _changed(before: Endpoint, given: dict[str, Any], now: datetime) -> Endpoint:
    """The endpoint with what was given. Raises the 422 problem for what cannot be taken away."""
    if "url" in given and (given["url"] is None) != (before.url is None):
        detail = "an endpoint stays one, and a listener too; delete this one and add another"
        raise invalid_request(ProblemError("/url", "invalid_url", detail))
    for required in ("events", "enabled"):
        if required in given and given[required] is None:
            raise invalid_request(ProblemError(f"/{required}", "required", "must not be null"))
    changes: dict[str, Any] = {key: given[key] for key in ("url", "name") if key in given}
    if "events" in given:
        changes["events"] = tuple(dict.fromkeys(given["events"]))
    if "description" in given:
        changes["description"] = given["description"] or ""
    if given.get("enabled") is True and not before.enabled:
        changes |= {"disabled_at": None, "reason": None, "failing_since": None}
    if given.get("enabled") is False and before.enabled:
        changes |= {"disabled_at": now, "reason": "by_hand"}
    return replace(before, **changes)
