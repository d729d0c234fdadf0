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
    """One thing that changed about the customer: `what` is `stage`, `score`, or `segment`: then
    the customer entered the segment `new` (and `old` is None), or left `old` (and `new` is None).

    `old` is what was told last: it may have been some time ago, and the score sinks with silence. `at` says when, if
    time alone had done it before the record's own event: of several changes of stage the record's own comes last.
    """

    what: str
    old: str | None
    new: str | None
    at: datetime | None = None


class Person(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the person is reached and addressed, as far as one event tells it, and what they agree to after it.

    `sealed` (base64) is the sealed part of the event, all of it, under the key of `subject`; what it was bound to is
    the event's key: `event` in hex, or, where that is empty, the activity's own `id`. `sealed_fields` names what is in
    there (`customer.email`, `customer.first_name`, …), and `identifiers` the event's own, kind to pseudonym. These
    are empty where no event told anything, as after a merge. `locale`, `time_zone`, `consents` and
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

    `id`: the event's key in hex, or derived from what time caused. `type`: the event's type, or one that scoring
    itself causes: `stage.changed` (time alone moved the customer; `data` has `from` and `to`), `segment.entered` and
    `segment.left` (time alone, or a rule that was saved, moved the customer; `data.segment` says where; after a saved
    rule it is `historical`; what an event does is told in its own `changes`), `alert.closed` (somebody closed
    an alert about the customer, who is to hear of it: `data` has `kind`, `alert_id`, `campaign`, `days`),
    `<type>.missing`, `ticket.unanswered`, `renewal.due` (what silence or a date ahead does, on behalf of the campaigns
    of the program in force; `data.after` is the length that the campaign asked for, as `str(Period)` writes it),
    `customer.merged` (`data.from` is the customer id that ended in `customer_id`), `customer.unmerged` (this customer
    came out of `data.from`, or came back), `facts.corrected` (identifiers, and the events under them, proved to be
    another customer's; told of both; or a rebuild made something else of the same events: then `data.reason` is
    `rebuild`).
    Of the last three, `data.parts` lists what came from `data.from`, as the ids that the identifiers have as customers
    of their own, and `data.epoch` numbers the change: the higher one is right about a part. `time`: when it happened,
    by the sender. `received`: when ingest took it. `data`: the event's plain data without `customer`; for a
    cancellation or refund exactly what the sender said. `late` is true when an event with a later time was known
    already: its facts are then those after all events. `identifiers`: all pseudonyms by which the customer is
    known, kind to pseudonyms, sent
    whenever they changed. `part`: the part of the customer to which the event belongs, as in `data.parts`; left out
    where it is the one that gave the customer the id. `historical`: nobody is to be written to about it. `unrewarded`:
    it earns neither points nor offers, though spend counts towards tiers. `person`: sent with a customer's
    first event, when contacts, names, preferences, consent, locale or time zone may have changed, and with every
    change in who is who.
    """

    id: str
    customer_id: str
    type: str
    time: datetime
    received: datetime
    facts: Facts
    source: str = ""
    event_id: str = ""
    data: dict[str, Any] = {}
    changes: list[Change] = []
    identifiers: dict[str, list[str]] = {}
    part: str = ""
    person: Person | None = None
    late: bool = False
    historical: bool = False
    unrewarded: bool = False
