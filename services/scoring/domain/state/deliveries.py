"""Deliveries: which came late, and whether the customer stayed friendly."""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

FORGIVEN_DAYS = 60
"""A friendly act so soon after a late delivery shows that the customer is not driven away by it."""


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

    def forgiven_by(self, ordered_at: datetime | None) -> int:
        """How many late ones were forgiven, if the last order that stands was placed then: ordering again is the
        friendliest act. (It is asked for here, not kept, as an order may be cancelled.)"""
        if ordered_at is None or not self.pending or not self._follows(ordered_at):
            return self.forgiven
        return self.forgiven + self.pending

    def _follows(self, at: datetime) -> bool:
        late_at = self.last_late_at
        return late_at is not None and late_at < at <= late_at + timedelta(days=FORGIVEN_DAYS)


NO_DELIVERIES = Deliveries()


def delivered(
    deliveries: Deliveries, days_late: int, at: datetime, key: str, ordered_at: datetime | None
) -> Deliveries:
    """An order arrived. `ordered_at` is when the customer last ordered."""
    after = replace(deliveries, count=deliveries.count + 1, last_at=at, last_days_late=days_late)
    if days_late <= 0:
        return after
    forgiven = deliveries.forgiven_by(ordered_at)
    return replace(
        after,
        late=deliveries.late + 1,
        days_late=deliveries.days_late + days_late,
        last_late_at=at,
        last_late_key=key,
        forgiven=forgiven,
        pending=1 if forgiven > deliveries.forgiven else deliveries.pending + 1,
    )


def befriended(deliveries: Deliveries, at: datetime) -> Deliveries:
    """The customer did something friendly: a good review, a referral, a mention, a renewal by hand."""
    if not deliveries.pending:
        return deliveries
    forgiven = deliveries.forgiven_by(at)
    return replace(deliveries, forgiven=forgiven, pending=0)
