"""`/v1/deliveries`: what was sent to whom, what waits, and why."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.adapters.messages import reading
from services.deliveries.adapters.recipients.recipients import PostgresRecipients
from services.deliveries.domain.channels import Channel, Purpose
from services.deliveries.domain.messages.message import Message, Reason, State
from services.deliveries.domain.messages.words import sentence
from services.deliveries.entrypoints.service import MayRead, Service
from shared.contracts.customer import is_own_id, own_id
from shared.http.openapi import problem_responses
from shared.http.paging import PAGE_DEFAULT, Page, PageCursor, PageLimit, decode_cursor, encode_cursor
from shared.http.problems import not_found
from shared.http.types import QueryText, refuse_nul
from shared.vault.subject_keys import SubjectKeys


class DeliveryView(BaseModel):
    """A message to one customer."""

    id: str
    customer: str = Field(description="Our id of the customer.")
    campaign: str
    run: str = Field(description="The campaign's run for this customer that asked for it.")
    arm: str
    template: str
    purpose: Purpose
    cause: str = Field(description="The activity behind it.")
    caused_at: datetime
    created_at: datetime
    expires_at: datetime = Field(description="From then on it is not worth sending any more.")
    state: State
    reason: Reason | None = Field(description="Why it is held, skipped or has failed.")
    channel: Channel | None = Field(description="By which it goes or went, once that is decided.")
    due_at: datetime | None = Field(description="When it is looked at next; null once its state is final.")
    attempts: int = Field(description="How often a provider had it.")
    sent_at: datetime | None


class HoldView(BaseModel):
    """A time of waiting."""

    reason: Reason
    since: datetime
    until: datetime = Field(description="When it was, or is, to be looked at again.")


class AttemptView(BaseModel):
    """One time that a provider was given the message."""

    number: int
    at: datetime
    channel: Channel
    result: str = Field(description="`sent`, `refused`, or `again`: it could not be taken then.")
    code: str
    detail: str = Field(description="The provider's own code, or its name for the message.")


class DeliveryDetail(DeliveryView):
    """A message with its story."""

    sentence: str = Field(description="Why it is where it is.")
    program_version: int
    settled_at: datetime | None
    holds: list[HoldView]
    tries: list[AttemptView]


CustomerFilter = Annotated[QueryText | None, Query(description="One customer's: our id or the shop's own.")]
CampaignFilter = Annotated[QueryText | None, Query(description="One campaign's.")]
StateFilter = Annotated[State | None, Query(description="In one state.")]
DeliveryRef = Annotated[str, Path(min_length=1, max_length=200), AfterValidator(refuse_nul)]


def message_routes(service: Service) -> APIRouter:
    """`GET /v1/deliveries` and `GET /v1/deliveries/{id}`."""
    router = APIRouter(tags=["deliveries"])
    recipients = PostgresRecipients(SubjectKeys(service.settings.secret), service.pseudonyms)

    async def named(connection: AsyncConnection, name: str) -> str:
        part = name if is_own_id(name) else own_id(service.pseudonyms.of("id", name))
        found = await recipients.customer(connection, part)
        if found is None:
            raise not_found("Nothing was ever to be sent to a customer of this name.")
        return found

    @router.get("/v1/deliveries", summary="Messages, newest first", responses=problem_responses(404, 422))
    async def list_deliveries(
        _: MayRead,
        customer: CustomerFilter = None,
        campaign: CampaignFilter = None,
        state: StateFilter = None,
        limit: PageLimit = PAGE_DEFAULT,
        cursor: PageCursor = None,
    ) -> Page[DeliveryView]:
        """What was sent, what waits and what was skipped, by e-mail, SMS and push."""
        before = decode_cursor(cursor, tuple[datetime, str]) if cursor is not None else None
        async with service.reading.connect() as connection:
            whose = await named(connection, customer) if customer is not None else None
            wanted = reading.Wanted(whose, campaign, state)
            messages = await reading.listed(connection, wanted, before, limit + 1)
        last = messages[limit - 1] if len(messages) > limit else None
        return Page(
            items=[DeliveryView(**_fields(message)) for message in messages[:limit]],
            next=encode_cursor((last.created_at, last.id)) if last else None,
        )

    @router.get(
        "/v1/deliveries/{delivery}", summary="One message, and why", responses=problem_responses(404, 422)
    )
    async def get_delivery(delivery: DeliveryRef, _: MayRead) -> DeliveryDetail:
        """A message with what it waited for, each attempt, and a sentence that says why it is where it is."""
        async with service.reading.connect() as connection:
            found = await reading.one(connection, delivery)
        if found is None:
            raise not_found("There is no delivery of this id.")
        message, settled_at, attempts = found
        return DeliveryDetail(
            **_fields(message),
            sentence=sentence(message),
            program_version=message.program_version,
            settled_at=settled_at,
            holds=[
                HoldView(reason=held.reason, since=held.since, until=held.until) for held in message.holds
            ],
            tries=[
                AttemptView(
                    number=each.number,
                    at=each.at,
                    channel=Channel(each.channel),
                    result=each.result,
                    code=each.code,
                    detail=each.detail,
                )
                for each in attempts
            ],
        )

    return router


def _fields(message: Message) -> dict[str, object]:
    return {
        "id": message.id,
        "customer": message.customer_id,
        "campaign": message.campaign,
        "run": message.run,
        "arm": message.arm,
        "template": message.template,
        "purpose": message.purpose,
        "cause": message.cause,
        "caused_at": message.caused_at,
        "created_at": message.created_at,
        "expires_at": message.expires_at,
        "state": message.state,
        "reason": message.reason,
        "channel": message.channel,
        "due_at": message.due_at,
        "attempts": message.attempts,
        "sent_at": message.sent_at,
    }
