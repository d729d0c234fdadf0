"""Subscriptions: each with its state, and how they were renewed."""

from datetime import datetime

from msgspec import Struct

ACTIVE = "active"
PAUSED = "paused"
CANCELLED = "cancelled"


class Subscription(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One subscription: `state` since `since`; `started_at` is None when its start is not known."""

    state: str
    since: datetime
    started_at: datetime | None = None
    plan: str | None = None
    renewals: int = 0
    pauses: int = 0


class Subscriptions(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of them: counts for ever, and the newest by their ids (`SUBSCRIPTIONS_MAX`; cancelled ones make room).
    One without an id is kept under an empty one."""

    started: int = 0
    automatic: int = 0
    manual: int = 0
    pauses: int = 0
    resumed: int = 0
    cancelled: int = 0
    last_renewed_at: datetime | None = None
    last_paused_at: datetime | None = None
    last_cancelled_at: datetime | None = None
    newest: dict[str, Subscription] = {}


NO_SUBSCRIPTIONS = Subscriptions()
