"""The record of `regulars.activity`: what happened to one customer, and the customer's facts right after it.

Key of the stream: the customer id. Rewards reads nothing else, so a record carries everything a rule may ask:
the event, the facts, and what changed. `id` derives from the cause, so a repeat is recognised downstream.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

ACTIVITY_TOPIC = "regulars.activity"


class Facts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a customer at one moment, ready for rules.

    Money is in `currency`, the shop's own; orders in another one count in `orders` but not in any spend.
    `orders` are those that stand: a cancelled one does not count. `spend` is what was paid less what was refunded,
    a refund counting on the day of its order; `_30d` and `_12m` are the same over the last 30 and 365 whole days (in
    the program's time zone, today included). `order_interval_days` is the mean between days with an order. `stage` is
    one of `shared.contracts.lifecycle.STAGES`; `score` is 0-100, and so are its halves (None when nothing is known).
    `texts`
    counts the texts (of tickets, reviews, comments) that could be read, `sentiment` is how the newest of them sound,
    -100 to 100 (None without any), `tags` names what they say. `_percentile` of somebody with an order is the largest
    whole p such that at least p % of all customers with an order had less (fewer orders, an earlier last order) when
    all were last compared; None before that.
    """

    currency: str
    events: int = 0
    orders: int = 0
    orders_12m: int = 0
    spend: Decimal = Decimal(0)
    spend_30d: Decimal = Decimal(0)
    spend_12m: Decimal = Decimal(0)
    first_event_at: datetime | None = None
    last_event_at: datetime | None = None
    registered_at: datetime | None = None
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    order_interval_days: float | None = None
    stage: str = "onboarding"
    score: int = 0
    score_behavioural: int | None = None
    score_emotional: int | None = None
    spend_percentile: int | None = None
    orders_percentile: int | None = None
    recency_percentile: int | None = None
    segments: list[str] = []
    tags: list[str] = []
    texts: int = 0
    sentiment: int | None = None


class Change(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that changed about the customer: `what` is `stage`, `score`, or `segment`: then
    the customer entered the segment `new` (and `old` is None), or left `old` (and `new` is None).

    `at` says when, if time alone had done it before the record's own event: of several changes of stage the record's
    own comes last.
    """

    what: str
    old: str | None
    new: str | None
    at: datetime | None = None


class Activity(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record.

    `id`: the event's key in hex, or derived from what time caused. `type`: the event's type, or one that scoring
    itself causes: `stage.changed` (time alone moved the customer; `data` has `from` and `to`), `segment.entered` and
    `segment.left` (time alone, or a rule that was saved, moved the customer; `data.segment` says where; after a saved
    rule it is `historical`; what an event does is told in its own `changes`), `customer.merged`
    (`data.from` is the customer id that ended in `customer_id`), `customer.unmerged` (this customer came out of
    `data.from`, or came back), `facts.corrected` (identifiers, and the events under them, proved to be another
    customer's; told of both; or a rebuild made something else of the same events: then `data.reason` is `rebuild`).
    Of the last three, `data.parts` lists what came from `data.from`, as the ids that the identifiers have as customers
    of their own, and `data.epoch` numbers the change: the higher one is right about a part. `time`: when it happened,
    by the sender. `received`: when ingest took it. `data`: the event's plain data without `customer`; for a
    cancellation or refund exactly what the sender said. `late` is true when an event with a later time was known
    already: its facts are then those after all events. `identifiers`: all pseudonyms by which the customer is known,
    kind to pseudonyms, sent whenever they changed. `part`: the part of the customer to which the event belongs, as
    in `data.parts`; left out where it is the one that gave the customer the id. `historical`: nobody is to be
    written to about it. `unrewarded`: it earns neither points nor offers, though spend counts towards tiers.
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
    late: bool = False
    historical: bool = False
    unrewarded: bool = False
