"""Offers at the checkout: is this code good, and use it."""

from datetime import datetime
from decimal import Decimal

from fastapi import APIRouter, Response
from msgspec import json
from pydantic import BaseModel, Field

from services.rewards.adapters import offer_uses
from services.rewards.domain.offers import Offer, Refusal, normal_code
from services.rewards.entrypoints.service import MayRead, MayWrite, Service
from shared.bus.records import Outgoing
from shared.contracts.codec import encode
from shared.contracts.outcomes import OUTCOMES_TOPIC, Outcome
from shared.http.address import PathText
from shared.http.idempotency import hash_body
from shared.http.openapi import problem_responses
from shared.http.problems import Problem
from shared.http.types import CustomerName, ShortText
from shared.http.types import IdempotencyKey as Key

_encoder = json.Encoder(decimal_format="string")

DETAILS = {
    Refusal.UNKNOWN: "There is no such code for this customer.",
    Refusal.USED: "The code has been used as often as it may be.",
    Refusal.EXPIRED: "The code has expired.",
    Refusal.REVOKED: "The code is no longer valid.",
    Refusal.CURRENCY: "The offer is in another currency than the order.",
}


class Order(BaseModel):
    """The order that the code is for."""

    order_id: ShortText | None = None
    total: Decimal | None = Field(None, ge=0, max_digits=16, decimal_places=4)
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$")


class CodeRequest(BaseModel):
    """Who wants to use the code, and on what."""

    customer: CustomerName
    order: Order | None = None


class Validation(BaseModel):
    """Whether the code may be used now; `reason` says why not. `discount` is what it takes off `order.total`."""

    valid: bool
    code: str
    reason: str | None = None
    detail: str | None = None
    offer: str | None = None
    percent: Decimal | None = None
    amount: Decimal | None = None
    free_shipping: bool = False
    gift: str | None = None
    discount: Decimal | None = None
    currency: str | None = None


class Use(Validation):
    """A use of the code. `uses_left` counts those that remain."""

    uses_left: int = 0


def offer_routes(service: Service) -> APIRouter:
    """Validate and redeem."""
    router = APIRouter(tags=["offers"])

    @router.post("/v1/offers/{code}/validate", responses=problem_responses(422))
    async def validate(code: PathText, body: CodeRequest, _: MayRead) -> Validation:
        """Whether the customer may use the code on this order, now. Changes nothing. An unknown code and another
        customer's are answered alike."""
        now, shown = service.clock(), normal_code(code)[:64]
        async with service.reading.connect() as connection:
            customer_id = await service.reader.customer(connection, body.customer)
            offer = await service.reader.offer(connection, shown)
        order = body.order or Order()
        refusal = Refusal.UNKNOWN if offer is None else offer.refusal(customer_id, now, order.currency)
        if offer is None or refusal is not None:
            refusal = refusal or Refusal.UNKNOWN
            return Validation(valid=False, code=shown, reason=refusal.value, detail=DETAILS[refusal])
        return Validation(valid=True, **_gives(offer, order))

    @router.post(
        "/v1/offers/{code}/redeem",
        response_class=Response,
        responses={200: {"model": Use}, **problem_responses(404, 409, 422)},
    )
    async def redeem(
        code: PathText, body: CodeRequest, principal: MayWrite, idempotency_key: Key
    ) -> Response:
        """Use the code. However many try at once, it is used as often as it may be and no more; for one order once."""
        now, shown = service.clock(), normal_code(code)[:64]
        scope = f"{principal.key_id} POST /v1/offers/{shown}/redeem"
        body_hash = hash_body(body.model_dump_json().encode())
        order = body.order or Order()
        async with service.engine.begin() as connection:
            before = await service.keys.begin(connection, idempotency_key, scope, body_hash)
            if before is not None:
                return Response(before.body, before.status, media_type="application/json")
            customer_id = await service.reader.customer(connection, body.customer)
            offer = await service.reader.offer(connection, shown, lock=True)
            if offer is None or offer.customer_id != customer_id:
                raise _refused(Refusal.UNKNOWN, 404)
            used = offer.used
            if await offer_uses.used_for(connection, shown, order.order_id) is None:
                refusal = offer.refusal(customer_id, now, order.currency)
                if refusal is not None:
                    raise _refused(refusal, 409)
                used = await offer_uses.use(connection, offer, order.order_id, principal.key_id, now)
                await service.outbox.append(connection, [_outcome(offer, used, order.order_id, now)])
            answer = _encoder.encode({"valid": True, **_gives(offer, order), "uses_left": offer.uses - used})
            await service.keys.finish(
                connection, idempotency_key, scope, body_hash, status=200, body=answer, now=now
            )
        return Response(answer, 200, media_type="application/json")

    return router


def _gives(offer: Offer, order: Order) -> dict[str, object]:
    return {
        "code": offer.code,
        "offer": offer.offer,
        "percent": offer.percent,
        "amount": offer.amount,
        "free_shipping": offer.free_shipping,
        "gift": offer.gift,
        "discount": offer.discount(order.total) if order.total is not None else None,
        "currency": order.currency or offer.currency,
    }


def _refused(refusal: Refusal, status: int) -> Problem:
    return Problem(status, refusal.value, "Offer refused", DETAILS[refusal])


def _outcome(offer: Offer, used: int, order_id: str | None, now: datetime) -> Outgoing:
    outcome = Outcome(
        id=f"{offer.code}/redeemed/{used}",
        customer_id=offer.customer_id,
        type="offer.redeemed",
        time=now,
        cause=f"{offer.code}/{used}",
        program_version=offer.program_version,
        data={"code": offer.code, "offer": offer.offer, "order_id": order_id},
    )
    return Outgoing(OUTCOMES_TOPIC, offer.customer_id, encode(outcome))
