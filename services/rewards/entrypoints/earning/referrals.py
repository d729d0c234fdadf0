"""What became of the friends whom a customer brought, and of the customer's own coming."""

from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.rewards.adapters.earning import referrals
from services.rewards.entrypoints.service import MayRead, Service
from shared.http.openapi import problem_responses
from shared.http.paging import PAGE_DEFAULT, Page, PageCursor, PageLimit, decode_cursor, encode_cursor
from shared.http.types import CustomerRef


class ReferralView(BaseModel):
    """One friend. Who it is, is not told to who brought them."""

    referral_id: str
    side: Literal["bringer", "friend"] = Field(description="Which side the customer is.")
    at: datetime = Field(description="When the friend came.")
    status: Literal["waiting", "rewarded", "known_before", "self"] = Field(
        description="`waiting` for an order that is kept; `known_before`: the friend had ordered, or brought"
        " somebody, before; `self`: both"
        " are one customer."
    )
    due_at: datetime | None = Field(description="When it is decided; null: after the friend's next order.")


def referral_routes(service: Service) -> APIRouter:
    """`GET /v1/customers/{customer}/referrals`."""
    router = APIRouter(tags=["customers"])

    @router.get(
        "/v1/customers/{customer}/referrals",
        summary="What became of referrals",
        responses=problem_responses(404, 422),
    )
    async def get_referrals(
        customer: CustomerRef, _: MayRead, limit: PageLimit = PAGE_DEFAULT, cursor: PageCursor = None
    ) -> Page[ReferralView]:
        """The friends whom the customer brought, and the customer's own coming, newest first."""
        before = decode_cursor(cursor, tuple[datetime, str]) if cursor is not None else None
        async with service.reading.connect() as connection:
            customer_id = await service.customer(connection, customer)
            rows = await referrals.of_customer(connection, customer_id, before, limit + 1)
        last = rows[limit - 1] if len(rows) > limit else None
        return Page(
            items=[
                ReferralView(
                    referral_id=row.referral_id,
                    side="friend" if row.customer_id == customer_id else "bringer",
                    at=row.at,
                    status=row.closed or "waiting",
                    due_at=row.due_at,
                )
                for row in rows[:limit]
            ],
            next=encode_cursor((last.at, last.cause)) if last else None,
        )

    return router
