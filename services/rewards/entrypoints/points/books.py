"""The books: points owed and breakage by day, and a customer's statement."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.rewards.adapters.points.books.by_day import read_books
from services.rewards.adapters.points.books.statements import ids_of, read_balances, read_entries
from services.rewards.domain.points.books import balances_before, books
from services.rewards.domain.state.accounts import Account
from services.rewards.domain.state.redemptions import worth
from services.rewards.entrypoints.customers import EntryView, entry_view
from services.rewards.entrypoints.moments import SNAPSHOT
from services.rewards.entrypoints.service import MayRead, Service
from shared.http.openapi import problem_responses
from shared.http.paging import PAGE_DEFAULT, PageCursor, PageLimit, decode_cursor, encode_cursor
from shared.http.problems import ProblemError, invalid_request
from shared.http.types import CustomerRef
from shared.program.values.calendar import end_of_day

DAYS_MAX = 366

From = Annotated[date, Query(alias="from", description="First day, in the program's time zone.")]
To = Annotated[date, Query(alias="to", description="Last day; days to come are not answered.")]


class DayView(BaseModel):
    """Points by what moved them on a day, and what was owed when it ended."""

    day: date
    earned: int
    taken_back: int = Field(description="By refunds and cancellations.")
    spent: int
    returned: int = Field(description="Spent points given back, since the order was undone.")
    expired: int
    renewed: int = Field(description="Expired points that came back: activity of before arrived late.")
    adjusted: int = Field(description="By hand, with sign.")
    breakage: int = Field(description="What expired for good: less what came back or was of refunded orders.")
    owed: int = Field(description="Available, pending and reserved points of all customers, less their debt.")
    value: Decimal | None = Field(description="What `owed` is worth today, in the program's currency.")


class LiabilityView(BaseModel):
    """Points owed by day, by when entries were recorded: a day that is over never changes."""

    currency: str
    time_zone: str
    days: list[DayView]


class BalancesView(BaseModel):
    """Balances at one moment; `available` is less the debt."""

    available: int
    pending: int
    reserved: int


class StatementView(BaseModel):
    """The entries of some days, oldest first, between the balances before and after them."""

    opening: BalancesView
    closing: BalancesView
    items: list[EntryView]
    next: str | None


def book_routes(service: Service) -> APIRouter:
    """`GET /v1/liability` and `GET /v1/customers/{customer}/statement`."""
    router = APIRouter(tags=["books"])

    @router.get("/v1/liability", summary="Points owed and breakage by day", responses=problem_responses(422))
    async def get_liability(_: MayRead, first: From, last: To) -> LiabilityView:
        """Points owed and breakage by day, until today, equal to the ledger to the point; at most 366 days."""
        _check(first, last)
        async with service.reading.connect() as connection:
            now = service.clock()
            program = (await service.programs.current(connection, now)).program
            zone = program.time_zone
            last = min(last, now.astimezone(zone).date())
            moved = await read_books(connection, first - timedelta(1), str(zone))
        redeem = program.points.redeem
        days = [
            DayView(
                **{field: getattr(each, field) for field in DayView.model_fields if field != "value"},
                value=worth(max(each.owed, 0), redeem, program.currency) if redeem is not None else None,
            )
            for each in books(first, last, moved)
        ]
        return LiabilityView(currency=program.currency, time_zone=str(zone), days=days)

    @router.get(
        "/v1/customers/{customer}/statement",
        summary="An account between two days",
        responses=problem_responses(404, 422),
    )
    async def get_statement(
        customer: CustomerRef,
        _: MayRead,
        first: From,
        last: To,
        limit: PageLimit = PAGE_DEFAULT,
        cursor: PageCursor = None,
    ) -> StatementView:
        """The customer's account between two days, merged customers' included, by when entries were recorded."""
        _check(first, last)
        after = decode_cursor(cursor, tuple[datetime, str, int]) if cursor is not None else None
        async with service.engine.begin() as connection:
            await connection.execute(SNAPSHOT)
            customer_id = await service.customer(connection, customer)
            zone = (await service.programs.current(connection, service.clock())).program.time_zone
            period = (
                _start(first, zone),
                end_of_day(datetime.combine(last, datetime.min.time(), zone), zone),
            )
            ids = await ids_of(connection, customer_id)
            now, moved = await read_balances(connection, ids, *period)
            rows = await read_entries(connection, ids, period, after, limit + 1)
        closing = balances_before(now, [each[1:] for each in moved if each[0]])
        opening = balances_before(closing, [each[1:] for each in moved if not each[0]])
        last_row = rows[limit - 1] if len(rows) > limit else None
        return StatementView(
            opening=_balances(opening),
            closing=_balances(closing),
            items=[entry_view(row) for row in rows[:limit]],
            next=_cursor(last_row),
        )

    return router


def _cursor(row: Any) -> str | None:
    return encode_cursor((row.recorded_at, row.customer_id, row.number)) if row is not None else None


def _balances(balances: dict[Account, int]) -> BalancesView:
    return BalancesView(
        available=balances[Account.AVAILABLE] + balances[Account.DEBT],
        pending=balances[Account.PENDING],
        reserved=balances[Account.RESERVED],
    )


def _start(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, datetime.min.time(), zone).astimezone(UTC)


def _check(first: date, last: date) -> None:
    if not date(1970, 1, 2) <= first <= last <= date(9998, 12, 31) or last - first >= timedelta(
        days=DAYS_MAX
    ):
        wrong = ProblemError(
            "", "wrong_period", f"must be from 0 to {DAYS_MAX - 1} days after `from`", parameter="to"
        )
        raise invalid_request(wrong)
