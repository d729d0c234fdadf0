"""`POST /v1/templates/{template}/test`: an operator sends a template to an address of their own, to see it arrive."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from math import ceil
from typing import Annotated, Any, Literal

import msgspec
import structlog
from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.adapters.providers.mail import BadAddressError, read_address
from services.deliveries.adapters.providers.senders import Providers, ProviderSettingsError, make_providers
from services.deliveries.adapters.providers.smtp import SEND_WITHIN_S
from services.deliveries.adapters.providers.trials import is_suppressed, take_turn
from services.deliveries.application.messages.previewing import Previewed, preview
from services.deliveries.application.messages.sending import Provider
from services.deliveries.application.messages.testing import marked
from services.deliveries.application.ports import Rendered
from services.deliveries.domain.channels import Channel
from services.deliveries.domain.messages.links import Links
from services.deliveries.domain.providers.answers import Receipt, Refused, Sent
from services.deliveries.domain.recipients.recipient import Contact, Recipient
from services.deliveries.entrypoints.messages.previewing import (
    DRAFT_MAX,
    Knowledge,
    TemplateId,
    program_of,
    reader_of,
    words_of,
)
from services.deliveries.entrypoints.service import MayWrite, Service
from shared.auth.guard import Principal
from shared.auth.scopes import Scope
from shared.clock import Clock
from shared.contracts.facts import Facts
from shared.http.deadline import extend_deadline
from shared.http.openapi import problem_responses
from shared.http.problems import Problem, ProblemError, invalid_request, not_found
from shared.http.shapes import Shape
from shared.http.types import CustomerName, IdempotencyKey, refuse_nul
from shared.program.faults import suggestion
from shared.program.model.program import Program
from shared.settings import Settings

AT_A_TIME = 2
"""Test e-mails that one process hands over at a time."""
ANSWER_WITHIN_S = SEND_WITHIN_S + 15
"""A mail server may take longer than a request otherwise may; what it says in the end is told."""

log = structlog.get_logger()


class TestMailBody(Shape):
    """Where it goes, as whom it is written to, and by which words."""

    __test__ = False  # for pytest: not one of its tests

    to: Annotated[str, StringConstraints(min_length=3, max_length=320), AfterValidator(refuse_nul)] = Field(
        description="The e-mail address; your own, say."
    )
    customer: CustomerName | None = Field(None, description="As this customer would read it.")
    facts: dict[str, Any] | None = Field(
        None,
        max_length=100,
        description="Or as somebody would of whom this is known, such as orders and stage.",
    )
    version: int | None = Field(None, ge=1, le=1_000_000_000)
    draft: Annotated[str, AfterValidator(refuse_nul)] | None = Field(
        None, max_length=DRAFT_MAX, description="The template as it would stand in the program (YAML)."
    )

    @model_validator(mode="after")
    def _one_reader(self) -> "TestMailBody":
        if self.customer is not None and self.facts is not None:
            raise ValueError("give either customer or facts")
        return self


class TestMailView(BaseModel):
    """What the mail server said of a test e-mail."""

    __test__ = False

    id: str = Field(description="Its Message-ID begins so.")
    template: str
    program_version: int
    campaign: str | None = Field(description="The campaign that sends it; null: none does.")
    personal: bool = Field(description="Whether the customer's name and contacts were filled in.")
    made_up: list[Literal["event", "offer"]]
    result: Literal["sent", "refused", "again"] = Field(
        description="`again`: the mail server could not take it now; nobody tries it again."
    )
    code: str
    detail: str = Field(description="The mail server's own code, or its name for the e-mail.")


@dataclass
class LazyProviders:
    """The providers of the settings, made when they are first asked for: the API starts without them."""

    settings: Settings
    clock: Clock
    _made: Providers | None = None

    def email(self) -> Provider:
        """The mail server. Raises the 409 problem."""
        try:
            self._made = self._made or make_providers(self.settings, self.clock)
        except ProviderSettingsError as error:
            raise _no_provider(str(error)) from None
        found = self._made.by_channel.get(Channel.EMAIL)
        if found is None:
            raise _no_provider("Set REGULARS_SMTP_URL and REGULARS_MAIL_FROM for the API of rewards, too.")
        return found

    async def close(self) -> None:
        """Let go of their connections."""
        if self._made is not None:
            await self._made.close()


def test_mail_routes(service: Service, links: Links, known: Knowledge, providers: LazyProviders) -> APIRouter:
    """`POST /v1/templates/{template}/test`."""
    router = APIRouter(tags=["templates"])
    tester = _Tester(service, links, known, providers)

    @router.post(
        "/v1/templates/{template}/test",
        summary="Send a template to yourself",
        response_class=Response,
        responses={200: {"model": TestMailView}, **problem_responses(404, 409, 422, 429, 503)},
    )
    async def send_test(
        request: Request,
        template: TemplateId,
        body: TestMailBody,
        principal: MayWrite,
        idempotency_key: IdempotencyKey,
    ) -> Response:
        """Send the e-mail of a template to an address, marked as a test by its subject, its first line and a header.
        It goes at once, past consent and quiet hours, to nobody's profile: it is no delivery, and counts in no report,
        limit or consent. Ten may go at once, then one each half a minute: 429 `too_many_tests`."""
        return await tester(request, template, body, principal, idempotency_key)

    return router


class _Tester:
    def __init__(self, service: Service, links: Links, known: Knowledge, providers: LazyProviders) -> None:
        self._service = service
        self._links = links
        self._known = known
        self._providers = providers
        self._reader = reader_of(service)
        self._free = asyncio.Semaphore(AT_A_TIME)

    async def __call__(
        self, request: Request, template: str, body: TestMailBody, principal: Principal, key: str
    ) -> Response:
        service, scope = self._service, f"{principal.key_id} POST /v1/templates/{template}/test"
        facts = _facts(body.facts or {})  # first: what is no fact may be too deep to be written down again
        body_hash = service.keys.hash_body(body.model_dump_json().encode())
        async with service.engine.begin() as connection:
            before = await service.keys.begin(connection, key, scope, body_hash)
        if before is not None:
            return Response(before.body, before.status, media_type="application/json")
        to, provider, now = _address(body.to), self._providers.email(), service.clock()
        program, found = await self._written(template, body, facts, principal, now)
        rendered = _email_of(found)
        async with service.engine.begin() as connection:
            if await is_suppressed(connection, service.pseudonyms, to):
                raise _suppressed()
            wait = await take_turn(connection, provider.pace, now)
        if wait is not None:
            raise _too_many(ceil(wait.total_seconds()))
        # The same key is the same e-mail: a repeat after a crash is put by the mailbox to the first one.
        id_ = f"test_{sha256(f'{scope} {key}'.encode()).hexdigest()[:32]}"
        contact = Contact(Channel.EMAIL, to, "", "", {})
        extend_deadline(request, ANSWER_WITHIN_S)
        async with self._free:
            receipt = await provider.sender.send(Channel.EMAIL, marked(rendered), contact, id_)
        log.info("test_mail", key_id=principal.key_id, template=template, result=_result(receipt))
        view = TestMailView(
            id=id_,
            template=template,
            program_version=program.version,
            campaign=found.campaign,
            personal=body.customer is not None and principal.may(Scope.PERSONAL_READ),
            made_up=list(found.made_up),
            result=_result(receipt),
            code="" if isinstance(receipt, Sent) else receipt.code,
            detail=receipt.reference if isinstance(receipt, Sent) else receipt.detail,
        )
        answer = view.model_dump_json().encode()
        async with service.engine.begin() as connection:
            await service.keys.finish(connection, key, scope, body_hash, status=200, body=answer, now=now)
        return Response(answer, 200, media_type="application/json")

    async def _written(
        self, template: str, body: TestMailBody, facts: dict[str, Any], principal: Principal, now: datetime
    ) -> tuple[Program, Previewed]:
        about = await self._about(body, facts)
        async with self._service.engine.begin() as connection:
            program = await program_of(self._service, connection, body.version)
            recipient = await self._recipient(connection, about, principal)
        words = await asyncio.to_thread(words_of, program, template, body.draft)
        return program, await asyncio.to_thread(preview, program, words, recipient, about, self._links, now)

    async def _about(self, body: TestMailBody, facts: dict[str, Any]) -> dict[str, Any]:
        if body.customer is None:
            return {"customer": facts, "points": 0, "tier": None}
        about = await self._known(body.customer)
        if about is None:
            raise not_found("There is no customer of this name.")
        return about

    async def _recipient(
        self, connection: AsyncConnection, about: dict[str, Any], principal: Principal
    ) -> Recipient:
        customer_id = about.get("customer_id")
        return (
            Recipient("") if customer_id is None else await self._reader(connection, customer_id, principal)
        )


def _facts(given: dict[str, Any]) -> dict[str, Any]:
    """What was given, as facts are. Raises the 422 problem, which names the field."""
    names = set(Facts.__struct_fields__)
    wrong = [
        ProblemError(
            f"/facts/{name}", "unknown_fact", f"there is no such fact. {suggestion(name, names)}".strip()
        )
        for name in given
        if name not in names
    ]
    if wrong:
        raise invalid_request(*wrong)
    try:
        found = msgspec.convert({"currency": "", **given}, Facts)
    except msgspec.ValidationError as error:
        raise invalid_request(ProblemError("/facts", "invalid_fact", str(error))) from None
    return {name: getattr(found, name) for name in given}


def _address(text: str) -> str:
    try:
        return read_address(text.strip()).addr_spec
    except BadAddressError:
        raise invalid_request(ProblemError("/to", "invalid_address", "is no e-mail address")) from None


def _email_of(found: Previewed) -> Rendered:
    written = next((one for one in found.written if one.channel is Channel.EMAIL), None)
    if written is None:
        raise invalid_request(
            ProblemError("", "no_email", "the template has no e-mail: give it subject and text")
        )
    if written.rendered is None:
        raise invalid_request(ProblemError("", "not_rendered", f"it could not be written: {written.trouble}"))
    return written.rendered


def _result(receipt: Receipt) -> Literal["sent", "refused", "again"]:
    if isinstance(receipt, Sent):
        return "sent"
    return "refused" if isinstance(receipt, Refused) else "again"


def _no_provider(detail: str) -> Problem:
    return Problem(409, "no_provider", "No mail server", detail)


def _suppressed() -> Problem:
    detail = "Nothing is sent to this address any more. POST /v1/suppressions/lift makes it good again."
    return Problem(409, "address_suppressed", "Address suppressed", detail)


def _too_many(wait_s: int) -> Problem:
    detail = f"Ten test e-mails may go at once, then one each half a minute. The next one may in {wait_s} s."
    return Problem(429, "too_many_tests", "Too many tests", detail, headers={"Retry-After": str(wait_s)})
