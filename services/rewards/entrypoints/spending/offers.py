"""Offers at the checkout: is this code good, use it, give the use back."""

import secrets
from datetime import datetime
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Response
from msgspec import json
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.spending import attempts
from services.rewards.application.spending.codes import CodeRequest, Judged
from services.rewards.domain.refusals import RefusedError, too_many_attempts
from services.rewards.domain.spending.refused import Asked
from services.rewards.domain.spending.terms import Reason
from services.rewards.entrypoints.explaining.refused import note_refusal
from services.rewards.entrypoints.service import MayRead, MayWrite, Service, problem
from services.rewards.entrypoints.spending.carts import Order
from shared.http.address import PathText
from shared.http.openapi import problem_responses
from shared.http.shapes import Shape
from shared.http.types import CustomerName, ShortText
from shared.http.types import IdempotencyKey as Key

_encoder = json.Encoder(decimal_format="string")
_UNKNOWN = f"offer_{Reason.UNKNOWN}"
CODES_MAX = 20


class CodedOrder(Order):
    """The order that the code is for. `codes` are the other codes on it; those that were redeemed for its `order_id`
    are known without being named."""

    codes: list[ShortText] = Field([], max_length=CODES_MAX)


class CodeBody(Shape):
    """Who wants to use the code, and on what."""

    customer: CustomerName
    order: CodedOrder | None = None


class ReleaseBody(Shape):
    """Whose use of the code goes back, and the order that it was for."""

    customer: CustomerName
    order_id: ShortText


class Validation(BaseModel):
    """Whether the code may be used now; `reason` says why not, `detail` says it to a person, and `figures` tell more
    where there is more to tell, such as how much is missing to the minimum. `discount` is what it takes off the order.
    """

    valid: bool
    code: str
    reason: str | None = None
    detail: str | None = None
    figures: dict[str, Any] = {}
    offer: str | None = None
    percent: Decimal | None = None
    amount: Decimal | None = None
    at_most: Decimal | None = None
    free_shipping: bool = False
    gift: str | None = None
    discount: Decimal | None = None
    currency: str | None = None
    combinable: bool = False


class Use(Validation):
    """A use of the code. `uses_left` counts those that remain to this customer; null: without end, or a limit that
    counts anew with time."""

    uses_left: int | None = None


class Released(BaseModel):
    """The use that went back."""

    code: str
    offer: str
    order_id: str
    released_at: datetime


def offer_routes(service: Service) -> APIRouter:
    """Validate, redeem and release."""
    router = APIRouter(tags=["offers"])

    @router.post(
        "/v1/offers/{code}/validate",
        summary="Is this code good on this order?",
        responses=problem_responses(422, 429),
    )
    async def validate(code: PathText, body: CodeBody, _: MayRead) -> Validation:
        """Whether the customer may use the code on this order, now. Changes nothing. An unknown code and another
        customer's are answered alike. 429 `too_many_attempts` after ten unknown ones in a quarter of an hour."""
        now, request = service.clock(), _request(code, body)
        async with service.reading.connect() as connection:
            subject = await _guess_of(service, connection, request.customer, now)
            judged = await service.codes.validate(connection, request, now)
            if judged.unmet is not None and judged.unmet.reason is Reason.UNKNOWN:
                await attempts.failed(connection, subject, request.shown, now)
            program = (await service.programs.current(connection, now)).program
        if judged.unmet is None:
            return Validation(valid=True, **_gives(judged, body.order, program.currency))
        reason = f"offer_{judged.unmet.reason}"
        return Validation(
            valid=False,
            code=judged.code.code if judged.code is not None else request.shown,
            reason=reason,
            detail=judged.unmet.detail,
            figures=dict(judged.unmet.extra),
        )

    @router.post(
        "/v1/offers/{code}/redeem",
        summary="Use a code for an order",
        response_class=Response,
        responses={200: {"model": Use}, **problem_responses(404, 409, 422, 429)},
    )
    async def redeem(code: PathText, body: CodeBody, principal: MayWrite, idempotency_key: Key) -> Response:
        """Use the code. However many try at once, it is used as often as it may be and no more; for one order once."""
        request, id_ = _request(code, body), f"use_{secrets.token_hex(12)}"

        async def work(connection: AsyncConnection, now: datetime) -> bytes:
            judged = await service.codes.redeem(connection, request, now, id_, principal.key_id)
            program = (await service.programs.current(connection, now)).program
            gives = _gives(judged, body.order, program.currency)
            return _encoder.encode({"valid": True, **gives, "uses_left": judged.uses_left})

        scope = f"{principal.key_id} POST /v1/offers/{request.shown}/redeem"
        body_hash = service.keys.hash_body(body.model_dump_json().encode())
        return await _once(service, request, (idempotency_key, scope, body_hash), work)

    @router.post(
        "/v1/offers/{code}/release",
        summary="Give the use of a code back",
        response_class=Response,
        responses={200: {"model": Released}, **problem_responses(404, 422, 429)},
    )
    async def release(
        code: PathText, body: ReleaseBody, principal: MayWrite, idempotency_key: Key
    ) -> Response:
        """Give the use of the code for this order back, as when its payment fails. Again: changes nothing. A cancelled
        order gives it back by itself. 404 `offer_not_used`."""
        order = CodedOrder(order_id=body.order_id)
        request = _request(code, CodeBody(customer=body.customer, order=order))

        async def work(connection: AsyncConnection, now: datetime) -> bytes:
            use = await service.codes.release(connection, request, now)
            answer = {"code": use.code, "offer": use.offer, "order_id": use.order_id}
            return _encoder.encode({**answer, "released_at": use.undone_at})

        scope = f"{principal.key_id} POST /v1/offers/{request.shown}/release"
        body_hash = service.keys.hash_body(body.model_dump_json().encode())
        return await _once(service, request, (idempotency_key, scope, body_hash), work)

    return router


async def _once(
    service: Service, request: CodeRequest, identity: tuple[str, str, bytes], work: Any
) -> Response:
    """Do the work in one transaction, unless the same was asked before: then answer the same. What is refused as
    unknown counts as an attempt, though nothing else of it is kept."""
    now = service.clock()
    key, scope, body_hash = identity
    subject = ""
    try:
        async with service.engine.begin() as connection:
            before = await service.keys.begin(connection, key, scope, body_hash)
            if before is not None:
                return Response(before.body, before.status, media_type="application/json")
            subject = await _guess_of(service, connection, request.customer, now)
            answer = await work(connection, now)
            await service.keys.finish(connection, key, scope, body_hash, status=200, body=answer, now=now)
    except RefusedError as refusal:
        if refusal.code == _UNKNOWN:
            async with service.reading.connect() as connection:
                await attempts.failed(connection, subject, request.shown, now)
        asked = {"code": request.shown, "order_id": request.cart.order_id}
        await note_refusal(service, Asked.CODE, refusal, asked, customer=request.customer)
        raise problem(refusal) from None
    return Response(answer, 200, media_type="application/json")


async def _guess_of(service: Service, connection: AsyncConnection, name: str, now: datetime) -> str:
    """Under whom attempts are counted: the customer, by any of their names. Raises the 429 problem."""
    subject = await service.reader.customer(connection, name) or service.reader.pseudonym(name)
    wait_s = await attempts.wait_s(connection, subject, now)
    if wait_s is not None:
        raise problem(too_many_attempts(wait_s))
    return subject


def _request(code: str, body: CodeBody) -> CodeRequest:
    order = body.order or CodedOrder()
    return CodeRequest(customer=body.customer, code=code, cart=order.cart(), beside=tuple(order.codes))


def _gives(judged: Judged, order: Order | None, currency: str) -> dict[str, Any]:
    assert judged.code is not None
    offer, issued = judged.code.offer, judged.code.issued
    own = issued.currency if issued is not None else currency
    return {
        "code": judged.code.code,
        "offer": offer.id,
        "percent": offer.percent,
        "amount": offer.amount,
        "at_most": offer.at_most,
        "free_shipping": offer.free_shipping,
        "gift": offer.gift,
        "discount": judged.discount,
        "currency": (order.currency if order is not None else None) or own,
        "combinable": offer.combinable,
    }
