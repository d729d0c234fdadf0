"""The catalogue: what customers buy with points, and, for one customer, what they can have now."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.spending import stock
from services.rewards.domain.refusals import insufficient_points
from services.rewards.domain.spending.checkout import tier_of
from services.rewards.domain.spending.terms import Claimant, unmet_by_customer
from services.rewards.domain.state.redemptions import stock_of
from services.rewards.entrypoints.service import MayRead, Service, as_problem
from shared.http.openapi import problem_responses
from shared.http.types import CustomerName
from shared.program.describing.describe import describe_reward
from shared.program.model.offers import Reward
from shared.program.model.program import Program

Customer = Annotated[
    CustomerName | None, Query(description="Our id or the shop's: tell also what this customer can have.")
]


class RewardView(BaseModel):
    """A reward: what it costs and gives, in figures and in words, and on which terms."""

    reward: str
    points: int
    description: str
    percent: Decimal | None
    amount: Decimal | None
    at_most: Decimal | None
    free_shipping: bool
    gift: str | None
    currency: str
    minimum_order: Decimal | None
    products: list[str]
    categories: list[str]
    tiers: list[str]
    valid_from: datetime | None
    valid_until: datetime | None
    left: int | None = Field(description="How many are left; null: as many as anybody wants.")
    available: bool = Field(description="Whether it can be had now, by the customer if one is named.")
    reason: str | None = Field(None, description="Why not, as the code with which it would be refused.")
    detail: str | None = None
    missing_points: int | None = None


class Catalogue(BaseModel):
    """All rewards, in the order of the program. There is no next page."""

    items: list[RewardView]
    next: None = None


def reward_routes(service: Service) -> APIRouter:
    """`GET /v1/rewards`."""
    router = APIRouter(tags=["rewards"])

    @router.get("/v1/rewards", summary="What points buy", responses=problem_responses(404, 422, 503))
    async def get_rewards(_: MayRead, customer: Customer = None) -> Catalogue:
        """The rewards of the program. With `customer`: which of them the customer can have now, and why not the others;
        what the order must come to, or hold, is seen when the reward is reserved."""
        now = service.clock()
        async with service.reading.connect() as connection:
            try:
                program = (await service.programs.current(connection, now)).program
            except Exception as error:
                raise as_problem(error) from error
            stocked = [reward.id for reward in program.rewards.values() if reward.terms.stock is not None]
            taken = await stock.taken(connection, [stock_of("reward", id_) for id_ in stocked])
            claimants, points = {id_: Claimant() for id_ in program.rewards}, None
            if customer is not None:
                customer_id = await service.customer(connection, customer)
                claimants = await _claimants(service, connection, customer_id, program)
                points = (await service.reader.balances(connection, customer_id, now, now)).available
        return Catalogue(
            items=[
                _view(
                    reward,
                    program,
                    Claimant(
                        tier=claimants[id_].tier,
                        uses=claimants[id_].uses,
                        taken=taken.get(stock_of("reward", id_), 0),
                    ),
                    points,
                    now,
                )
                for id_, reward in program.rewards.items()
            ]
        )

    return router


async def _claimants(
    service: Service, connection: AsyncConnection, customer_id: str, program: Program
) -> dict[str, Claimant]:
    """The customer's tier, and when they had each reward."""
    member = await service.reader.member(connection, customer_id, None)
    tier = tier_of(member, program)
    limited = {
        (customer_id, id_) for id_, reward in program.rewards.items() if reward.terms.limit is not None
    }
    uses = await service.store.reward_uses(connection, limited) if limited else {}
    return {id_: Claimant(tier=tier, uses=uses.get((customer_id, id_), ())) for id_ in program.rewards}


def _view(
    reward: Reward, program: Program, claimant: Claimant, points: int | None, now: datetime
) -> RewardView:
    """`points`: what the customer can spend; None when nobody is asked for, whose tier and limit do not matter then."""
    terms = reward.terms
    missing = unmet_by_customer(terms, claimant, program, now, anybody=points is None)
    reason, detail = (f"reward_{missing.reason}", missing.detail) if missing is not None else (None, None)
    lacking = max(reward.points - points, 0) if points is not None else 0
    if missing is None and lacking:
        refusal = insufficient_points(reward.points, points or 0)
        reason, detail = refusal.code, refusal.detail
    return RewardView(
        reward=reward.id,
        points=reward.points,
        description=describe_reward(reward, program.currency),
        percent=reward.percent,
        amount=reward.amount,
        at_most=reward.at_most,
        free_shipping=reward.free_shipping,
        gift=reward.gift,
        currency=program.currency,
        minimum_order=terms.minimum_order,
        products=sorted(terms.products),
        categories=sorted(terms.categories),
        tiers=sorted(terms.tiers),
        valid_from=terms.begins,
        valid_until=terms.ends,
        left=max(terms.stock - claimant.taken, 0) if terms.stock is not None else None,
        available=reason is None,
        reason=reason,
        detail=detail,
        missing_points=lacking if points is not None else None,
    )
