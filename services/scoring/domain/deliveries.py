"""Deliveries: which came late, and whether the customer stayed friendly."""

from datetime import datetime

from msgspec import Struct


class Deliveries(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`late` counts deliveries after their day, `days_late` sums those days. `pending` late ones, the last of them at
    `last_late_at`, have not been followed by a friendly act yet; `forgiven` ones have, within `FORGIVEN_DAYS`."""

    count: int = 0
    late: int = 0
    days_late: int = 0
    last_days_late: int = 0
    last_at: datetime | None = None
    last_late_at: datetime | None = None
    last_late_key: str = ""
    pending: int = 0
    forgiven: int = 0


NO_DELIVERIES = Deliveries()
