"""The state of one customer: what all events so far amount to, small and canonical.

The same events in any order and repetition give the same bytes, because events are folded in one order, and every
field is exact (integers and times), never a running float.
"""

from datetime import datetime

import msgspec
from msgspec import Struct

from services.scoring.domain.days import Days
from services.scoring.domain.money import Units

NO_DAYS = Days()


class State(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything the assessment needs, at any later moment.

    `last_at` and `last_key` place the newest event. Orders count unless cancelled; `order_days` is the number of
    different days with an order, `gap_squares` the sum of the squared gaps between them, in days. `days` holds the
    days of the last 365 up to the newest order. `since` and `cause` (the key of an event, empty for time alone) tell
    when the latest stage before `at_risk_at` and `lapses_at` began; from these on, time alone gives another one.
    `profile` names, for each personal field, the newest event that told it.
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

    since: datetime | None = None
    cause: str = ""
    at_risk_at: datetime | None = None
    lapses_at: datetime | None = None

    profile: dict[str, str] = {}
    locale: str | None = None
    time_zone: str | None = None
    consent: dict[str, bool] = {}


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
