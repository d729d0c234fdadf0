"""`/v1/suppressions`: addresses that nothing is sent to, because they are dead or because somebody complained."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from services.deliveries.adapters.messages.reading import END_OF_TIME
from services.deliveries.adapters.recipients.suppressions import PostgresSuppressions, Suppression
from services.deliveries.domain.channels import Channel
from services.deliveries.entrypoints.service import MayRead, MayWrite, Service
from shared.http.openapi import problem_responses
from shared.http.paging import PAGE_DEFAULT, Page, PageCursor, PageLimit, decode_cursor, encode_cursor
from shared.http.problems import not_found
from shared.http.shapes import Shape
from shared.http.types import refuse_nul


class Why(StrEnum):
    """What was heard of an address."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"
    BY_HAND = "by_hand"


class AddressRequest(Shape):
    """An address. It stands in the body, not in a path: addresses are in no log."""

    channel: Channel
    address: Annotated[str, StringConstraints(min_length=1, max_length=320), AfterValidator(refuse_nul)] = (
        Field(description="E-mail address, telephone number, or for push the shop's own id of the customer.")
    )


class SuppressionRequest(AddressRequest):
    """An address that nothing more is to be sent to."""

    reason: Why = Why.BOUNCED


class SuppressionView(BaseModel):
    """An address that nothing is sent to. The address itself is not kept, so it cannot be shown."""

    channel: Channel
    at: datetime
    delivery: str | None = Field(description="The message after which it was; null: told over the API.")
    code: str = Field(
        description="`no_such_address` (a provider said so), `bounced`, `complained`, `by_hand`."
    )


def suppression_routes(service: Service) -> APIRouter:
    """`GET` and `POST /v1/suppressions`, `POST /v1/suppressions/lift`."""
    router = APIRouter(tags=["deliveries"], responses=problem_responses(422))
    suppressions = PostgresSuppressions(service.pseudonyms)

    @router.get("/v1/suppressions", summary="Addresses that nothing is sent to, newest first")
    async def list_suppressions(
        _: MayRead, limit: PageLimit = PAGE_DEFAULT, cursor: PageCursor = None
    ) -> Page[SuppressionView]:
        """Since when and why; whose address it is, nobody can tell from here."""
        before = (END_OF_TIME, "") if cursor is None else decode_cursor(cursor, tuple[datetime, str])
        async with service.reading.connect() as connection:
            found = await suppressions.listed(connection, before, limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        return Page(
            items=[_view(each) for each in found[:limit]],
            next=encode_cursor((last.at, last.pseudonym)) if last else None,
        )

    @router.post("/v1/suppressions", summary="Send nothing more to an address")
    async def suppress(body: SuppressionRequest, _: MayWrite) -> SuppressionView:
        """For whoever hears of bounces and complaints that came later than the mail server's answer. Once or twice is
        the same: the first report stays."""
        async with service.engine.begin() as connection:
            now = service.clock()
            found = await suppressions.add(connection, body.channel, body.address, body.reason.value, now)
        return _view(found)

    @router.post(
        "/v1/suppressions/lift",
        summary="An address is good again",
        status_code=204,
        responses=problem_responses(404),
    )
    async def lift(body: AddressRequest, _: MayWrite) -> None:
        """Messages that were skipped meanwhile do not go out any more; the next ones do."""
        async with service.engine.begin() as connection:
            lifted = await suppressions.lift(connection, body.channel, body.address)
        if not lifted:
            raise not_found("This address is not suppressed.")

    return router


def _view(found: Suppression) -> SuppressionView:
    return SuppressionView(
        channel=found.channel, at=found.at, delivery=found.message_id or None, code=found.code
    )
