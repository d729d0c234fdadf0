"""The state of one customer: what all events so far amount to, small and canonical.

The same events in any order and repetition give the same bytes, because events are folded in one order, and every
field is exact (integers and times), never a running float.
"""

from datetime import datetime

import msgspec
from msgspec import Struct

from services.scoring.domain.money import Units
from services.scoring.domain.state.business import NO_BUSINESS, Business
from services.scoring.domain.state.days import Days
from services.scoring.domain.state.deliveries import NO_DELIVERIES, Deliveries
from services.scoring.domain.state.engagement import NO_EMAILS, NO_ENGAGEMENT, Emails, Engagement
from services.scoring.domain.state.feedback import NO_FEEDBACK, Feedback
from services.scoring.domain.state.goods import NO_GOODS, Goods
from services.scoring.domain.state.labels import Label
from services.scoring.domain.state.subscriptions import NO_SUBSCRIPTIONS, Subscriptions
from services.scoring.domain.state.tally import Tally
from services.scoring.domain.state.tickets import NO_TICKETS, Tickets
from services.scoring.domain.state.voice import NO_VOICE, Voice
from shared.contracts.lifecycle import ONBOARDING

NO_DAYS = Days()

AttributeValue = str | int | float | bool
"""What an attribute of the shop's own may be. A number without a fraction is an int."""


class Return(Struct, frozen=True, array_like=True):
    """A customer who came back: with the order of `at`, and `orders` that stand since then, that one included."""

    at: datetime
    orders: int


class State(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything the assessment needs, at any later moment.

    `last_at` and `last_key` place the newest event. Orders count unless cancelled; `order_days` is the number of
    different days with an order, `gap_squares` the sum of the squared gaps between them, in days. `days` holds the
    days of the last 365 up to the newest order.

    `stage` is the one that the newest order or cancellation left, `since` and `cause` (the key of an event, empty for
    time alone) tell when and by what it had begun. From `at_risk_at`, `lapses_at` and `churns_at` on, and for a loyal
    customer from `loyal_until` on, time alone gives another one. `back` is kept while a customer is being won back.

    `profile` names, for each personal field, the newest event that told it; `consent_at` says when each consent got
    its present value. `contacts` tells by the beginnings of their pseudonyms which shop id, e-mail address and
    telephone number were told last. `history_until` is when imported history about the customer was last received:
    what time alone did before is history as well, about which nobody is written to.

    What else a customer does is in parts of its own, each empty (and left out of the text) until such an event comes.
    `attributes` are the shop's own, as last told; `custom` counts the shop's own events by their type;
    `labels` are tags that were given.
    """

    events: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    last_key: str = ""
    registered_at: datetime | None = None

    orders: int = 0
    spend: Units = 0
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    first_order_day: int = 0
    last_order_day: int = 0
    order_days: int = 0
    gap_squares: int = 0
    days: Days = NO_DAYS

    stage: str = ONBOARDING
    since: datetime | None = None
    cause: str = ""
    at_risk_at: datetime | None = None
    lapses_at: datetime | None = None
    churns_at: datetime | None = None
    loyal_until: datetime | None = None
    back: Return | None = None

    profile: dict[str, str] = {}
    contacts: dict[str, str] = {}
    locale: str | None = None
    time_zone: str | None = None
    consent: dict[str, bool] = {}
    consent_at: dict[str, datetime] = {}
    history_until: datetime | None = None

    goods: Goods = NO_GOODS
    deliveries: Deliveries = NO_DELIVERIES
    emails: Emails = NO_EMAILS
    engagement: Engagement = NO_ENGAGEMENT
    tickets: Tickets = NO_TICKETS
    feedback: Feedback = NO_FEEDBACK
    subscriptions: Subscriptions = NO_SUBSCRIPTIONS
    business: Business = NO_BUSINESS
    voice: Voice = NO_VOICE
    attributes: dict[str, AttributeValue] = {}
    custom: dict[str, Tally] = {}
    labels: dict[str, Label] = {}

    def is_history(self, moment: datetime) -> bool:
        """Whether what time alone did at this moment is history: history of the customer was imported after it."""
        return self.history_until is not None and moment <= self.history_until


EMPTY = State()
"""Before the first event."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(State)


def encode_state(state: State) -> str:
    """The canonical text of a state."""
    return _encoder.encode(state).decode()


def decode_state(text: str) -> State:
    """The state in a text that `encode_state` made."""
    return _decoder.decode(text)
