"""What a customer has: points, ledger, offers."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.rewards.adapters.history.as_of import offers_at
from services.rewards.domain.spending.offers import Offer
from services.rewards.domain.state.accounts import signed_points
from services.rewards.entrypoints.moments import as_problems, balances_at, program_then
from services.rewards.entrypoints.service import MayRead, Service
from shared.http.moments import At
from shared.http.openapi import problem_responses
from shared.http.paging import PAGE_DEFAULT, Page, PageCursor, PageLimit, decode_cursor, encode_cursor
from shared.http.types import CustomerRef
from shared.program.model.program import Program
from shared.program.values.calendar import last_day
from shared.program.values.period import Period

NOTICE_DEFAULT = Period.parse("P30D")


class Expiring(BaseModel):
    """Points that can be used through the day `on`, and not after."""

    points: int
    on: date


class PointsView(BaseModel):
    """`available` can be spent now; below zero only after a refund of points that were spent already."""

    available: int
    pending: int
    reserved: int
    lifetime_earned: int = Field(description="All points ever earned, less those taken back.")
    expiring: list[Expiring] = Field(description="Points that expire within the program's notice period.")


class EntryView(BaseModel):
    """One ledger entry. `points` is what it does to available and pending points together: all entries sum to that."""

    id: str
    at: datetime
    recorded_at: datetime
    kind: str
    points: int
    amount: int = Field(description="How many points moved from `debit` to `credit`.")
    debit: str
    credit: str
    rule: str | None
    cause: str
    program_version: int
    lot: str | None


class OfferView(BaseModel):
    """An offer: exactly one of percent, amount, free shipping and gift."""

    code: str
    offer: str
    rule: str
    status: str
    percent: Decimal | None
    amount: Decimal | None
    currency: str
    free_shipping: bool
    gift: str | None
    issued_at: datetime
    valid_until: datetime
    uses_left: int
    program_version: int


def customer_routes(service: Service) -> APIRouter:
    """The routes under `/v1/customers/{customer}` that only read."""
    router = APIRouter(tags=["customers"])

    @router.get(
        "/v1/customers/{customer}/points",
        summary="Balance, and what expires when",
        responses=problem_responses(404, 422),
    )
    async def get_points(customer: CustomerRef, _: MayRead, at: At = None) -> PointsView:
        """The points a customer has at this moment, or had `at` another."""
        now = service.clock()
        moment = min(at or now, now)
        async with service.reading.connect() as connection:
            customer_id = await service.customer(connection, customer)
            if moment == now:
                program = (await service.programs.current(connection, now)).program
                until = _horizon(program, now)
                balances = await service.reader.balances(connection, customer_id, now, until)
            else:
                program = await program_then(service.programs, connection, moment, "points")
        if moment < now:
            until = _horizon(program, moment)
            balances = await balances_at(service.engine, customer_id, moment, until)
        days: dict[date, int] = {}
        for end, points in balances.expiring:
            day = last_day(end, program.time_zone)
            days[day] = days.get(day, 0) + points
        return PointsView(
            available=balances.available,
            pending=balances.pending,
            reserved=balances.reserved,
            lifetime_earned=balances.lifetime_earned,
            expiring=[Expiring(points=points, on=day) for day, points in days.items()],
        )

    @router.get(
        "/v1/customers/{customer}/ledger",
        summary="Every movement of points, newest first",
        responses=problem_responses(404, 422),
    )
    async def get_ledger(
        customer: CustomerRef, _: MayRead, limit: PageLimit = PAGE_DEFAULT, cursor: PageCursor = None
    ) -> Page[EntryView]:
        """Every movement of the customer's points, newest first."""
        before = decode_cursor(cursor, tuple[datetime, str, int]) if cursor is not None else None
        async with service.reading.connect() as connection:
            customer_id = await service.customer(connection, customer)
            rows = await service.reader.ledger(connection, customer_id, before, limit + 1)
        last = rows[limit - 1] if len(rows) > limit else None
        following = encode_cursor((last.recorded_at, last.customer_id, last.number)) if last else None
        return Page(items=[entry_view(row) for row in rows[:limit]], next=following)

    @router.get(
        "/v1/customers/{customer}/offers",
        summary="Offers and their codes",
        responses=problem_responses(404, 422),
    )
    async def get_offers(
        customer: CustomerRef,
        _: MayRead,
        at: At = None,
        limit: PageLimit = PAGE_DEFAULT,
        cursor: PageCursor = None,
    ) -> Page[OfferView]:
        """The customer's offers, newest first, used and expired ones too; or those that they had `at` a moment."""
        before = decode_cursor(cursor, tuple[datetime, str]) if cursor is not None else None
        now = service.clock()
        moment = min(at or now, now)
        async with service.reading.connect() as connection:
            customer_id = await service.customer(connection, customer)
            with as_problems():
                offers = await (
                    service.reader.offers(connection, customer_id, before, limit + 1)
                    if moment == now
                    else offers_at(connection, customer_id, moment, before, limit + 1)
                )
        last = offers[limit - 1] if len(offers) > limit else None
        following = encode_cursor((last.issued_at, last.code)) if last else None
        return Page(items=[offer_view(offer, moment) for offer in offers[:limit]], next=following)

    return router


def _horizon(program: Program, moment: datetime) -> datetime:
    """Until when it is told what expires."""
    return (program.points.notice_before or NOTICE_DEFAULT).after(moment, program.time_zone)


def entry_id(customer_id: str, number: int) -> str:
    """The id of a ledger entry."""
    return f"{customer_id}-{number}"


def entry_view(row: Any) -> EntryView:
    """A row of the ledger as the API shows it."""
    return EntryView(
        id=entry_id(row.customer_id, row.number),
        at=row.at,
        recorded_at=row.recorded_at,
        kind=row.kind,
        points=signed_points(row.debit, row.credit, row.points),
        amount=row.points,
        debit=row.debit,
        credit=row.credit,
        rule=row.rule,
        cause=row.cause,
        program_version=row.program_version,
        lot=f"{row.lot:016x}" if row.lot is not None else None,
    )


def offer_view(offer: Offer, now: datetime) -> OfferView:
    """An offer as the API shows it."""
    ended = offer.ended(now)
    return OfferView(
        code=offer.code,
        offer=offer.offer,
        rule=offer.rule,
        status="active" if ended is None else ended.value,
        percent=offer.percent,
        amount=offer.amount,
        currency=offer.currency,
        free_shipping=offer.free_shipping,
        gift=offer.gift,
        issued_at=offer.issued_at,
        valid_until=offer.valid_until,
        uses_left=offer.uses - offer.used,
        program_version=offer.program_version,
    )
