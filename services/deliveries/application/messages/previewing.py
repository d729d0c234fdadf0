"""What a template would say to a real customer. Nothing is sent, and nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from services.deliveries.application.messages.rendering import render_by
from services.deliveries.application.ports import Rendered, RenderError
from services.deliveries.domain.channels import Channel, Purpose
from services.deliveries.domain.messages.links import Links
from services.deliveries.domain.messages.message import Message
from services.deliveries.domain.recipients.recipient import Recipient
from shared.program.model.campaigns import Action, Campaign
from shared.program.model.program import Program
from shared.program.templating.names import OFFERING, event_names
from shared.program.templating.template import MessageTemplate
from shared.program.templating.trial import sample
from shared.program.vocabulary.types import Kind, Type

PREVIEW: Final = "preview"
"""Stands for a message that there is not: links of a preview lead to a page that says so."""

CODE: Final = "EXAMPLE-CODE"


@dataclass(frozen=True, slots=True)
class Written:
    """What one channel would say, or why nothing."""

    channel: Channel
    rendered: Rendered | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Previewed:
    """A template as one customer would read it. `made_up` names what stands for things that the customer has not had:
    the event that sets the campaign off, the offer that it gives."""

    campaign: str | None
    purpose: Purpose
    made_up: tuple[str, ...]
    written: tuple[Written, ...]


def preview(  # noqa: PLR0917
    program: Program,
    template: MessageTemplate,
    recipient: Recipient,
    known: Mapping[str, Any],
    links: Links,
    now: datetime,
) -> Previewed:
    """What the template would say now. `known`: the customer's facts, points and tier, as `message.due` has them."""
    campaign, actions = _sending(program, template.id)
    event = sample(Type(Kind.RECORD, fields=event_names([campaign.on if campaign else None])))
    offer = _offer(program, campaign, actions, now)
    message = _message(program, template, campaign, now)
    message = replace(message, context={**known, "event": {**event, "time": now.isoformat()}, "offer": offer})
    return Previewed(
        campaign=campaign.id if campaign else None,
        purpose=message.purpose,
        made_up=("event", "offer") if offer else ("event",),
        written=tuple(
            _written(program, template, message, recipient, links, channel)
            for channel in Channel
            if channel in template.channels
        ),
    )


def _written(  # noqa: PLR0917
    program: Program,
    template: MessageTemplate,
    message: Message,
    recipient: Recipient,
    links: Links,
    channel: Channel,
) -> Written:
    try:
        return Written(channel, render_by(program, template, message, recipient, links, channel))
    except RenderError as error:
        return Written(channel, None, str(error))


def _sending(program: Program, template: str) -> tuple[Campaign | None, Sequence[Action]]:
    """The first campaign that sends the template, with what it does then."""
    for campaign in program.campaigns:
        for actions in (campaign.do, *(variant.do for variant in campaign.variants)):
            if any(action.message == template for action in actions):
                return campaign, actions
    return None, ()


def _offer(
    program: Program, campaign: Campaign | None, actions: Sequence[Action], now: datetime
) -> dict[str, Any] | None:
    """What the campaign gives, or one of the program's where it begins on any offer."""
    names = [one.offer for one in actions if one.offer is not None]
    if campaign is not None and campaign.on in OFFERING:
        names += program.offers
    given = next((program.offers[name] for name in names if name in program.offers), None)
    if given is None:
        return None
    until = given.good_until(now, program.time_zone)
    return {"name": given.id, "code": given.code or CODE, "valid_until": until and until.isoformat()}


def _message(
    program: Program, template: MessageTemplate, campaign: Campaign | None, now: datetime
) -> Message:
    return Message(
        id=PREVIEW,
        customer_id="",
        part="",
        campaign=campaign.id if campaign else "",
        run="",
        template=template.id,
        arm="",
        purpose=Purpose(template.purpose),
        cause="",
        caused_at=now,
        created_at=now,
        expires_at=now,
        program_version=program.version,
    )
