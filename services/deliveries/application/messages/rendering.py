"""The words of messages: the program's templates with what is known of the customer, the cause and the offer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from functools import lru_cache
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.application.ports import Rendered, RenderError
from services.deliveries.application.recipients.responding import TRACKING
from services.deliveries.domain.channels import Channel, Purpose
from services.deliveries.domain.messages.layout import (
    WayOut,
    at_end,
    one_line,
    page_of,
    pixel,
    text_of,
    with_links,
)
from services.deliveries.domain.messages.links import Links, Use, can_be_followed
from services.deliveries.domain.messages.message import Message
from services.deliveries.domain.recipients.recipient import Recipient
from shared.contracts.facts import Facts
from shared.program.describing.describe import describe_gift
from shared.program.model.program import Program
from shared.program.templating.names import OFFERING, PERSON, Names, Occasion, is_open, names_of
from shared.program.templating.rendering import TemplateError, render, variables
from shared.program.templating.template import MessageTemplate, Piece
from shared.program.values.calendar import is_end_of_day, last_day

SUBJECT_MAX: Final = 250
SHORT_MAX: Final = 1_600
"""Characters of an SMS: ten parts, which is what providers take."""

KEPT_VERSIONS: Final = 64

_NO_FACTS: Final = msgspec.structs.asdict(Facts(currency=""))
"""Facts that are empty do not travel."""


class Programs(Protocol):
    """The versions of the program."""

    async def current(self, connection: AsyncConnection, now: datetime) -> Program:
        """The one in force. Raises `NoProgramError`, `ProgramError`."""

    async def version(self, connection: AsyncConnection, version: int) -> Program | None:
        """One of them; None when it cannot be read any more."""


@dataclass
class TemplateRenderer:
    """Implements `Renderer`. A message is written by the template in force when it is sent, so that a slip that was
    corrected is not sent on; by that of its own version where there is none in force any more."""

    programs: Programs
    links: Links
    tracking: bool = True
    _current: Program | None = None
    _own: dict[int, Program | None] = field(default_factory=dict)

    async def prepare(self, connection: AsyncConnection, messages: Sequence[Message], now: datetime) -> None:
        """See `Renderer.prepare`."""
        self._current = await self.programs.current(connection, now)
        versions = {message.program_version for message in messages} - {self._current.version}
        if len(self._own) > KEPT_VERSIONS:
            self._own = {}
        for version in sorted(versions):
            self._own[version] = await self.programs.version(connection, version)

    def channels(self, message: Message) -> frozenset[Channel]:
        """See `Renderer.channels`."""
        for _, template in self._candidates(message):
            return frozenset(Channel(name) for name in template.channels)
        return frozenset()

    def render(self, message: Message, recipient: Recipient, channel: Channel) -> Rendered:
        """See `Renderer.render`."""
        problem = "its template is gone"
        for program, template in self._candidates(message):
            if channel not in template.channels:
                continue
            try:
                return _Writer(program, template, message, recipient, self.links, self.tracking).write(
                    channel
                )
            except TemplateError as error:
                problem = f"template {template.id} of version {program.version}: {error}"
        raise RenderError(problem)

    def _candidates(self, message: Message) -> list[tuple[Program, MessageTemplate]]:
        """The template in force, then that of the message's own version."""
        programs = [self._current, self._own.get(message.program_version)]
        return [
            (program, program.templates[message.template])
            for program in programs
            if program is not None and message.template in program.templates
        ]


def render_by(  # noqa: PLR0917
    program: Program,
    template: MessageTemplate,
    message: Message,
    recipient: Recipient,
    links: Links,
    channel: Channel,
) -> Rendered:
    """The words by this template, without counting opens and clicks. Raises `RenderError`."""
    try:
        return _Writer(program, template, message, recipient, links, tracking=False).write(channel)
    except TemplateError as error:
        raise RenderError(str(error)) from error


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes one message."""

    program: Program
    template: MessageTemplate
    message: Message
    recipient: Recipient
    links: Links
    tracking: bool

    def write(self, channel: Channel) -> Rendered:
        given = self._variables()
        if channel is Channel.EMAIL:
            return self._email(given)
        piece = self.template.sms if channel is Channel.SMS else self.template.push
        assert piece is not None
        text = render(piece, given).strip()
        if len(text) > SHORT_MAX:
            raise TemplateError(f"the text has more than {SHORT_MAX} characters")
        if not text:
            raise TemplateError("the text is empty")
        return Rendered(text=text)

    def _email(self, given: Mapping[str, Any]) -> Rendered:
        subject = one_line(self._piece(self.template.subject, given))[:SUBJECT_MAX]
        if not subject:
            raise TemplateError("the subject is empty")
        text = self._piece(self.template.text, given)
        html = self._piece(self.template.html, given) or page_of(text, subject, self._language())
        text = text or text_of(html)
        out = WayOut(
            shop=self.program.name,
            preferences=given["preferences_url"],
            unsubscribe=given["unsubscribe_url"] if self._marketing() else "",
            imprint=self.program.messages.imprint,
        )
        html = out.below_html(html)
        if self.tracking and TRACKING not in self.recipient.withdrawn:
            html = at_end(html, pixel(self.links.make(Use.OPEN, self.message.id)))
            html = with_links(html, self._counted)
        else:
            html = with_links(html, lambda address: address)
        return Rendered(
            text=out.below_text(text), subject=subject, html=html, headers=self._headers(out.unsubscribe)
        )

    def _piece(self, piece: Piece | None, given: Mapping[str, Any]) -> str:
        return "" if piece is None else render(piece, given)

    def _counted(self, address: str) -> str:
        """The address by way of ours, where that it was followed is noted."""
        if self.links.own(address) or not can_be_followed(address):
            return address
        return self.links.make(Use.CLICK, self.message.id, address)

    def _headers(self, unsubscribe: str) -> dict[str, str]:
        """One-click unsubscribing (RFC 8058); messages of service are none that one is subscribed to."""
        if not unsubscribe:
            return {}
        return {
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }

    def _marketing(self) -> bool:
        return self.message.purpose is Purpose.MARKETING

    def _language(self) -> str:
        return (self.recipient.locale or "en").replace("_", "-")

    def _variables(self) -> dict[str, Any]:
        message, recipient = self.message, self.recipient
        event_type = next((one.on for one in self.program.campaigns if one.id == message.campaign), None)
        context, zone = message.context, recipient.zone or self.program.time_zone
        event, offer = context.get("event") or {}, context.get("offer")
        if event.get("type") in OFFERING:
            event = _with_last_day(event, self.program, zone)
        values = {
            "customer": {**_NO_FACTS, **(context.get("customer") or {}), **_person(recipient)},
            "event": {"time": message.caused_at, **event},
            "points": context.get("points") or 0,
            "tier": context.get("tier"),
            "offer": _offer(offer, self.program, zone),
            "shop": {"name": self.program.name, "currency": self.program.currency},
            "unsubscribe_url": self.links.make(Use.UNSUBSCRIBE, message.id),
            "preferences_url": self.links.make(Use.PREFERENCES, message.id),
        }
        return variables(
            _names(event_type),
            values,
            zone=zone,
            currency=self.program.currency,
            open_event=is_open([event_type]),
        )


@lru_cache(256)
def _names(event_type: str | None) -> Names:
    """The names on that event; there may be an offer."""
    return names_of([Occasion("", event_type, offer=False)])


def _offer(offer: Mapping[str, Any] | None, program: Program, zone: ZoneInfo) -> Mapping[str, Any] | None:
    """The offer, with what it gives in words for its name: nobody reads ids."""
    if offer is None:
        return None
    given = program.offers.get(str(offer.get("name")))
    name = offer.get("name") if given is None else describe_gift(given, program.currency)
    return {**_with_last_day(offer, program, zone), "name": name}


def _with_last_day(told: Mapping[str, Any], program: Program, zone: ZoneInfo) -> Mapping[str, Any]:
    """What is told of a code that ends with a day of the program's zone, with that day as its end: it is the day that
    the customer shall read, wherever they are. One that ends at an hour keeps it."""
    until = told.get("valid_until")
    end = datetime.fromisoformat(until) if isinstance(until, str) else None
    if end is None or not is_end_of_day(end, program.time_zone):
        return told
    day = last_day(end, program.time_zone)
    return {**told, "valid_until": datetime.combine(day, time.max, zone).isoformat()}


def _person(recipient: Recipient) -> dict[str, Any]:
    """What the person told; nothing that is empty."""
    reached = {channel: contact.value for channel, contact in recipient.contacts.items()}
    zone: ZoneInfo | None = recipient.zone
    told = {
        **{name: recipient.personal.get(name) for name in PERSON},
        "email": reached.get(Channel.EMAIL),
        "phone": reached.get(Channel.SMS),
        "id": reached.get(Channel.PUSH),
        "locale": recipient.locale,
        "time_zone": zone.key if zone else None,
    }
    return {name: value.strip() or None if isinstance(value, str) else None for name, value in told.items()}
