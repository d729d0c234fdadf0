"""Spending points at the checkout."""

import secrets
from dataclasses import replace
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request, Response
from msgspec import json
from pydantic import BaseModel, model_validator
from pydantic_core import PydanticCustomError

from services.rewards.application.spending.batching import OverloadedError
from services.rewards.application.spending.checkout import Confirm, Release, Reserve
from services.rewards.domain.refusals import RefusedError
from services.rewards.domain.spending.carts import Cart
from services.rewards.domain.spending.refused import Asked
from services.rewards.domain.state.redemptions import Redemption
from services.rewards.entrypoints.explaining.refused import note_refusal
from services.rewards.entrypoints.service import Service, as_problem, problem
from services.rewards.entrypoints.spending.carts import Order
from services.rewards.entrypoints.spending.reading import IDEMPOTENCY_PARAMETER, read
from shared.auth.scopes import Scope
from shared.http.address import as_sent
from shared.http.direct import DirectRoute
from shared.http.openapi import REF, problem_responses
from shared.http.problems import dependency_unavailable
from shared.http.shapes import Shape
from shared.http.types import CustomerName, Instant, PointsAmount, ShortText

_encoder = json.Encoder(decimal_format="string")
_WHAT = {Reserve: Asked.RESERVE, Confirm: Asked.CONFIRM, Release: Asked.RELEASE}
_NAMED: dict[str, Any] = {
    "security": [{"bearer": []}],
    "parameters": [{"name": "redemption_id", "in": "path", "required": True, "schema": {"type": "string"}}],
}


class RedemptionRequest(Shape):
    """Points of a customer (our id or the shop's), to be spent on an order as money (`points`), or on a `reward` of the
    catalogue. What the `order` comes to matters to rewards alone."""

    customer: CustomerName
    points: PointsAmount | None = None
    reward: ShortText | None = None
    order_id: ShortText | None = None
    order: Order | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> "RedemptionRequest":
        if (self.points is None) == (self.reward is None):
            raise PydanticCustomError("one_of", "must have exactly one of points and reward")
        named = {self.order_id, self.order.order_id if self.order is not None else None} - {None}
        if len(named) > 1:
            raise PydanticCustomError(
                "order_ids_differ", "must not name two orders: order_id and order.order_id"
            )
        return self

    def cart(self) -> Cart:
        """The order as far as it is known."""
        if self.order is None:
            return Cart(order_id=self.order_id)
        cart = self.order.cart()
        return replace(cart, order_id=cart.order_id or self.order_id)


class GiftView(BaseModel):
    """What a reward gives: one of these."""

    percent: Decimal | None
    amount: Decimal | None
    at_most: Decimal | None
    free_shipping: bool
    gift: str | None


class RedemptionView(BaseModel):
    """A redemption. `value` is what it takes off the order (null where a reward is no money, or the order was not
    told), `expires_at` when a reservation ends by itself. `reward` and `gives` stand where a reward was bought."""

    id: str
    status: str
    customer: str
    order_id: str | None
    points: int
    value: Decimal | None
    currency: str
    reserved_at: Instant
    expires_at: Instant
    ended_at: Instant | None
    reward: str | None = None
    gives: GiftView | None = None


def render(redemption: Redemption) -> bytes:
    """The body of an answer about a redemption."""
    bought = {"reward": redemption.reward, "gives": redemption.gives} if redemption.reward is not None else {}
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
            **bought,
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
        summary="Put points aside for an order, or a reward",
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
                "content": {
                    "application/json": {"schema": RedemptionRequest.model_json_schema(ref_template=REF)}
                },
            },
        },
    )
    async def reserve(request: Request) -> Response:
        """Put points aside for an order; confirm or release them before `expires_at`. 409 `insufficient_points`
        tells how many are available; a reward that may not be had says why by a code of its own, such as
        `reward_out_of_stock`. The same Idempotency-Key reserves once and answers the same."""
        principal = await service.guard.admit(request, Scope.REWARDS_WRITE)
        body, key = await read(request, RedemptionRequest)
        asked = Reserve(
            id=f"red_{secrets.token_hex(12)}",
            customer=body.customer,
            points=body.points,
            cart=body.cart(),
            scope=f"{principal.key_id} POST /v1/redemptions",
            key=key,
            body_hash=service.keys.hash_body(_as_one(body)),
            reward=body.reward,
        )
        return await _answer(service, asked, 201)

    @router.post(
        "/v1/redemptions/{redemption_id}/confirm",
        summary="The order was placed: the points are spent",
        response_class=Response,
        responses=shown,
        openapi_extra=_NAMED,
    )
    async def confirm(request: Request) -> Response:
        """Spend reserved points for good. Again: the same answer. 409 when they were released or their time is over."""
        await service.guard.admit(request, Scope.REWARDS_WRITE)
        return await _answer(service, Confirm(as_sent(request.path_params["redemption_id"])), 200)

    @router.post(
        "/v1/redemptions/{redemption_id}/release",
        summary="The order was not placed: the points are free again",
        response_class=Response,
        responses=shown,
        openapi_extra=_NAMED,
    )
    async def release(request: Request) -> Response:
        """Give reserved points back. Again: the same answer. 409 when they were confirmed."""
        await service.guard.admit(request, Scope.REWARDS_WRITE)
        return await _answer(service, Release(as_sent(request.path_params["redemption_id"])), 200)

    return router


def _as_one(body: RedemptionRequest) -> bytes:
    """What tells one request from another under the same key."""
    if body.reward is None and body.order is None:
        return repr((body.customer, body.points, body.order_id)).encode()
    return body.model_dump_json().encode()


def _asked(request: Reserve | Confirm | Release) -> tuple[dict[str, Any], str | None]:
    """What a request named, and the customer, if it named one."""
    if not isinstance(request, Reserve):
        return {"redemption": request.id}, None
    cart = request.cart
    named = {"points": request.points, "reward": request.reward, "order_id": cart.order_id}
    return {key: value for key, value in named.items() if value is not None}, request.customer


async def _answer(service: Service, request: Reserve | Confirm | Release, status: int) -> Response:
    try:
        body = await service.checkout.submit(request)
    except OverloadedError:
        raise dependency_unavailable("Too many requests wait for an answer. Try again soon.") from None
    except RefusedError as refusal:
        asked, customer = _asked(request)
        await note_refusal(service, _WHAT[type(request)], refusal, asked, customer=customer)
        raise problem(refusal) from refusal
    except Exception as error:
        raise as_problem(error) from error
    return Response(body, status, media_type="application/json")
