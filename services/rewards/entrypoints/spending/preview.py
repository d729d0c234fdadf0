"""What a cart would earn, and which offers fit, for a checkout to show before anything is paid."""

from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters import explaining
from services.rewards.adapters.earning import budgets
from services.rewards.adapters.history import activities
from services.rewards.application.spending.codes import CodeRequest
from services.rewards.domain.matching import match
from services.rewards.domain.needs import Needs
from services.rewards.domain.preview import Preview, as_order, preview
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.spending.offers import shared_codes
from services.rewards.domain.spending.terms import Reason
from services.rewards.domain.state.member import Member
from services.rewards.domain.tiering.tiers import current_level, measure_of, start_of_window
from services.rewards.entrypoints.service import MayRead, Service, as_problem
from services.rewards.entrypoints.spending.carts import CartLine, Money, Order
from shared.contracts.activity import Activity, Facts
from shared.http.openapi import problem_responses
from shared.http.problems import ProblemError, invalid_request
from shared.http.shapes import Shape
from shared.http.types import CustomerName, ShortText
from shared.program.describing.describe import describe

NEWCOMER = "newcomer"
"""Stands for a customer of whom nothing is known."""
OFFERS_MAX = 50
OF_THE_ORDER = frozenset({Reason.BELOW_MINIMUM_ORDER, Reason.PRODUCTS_MISSING, Reason.CURRENCY_MISMATCH})
"""What another cart could change about an offer that does not fit."""


class PreviewLine(CartLine):
    """A line of the cart; `amount` is what is paid for it, where that is not so many times the price."""

    amount: Money | None = None


class PreviewOrder(Order):
    """The cart as it would be paid. `total` is what would really be paid, `shipping` and `tax` are part of it, and
    `discount` was taken off before. Without `total`, what the lines come to."""

    lines: list[PreviewLine] = Field([], max_length=1_000)  # type: ignore[assignment]
    shipping: Money | None = None
    tax: Money | None = None
    discount: Money | None = None
    coupon: ShortText | None = None
    channel: ShortText | None = None
    store: ShortText | None = None
    campaign: ShortText | None = None


class PreviewBody(Shape):
    """Whose cart it is (left out, or of whom nothing is known: a newcomer's), and what is in it."""

    customer: CustomerName | None = None
    order: PreviewOrder


class RuleLine(BaseModel):
    """What a rule or milestone would give; `why` is a code that says why nothing, `sentence` what the rule says."""

    rule: str
    points: int
    offer: str | None
    why: str | None
    sentence: str | None


class OfferLine(BaseModel):
    """A code that the customer may use, and what it takes off this cart; where it does not fit this cart (`fits`),
    why, with figures such as how much is missing."""

    code: str
    offer: str
    fits: bool
    discount: Decimal | None
    free_shipping: bool
    gift: str | None
    reason: str | None
    detail: str | None
    figures: dict[str, Any]


class PreviewView(BaseModel):
    """What the cart would bring. `points` are spendable after the program's `pending_for`. `tier`: the one that the
    customer would have then."""

    program_version: int
    points: int
    rules: list[RuleLine]
    tier: str | None
    offers: list[OfferLine]


def preview_routes(service: Service) -> APIRouter:
    """`POST /v1/program/preview`."""
    router = APIRouter(tags=["program"])

    @router.post(
        "/v1/program/preview",
        summary="What a cart would earn, and which codes fit",
        responses=problem_responses(422, 503),
    )
    async def preview_cart(body: PreviewBody, _: MayRead) -> PreviewView:
        """What this cart would earn, by rule, and which offers fit, were it paid now. Nothing is written. What is known
        of the customer is what the last event told; score, stage and ranks are not guessed ahead."""
        now = service.clock()
        async with service.reading.connect() as connection:
            try:
                rulebook = await service.programs.current(connection, now)
            except Exception as error:
                raise as_problem(error) from error
            data = _data(body.order, rulebook.program.currency)
            customer_id, member, facts = await _known(service, connection, body.customer, rulebook)
            order = as_order(customer_id, data, facts, rulebook.program.segments, now)
            found = await _preview(service, connection, order, member, rulebook, now)
            offers = await _offers(service, connection, body, data, customer_id, rulebook, now)
        return _view(found, offers, member, rulebook)

    return router


def _data(order: PreviewOrder, currency: str) -> dict[str, Any]:
    """The cart as an event would tell it."""
    total = order.total if order.total is not None else order.cart().worth()
    if total is None:
        raise invalid_request(ProblemError("/order/total", "missing", "give the total, or lines"))
    told = {"total": total, "shipping": order.shipping, "tax": order.tax, "discount": order.discount}
    data: dict[str, Any] = {key: f"{amount:f}" for key, amount in told.items() if amount is not None}
    named = order.model_dump(include={"coupon", "channel", "store", "campaign"}, exclude_none=True)
    lines = [
        {
            "sku": line.sku,
            "quantity": int(line.quantity.to_integral_value(ROUND_CEILING)),
            "unit_price": f"{line.unit_price:f}",
            "amount": f"{line.amount if line.amount is not None else line.unit_price * line.quantity:f}",
        }
        | ({"category": line.category} if line.category is not None else {})
        for line in order.lines
    ]
    return {**data, **named, "currency": order.currency or currency, "lines": lines}


async def _known(
    service: Service, connection: AsyncConnection, name: str | None, rulebook: Rulebook
) -> tuple[str, Member, Facts]:
    """The member as they are, and the facts as the last event told them."""
    nothing = Facts(currency=rulebook.program.currency)
    customer_id = await service.reader.customer(connection, name) if name is not None else None
    if customer_id is None:
        return NEWCOMER, Member(NEWCOMER), nothing
    member = await service.reader.member(connection, customer_id, None)
    last = await activities.of_customers(connection, await explaining.family(connection, customer_id), 1)
    return customer_id, member, last[0][1].facts if last else nothing


async def _preview(  # noqa: PLR0917
    service: Service,
    connection: AsyncConnection,
    order: Activity,
    member: Member,
    rulebook: Rulebook,
    now: datetime,
) -> Preview:
    needs, program = Needs(now), rulebook.program
    needs.add(member.customer_id, order, match(order, rulebook))
    needs.orders.clear()  # it is a new one
    needs.completed.clear()
    loaded = {member.customer_id: member}
    await service.members.load(connection, loaded, needs, start_of_window(program, now), measure_of(program))
    left = await budgets.left(connection, needs.budgets, program)
    return preview(order, member, rulebook, left, now)


async def _offers(  # noqa: PLR0917
    service: Service,
    connection: AsyncConnection,
    body: PreviewBody,
    data: dict[str, Any],
    customer_id: str,
    rulebook: Rulebook,
    now: datetime,
) -> list[OfferLine]:
    """The customer's own codes that can still be used, and the codes for everybody."""
    issued = await service.reader.offers(connection, customer_id, None, OFFERS_MAX)
    codes = [offer.code for offer in issued if offer.ended(now) is None]
    codes += [offer.code for offer in shared_codes(rulebook.program).values() if offer.code is not None]
    order = body.order.model_copy(update={"total": Decimal(data["total"]), "currency": data["currency"]})
    found = []
    for code in codes[:OFFERS_MAX]:
        request = CodeRequest(customer=body.customer or NEWCOMER, code=code, cart=order.cart())
        judged = await service.codes.validate(connection, request, now)
        unmet = judged.unmet
        if judged.code is None or (unmet is not None and unmet.reason not in OF_THE_ORDER):
            continue
        offer = judged.code.offer
        found.append(
            OfferLine(
                code=judged.code.code,
                offer=offer.id,
                fits=unmet is None,
                discount=judged.discount if unmet is None else None,
                free_shipping=offer.free_shipping,
                gift=offer.gift,
                reason=f"offer_{unmet.reason}" if unmet is not None else None,
                detail=unmet.detail if unmet is not None else None,
                figures=dict(unmet.extra) if unmet is not None else {},
            )
        )
    return found


def _view(found: Preview, offers: list[OfferLine], member: Member, rulebook: Rulebook) -> PreviewView:
    program = rulebook.program
    words = describe(program)
    tiers = program.tiers
    return PreviewView(
        program_version=program.version,
        points=found.points,
        rules=[
            RuleLine(
                rule=line.rule,
                points=line.points,
                offer=line.offer,
                why=line.why.value if line.why is not None else None,
                sentence=words.get(f"rule:{line.rule}"),
            )
            for line in found.lines
        ],
        tier=tiers.levels[current_level(tiers, member)].id if tiers is not None else None,
        offers=offers,
    )
