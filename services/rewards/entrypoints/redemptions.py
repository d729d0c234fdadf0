"""Spending points at the checkout."""

import secrets
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request, Response
from msgspec import json
from pydantic import BaseModel

from services.rewards.application.batching import OverloadedError
from services.rewards.application.checkout import Confirm, Release, Reserve
from services.rewards.domain.redemptions import Redemption
from services.rewards.entrypoints.reading import IDEMPOTENCY_PARAMETER, read
from services.rewards.entrypoints.service import Service, as_problem
from shared.auth.scopes import Scope
from shared.http.address import as_sent
from shared.http.direct import DirectRoute
from shared.http.idempotency import hash_body
from shared.http.openapi import problem_responses
from shared.http.problems import dependency_unavailable
from shared.http.types import CustomerName, Instant, PointsAmount, ShortText

_encoder = json.Encoder(decimal_format="string")
_NAMED: dict[str, Any] = {
    "security": [{"bearer": []}],
    "parameters": [{"name": "redemption_id", "in": "path", "required": True, "schema": {"type": "string"}}],
}


class RedemptionRequest(BaseModel):
    """Points of a customer (our id or the shop's), to be spent on an order."""

    customer: CustomerName
    points: PointsAmount
    order_id: ShortText | None = None


class RedemptionView(BaseModel):
    """A redemption. `value` is what the points are worth, `expires_at` when a reservation ends by itself."""

    id: str
    status: str
    customer: str
    order_id: str | None
    points: int
    value: Decimal
    currency: str
    expires_at: Instant


def render(redemption: Redemption) -> bytes:
    """The body of an answer about a redemption."""
    return _encoder.encode(
        {
            "id": redemption.id,
            "status": redemption.status.value,
            "customer": redemption.customer_id,
            "order_id": redemption.order_id,
            "points": redemption.points,
            "value": redemption.value,
            "currency": redemption.currency,
            "reserved_at": redemption.reserved_at,
            "expires_at": redemption.expires_at,
            "ended_at": redemption.ended_at,
        }
    )


def redemption_routes(service: Service) -> APIRouter:
    """Reserve, confirm, release."""
    router = APIRouter(tags=["redemptions"], route_class=DirectRoute)
    shown: dict[int | str, dict[str, Any]] = {
        200: {"model": RedemptionView},
        **problem_responses(401, 403, 404, 409),
    }

    @router.post(
        "/v1/redemptions",
        status_code=201,
        response_class=Response,
        responses={
            201: {"model": RedemptionView},
            **problem_responses(400, 401, 403, 404, 409, 415, 422, 503),
        },
        openapi_extra={
            "security": [{"bearer": []}],
            "parameters": [IDEMPOTENCY_PARAMETER],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": RedemptionRequest.model_json_schema()}},
            },
        },
    )
    async def reserve(request: Request) -> Response:
        """Put points aside for an order; confirm or release them before `expires_at`. 409 `insufficient_points`
        tells how many are available. The same Idempotency-Key reserves once and answers the same."""
        principal = await service.guard.check(request.headers.get("authorization"), Scope.REWARDS_WRITE)
        body, key = await read(request, RedemptionRequest)
        asked = Reserve(
            id=f"red_{secrets.token_hex(12)}",
            customer=body.customer,
            points=body.points,
            order_id=body.order_id,
            scope=f"{principal.key_id} POST /v1/redemptions",
            key=key,
            body_hash=hash_body(repr((body.customer, body.points, body.order_id)).encode()),
        )
        return await _answer(service, asked, 201)

    @router.post(
        "/v1/redemptions/{redemption_id}/confirm",
        response_class=Response,
        responses=shown,
        openapi_extra=_NAMED,
    )
    async def confirm(request: Request) -> Response:
        """Spend reserved points for good. Again: the same answer. 409 when they were released or their time is over."""
        await service.guard.check(request.headers.get("authorization"), Scope.REWARDS_WRITE)
        return await _answer(service, Confirm(as_sent(request.path_params["redemption_id"])), 200)

    @router.post(
        "/v1/redemptions/{redemption_id}/release",
        response_class=Response,
        responses=shown,
        openapi_extra=_NAMED,
    )
    async def release(request: Request) -> Response:
        """Give reserved points back. Again: the same answer. 409 when they were confirmed."""
        await service.guard.check(request.headers.get("authorization"), Scope.REWARDS_WRITE)
        return await _answer(service, Release(as_sent(request.path_params["redemption_id"])), 200)

    return router


async def _answer(service: Service, request: Reserve | Confirm | Release, status: int) -> Response:
    try:
        body = await service.checkout.submit(request)
    except OverloadedError:
        raise dependency_unavailable("Too many requests wait for an answer. Try again soon.") from None
    except Exception as error:
        raise as_problem(error) from error
    return Response(body, status, media_type="application/json")
