"""The program as frozen types: what a marketer's file means once it has been checked.

`shared.program.parse` makes a `Program` from YAML; nobody else constructs one outside of tests. Durations are
`Period`s (calendar arithmetic in the program's time zone), money is `Decimal` in the program's currency, points are
integers.
"""

from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from shared.program.conditions.condition import Condition
from shared.program.model.campaigns import Campaign
from shared.program.model.earn import Counted, EarnRule, Referral
from shared.program.model.limit import Limit
from shared.program.model.offers import OfferTemplate, Reward
from shared.program.model.score import Score
from shared.program.model.tiers import Tiers
from shared.program.templating.template import MessageTemplate
from shared.program.values.calendar import ExpireAt
from shared.program.values.period import Period


@dataclass(frozen=True, slots=True)
class Redeem:
    """`points` are worth `value`; at least `minimum` at once; a reservation lasts `reserve_for`."""

    points: int
    value: Decimal
    minimum: int
    reserve_for: Period


@dataclass(frozen=True, slots=True)
class Points:
    """`expire_after` None: never. `renewed_by`: types of events that let all points last as long again.
    `notice_before`: how long before expiry the customer is told. `pending_for`: how long points wait until they can
    be spent (`wait`: whether they do). `count`: what of an order counts as paid."""

    earn: tuple[EarnRule, ...]
    redeem: Redeem | None
    expire_after: Period | None
    notice_before: Period | None
    pending_for: Period
    expire_at: ExpireAt = "day"
    renewed_by: frozenset[str] = frozenset()
    count: Counted = field(default_factory=Counted)
    referral: Referral | None = None
    wait: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "wait", bool(self.pending_for))


@dataclass(frozen=True, slots=True)
class Count:
    """A number among the facts (`orders`, `spend`, …) has come to `of`; with `each`, to every multiple of it,
    each of which is an occasion of its own."""

    fact: str
    of: Decimal
    each: bool = False


@dataclass(frozen=True, slots=True)
class Milestone:
    """Reached once per customer: when, after an event of type `on` (any event if None), `when` holds and `count` has
    come so far. Gives points, an offer, or both. With `on` an occasion that recurs (`customer.birthday`), once per
    occasion."""

    id: str
    when: Condition | None
    on: str | None
    points: int | None = None
    offer: str | None = None
    count: Count | None = None


@dataclass(frozen=True, slots=True)
class Stages:
    """Thresholds of the lifecycle. Silence: for `lapsed_after`, for `churned_after`, for `at_risk_at` times the
    customer's own order interval. Orders: `active_orders` in all make active, `loyal_orders` within 365 days loyal;
    a customer who came back is being won back until there are `won_back_orders` since."""

    lapsed_after: Period
    churned_after: Period
    at_risk_at: Decimal
    active_orders: int = 2
    loyal_orders: int = 5
    won_back_orders: int = 2


MessageChannel = Literal["email", "sms", "push"]
ConsentRule = Literal["required", "unless_withdrawn"]
AtNight = Literal["email", "always", "never"]


@dataclass(frozen=True, slots=True)
class Messages:
    """Limits that keep messages human. `channels`: which are used, the first one first. `sms_after_unopened`: so many
    unopened e-mails in a row put SMS before e-mail. `consent`: whether marketing needs it given, or only not withdrawn.
    `hold_for_angry_tickets`: marketing waits while a ticket of a customer who is angry is open. `service_at_night`: by
    which channels service goes out in quiet hours, too. `imprint`: who writes, below every e-mail; may have lines."""

    quiet_from: time | None = None
    quiet_until: time | None = None
    at_most: Limit | None = None
    channels: tuple[MessageChannel, ...] = ("email",)
    sms_after_unopened: int | None = None
    consent: ConsentRule = "required"
    hold_for_angry_tickets: bool = True
    service_at_night: AtNight = "email"
    imprint: str = ""


@dataclass(frozen=True, slots=True)
class Alerts:
    """What the system watches by itself, beside the alerts that campaigns raise. `unusual_redemptions`: how many times
    the usual is worth a look. `falling_opens`: by how many percent the share of opened e-mails has fallen then. None:
    not watched."""

    unusual_redemptions: Decimal | None = Decimal(3)
    falling_opens: Decimal | None = Decimal(30)


@dataclass(frozen=True, slots=True)
class Program:
    """One version of the rule book. `version` is given when it is stored; 0 is a program that is not yet stored.
    `removed_ids` are ids that may never be used again (`shared.program.model.ids`)."""

    name: str
    currency: str
    time_zone: ZoneInfo
    points: Points
    stages: Stages
    score: Score = field(default_factory=Score)
    tiers: Tiers | None = None
    offers: dict[str, OfferTemplate] = field(default_factory=dict)
    rewards: dict[str, Reward] = field(default_factory=dict)
    milestones: tuple[Milestone, ...] = ()
    segments: dict[str, Condition] = field(default_factory=dict)
    campaigns: tuple[Campaign, ...] = ()
    messages: Messages = field(default_factory=Messages)
    alerts: Alerts = field(default_factory=Alerts)
    templates: dict[str, MessageTemplate] = field(default_factory=dict)
    removed_ids: frozenset[str] = frozenset()
    version: int = 0
