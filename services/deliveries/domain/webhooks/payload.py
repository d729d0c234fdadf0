"""The body of a webhook, as Standard Webhooks proposes it: type, time, data; and the id, for who keeps bodies."""

from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from services.deliveries.domain.messages.message import Message, State
from services.deliveries.domain.webhooks.catalogue import TYPES
from shared.contracts.outcomes import Outcome

CALL: Final = "webhook.due"
"""The outcome by which a campaign calls an endpoint: `data.webhook` names it."""

ACTION: Final = "campaign.action"
"""What the endpoint is told then."""

_encode = msgspec.json.Encoder(decimal_format="string").encode


class Event(Struct, frozen=True):
    """Something to tell: `body` is what is signed and sent, the same to every endpoint and at every try."""

    id: str
    type: str
    at: datetime
    customer_id: str | None
    body: bytes


class Addressed(NamedTuple):
    """An event, and an endpoint that gets it."""

    endpoint_id: str
    event_id: str


def event_of(outcome: Outcome) -> Event | None:
    """What webhooks tell of an outcome; None of what stays inside. Nothing is told of imported history: whoever wants
    that reads it."""
    if outcome.type not in TYPES or outcome.historical:
        return None
    about = {"customer": outcome.customer_id or None, "cause": outcome.cause}
    data = TYPES[outcome.type].sent(outcome.data)
    return make_event(
        outcome.id,
        outcome.type,
        outcome.time,
        outcome.customer_id or None,
        {**data, **about, "program_version": outcome.program_version},
    )


def called_of(outcome: Outcome) -> tuple[str, Event] | None:
    """The endpoint that a campaign calls by its name, and what it is told; None for any other outcome."""
    if outcome.type != CALL or outcome.historical:
        return None
    data = {**TYPES[ACTION].sent(outcome.data), "customer": outcome.customer_id, "cause": outcome.cause}
    event = make_event(outcome.id, ACTION, outcome.time, outcome.customer_id, data)
    return str(outcome.data["webhook"]), event


class MessageNews(NamedTuple):
    """What became of a message to a customer: `type` such as `message.sent`; `identity` names it, `about` says which
    message it was."""

    type: str
    identity: str
    customer_id: str
    about: dict[str, Any]


def news_of(message: Message) -> MessageNews | None:
    """What is told of a message after it was looked at: that it was sent, or has failed."""
    if message.state not in {State.SENT, State.FAILED}:
        return None
    about = {
        "message": message.id,
        "campaign": message.campaign,
        "run": message.run,
        "arm": message.arm,
        "template": message.template,
        "purpose": message.purpose,
        "channel": message.channel,
        "reason": message.reason,
    }
    return MessageNews(f"message.{message.state}", message.id, message.customer_id, about)


def event_of_message(news: MessageNews, at: datetime) -> Event:
    """What webhooks tell of it."""
    data = {**TYPES[news.type].sent(news.about), "customer": news.customer_id}
    return make_event(news.identity, news.type, at, news.customer_id, data)


def make_event(
    identity: str, type_: str, at: datetime, customer_id: str | None, data: dict[str, Any]
) -> Event:
    """An event with just this data. The same type and `identity` make the same id."""
    named = f"{type_}\n{identity}".encode()
    id_ = f"msg_{blake2b(named, digest_size=16, person=b'webhook').hexdigest()}"
    body = _encode({"type": type_, "timestamp": at, "id": id_, "data": data})
    return Event(id_, type_, at, customer_id, body)
