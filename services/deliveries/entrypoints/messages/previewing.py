"""`POST /v1/templates/{template}/preview`: what a template would say to a real customer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Path
from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.adapters.recipients.recipients import PostgresRecipients
from services.deliveries.application.messages.previewing import Previewed, Written, preview
from services.deliveries.domain.channels import Channel, Purpose
from services.deliveries.domain.messages.links import Links
from services.deliveries.domain.recipients.recipient import Recipient
from services.deliveries.entrypoints.service import MayRead, Service
from shared.auth.guard import Principal
from shared.auth.scopes import Scope
from shared.http.openapi import problem_responses
from shared.http.problems import Problem, ProblemError, dependency_unavailable, invalid_request, not_found
from shared.http.shapes import Shape
from shared.http.types import CustomerName, refuse_nul
from shared.program.faults import ProgramError, suggestion
from shared.program.model.program import Program
from shared.program.sections.templates import read_draft
from shared.program.templating.template import MessageTemplate
from shared.program.versions.reading import NoProgramError
from shared.vault.subject_keys import SubjectKeys

Knowledge = Callable[[str], Awaitable[dict[str, Any] | None]]
"""What rewards knows of a customer of that name: `customer_id`, and facts (`customer`), `points` and `tier` as
`message.due` tells them; None: nobody of that name. Handed in by who mounts the routes."""

Reader = Callable[[AsyncConnection, str, Principal], Awaitable[Recipient]]

TemplateId = Annotated[
    str, Path(min_length=1, max_length=64, description="as the program names it"), AfterValidator(refuse_nul)
]

DRAFT_MAX = 60_000
"""Characters of a draft: all its pieces as long as they may be."""

log = structlog.get_logger()


class PreviewBody(Shape):
    """Who reads it, by which version of the program (left out: the one in force), and the words of a draft."""

    customer: CustomerName
    version: int | None = Field(None, ge=1, le=1_000_000_000)
    draft: Annotated[str, AfterValidator(refuse_nul)] | None = Field(
        None,
        max_length=DRAFT_MAX,
        description="The template as it would stand under its id in the program (YAML), instead of the program's own.",
    )


class WordsView(BaseModel):
    """What one channel would say. Where `trouble` is not null nothing could be written, and it says why."""

    channel: Channel
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    headers: dict[str, str] = {}
    trouble: str | None = None


class TemplatePreview(BaseModel):
    """A template as one customer would read it."""

    template: str
    program_version: int
    customer: str = Field(description="Our id of the customer.")
    campaign: str | None = Field(description="The campaign that sends it; null: none does.")
    purpose: Purpose
    personal: bool = Field(
        description="Whether names and contacts were filled in: they are for keys with the scope personal:read."
    )
    made_up: list[Literal["event", "offer"]] = Field(
        description="What stands for things that this customer has not had, with values made up."
    )
    words: list[WordsView]


def preview_routes(service: Service, links: Links, known: Knowledge) -> APIRouter:
    """`POST /v1/templates/{template}/preview`."""
    router = APIRouter(tags=["templates"])
    reader = reader_of(service)

    @router.post(
        "/v1/templates/{template}/preview",
        summary="What a template would say to a customer",
        responses=problem_responses(404, 422, 503),
    )
    async def preview_template(
        template: TemplateId, body: PreviewBody, principal: MayRead
    ) -> TemplatePreview:
        """What the customer would read on each channel, were it sent now. Nothing is sent and nothing is written. The
        customer's facts, points and tier are real; the event and the offer are made up."""
        now = service.clock()
        about = await known(body.customer)
        if about is None:
            raise not_found("There is no customer of this name.")
        customer_id = str(about["customer_id"])
        async with service.engine.begin() as connection:
            program = await program_of(service, connection, body.version)
            recipient = await reader(connection, customer_id, principal)
        # Beside the event loop, which also serves the checkout: the longest drafts take a second to read.
        words = await asyncio.to_thread(words_of, program, template, body.draft)
        found = await asyncio.to_thread(preview, program, words, recipient, about, links, now)
        return _view(found, template, program, customer_id, personal=principal.may(Scope.PERSONAL_READ))

    return router


def reader_of(service: Service) -> Reader:
    """How to find a customer as one who is written to: with names and contacts for keys that may see them, which is
    noted."""
    recipients = PostgresRecipients(SubjectKeys(service.settings.secret), service.pseudonyms)

    async def reader(connection: AsyncConnection, customer_id: str, principal: Principal) -> Recipient:
        if not principal.may(Scope.PERSONAL_READ):
            return Recipient(customer_id)
        log.info("personal_data_read", key_id=principal.key_id, customer_id=customer_id)
        found = await recipients.load(connection, [customer_id])
        return found.get(customer_id, Recipient(customer_id))

    return reader


async def program_of(service: Service, connection: AsyncConnection, version: int | None) -> Program:
    """The version asked for, or the one in force. Raises the 422 and 503 problems."""
    if version is None:
        try:
            return await service.programs.current(connection, service.clock())
        except (NoProgramError, ProgramError) as error:
            raise dependency_unavailable("No program is in force that can be read.") from error
    found = await service.programs.version(connection, version)
    if found is None:
        raise invalid_request(
            ProblemError("/version", "unknown_version", "there is no version of this number")
        )
    return found


def words_of(program: Program, template: str, draft: str | None) -> MessageTemplate:
    """The template to try: the draft, or the program's own. Raises the 404 and 422 problems."""
    if draft is not None:
        try:
            return read_draft(draft, template, program)
        except ProgramError as error:
            raise _invalid(error) from None
    found = program.templates.get(template)
    if found is None:
        hint = suggestion(template, program.templates)
        raise not_found(f"There is no template {template} in version {program.version}. {hint}".strip())
    return found


def _invalid(error: ProgramError) -> Problem:
    """422: the draft is not fit to be sent; every fault by its place within it."""
    faults = [ProblemError("/draft", "invalid_template", str(fault)) for fault in error.errors]
    return Problem(
        422, "invalid_template", "The template is not valid", f"{len(faults)} to be put right.", faults
    )


def _view(
    found: Previewed, template: str, program: Program, customer_id: str, *, personal: bool
) -> TemplatePreview:
    return TemplatePreview(
        template=template,
        program_version=program.version,
        customer=customer_id,
        campaign=found.campaign,
        purpose=found.purpose,
        personal=personal,
        made_up=list(found.made_up),
        words=[_words(one) for one in found.written],
    )


def _words(one: Written) -> WordsView:
    if one.rendered is None:
        return WordsView(channel=one.channel, trouble=one.trouble)
    rendered = one.rendered
    return WordsView(
        channel=one.channel,
        subject=rendered.subject or None,
        text=rendered.text,
        html=rendered.html or None,
        headers=rendered.headers,
    )
