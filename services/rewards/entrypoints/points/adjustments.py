"""Points given or taken by hand."""

import secrets

from fastapi import APIRouter, Request, Response
from msgspec import json
from pydantic import BaseModel, Field, field_validator

from services.rewards.domain.refusals import RefusedError
from services.rewards.entrypoints.service import MayWrite, Service, problem
from shared.http.deadline import extend_deadline
from shared.http.openapi import problem_responses
from shared.http.shapes import Shape
from shared.http.types import CustomerName, ShortText, SignedPoints
from shared.http.types import IdempotencyKey as Key

ADJUSTING_MAX_S = 30.0


class AdjustmentRequest(Shape):
    """Points to give or, negative, to take, and why."""

    customer: CustomerName
    points: SignedPoints
    reason: ShortText = Field(description="Kept with the entry and shown by `explain`.")

    @field_validator("points")
    @classmethod
    def _moves_points(cls, points: int) -> int:
        if points == 0:
            raise ValueError("must not be 0")
        return points


class AdjustmentView(BaseModel):
    """An adjustment, and what the customer can spend after it."""

    id: str
    customer: str
    points: int
    reason: str
    available: int


def adjustment_routes(service: Service) -> APIRouter:
    """`POST /v1/adjustments`."""
    router = APIRouter(tags=["adjustments"])
    where = "POST /v1/adjustments"

    @router.post(
        "/v1/adjustments",
        summary="Give or take points by hand",
        status_code=201,
        response_class=Response,
        responses={201: {"model": AdjustmentView}, **problem_responses(404, 409, 422)},
    )
    async def adjust(
        request: Request, body: AdjustmentRequest, principal: MayWrite, idempotency_key: Key
    ) -> Response:
        """Give or take points. Never below zero: 409 `insufficient_points`."""
        now, scope = service.clock(), f"{principal.key_id} {where}"
        body_hash = service.keys.hash_body(body.model_dump_json().encode())
        async with service.engine.begin() as connection:
            before = await service.keys.begin(connection, idempotency_key, scope, body_hash)
            if before is not None:
                return Response(before.body, before.status, media_type="application/json")
            extend_deadline(
                request, ADJUSTING_MAX_S
            )  # the database is there, and there may be very many lots
            id_ = f"adj_{secrets.token_hex(12)}"
            try:
                adjusted = await service.adjust(
                    connection,
                    body.customer,
                    body.points,
                    now,
                    id_=id_,
                    reason=body.reason,
                    actor=principal.key_id,
                )
            except RefusedError as refusal:
                raise problem(refusal) from None
            answer = json.encode(
                {
                    "id": id_,
                    "customer": adjusted.customer_id,
                    "points": body.points,
                    "reason": body.reason,
                    "available": adjusted.available,
                }
            )
            await service.keys.finish(
                connection, idempotency_key, scope, body_hash, status=201, body=answer, now=now
            )
        return Response(answer, 201, media_type="application/json")

    return router
