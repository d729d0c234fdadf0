"""The record of `regulars.activity`: what happened to one customer, and the customer's facts right after it.

Key of the stream: the customer id. Rewards reads nothing else, so a record carries everything a rule may ask:
the event, the facts, and what changed. `id` derives from the cause, so a repeat is recognised downstream.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct

from shared.contracts.facts import Facts

__all__ = ["ACTIVITY_TOPIC", "Activity", "Change", "Facts", "Person"]

ACTIVITY_TOPIC = "regulars.activity"


class Change(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that changed about the customer."""

    what: str
    """`stage`, `score` or `segment`."""
    old: str | None
    """What the stream told last; the score may have sunk since, with silence. None for the first stage, and for a
    segment that the customer entered."""
    new: str | None
    """What holds now. None for a segment that the customer left."""
    at: datetime | None = None
    """When time alone had changed it, if that was before the record's own event. Of several changes of stage the
    one by the record's own event comes last."""


class Person(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the person is reached and addressed, as far as one event tells it, and what they agree to after it.

    `sealed` (base64) is the sealed part of the event, all of it, under the key of `subject`; what it was bound to is
    the event's key: `event` in hex, or, where that is empty, the activity's own `id`. `sealed_fields` names what is
    in there (`customer.email`, `customer.first_name`, …), and `identifiers` the event's own, kind to pseudonym.
    These are empty where no event told anything, as after a merge. `locale`, `time_zone`, `consents` and
    `consents_withdrawn` (purposes) are those that count for the whole customer now.
    """

    subject: str = ""
    event: str = ""
    sealed: str | None = None
    sealed_fields: list[str] = []
    identifiers: dict[str, str] = {}
    locale: str | None = None
    time_zone: str | None = None
    consents: list[str] = []
    consents_withdrawn: list[str] = []


class Activity(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record.

    `type` is the type of the event, or one of these, which scoring itself causes:

    - `stage.changed`: time alone moved the customer; `data` has the stages `from` and `to`.
    - `segment.entered`, `segment.left`: time alone, or a rule that was saved, moved the customer into or out of
      `data.segment`; after a saved rule the record is `historical`. (What an event does to segments is told in its
      own `changes`.)
    - `alert.closed`: somebody closed an alert about the customer, who is to hear of it; `data` has `kind`,
      `alert_id`, `campaign`, `days`.
    - `<type>.missing`, `ticket.unanswered`, `renewal.due`: silence, or a date ahead, for which a campaign of the
      program in force waits; `data.after` is the length that the campaign asked for, as `str(Period)` writes it.
    - `customer.merged`: the customer with the id `data.from` ended in this one.
    - `customer.unmerged`: this customer came out of `data.from`, or came back.
    - `facts.corrected`: identifiers, with the events under them, proved to be another customer's, which is told of
      both; or a rebuild made something else of the same events: then `data.reason` is `rebuild`.

    For the last three, `data.parts` lists what came from `data.from`, as the ids that the identifiers have as
    customers of their own, and `data.epoch` numbers the change: about a part, the record with the highest number is
    right.
    """

    id: str
    """The event's key in hex, or derived from what caused the record: the same for the same cause."""
    customer_id: str
    type: str
    time: datetime
    """When it happened, by the sender's clock."""
    received: datetime
    """When ingest took the event, or scoring wrote the record."""
    facts: Facts
    """The customer's facts right after it; of a late event, those after all events."""
    source: str = ""
    event_id: str = ""
    data: dict[str, Any] = {}
    """The event's plain data without `customer`; of a cancellation or a refund exactly what the sender said."""
    changes: list[Change] = []
    identifiers: dict[str, list[str]] = {}
    """All pseudonyms by which the customer is known, by kind; sent whenever they changed."""
    part: str = ""
    """The part of the customer to which the event belongs, as in `data.parts`; empty for the part that gave the
    customer the id."""
    person: Person | None = None
    """Sent with the first event, with every change in who is who, and when contacts, names, preferences, consent,
    locale or time zone may have changed."""
    late: bool = False
    """Whether an event with a later time was known already."""
    historical: bool = False
    """Nobody is to be written to about it."""
    unrewarded: bool = False
    """It earns neither points nor offers, though spend counts towards tiers."""
